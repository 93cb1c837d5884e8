import type { CodeRef } from '../state/code-ref.ts';

/** Where a step's files come from. Adapter: `git/local-trees.ts` (read-only trees under `ELT_HOME/trees`). */
export interface CodeSource {
  /**
   * A read-only directory with exactly the folder's content at its tree id, verified; made when it is first needed,
   * never changed afterwards. Throws `OperationalError` (`GIT_CORRUPT`, `DISK_FULL`, `PATH_REFUSED`).
   */
  materialise(code: CodeRef): Promise<string>;
}
