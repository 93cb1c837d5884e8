import { layoutOf } from '../../partitions/definition/multi.ts';
import type {
  MultiPartitions,
  PartitionsDefinition,
} from '../../partitions/definition/partitions-definition.ts';
import { ordinalToKey } from '../../partitions/partition-set.ts';
import { rectanglesOf } from '../../partitions/subset/cells.ts';
import type { PartitionSubset } from '../../partitions/subset/partition-subset.ts';
import { countOf, ordinalsOf, rangesOf } from '../../partitions/subset/partition-subset.ts';
import type { PartitionSpans } from '../revision-plan.ts';

type Span = PartitionSpans['spans'][number];

/** Spans that are listed. */
const LISTED = 20;

export const NO_SPANS: PartitionSpans = { count: 0, spans: [] };

/** A subset for people: how many, and the first spans of keys. Null: no partitions, ordinal 0 is the whole. */
export function partitionSpans(
  definition: PartitionsDefinition | null,
  subset: PartitionSubset,
): PartitionSpans {
  const count = countOf(subset);
  if (count === 0) return NO_SPANS;
  if (definition === null) return { count, spans: [] };
  const spans: Span[] = [];
  for (const span of keySpans(definition, subset)) if (spans.push(span) === LISTED) break;
  return { count, spans };
}

/**
 * Spans of consecutive keys; of a 2-D set along the major dimension (time) for each key of the other. Unlike `spansOf`
 * lazy: of a million cells the first twenty spans cost twenty spans.
 */
export function* keySpans(definition: PartitionsDefinition, subset: PartitionSubset): IterableIterator<Span> {
  const key = (ordinal: number): string => ordinalToKey(definition, ordinal) as string;
  if (definition.kind !== 'multi') {
    for (const [from, to] of rangesOf(subset)) yield { start: key(from), end: key(to - 1), count: to - from };
    return;
  }
  yield* cellSpans(definition, subset, key);
}

function* cellSpans(
  definition: MultiPartitions,
  subset: PartitionSubset,
  key: (ordinal: number) => string,
): IterableIterator<Span> {
  const { stride } = layoutOf(definition);
  for (const { major, minor } of rectanglesOf(definition, subset)) {
    for (const column of ordinalsOf(minor)) {
      for (const [from, to] of rangesOf(major))
        yield { start: key(from * stride + column), end: key((to - 1) * stride + column), count: to - from };
    }
  }
}
