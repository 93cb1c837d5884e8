import type { Definitions } from '../../definitions/definitions.ts';
import { mappingOf } from '../../definitions/dep-mapping.ts';
import { downstreamOf } from '../../partitions/mapping/map-partitions.ts';
import type { PartitionSubset } from '../../partitions/subset/partition-subset.ts';
import {
  emptySubset,
  intersectionOf,
  isEmpty,
  unionOf,
  unionOfAll,
} from '../../partitions/subset/partition-subset.ts';
import { subsetOfItem } from '../../plan/backfill-items.ts';
import type { BackfillGroup, BackfillItem } from '../../plan/backfill-plan.ts';
import { depsAndSelf } from '../../plan/dependency-reach.ts';
import type { BackfillRow, BackfillStore } from '../../store/backfill-store.ts';

/** Partitions of one group that are not to run, because the backfill did not write what they need. */
export interface Doomed {
  /** Why an item is not to run; null: it is. */
  readonly reasonFor: (item: BackfillItem) => string | null;
  /** An item does not run: later ones of the group can need it. */
  readonly add: (item: BackfillItem) => void;
}

interface Edge {
  readonly asset: string;
  readonly upstream: string;
  readonly downstream: (subset: PartitionSubset) => PartitionSubset;
  /** Both are assets of this group. */
  readonly isInside: boolean;
}

/** Dependencies are those of now, partitions those of the backfill. */
export async function doomedPartitions(
  store: Pick<BackfillStore, 'partitions'>,
  definitions: Definitions,
  row: BackfillRow,
  position: number,
  now: number,
): Promise<Doomed> {
  const group = row.groups[position]!;
  const edges = edgesOf(definitions, row.groups, position, now);
  const doomed = new Map<string, { subset: PartitionSubset; upstream: string }>();
  const doom = ({ asset, upstream, downstream }: Edge, bad: PartitionSubset): void => {
    const subset = unionOf(doomed.get(asset)?.subset ?? emptySubset, downstream(bad));
    if (!isEmpty(subset)) doomed.set(asset, { subset, upstream });
  };
  const bad = new Map<string, PartitionSubset>();
  for (const edge of edges) {
    let subset = bad.get(edge.upstream);
    if (subset === undefined) {
      const found = await store.partitions(row.backfillId, edge.upstream);
      subset = found === null ? emptySubset : unionOfAll([found.failed, found.canceled, found.skipped]);
      bad.set(edge.upstream, subset);
    }
    if (!isEmpty(subset)) doom(edge, subset);
  }
  return {
    reasonFor(item) {
      if (doomed.size === 0) return null;
      const own = subsetOfItem(group.definition, item);
      for (const asset of group.parts[item.part]!.assets) {
        const found = doomed.get(asset);
        if (found !== undefined && !isEmpty(intersectionOf(found.subset, own))) {
          return `${asset} needs partitions of ${found.upstream} that failed or were not run`;
        }
      }
      return null;
    },
    add(item) {
      const own = subsetOfItem(group.definition, item);
      const { assets } = group.parts[item.part]!;
      for (const edge of edges) if (edge.isInside && assets.includes(edge.upstream)) doom(edge, own);
    },
  };
}

function edgesOf(
  definitions: Definitions,
  groups: readonly BackfillGroup[],
  position: number,
  now: number,
): Edge[] {
  const groupOf = new Map<string, number>();
  for (const [index, { parts }] of groups.entries()) {
    for (const key of parts.flatMap((part) => part.assets)) groupOf.set(key, index);
  }
  const { parts, definition: own, serial } = groups[position]!;
  const edges: Edge[] = [];
  for (const asset of new Set(parts.flatMap((part) => part.assets))) {
    const node = definitions.assets.nodes.get(asset);
    for (const dep of node === undefined ? [] : depsAndSelf(node)) {
      const index = groupOf.get(dep.key);
      if (index === undefined || (index === position && !serial)) continue;
      const up = groups[index]!.definition;
      const mapping = mappingOf(up, own, dep.mapping);
      edges.push({
        asset,
        upstream: dep.key,
        downstream: (subset) => downstreamOf(up, own, mapping, subset, now),
        isInside: index === position,
      });
    }
  }
  return edges;
}
