import type { Diagnostic } from '../../../../src/server/contract/common.ts';

/** The lines around the fault, a caret under the column. */
export function Excerpt({ problem }: { problem: Diagnostic }) {
  const width = String(problem.excerpt.at(-1)?.line ?? 1).length;
  return (
    <pre class="excerpt" tabIndex={0} aria-label={`Lines around ${problem.line}`}>
      {problem.excerpt.map(({ line, text }) => (
        <span key={line} class={line === problem.line ? 'excerpt-line at-fault' : 'excerpt-line'}>
          <span class="excerpt-number">{String(line).padStart(width)}</span>
          {text}
          {'\n'}
          {line === problem.line && problem.column > 0 && (
            <span class="excerpt-caret" aria-hidden="true">
              <span class="excerpt-number">{' '.repeat(width)}</span>
              {indent(text, problem.column)}^{'\n'}
            </span>
          )}
        </span>
      ))}
    </pre>
  );
}

/** As wide as the text before the column; a tab stays a tab, so that the caret stands below its letter. */
function indent(text: string, column: number): string {
  return text.slice(0, column - 1).replace(/[^\t]/gu, ' ');
}
