import { keyToOrdinal, ordinalToKey } from './definition/key-order.ts';
import type { PartitionsDefinition } from './definition/partitions-definition.ts';
import type { Instant } from './instant.ts';
import { keysInRange } from './partition-set.ts';
import type { PartitionSubset } from './subset/partition-subset.ts';
import type { KeySpan } from './subset/subset-keys.ts';
import { keysOf, spansOf, subsetOfKeys } from './subset/subset-keys.ts';

/** How a backfill cuts its partitions into runs (Dagster's `BackfillPolicy`). */
export type BackfillPolicy =
  | { readonly type: 'single_run' }
  | { readonly type: 'multi_run'; readonly maxPartitionsPerRun: number };

/**
 * The partitions of each run of a backfill, lazily and in order. No policy: one run per partition. `single_run`: one
 * per contiguous range. `multi_run`: each range in pieces of at most `maxPartitionsPerRun`. A run that covers
 * several keys is handed its range, so a range never spans a hole.
 */
export function* runsOfBackfill(
  definition: PartitionsDefinition,
  subset: PartitionSubset,
  policy: BackfillPolicy | null,
): IterableIterator<KeySpan> {
  if (policy === null) {
    for (const key of keysOf(definition, subset)) yield { start: key, end: key, count: 1 };
    return;
  }
  for (const span of spansOf(definition, subset)) {
    if (policy.type === 'single_run') yield span;
    else yield* cut(definition, span, Math.max(1, policy.maxPartitionsPerRun));
  }
}

function* cut(definition: PartitionsDefinition, span: KeySpan, size: number): IterableIterator<KeySpan> {
  const keyAt = walker(definition, span);
  for (let from = 0; from < span.count; from += size) {
    const count = Math.min(size, span.count - from);
    yield { start: keyAt(from), end: keyAt(from + count - 1), count };
  }
}

/** The nth key of a span; of a 2-D one only one part moves. */
function walker(definition: PartitionsDefinition, span: KeySpan): (nth: number) => string {
  if (definition.kind !== 'multi') {
    const first = keyToOrdinal(definition, span.start) as number;
    return (nth) => ordinalToKey(definition, first + nth) as string;
  }
  const names = Object.keys(definition.dimensions).sort((a, b) => (a < b ? -1 : 1));
  const starts = span.start.split('|') as [string, string];
  const ends = span.end.split('|') as [string, string];
  const moving = starts[0] === ends[0] ? 1 : 0;
  const dimension = definition.dimensions[names[moving] as string];
  if (dimension === undefined) return () => span.start;
  const first = keyToOrdinal(dimension, starts[moving]) as number;
  return (nth) => {
    const part = ordinalToKey(dimension, first + nth) as string;
    return moving === 0 ? `${part}|${starts[1]}` : `${starts[0]}|${part}`;
  };
}

/** The runs for a list of keys, each with its keys in order. Keys that name no partition at `now` are left out. */
export function groupIntoRuns(
  definition: PartitionsDefinition,
  keys: Iterable<string>,
  policy: BackfillPolicy | null,
  now: Instant,
): { readonly keys: readonly string[] }[] {
  const { subset } = subsetOfKeys(definition, keys, now);
  return [...runsOfBackfill(definition, subset, policy)].map((run) => ({
    keys: run.count === 1 ? [run.start] : keysInRange(definition, run.start, run.end, now),
  }));
}
