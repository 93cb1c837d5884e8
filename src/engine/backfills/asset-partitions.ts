import type { AssetKey, AssetNode, Definitions } from '../../definitions/definitions.ts';
import { unpartitioned } from '../../partitions/mapping/map-partitions.ts';
import { emptySubset } from '../../partitions/subset/partition-subset.ts';
import type { AssetPartitions } from '../../plan/plan-backfill.ts';
import type { AssetStore } from '../../store/store.ts';

/** What the store knows of the partitions of these assets, by their definitions of today. */
export async function assetPartitions(
  assets: Pick<AssetStore, 'partitionSubsets' | 'status'>,
  definitions: Definitions,
  keys: readonly AssetKey[],
): Promise<ReadonlyMap<AssetKey, AssetPartitions>> {
  const found = new Map<AssetKey, AssetPartitions>();
  const whole: AssetNode[] = [];
  for (const key of keys) {
    const node = definitions.assets.nodes.get(key);
    if (node === undefined) continue;
    if (node.partitions === undefined) whole.push(node);
    else found.set(key, await assets.partitionSubsets(key, node.partitions));
  }
  for (const { assetKey, latest, latestRun } of await assets.status(whole.map((node) => node.key))) {
    const status = latestRun?.status;
    found.set(assetKey, {
      materialized: latest === null ? emptySubset : unpartitioned,
      failed: status === 'FAILURE' ? unpartitioned : emptySubset,
      inProgress: status === 'STARTED' || status === 'QUEUED' ? unpartitioned : emptySubset,
    });
  }
  return found;
}
