import { assetNodes } from '../../definitions/asset-node.ts';
import type { Snapshot } from '../../state/snapshot.ts';
import type { AcceptedMove } from '../store.ts';
import type { Tx } from './context.ts';
import { ensureAssets, ensureDefinition, ensurePipelines } from './identities.ts';
import { chunks } from './json.ts';
import { acceptMove, moveAliases } from './move-aliases.ts';
import { relabelAsset } from './partition-rows.ts';

const CHUNK = 500;

/**
 * Names of a new snapshot: moved folders (`moved_from`) take the ids of their old names along, new names get ids, and
 * assets whose partitions definition changed have their rows labelled anew.
 * @param previous the revision before, null at the first
 * @returns pipeline ids by name
 */
export async function applyAliases(
  tx: Tx,
  snapshot: Snapshot,
  previous: Snapshot | null,
  acceptedMove?: AcceptedMove,
): Promise<ReadonlyMap<string, number>> {
  const { component } = snapshot;
  if (previous !== null) await moveAliases(tx, snapshot, previous);
  if (acceptedMove !== undefined) await acceptMove(tx, snapshot, acceptedMove);
  const pipelineIds = await ensurePipelines(
    tx,
    component,
    snapshot.pipelines.map((pipeline) => pipeline.name),
  );
  const assetIds = await ensureAssets(
    tx,
    snapshot.pipelines.flatMap((pipeline) => pipeline.assets.map((asset) => asset.key)),
  );
  const known = await knownAssets(tx, [...assetIds.values()]);
  const definitionIds = new Map<string, number>();
  for (const pipeline of snapshot.pipelines) {
    for (const { key, partitions: definition = null } of assetNodes(component, pipeline)) {
      const text = JSON.stringify(definition);
      const definitionId = definitionIds.get(text) ?? (await ensureDefinition(tx, definition));
      definitionIds.set(text, definitionId);
      const assetId = assetIds.get(key)!;
      await setAsset(tx, assetId, known.get(assetId), {
        pipeline_id: pipelineIds.get(pipeline.name)!,
        definition_id: definitionId,
      });
    }
  }
  return pipelineIds;
}

interface AssetColumns {
  readonly pipeline_id: number | null;
  readonly definition_id: number | null;
}

async function knownAssets(tx: Tx, assetIds: readonly number[]): Promise<ReadonlyMap<number, AssetColumns>> {
  const known = new Map<number, AssetColumns>();
  for (const some of chunks(assetIds, CHUNK)) {
    const rows = await tx.db
      .selectFrom('asset')
      .select(['asset_id', 'pipeline_id', 'definition_id'])
      .where('asset_id', 'in', some)
      .execute();
    for (const { asset_id, ...row } of rows) known.set(asset_id, row);
  }
  return known;
}

async function setAsset(
  tx: Tx,
  assetId: number,
  known: AssetColumns | undefined,
  columns: AssetColumns,
): Promise<void> {
  if (known?.pipeline_id === columns.pipeline_id && known.definition_id === columns.definition_id) return;
  await tx.db.updateTable('asset').set(columns).where('asset_id', '=', assetId).execute();
  if (known?.definition_id !== columns.definition_id) await relabelAsset(tx, assetId);
}
