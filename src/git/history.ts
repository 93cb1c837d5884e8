import type { GitOutput } from './git-process.ts';

/** Questions about commits whose objects are here. The history can be cut (a shallow fetch): what it cannot tell is null or absent. */
export interface History {
  /** The commit that a beginning of its id, or the id, stands for; null: none here, or several. */
  resolve(id: string): Promise<string | null>;
  /** False also when it cannot be told. */
  isAncestor(from: string, to: string): Promise<boolean>;
  /** How many commits `to` has beyond `from`; null when `from` is not seen below it. */
  ahead(from: string, to: string): Promise<number | null>;
  /** Commits below any of `heads`, themselves included, newest first; unknown heads are passed over. */
  below(heads: readonly string[], limit: number): Promise<readonly string[]>;
  /** Those whose objects are here. */
  present(commits: readonly string[]): Promise<ReadonlySet<string>>;
  /** When the newest of the commits that are here was committed, in epoch milliseconds; null: none is here. */
  newestTime(commits: readonly string[]): Promise<number | null>;
}

const AT_ONCE = 500;

/** @param local runs git on the mirror; a non-zero exit is a value */
export function createHistory(
  local: (args: readonly string[], action: string) => Promise<GitOutput>,
): History {
  async function lines(args: readonly string[], action: string): Promise<readonly string[]> {
    const output = await local(args, action);
    if (output.exitCode !== 0) return [];
    return output.stdout
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '');
  }

  async function isAncestor(from: string, to: string): Promise<boolean> {
    const output = await local(['merge-base', '--is-ancestor', from, to], 'compare two commits');
    return output.exitCode === 0;
  }

  return {
    isAncestor,
    async resolve(id) {
      if (!/^[0-9a-f]{4,64}$/.test(id)) return null;
      const found = await lines(['rev-parse', '--verify', '--quiet', `${id}^{commit}`], 'look for a commit');
      return found[0] ?? null;
    },
    async ahead(from, to) {
      if (from === to) return 0;
      if (!(await isAncestor(from, to))) return null;
      const [count] = await lines(['rev-list', '--count', `${from}..${to}`], 'count commits');
      return count === undefined ? null : Number(count);
    },
    async below(heads, limit) {
      const args = ['rev-list', '--ignore-missing', `--max-count=${limit}`, ...heads];
      return heads.length === 0 ? [] : lines(args, 'read the history');
    },
    async present(commits) {
      const found = new Set<string>();
      for (let at = 0; at < commits.length; at += AT_ONCE) {
        const some = commits.slice(at, at + AT_ONCE);
        const args = ['rev-list', '--no-walk=unsorted', '--ignore-missing', ...some];
        for (const commit of await lines(args, 'look for commits')) found.add(commit);
      }
      return found;
    },
    async newestTime(commits) {
      let newest: number | null = null;
      for (let at = 0; at < commits.length; at += AT_ONCE) {
        const some = commits.slice(at, at + AT_ONCE);
        const args = ['log', '--no-walk', '--ignore-missing', '--format=%ct', ...some];
        for (const time of await lines(args, 'read the history'))
          newest = Math.max(newest ?? 0, Number(time) * 1000);
      }
      return newest;
    },
  };
}
