import { runGit } from './git-process.ts';

const DEADLINE_MS = 30_000;
const SAFE = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null'];

/**
 * Files of a working copy that Git has or would take (`.gitignore` is obeyed), by their path from `root`, which is the top of
 * it. Null: it is no working copy, or there is no git. Reads only, and runs nothing that the repository configures.
 * @param env the caller's own: what a person ignores everywhere is ignored here too
 */
export async function listWorkTree(
  root: string,
  paths: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<ReadonlySet<string> | null> {
  const given = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  try {
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
      env: { ...(Object.fromEntries(given) as Record<string, string>), GIT_OPTIONAL_LOCKS: '0' },
      deadlineMs: DEADLINE_MS,
      action: `list the files of ${root}`,
    });
    if (output.exitCode !== 0) return null;
    return new Set(
      output.stdout
        .toString('utf8')
        .split('\0')
        .filter((name) => name !== ''),
    );
  } catch {
    return null;
  }
}
