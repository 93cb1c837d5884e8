import { OperationalError } from '../lib/errors.ts';

/** Arguments of every fetch: nothing is written but objects and the refs that are named. */
const QUIET = [
  'fetch',
  '--quiet',
  '--no-tags',
  '--no-write-fetch-head',
  '--no-auto-maintenance',
  '--no-recurse-submodules',
] as const;

/** A fetch into `gitDir`, without what is fetched. */
export function fetchArguments(gitDir: string): readonly string[] {
  return [`--git-dir=${gitDir}`, ...QUIET];
}

/** The newest `depth` commits of a ref; all of them where the remote knows no limits. Throws what `contact` throws. */
export async function fetchShallow(
  fetch: {
    readonly gitDir: string;
    readonly url: string;
    /** `refs/heads/main:refs/elt/head` */
    readonly refspec: string;
    readonly depth: number;
    readonly more?: readonly string[];
  },
  contact: (args: readonly string[]) => Promise<unknown>,
): Promise<void> {
  const args = (depth: readonly string[]): string[] => [
    ...fetchArguments(fetch.gitDir),
    '--force',
    ...(fetch.more ?? []),
    ...depth,
    '--',
    fetch.url,
    `+${fetch.refspec}`,
  ];
  try {
    await contact(args([`--depth=${fetch.depth}`]));
  } catch (error) {
    if (!(error instanceof OperationalError) || !/shallow|dumb http/i.test(error.message)) throw error;
    await contact(args([]));
  }
}
