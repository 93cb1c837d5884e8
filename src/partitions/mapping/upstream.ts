import type { PartitionSubset } from '../subset/partition-subset.ts';
import { emptySubset, subsetOfRanges } from '../subset/partition-subset.ts';

/** What downstream partitions need of the upstream asset. */
export interface UpstreamPartitions {
  /** What is needed and exists. */
  readonly subset: PartitionSubset;
  /** How many are needed and do not exist. */
  readonly nonexistentCount: number;
  /** The first of them, at most `MOST_NAMED`. Of a 2-D upstream: the keys of the dimension at fault (as Dagster). */
  readonly nonexistentKeys: readonly string[];
}

/** How many missing keys are named; the rest are counted. */
export const MOST_NAMED = 100;

/** Nothing is needed. */
export const noUpstream: UpstreamPartitions = {
  subset: emptySubset,
  nonexistentCount: 0,
  nonexistentKeys: [],
};

/** A need that is met in full. */
export function met(subset: PartitionSubset): UpstreamPartitions {
  return { subset, nonexistentCount: 0, nonexistentKeys: [] };
}

/** Collects existing ranges and missing keys. */
export interface NeedBuilder {
  readonly ranges: [number, number][];
  count: number;
  readonly keys: Set<string>;
}

export function createNeed(): NeedBuilder {
  return { ranges: [], count: 0, keys: new Set() };
}

/** Notes a key that is needed and missing; the same one again is not counted again while it is named. */
export function noteMissing(need: NeedBuilder, key: string): void {
  if (need.keys.has(key)) return;
  need.count += 1;
  if (need.keys.size < MOST_NAMED) need.keys.add(key);
}

export function finishNeed(need: NeedBuilder): UpstreamPartitions {
  return {
    subset: subsetOfRanges(need.ranges),
    nonexistentCount: need.count,
    nonexistentKeys: [...need.keys],
  };
}
