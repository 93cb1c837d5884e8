import type { DltPipelineDetail } from '../../../../src/server/contract/dlt-state.ts';

/** When the last load or drop ended, as far as it is known; null: there was none. */
export function changedAt({
  last_load_at: loaded,
  drops,
}: Pick<DltPipelineDetail, 'last_load_at' | 'drops'>): string | null {
  const dropped = drops.find(({ status }) => status === 'SUCCESS')?.ended_at ?? null;
  if (loaded === null || dropped === null) return loaded ?? dropped;
  return Date.parse(loaded) > Date.parse(dropped) ? loaded : dropped;
}
