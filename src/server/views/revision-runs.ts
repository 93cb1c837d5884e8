import type { Instant } from '../../lib/clock.ts';
import { uuidv7Floor } from '../../lib/ids.ts';
import type { RevisionRow, Store } from '../../store/store.ts';
import type { Revision } from '../contract/component.ts';
import { timestamp } from './view-context.ts';

const SHOWN = 20;

/**
 * By revision: the last runs of its component that were asked for while it was live, newest first. `rows` are neighbours,
 * newest first; `end` is when the first of them was followed by another, null: it is live.
 */
export async function revisionRuns(
  store: Store,
  rows: readonly RevisionRow[],
  end: Instant | null,
): Promise<ReadonlyMap<number, NonNullable<Revision['recent_runs']>>> {
  const ends = [end, ...rows.map(({ appliedAt }) => appliedAt)];
  const lists = await Promise.all(
    rows.map(async ({ revisionId, component, appliedAt }, index) => {
      const until = ends[index] ?? null;
      const newest = await store.runs.list({
        limit: SHOWN,
        ...(until === null ? {} : { cursor: uuidv7Floor(until) }),
      });
      const own = newest.filter(
        ({ createdAt, commits }) =>
          createdAt >= appliedAt && commits.some((commit) => commit.component === component),
      );
      return [
        revisionId,
        own.map(({ runId, status, createdAt }) => ({
          run_id: runId,
          status,
          at: timestamp(createdAt),
        })),
      ] as const;
    }),
  );
  return new Map(lists);
}
