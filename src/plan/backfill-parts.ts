import type { PartitionSubset } from '../partitions/subset/partition-subset.ts';
import { appendRange, rangesOf } from '../partitions/subset/partition-subset.ts';
import type { BackfillPart } from './backfill-plan.ts';

interface Edge {
  readonly at: number;
  /** Position of the asset. */
  readonly asset: number;
}

/**
 * Cuts assets of one definition into parts: each partition lies in the part of exactly those assets that want it. One
 * walk over all bounds, so that the cost follows the number of ranges. Parts come in the order of their first partition,
 * their assets in the order given.
 */
export function partsOf(
  assets: readonly { readonly key: string; readonly subset: PartitionSubset }[],
): BackfillPart[] {
  const edges: Edge[] = [];
  for (const [asset, { subset }] of assets.entries()) {
    for (const [from, to] of rangesOf(subset)) edges.push({ at: from, asset }, { at: to, asset });
  }
  edges.sort((a, b) => a.at - b.at);
  const wanted = new Set<number>();
  const parts = new Map<string, { assets: string[]; bounds: number[] }>();
  for (let next = 0; next < edges.length; ) {
    const { at } = edges[next]!;
    for (; edges[next]?.at === at; next++) {
      const { asset } = edges[next]!;
      if (!wanted.delete(asset)) wanted.add(asset);
    }
    const until = edges[next]?.at;
    if (wanted.size === 0 || until === undefined) continue;
    const positions = [...wanted].sort((a, b) => a - b);
    const id = positions.join();
    let part = parts.get(id);
    if (part === undefined) {
      part = { assets: positions.map((position) => assets[position]!.key), bounds: [] };
      parts.set(id, part);
    }
    appendRange(part.bounds, at, until);
  }
  return [...parts.values()].map(({ assets: keys, bounds }) => ({ assets: keys, subset: { bounds } }));
}
