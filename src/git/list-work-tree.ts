import { OperationalError } from '../lib/errors.ts';
import { gitError } from './git-errors.ts';
import { runGit } from './git-process.ts';

const DEADLINE_MS = 30_000;
const SAFE = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null'];

/**
 * Files of a working copy that Git has or would take (`.gitignore` is obeyed), by their path from `root`, which is the top of
 * it. Null: it is no working copy, or there is no git. Reads only, and runs nothing that the repository configures. Throws
 * what else keeps Git from telling (another owner, a damaged index): what is ignored must not be taken for not ignored.
 * @param env the caller's own: what a person ignores everywhere is ignored here too
 */
export async function listWorkTree(
  root: string,
  paths: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<ReadonlySet<string> | null> {
  const given = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  const action = `list the files of ${root}`;
  const output = await runGit({
    args: [
      '-C',
      root,
      ...SAFE,
      'ls-files',
      '-z',
      '--cached',
      '--others',
      '--exclude-standard',
      '--',
      ...paths,
    ],
    env: {
      ...(Object.fromEntries(given) as Record<string, string>),
      GIT_OPTIONAL_LOCKS: '0',
      LC_ALL: 'C',
      LANGUAGE: '',
    },
    deadlineMs: DEADLINE_MS,
    action,
  }).catch((error: unknown) => {
    if (error instanceof OperationalError && error.code === 'GIT_NOT_FOUND') return null;
    throw error;
  });
  if (output === null) return null;
  if (output.exitCode === 0) {
    return new Set(
      output.stdout
        .toString('utf8')
        .split('\0')
        .filter((name) => name !== ''),
    );
  }
  if (/not a git repository/i.test(output.stderr)) return null;
  throw gitError(output.stderr, { action, host: null, hasToken: false, redact: (text) => text });
}
