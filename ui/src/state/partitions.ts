import type { PartitionList } from '../../../src/server/contract/asset.ts';
import { get, segment } from '../api/client.ts';
import { unpacked } from '../lib/partition-states.ts';
import { concernsAsset } from './concerns.ts';
import { type Resource, useResource } from './resource.ts';

/** The partitions of an asset by state, kept fresh. Null: of none. */
export function usePartitions(assetKey: string | null): Resource<PartitionList> {
  const path = assetKey === null ? null : `/assets/${segment(assetKey)}/partitions`;
  return useResource<PartitionList>(path, concernsAsset(assetKey ?? ''), async () =>
    unpacked(await get<PartitionList>(path ?? '')),
  );
}
