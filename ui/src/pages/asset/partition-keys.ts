import type { PartitionList } from '../../../../src/server/contract/asset.ts';
import type { PartitionKeys } from '../../../../src/server/contract/backfill.ts';
import { get, segment } from '../../api/client.ts';
import { rangeAt } from '../../lib/buckets.ts';
import type { Span } from './partition-strip.tsx';

/** Keys of the ends of a span: of a whole stretch the list has them, of any other place only the service. */
export async function keysAt(
  assetKey: string,
  { from, to }: Span,
  list: PartitionList,
): Promise<[string, string]> {
  const stretch = rangeAt(list.ranges, from);
  if (stretch !== undefined && stretch.from === from && stretch.to === to && stretch.from_key !== '')
    return [stretch.from_key, stretch.to_key];
  const { items } = await get<PartitionKeys>(`/assets/${segment(assetKey)}/partition-keys?at=${from},${to}`);
  return [items[0]?.key ?? '', items[1]?.key ?? ''];
}
