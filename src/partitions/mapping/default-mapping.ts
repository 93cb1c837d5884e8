import { dimensionsOf } from '../definition/multi.ts';
import type {
  MultiPartitions,
  PartitionsDefinition,
  StaticPartitions,
  TimeWindowPartitions,
} from '../definition/partitions-definition.ts';
import { sameDefinition } from './key-mappings.ts';
import type { PartitionMapping, TimeWindowMapping } from './partition-mapping.ts';

/** Windows that overlap, nothing moved. */
export const overlapping: TimeWindowMapping = {
  kind: 'time_window',
  startOffset: 0,
  endOffset: 0,
  allowNonexistentUpstream: false,
};

/**
 * The mapping of a dependency that names none. `null` = an asset without partitions.
 *
 * Dagster's rules (`infer_partition_mapping`), except for two 2-D sets with the same dimension names: there each
 * dimension maps by itself, so that 2-D days feed 2-D weeks, where Dagster compares key texts.
 */
export function defaultMapping(
  upstream: PartitionsDefinition | null,
  downstream: PartitionsDefinition | null,
): PartitionMapping {
  if (upstream === null || downstream === null) return { kind: 'all' };
  if (upstream.kind === 'multi' && downstream.kind === 'multi') return betweenMulti(upstream, downstream);
  if (upstream.kind === 'multi' || downstream.kind === 'multi') {
    const [multi, single] =
      upstream.kind === 'multi' ? [upstream, downstream] : [downstream as MultiPartitions, upstream];
    const dimension = fittingDimension(multi, single as TimeWindowPartitions | StaticPartitions);
    return dimension === null ? { kind: 'identity' } : { kind: 'multi_to_single', dimension };
  }
  return betweenSingle(upstream, downstream);
}

/** The mapping between two 1-D sets: overlapping windows, or the same key text. */
export function betweenSingle(
  upstream: TimeWindowPartitions | StaticPartitions,
  downstream: TimeWindowPartitions | StaticPartitions,
): PartitionMapping {
  return upstream.kind === 'time' && downstream.kind === 'time' ? overlapping : { kind: 'identity' };
}

/**
 * The dimension of a 2-D set that goes with a 1-D set: the only one defined the same way, else the only time one if
 * the 1-D set is a time set. Null when there is none, or a choice.
 */
export function fittingDimension(
  multi: MultiPartitions,
  single: TimeWindowPartitions | StaticPartitions,
): string | null {
  const dimensions = dimensionsOf(multi);
  const same = dimensions.filter((one) => sameDefinition(one.definition, single));
  if (same.length > 0) return same.length === 1 ? (same[0]?.name ?? null) : null;
  const times = dimensions.filter((one) => one.definition.kind === 'time');
  return single.kind === 'time' && times.length === 1 ? (times[0]?.name ?? null) : null;
}

function betweenMulti(upstream: MultiPartitions, downstream: MultiPartitions): PartitionMapping {
  const entries = dimensionsOf(upstream).map(({ name, definition }) => {
    const other = downstream.dimensions[name];
    if (other === undefined || other.kind !== definition.kind) return null;
    return [name, { dimension: name, mapping: betweenSingle(definition, other) }] as const;
  });
  const pairs = entries.filter((entry) => entry !== null);
  return pairs.length < 2 ? { kind: 'identity' } : { kind: 'multi', dimensions: Object.fromEntries(pairs) };
}
