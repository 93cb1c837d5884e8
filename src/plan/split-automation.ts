import { countItems } from './backfill-items.ts';
import type { BackfillGroup } from './backfill-plan.ts';

/** Runs that groups which depend on each other may make at once; more are a backfill's. */
export const MOST_RUNS_TOGETHER = 100;
/** And all of one evaluation. */
export const MOST_RUNS = 1_000;

/** What of the groups that conditions ask for is launched at once, and what a backfill takes. Both in order. */
export function splitAutomation(groups: readonly BackfillGroup[]): {
  readonly now: readonly BackfillGroup[];
  readonly backfill: readonly BackfillGroup[];
} {
  const runs = groups.map((group) => countItems([group]));
  const heads = connected(groups);
  const together = new Map<number, number>();
  for (const [index, head] of heads.entries()) together.set(head, (together.get(head) ?? 0) + runs[index]!);
  const isLarge = (index: number): boolean => together.get(heads[index]!)! > MOST_RUNS_TOGETHER;
  const small = runs.reduce((sum, count, index) => (isLarge(index) ? sum : sum + count), 0);
  return {
    now: pick(groups, (index) => !isLarge(index) && small <= MOST_RUNS),
    backfill: pick(groups, (index) => isLarge(index) || small > MOST_RUNS),
  };
}

/** For each group the first of those that it is connected to by needs, in either direction. */
function connected(groups: readonly BackfillGroup[]): number[] {
  const heads = groups.map((_, index) => index);
  for (const [index, { needs }] of groups.entries()) {
    for (const need of needs) {
      const [from, to] = [heads[index]!, heads[need]!];
      const [first, other] = from < to ? [from, to] : [to, from];
      for (const [at, head] of heads.entries()) if (head === other) heads[at] = first;
    }
  }
  return heads;
}

/** Some of the groups, with their needs by the new positions. What they need is picked with them. */
function pick(groups: readonly BackfillGroup[], wanted: (index: number) => boolean): BackfillGroup[] {
  const position = new Map<number, number>();
  for (const index of groups.keys()) if (wanted(index)) position.set(index, position.size);
  return [...position.keys()].map((index) => {
    const group = groups[index]!;
    return { ...group, needs: group.needs.map((need) => position.get(need)!) };
  });
}
