import { assetNode } from '../../definitions/asset-node.ts';
import type { PipelineState, Snapshot } from '../../state/snapshot.ts';
import type { Tx } from './context.ts';
import { ensureAssets, ensureDefinition, ensurePipelines } from './identities.ts';
import { chunks } from './json.ts';
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
): Promise<ReadonlyMap<string, number>> {
  const { component } = snapshot;
  if (previous !== null) await moveAliases(tx, snapshot, previous);
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
    for (const asset of pipeline.assets) {
      const definition = assetNode(component, pipeline, asset).partitions ?? null;
      const text = JSON.stringify(definition);
      const definitionId = definitionIds.get(text) ?? (await ensureDefinition(tx, definition));
      definitionIds.set(text, definitionId);
      const assetId = assetIds.get(asset.key)!;
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
  tx.schedulesChanged = true;
  const taken = await tx.db
    .selectFrom('schedule')
    .select('schedule_id')
    .where('name', '=', to)
    .executeTakeFirst();
  if (taken !== undefined) return;
  await tx.db.updateTable('schedule').set({ name: to }).where('name', '=', from).execute();
}
