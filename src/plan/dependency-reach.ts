import type { AssetDep, AssetNode } from '../definitions/definitions.ts';
import { mappingOf } from '../definitions/dep-mapping.ts';
import { sameDefinition } from '../partitions/mapping/key-mappings.ts';
import type { PartitionMapping } from '../partitions/mapping/partition-mapping.ts';

/** Which partitions of an upstream asset with the same definition one partition needs. */
export type Reach =
  /** Its own key only. */
  | 'own'
  /** Its own or earlier ones. */
  | 'earlier'
  /** Others too; with another definition always. */
  | 'any';

/** Its dependencies, the one on other partitions of itself included. */
export function depsAndSelf(node: AssetNode): readonly AssetDep[] {
  const { key, deps, selfMapping } = node;
  return selfMapping === undefined ? deps : [...deps, { key, mapping: selfMapping }];
}

/** The mapping of a dependency between two assets of the graph. */
export function edgeMapping(upstream: AssetNode, downstream: AssetNode, dep: AssetDep): PartitionMapping {
  return mappingOf(upstream.partitions ?? null, downstream.partitions ?? null, dep.mapping);
}

/** How far a dependency reaches among the partitions of one definition. */
export function reachOf(upstream: AssetNode, downstream: AssetNode, dep: AssetDep): Reach {
  if (upstream.partitions === undefined && downstream.partitions === undefined) return 'own';
  if (upstream.partitions === undefined || downstream.partitions === undefined) return 'any';
  if (!sameDefinition(upstream.partitions, downstream.partitions)) return 'any';
  return reachOfMapping(edgeMapping(upstream, downstream, dep));
}

function reachOfMapping(mapping: PartitionMapping): Reach {
  switch (mapping.kind) {
    case 'identity':
      return 'own';
    case 'time_window':
      if (mapping.startOffset === 0 && mapping.endOffset === 0) return 'own';
      return mapping.startOffset <= 0 && mapping.endOffset <= 0 ? 'earlier' : 'any';
    case 'multi': {
      const pairs = Object.entries(mapping.dimensions);
      if (pairs.length < 2) return 'any';
      const reaches = pairs.map(([name, { dimension, mapping: inner }]) =>
        name === dimension ? reachOfMapping(inner) : 'any',
      );
      if (reaches.includes('any')) return 'any';
      return reaches.includes('earlier') ? 'earlier' : 'own';
    }
    default:
      return 'any';
  }
}
