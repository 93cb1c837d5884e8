import { defaultMapping } from '../partitions/mapping/default-mapping.ts';
import { downstreamOf, unpartitioned, upstreamOf } from '../partitions/mapping/map-partitions.ts';
import type { PartitionMapping } from '../partitions/mapping/partition-mapping.ts';
import type { PartitionSubset } from '../partitions/subset/partition-subset.ts';
import { emptySubset, isEmpty } from '../partitions/subset/partition-subset.ts';
import type { AutomationAsset } from './automation-graph.ts';
import type { Entity, Scope } from './evaluation.ts';
import { everyPartition } from './evaluation.ts';

/** How the partitions of one entity lead to those of another, and back. */
export interface Relation {
  readonly to: Entity;
  there(subset: PartitionSubset): PartitionSubset;
  back(subset: PartitionSubset): PartitionSubset;
}

/** The mapping of a dependency; between assets that have none, the default one. */
export function mappingBetween(downstream: AutomationAsset, upstream: AutomationAsset): PartitionMapping {
  const dep = downstream.deps.find(({ key }) => key === upstream.key);
  return dep?.mapping ?? defaultMapping(upstream.partitions, downstream.partitions);
}

/** From an asset to one that it reads. */
export function upstreamRelation(scope: Scope, from: Entity, to: Entity): Relation {
  const mapping = mappingBetween(from.asset, to.asset);
  return {
    to,
    there: (subset) => upstream(scope, from, to, mapping, subset),
    back: (subset) => downstream(scope, to, from, mapping, subset),
  };
}

/** From an asset to one that reads it. */
export function downstreamRelation(scope: Scope, from: Entity, to: Entity): Relation {
  const mapping = mappingBetween(to.asset, from.asset);
  return {
    to,
    there: (subset) => downstream(scope, from, to, mapping, subset),
    back: (subset) => upstream(scope, to, from, mapping, subset),
  };
}

/** Between an asset and its check: partition by partition, or all as one. */
export function checkRelation(scope: Scope, from: Entity, to: Entity): Relation {
  const across = (target: Entity) => (subset: PartitionSubset) => {
    if (isEmpty(subset)) return emptySubset;
    return from.partitions === to.partitions ? subset : everyPartition(scope, target.partitions);
  };
  return { to, there: across(to), back: across(from) };
}

function upstream(
  { view }: Scope,
  from: Entity,
  to: Entity,
  mapping: PartitionMapping,
  subset: PartitionSubset,
): PartitionSubset {
  if (isEmpty(subset)) return emptySubset;
  if (to.partitions === null) return unpartitioned;
  return upstreamOf(to.partitions, from.partitions, mapping, subset, view.now).subset;
}

function downstream(
  { view }: Scope,
  from: Entity,
  to: Entity,
  mapping: PartitionMapping,
  subset: PartitionSubset,
): PartitionSubset {
  return downstreamOf(from.partitions, to.partitions, mapping, subset, view.now);
}
