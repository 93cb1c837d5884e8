import type { Diagnostic } from '../../../../src/server/contract/common.ts';
import { ProblemItem } from '../problems/problem-item.tsx';

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
          <ProblemItem
            key={`${problem.file}:${problem.line}:${problem.column}:${problem.code}:${problem.message}`}
            problem={problem}
          />
        ))}
      </ul>
    </div>
  );
}
