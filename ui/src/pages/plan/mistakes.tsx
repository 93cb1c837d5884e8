import type { Diagnostic } from '../../../../src/server/contract/common.ts';
import { External } from '../../components/links.tsx';
import { Glyph } from '../../components/status.tsx';
import { Excerpt } from '../problems/excerpt.tsx';

/** What is wrong there, with the lines at fault. */
export function Mistakes({
  diagnostics,
  held,
}: {
  diagnostics: readonly Diagnostic[];
  held: readonly string[];
}) {
  return (
    <div class="card">
      {held.length > 0 && (
        <p>
          Would stay at their last good revision: <bdi class="mono break">{held.join(', ')}</bdi>
        </p>
      )}
      <ul>
        {diagnostics.map((problem) => (
          <li
            key={`${problem.file}:${problem.line}:${problem.column}:${problem.code}:${problem.message}`}
            class="problem"
            data-row
          >
            <div class="problem-head">
              <Glyph
                tone={problem.severity === 'error' ? 'bad' : problem.severity === 'warning' ? 'warn' : 'idle'}
              />
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
                    <span class="mono break">
                      {problem.line === 0
                        ? problem.file
                        : `${problem.file}:${problem.line}:${problem.column}`}
                    </span>
                  </External>
                  <span class="chip">{problem.code}</span>
                </p>
              </div>
            </div>
            {problem.excerpt.length > 0 && <Excerpt problem={problem} />}
          </li>
        ))}
      </ul>
    </div>
  );
}
