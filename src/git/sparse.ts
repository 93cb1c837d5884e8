import { gitError } from './git-errors.ts';
import { type GitOutput, runGit } from './git-process.ts';

/**
 * Fetching only some paths of a large repository: commits and trees of everything come (`--filter=blob:none`), contents
 * only of what lies at or below the paths. A server that knows no filter sends all of it.
 */
export interface SparseOptions {
  /** The remote's address, by which git remembers that contents are missing on purpose. */
  readonly url: string;
  /** From the root of the repository, `/`-separated. */
  readonly paths: readonly string[];
  /** `localGitEnvironment` of the mirror. */
  readonly env: Readonly<Record<string, string>>;
}

const DEADLINE_MS = 120_000;

/** Git with the knowledge that contents are missing on purpose: it collects garbage without calling it damage. */
export function withPromises({ env, url }: SparseOptions): Readonly<Record<string, string>> {
  return {
    ...env,
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: `remote.${url}.promisor`,
    GIT_CONFIG_VALUE_0: 'true',
    GIT_CONFIG_KEY_1: `remote.${url}.partialclonefilter`,
    GIT_CONFIG_VALUE_1: 'blob:none',
  };
}

/**
 * Takes out of the mirror's configuration that the remote promised what is missing: reading it would ask the remote for
 * each of them, one by one and without credentials. The next fetch notes it again.
 */
export async function forgetPromises(gitDir: string, { url, env }: SparseOptions): Promise<void> {
  await runGit({
    args: [`--git-dir=${gitDir}`, 'config', '--remove-section', `remote.${url}`],
    env,
    deadlineMs: DEADLINE_MS,
    action: 'keep the mirror without a remote',
  });
}

/** Ids of the contents below the paths that a commit needs and that are not here. */
export async function missingBlobs(
  gitDir: string,
  commit: string,
  options: SparseOptions,
): Promise<readonly string[]> {
  const { env } = options;
  const action = 'look for what is not fetched yet';
  async function run(args: readonly string[], input?: string): Promise<GitOutput> {
    const output = await runGit({
      args: [`--git-dir=${gitDir}`, ...args],
      env,
      deadlineMs: DEADLINE_MS,
      action,
      ...(input === undefined ? {} : { input }),
    });
    if (output.exitCode === 0) return output;
    throw gitError(output.stderr, { action, host: null, hasToken: false, redact: (text) => text });
  }
  const listed = await run(['ls-tree', '-r', '-z', '--full-tree', commit, ...options.paths]);
  const oids = new Set<string>();
  for (const row of listed.stdout.toString('utf8').split('\0')) {
    const oid = /^\d+ blob ([0-9a-f]+)\t/.exec(row)?.[1];
    if (oid !== undefined) oids.add(oid);
  }
  if (oids.size === 0) return [];
  const checked = await run(['cat-file', '--batch-check', '--buffer'], `${[...oids].join('\n')}\n`);
  return checked.stdout
    .toString('utf8')
    .split('\n')
    .filter((line) => line.endsWith(' missing'))
    .map((line) => line.slice(0, line.indexOf(' ')));
}
