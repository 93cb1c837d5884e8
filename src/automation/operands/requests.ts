import { sameDefinition } from '../../partitions/mapping/key-mappings.ts';
import type { PartitionMapping } from '../../partitions/mapping/partition-mapping.ts';
import type { PartitionSubset } from '../../partitions/subset/partition-subset.ts';
import { emptySubset } from '../../partitions/subset/partition-subset.ts';
import { subsetUnder } from '../cursor.ts';
import type { Entity, RootScope } from '../evaluation.ts';
import { mappingBetween } from '../relation.ts';

/** Requested by the previous evaluation. */
export function newlyRequested({ scope }: RootScope, { key, partitions }: Entity): PartitionSubset {
  const cursor = scope.cursors.get(key);
  return cursor === undefined ? emptySubset : subsetUnder(cursor.requested, partitions);
}

/** Requested by this evaluation, in a run that what the whole condition is about can join. */
export function willBeRequested(root: RootScope, entity: Entity): PartitionSubset {
  const requested = root.scope.requested.get(entity.key);
  return requested !== undefined && canShareRun(root, entity) ? requested : emptySubset;
}

/**
 * Only partitions of one definition share a run, and only where each needs its own counterpart: what needs another
 * partition of its parent has to wait until that is written.
 */
function canShareRun(root: RootScope, { asset, partitions }: Entity): boolean {
  const own = root.entity.partitions;
  if (own === null || partitions === null) return own === partitions;
  if (!sameDefinition(own, partitions)) return false;
  return root.entity.asset.key === asset.key || inStep(mappingBetween(root.entity.asset, asset));
}

function inStep(mapping: PartitionMapping): boolean {
  switch (mapping.kind) {
    case 'identity':
      return true;
    case 'time_window':
      return mapping.startOffset === 0 && mapping.endOffset === 0;
    case 'multi': {
      const sides = Object.entries(mapping.dimensions);
      return (
        sides.length === 2 && sides.every(([name, side]) => side.dimension === name && inStep(side.mapping))
      );
    }
    default:
      return false;
  }
}
