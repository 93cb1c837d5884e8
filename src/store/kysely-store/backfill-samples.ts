import { keysInRange } from '../../partitions/partition-set.ts';
import type { StepSample } from '../backfill-store.ts';
import type { StoreContext } from './context.ts';
import { definitionOf } from './identities.ts';
import { fromJson } from './json.ts';

/** The newest successful steps that wrote each asset, with their seconds and how many partitions they wrote of it. */
export async function stepSamples(
  context: StoreContext,
  assetKeys: readonly string[],
  limit: number,
): Promise<ReadonlyMap<string, readonly StepSample[]>> {
  const samples = new Map<string, StepSample[]>();
  for (const key of assetKeys) {
    const rows = await context.db
      .selectFrom('asset')
      .innerJoin('run_asset', 'run_asset.asset_id', 'asset.asset_id')
      .innerJoin('step_asset', (join) =>
        join
          .onRef('step_asset.run_no', '=', 'run_asset.run_no')
          .onRef('step_asset.asset_id', '=', 'run_asset.asset_id'),
      )
      .innerJoin('run_step', (join) =>
        join
          .onRef('run_step.run_no', '=', 'step_asset.run_no')
          .onRef('run_step.step_key', '=', 'step_asset.step_key'),
      )
      .select([
        'run_asset.run_no',
        'run_step.step_key',
        'run_step.started_at',
        'run_step.ended_at',
        'step_asset.partition_keys',
        'step_asset.is_range',
        'step_asset.definition_id',
      ])
      .where('asset.key', '=', key)
      .where('run_step.status', '=', 'succeeded')
      .orderBy('run_asset.run_no', 'desc')
      .limit(limit)
      .execute();
    const found: StepSample[] = [];
    for (const row of rows) {
      if (row.started_at === null || row.ended_at === null) continue;
      const keys = fromJson<string[]>(row.partition_keys);
      const [start, end] = keys;
      const definition = await definitionOf(context, row.definition_id);
      const isRange = row.is_range === 1 && definition != null && start !== undefined && end !== undefined;
      found.push({
        stepId: `${row.run_no}/${row.step_key}`,
        seconds: Math.max(0, row.ended_at - row.started_at) / 1000,
        partitions: Math.max(
          1,
          isRange ? keysInRange(definition, start, end, row.ended_at).length : keys.length,
        ),
      });
    }
    if (found.length > 0) samples.set(key, found);
  }
  return samples;
}
