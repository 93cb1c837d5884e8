import { assetNode } from '../../definitions/asset-node.ts';
import type { PipelineState, Snapshot } from '../../state/snapshot.ts';
import type { Tx } from './context.ts';
import { ensureAssets, ensureDefinition, ensurePipeline } from './identities.ts';
import { relabelAsset } from './partition-rows.ts';

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
): Promise<ReadonlyMap<string, number>> {
  const { component } = snapshot;
  if (previous !== null) await moveAliases(tx, snapshot, previous);
  const pipelineIds = new Map<string, number>();
  for (const pipeline of snapshot.pipelines) {
    const pipelineId = await ensurePipeline(tx, component, pipeline.name);
    pipelineIds.set(pipeline.name, pipelineId);
    const assetIds = await ensureAssets(
      tx,
      pipeline.assets.map((asset) => asset.key),
    );
    for (const asset of pipeline.assets) {
      const node = assetNode(component, pipeline, asset);
      const definitionId = await ensureDefinition(tx, node.partitions ?? null);
      await setAsset(tx, assetIds.get(asset.key)!, pipelineId, definitionId);
    }
  }
  return pipelineIds;
}

async function setAsset(tx: Tx, assetId: number, pipelineId: number, definitionId: number): Promise<void> {
  const known = await tx.db
    .selectFrom('asset')
    .select(['pipeline_id', 'definition_id'])
    .where('asset_id', '=', assetId)
    .executeTakeFirstOrThrow();
  if (known.pipeline_id === pipelineId && known.definition_id === definitionId) return;
  await tx.db
    .updateTable('asset')
    .set({ pipeline_id: pipelineId, definition_id: definitionId })
    .where('asset_id', '=', assetId)
    .execute();
  if (known.definition_id !== definitionId) await relabelAsset(tx, assetId);
}

async function moveAliases(tx: Tx, snapshot: Snapshot, previous: Snapshot): Promise<void> {
  const names = new Set(snapshot.pipelines.map((pipeline) => pipeline.name));
  const earlier = new Map(previous.pipelines.map((pipeline) => [pipeline.config.dir, pipeline]));
  const earlierNames = new Set(previous.pipelines.map((pipeline) => pipeline.name));
  for (const pipeline of snapshot.pipelines) {
    const { movedFrom } = pipeline.config;
    const old = movedFrom === undefined ? undefined : earlier.get(movedFrom);
    if (old === undefined || old.name === pipeline.name) continue;
    if (names.has(old.name) || earlierNames.has(pipeline.name)) continue;
    await movePipeline(tx, snapshot.component, old, pipeline);
  }
}

async function movePipeline(
  tx: Tx,
  component: string,
  from: PipelineState,
  to: PipelineState,
): Promise<void> {
  const taken = await tx.db
    .selectFrom('pipeline')
    .select('pipeline_id')
    .where('component', '=', component)
    .where('name', '=', to.name)
    .executeTakeFirst();
  if (taken === undefined) {
    await tx.db
      .updateTable('pipeline')
      .set({ name: to.name })
      .where('component', '=', component)
      .where('name', '=', from.name)
      .execute();
  }
  for (const asset of to.assets) {
    const old = from.assets.find((one) => isSameAsset(from, one, to, asset));
    if (old !== undefined && old.key !== asset.key) await moveAsset(tx, old.key, asset.key);
  }
  await moveSchedule(tx, `${from.name}_schedule`, `${to.name}_schedule`);
}

type Asset = PipelineState['assets'][number];

function isSameAsset(from: PipelineState, old: Asset, to: PipelineState, asset: Asset): boolean {
  if (old.resource !== undefined || asset.resource !== undefined) return old.resource === asset.resource;
  if (from.assets.length === 1 && to.assets.length === 1) return true;
  return old.key.slice(old.key.indexOf('/')) === asset.key.slice(asset.key.indexOf('/'));
}

async function moveAsset(tx: Tx, from: string, to: string): Promise<void> {
  const taken = await tx.db.selectFrom('asset').select('asset_id').where('key', '=', to).executeTakeFirst();
  if (taken !== undefined) return;
  await tx.db.updateTable('asset').set({ key: to }).where('key', '=', from).execute();
}

async function moveSchedule(tx: Tx, from: string, to: string): Promise<void> {
  const taken = await tx.db
    .selectFrom('schedule')
    .select('schedule_id')
    .where('name', '=', to)
    .executeTakeFirst();
  if (taken !== undefined) return;
  await tx.db.updateTable('schedule').set({ name: to }).where('name', '=', from).execute();
}
