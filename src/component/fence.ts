import type { History } from '../git/history.ts';
import type { ControlState } from './control.ts';

/** Deeper than any shallow fetch; bounds the row of the store for a repository with its whole history. */
const LARGEST_FENCE = 1_000;

/**
 * The commits that a rollback to `target` must keep out: the heads themselves, what lies below them and what an earlier
 * rollback kept out, less what `target` holds itself. Newest first.
 * @param heads commits that came after the target, the newest head first
 */
export async function fenceOf(
  history: History,
  target: string,
  heads: readonly string[],
  earlier: readonly string[],
): Promise<readonly string[]> {
  const held = new Set([target, ...(await history.below([target], LARGEST_FENCE * 2))]);
  const below = await history.below(heads, LARGEST_FENCE);
  return [...new Set([...heads, ...below, ...earlier])]
    .filter((commit) => !held.has(commit))
    .slice(0, LARGEST_FENCE);
}

/**
 * Whether `head`, whose objects are here, ends a rollback: it is not fenced, no commit of before the fence, and newer
 * than what is fenced, by descent or, where the history was rewritten, by the time of the commit.
 */
export async function endsRollback(
  history: History,
  { fenced, commit }: Pick<ControlState, 'fenced' | 'commit'>,
  head: string,
): Promise<boolean> {
  if (head === commit || fenced.includes(head)) return false;
  for (const known of [fenced[0] ?? null, commit]) {
    if (known !== null && (await history.isAncestor(head, known))) return false;
  }
  const newest = fenced[0] ?? commit;
  if (newest !== null && (await history.isAncestor(newest, head))) return true;
  const [before, now] = await Promise.all([
    history.newestTime([...fenced, ...(commit === null ? [] : [commit])]),
    history.newestTime([head]),
  ]);
  return now !== null && (before === null || now >= before);
}
