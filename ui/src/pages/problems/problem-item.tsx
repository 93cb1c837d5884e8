import type { ComponentChildren } from 'preact';
import type { Diagnostic } from '../../../../src/server/contract/common.ts';
import { External } from '../../components/links.tsx';
import { Glyph } from '../../components/status.tsx';
import { Excerpt } from './excerpt.tsx';

/** A diagnostic as a row: what, what to do, where, and the lines at fault. `children`: what can be done about it here. */
export function ProblemItem({ problem, children }: { problem: Diagnostic; children?: ComponentChildren }) {
  const tone = problem.severity === 'error' ? 'bad' : problem.severity === 'warning' ? 'warn' : 'idle';
  const place = problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
  return (
    <li class="problem" data-row>
      <div class="problem-head">
        <Glyph tone={tone} />
        <div>
          <p class="problem-message">
            <span class="sr-only">{problem.severity}: </span>
            <bdi>{problem.message}</bdi>
          </p>
          {problem.hint !== null && (
            <p class="problem-hint">
              <bdi>{problem.hint}</bdi>
            </p>
          )}
          <p class="faint row tight wrap">
            <External href={problem.url}>
              <span class="mono break">{place}</span>
            </External>
            <span class="chip">{problem.code}</span>
            {problem.path !== null && <code>{problem.path}</code>}
          </p>
        </div>
      </div>
      {children}
      {problem.excerpt.length > 0 && <Excerpt problem={problem} />}
    </li>
  );
}
