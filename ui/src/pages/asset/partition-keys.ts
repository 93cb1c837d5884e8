import type { PartitionKeys } from '../../../../src/server/contract/backfill.ts';
import { get, segment } from '../../api/client.ts';
import type { Span } from './partition-strip.tsx';

/** Keys of the ends of a span: only the service can write the key of any place. */
export async function keysAt(assetKey: string, { from, to }: Span): Promise<[string, string]> {
  const { items } = await get<PartitionKeys>(`/assets/${segment(assetKey)}/partition-keys?at=${from},${to}`);
  return [items[0]?.key ?? '', items[1]?.key ?? ''];
}
