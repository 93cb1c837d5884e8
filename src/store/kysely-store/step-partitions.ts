import { keysInRange } from '../../partitions/partition-set.ts';
import type { Tx } from './context.ts';
import { definitionOf } from './identities.ts';
import { fromJson } from './json.ts';
import { identify, type NamedPartition, UNPARTITIONED } from './partition-keys.ts';

export interface StepAsset {
  readonly assetId: number;
  readonly key: string;
  readonly definitionId: number | null;
  readonly keys: readonly string[];
  readonly isRange: boolean;
  /** Ranges are spelled out as of then. */
  readonly plannedAt: number;
}

/** What a step writes, as its plan said. */
export async function stepAssets(tx: Tx, runNo: number, stepKey: string): Promise<readonly StepAsset[]> {
  const rows = await tx.db
    .selectFrom('step_asset')
    .innerJoin('asset', 'asset.asset_id', 'step_asset.asset_id')
    .innerJoin('run', 'run.run_no', 'step_asset.run_no')
    .select([
      'step_asset.asset_id',
      'asset.key',
      'step_asset.definition_id',
      'step_asset.partition_keys',
      'step_asset.is_range',
      'run.created_at',
    ])
    .where('step_asset.run_no', '=', runNo)
    .where('step_asset.step_key', '=', stepKey)
    .orderBy('step_asset.asset_id')
    .execute();
  return rows.map((row) => ({
    assetId: row.asset_id,
    key: row.key,
    definitionId: row.definition_id,
    keys: fromJson<string[]>(row.partition_keys),
    isRange: row.is_range === 1,
    plannedAt: row.created_at,
  }));
}

/** Every partition that a step writes of an asset. */
export async function plannedPartitions(tx: Tx, asset: StepAsset): Promise<readonly NamedPartition[]> {
  if (asset.keys.length === 0) return [UNPARTITIONED];
  const definition = await definitionOf(tx, asset.definitionId);
  const [start, end] = asset.keys;
  const keys =
    asset.isRange && definition != null && start !== undefined && end !== undefined
      ? keysInRange(definition, start, end, asset.plannedAt)
      : asset.keys;
  return identify(tx, definition, keys);
}

/** The partition that an event of the step names, read by the definition of its plan. */
export async function namedPartition(tx: Tx, asset: StepAsset, text: string): Promise<NamedPartition> {
  const definition = await definitionOf(tx, asset.definitionId);
  const [partition] = await identify(tx, definition, [text]);
  return partition ?? UNPARTITIONED;
}
