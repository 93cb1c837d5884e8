import { keyToOrdinal } from '../definition/key-order.ts';
import { dimensionsOf, layoutOf } from '../definition/multi.ts';
import type {
  MultiPartitions,
  PartitionsDefinition,
  StaticPartitions,
  TimeWindowPartitions,
} from '../definition/partitions-definition.ts';
import type { Instant } from '../instant.ts';
import { lastKey } from '../partition-set.ts';
import type { Cells } from '../subset/cells.ts';
import { rectanglesOf, subsetOfRectangles } from '../subset/cells.ts';
import type { PartitionSubset } from '../subset/partition-subset.ts';
import { emptySubset, has, rangeSubset, unionOfAll } from '../subset/partition-subset.ts';
import { allPartitions } from '../subset/subset-keys.ts';
import { betweenSingle, fittingDimension } from './default-mapping.ts';
import {
  identityDownstream,
  identityUpstream,
  specificUpstream,
  staticDownstream,
  staticUpstream,
  touches,
} from './key-mappings.ts';
import type { MultiMapping, MultiToSingleMapping, PartitionMapping } from './partition-mapping.ts';
import { timeDownstream, timeUpstream } from './time-window-mapping.ts';
import type { UpstreamPartitions } from './upstream.ts';
import { MOST_NAMED, met, noUpstream } from './upstream.ts';

type Single = TimeWindowPartitions | StaticPartitions;

/** The subset to pass for an asset without partitions: its one part. */
export const unpartitioned: PartitionSubset = rangeSubset(0, 1);

/**
 * What these downstream partitions need of an upstream asset, at `now`. `null` = an asset without partitions; pass
 * `unpartitioned` as its subset. An upstream without partitions needs no mapping: the answer is empty.
 * The mapping must have passed `validateMapping`.
 */
export function upstreamOf(
  upstream: PartitionsDefinition | null,
  downstream: PartitionsDefinition | null,
  mapping: PartitionMapping,
  subset: PartitionSubset,
  now: Instant,
): UpstreamPartitions {
  if (upstream === null || subset.bounds.length === 0) return noUpstream;
  if (mapping.kind === 'all') return met(allPartitions(upstream, now));
  if (mapping.kind === 'last') return met(lastOf(upstream, now));
  if (mapping.kind === 'specific') return specificUpstream(upstream, mapping, subset, now);
  if (downstream === null) return noUpstream;
  if (mapping.kind === 'identity') return identityUpstream(upstream, downstream, subset, now);
  if (mapping.kind === 'multi_to_single') return toSingleUpstream(upstream, downstream, mapping, subset, now);
  if (mapping.kind === 'multi' && upstream.kind === 'multi' && downstream.kind === 'multi') {
    return multiUpstream(upstream, downstream, mapping, subset, now);
  }
  if (mapping.kind === 'static' && upstream.kind === 'static' && downstream.kind === 'static') {
    return staticUpstream(upstream, downstream, mapping, subset);
  }
  if (mapping.kind === 'time_window' && upstream.kind === 'time' && downstream.kind === 'time') {
    return timeUpstream(upstream, downstream, mapping, subset, now);
  }
  throw new RangeError(`a ${mapping.kind} mapping from ${upstream.kind} to ${downstream.kind} partitions`);
}

/** The downstream partitions, existing at `now`, that need any of these upstream partitions. */
export function downstreamOf(
  upstream: PartitionsDefinition | null,
  downstream: PartitionsDefinition | null,
  mapping: PartitionMapping,
  subset: PartitionSubset,
  now: Instant,
): PartitionSubset {
  if (subset.bounds.length === 0) return emptySubset;
  const everything = downstream === null ? unpartitioned : allPartitions(downstream, now);
  if (upstream === null || mapping.kind === 'all') return everything;
  if (mapping.kind === 'last') {
    const [last] = lastOf(upstream, now).bounds;
    return last !== undefined && has(subset, last) ? everything : emptySubset;
  }
  if (mapping.kind === 'specific') return touches(upstream, mapping.keys, subset) ? everything : emptySubset;
  if (downstream === null) return emptySubset;
  if (mapping.kind === 'identity') return identityDownstream(upstream, downstream, subset, now);
  if (mapping.kind === 'multi_to_single')
    return toSingleDownstream(upstream, downstream, mapping, subset, now);
  if (mapping.kind === 'multi' && upstream.kind === 'multi' && downstream.kind === 'multi') {
    return multiDownstream(upstream, downstream, mapping, subset, now);
  }
  if (mapping.kind === 'static' && upstream.kind === 'static' && downstream.kind === 'static') {
    return staticDownstream(upstream, downstream, mapping, subset);
  }
  if (mapping.kind === 'time_window' && upstream.kind === 'time' && downstream.kind === 'time') {
    return timeDownstream(upstream, downstream, mapping, subset, now);
  }
  throw new RangeError(`a ${mapping.kind} mapping from ${upstream.kind} to ${downstream.kind} partitions`);
}

function lastOf(definition: PartitionsDefinition, now: Instant): PartitionSubset {
  const key = lastKey(definition, now);
  const ordinal = key === null ? null : keyToOrdinal(definition, key);
  return ordinal === null ? emptySubset : rangeSubset(ordinal, ordinal + 1);
}

/** The part of a rectangle that lies along a dimension. */
function side(definition: MultiPartitions, cells: Cells, name: string): PartitionSubset {
  return layoutOf(definition).major.name === name ? cells.major : cells.minor;
}

function rectangle(definition: MultiPartitions, part: (name: string) => PartitionSubset): Cells {
  const { major, minor } = layoutOf(definition);
  return { major: part(major.name), minor: part(minor.name) };
}

function multiUpstream(
  upstream: MultiPartitions,
  downstream: MultiPartitions,
  mapping: MultiMapping,
  subset: PartitionSubset,
  now: Instant,
): UpstreamPartitions {
  const needs: UpstreamPartitions[] = [];
  const cells = rectanglesOf(downstream, subset).map((from) =>
    rectangle(upstream, (name) => {
      const own = upstream.dimensions[name] as Single;
      const pair = mapping.dimensions[name];
      if (pair === undefined) return allPartitions(own, now);
      const other = downstream.dimensions[pair.dimension] as Single;
      const need = upstreamOf(own, other, pair.mapping, side(downstream, from, pair.dimension), now);
      needs.push(need);
      return need.subset;
    }),
  );
  return withMissing(subsetOfRectangles(upstream, cells), needs);
}

function multiDownstream(
  upstream: MultiPartitions,
  downstream: MultiPartitions,
  mapping: MultiMapping,
  subset: PartitionSubset,
  now: Instant,
): PartitionSubset {
  const cells = rectanglesOf(upstream, subset).map((from) =>
    rectangle(downstream, (name) => {
      const own = downstream.dimensions[name] as Single;
      const pair = Object.entries(mapping.dimensions).find(([, one]) => one.dimension === name);
      if (pair === undefined) return allPartitions(own, now);
      const [otherName, { mapping: inner }] = pair;
      return downstreamOf(
        upstream.dimensions[otherName] as Single,
        own,
        inner,
        side(upstream, from, otherName),
        now,
      );
    }),
  );
  return subsetOfRectangles(downstream, cells);
}

function toSingleUpstream(
  upstream: PartitionsDefinition,
  downstream: PartitionsDefinition,
  mapping: MultiToSingleMapping,
  subset: PartitionSubset,
  now: Instant,
): UpstreamPartitions {
  if (upstream.kind === 'multi') {
    const name = dimensionFor(upstream, downstream as Single, mapping);
    const own = upstream.dimensions[name] as Single;
    const need = upstreamOf(own, downstream, betweenSingle(own, downstream as Single), subset, now);
    const cells = rectangle(upstream, (one) =>
      one === name ? need.subset : allPartitions(upstream.dimensions[one] as Single, now),
    );
    return withMissing(subsetOfRectangles(upstream, [cells]), [need]);
  }
  const multi = downstream as MultiPartitions;
  const name = dimensionFor(multi, upstream, mapping);
  const other = multi.dimensions[name] as Single;
  return upstreamOf(upstream, other, betweenSingle(upstream, other), along(multi, subset, name), now);
}

function toSingleDownstream(
  upstream: PartitionsDefinition,
  downstream: PartitionsDefinition,
  mapping: MultiToSingleMapping,
  subset: PartitionSubset,
  now: Instant,
): PartitionSubset {
  if (upstream.kind === 'multi') {
    const name = dimensionFor(upstream, downstream as Single, mapping);
    const own = upstream.dimensions[name] as Single;
    const inner = betweenSingle(own, downstream as Single);
    return downstreamOf(own, downstream, inner, along(upstream, subset, name), now);
  }
  const multi = downstream as MultiPartitions;
  const name = dimensionFor(multi, upstream, mapping);
  const other = multi.dimensions[name] as Single;
  const reached = downstreamOf(upstream, other, betweenSingle(upstream, other), subset, now);
  const cells = rectangle(multi, (one) =>
    one === name ? reached : allPartitions(multi.dimensions[one] as Single, now),
  );
  return subsetOfRectangles(multi, [cells]);
}

/** Everything of one dimension that occurs in a subset. */
function along(definition: MultiPartitions, subset: PartitionSubset, name: string): PartitionSubset {
  return unionOfAll(rectanglesOf(definition, subset).map((cells) => side(definition, cells, name)));
}

function dimensionFor(multi: MultiPartitions, single: Single, mapping: MultiToSingleMapping): string {
  const name = mapping.dimension ?? fittingDimension(multi, single);
  if (name === null || !dimensionsOf(multi).some((one) => one.name === name)) {
    throw new RangeError(`no dimension of the 2-D set fits "${mapping.dimension ?? ''}"`);
  }
  return name;
}

function withMissing(subset: PartitionSubset, needs: readonly UpstreamPartitions[]): UpstreamPartitions {
  const keys = new Set(needs.flatMap((need) => need.nonexistentKeys));
  const counted = needs.reduce((count, need) => Math.max(count, need.nonexistentCount), 0);
  return {
    subset,
    nonexistentCount: Math.max(keys.size, counted),
    nonexistentKeys: [...keys].slice(0, MOST_NAMED),
  };
}
