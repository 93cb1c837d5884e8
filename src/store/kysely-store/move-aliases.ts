import { OperationalError } from '../../lib/errors.ts';
import type { PipelineState, Snapshot } from '../../state/snapshot.ts';
import type { AcceptedMove } from '../store.ts';
import type { Tx } from './context.ts';
import { fromFolder } from './snapshot-rows.ts';

/** Of a folder that is gone: how many of its retained states are looked at. */
const LOOKED_AT = 50;

/**
 * Folders that moved (`moved_from`) take the identities of their old names along: history, partitions, schedule state.
 * Also when the line is written after the move, as long as the new name has no history of its own; and back, when the
 * move is undone.
 */
export async function moveAliases(tx: Tx, snapshot: Snapshot, previous: Snapshot): Promise<void> {
  const names = new Set(snapshot.pipelines.map((pipeline) => pipeline.name));
  const before: Before = {
    byDir: new Map(previous.pipelines.map((pipeline) => [pipeline.config.dir, pipeline])),
    byName: new Map(previous.pipelines.map((pipeline) => [pipeline.name, pipeline])),
  };
  for (const pipeline of snapshot.pipelines) {
    const origin = await originOf(tx, snapshot.component, pipeline, before);
    if (origin === null || origin.name === pipeline.name || names.has(origin.name)) continue;
    await movePipeline(tx, snapshot.component, origin, pipeline);
  }
}

/** The same, where a person says that it moved. Throws `MOVE_CONFLICT`; then nothing moved. */
export async function acceptMove(
  tx: Tx,
  { component, pipelines }: Snapshot,
  { fromDir, pipeline, by }: AcceptedMove,
): Promise<void> {
  const to = pipelines.find(({ name }) => name === pipeline);
  const from = await lastStateOf(tx, component, fromDir);
  const moved = to !== undefined && from !== null && (await movePipeline(tx, component, from, to));
  if (!moved) {
    throw new OperationalError('MOVE_CONFLICT', `${pipeline} cannot take over the history of ${fromDir}`, {
      hint: 'it ran already and has a history of its own, or the old one is not among the kept revisions',
    });
  }
  await tx.db
    .insertInto('audit')
    .values({
      at: tx.now,
      actor: by,
      action: 'component.accept_move',
      target: component,
      details: JSON.stringify({ pipeline, moved_from: fromDir }),
    })
    .execute();
}

interface Before {
  readonly byDir: ReadonlyMap<string, PipelineState>;
  readonly byName: ReadonlyMap<string, PipelineState>;
}

/** What a pipeline was before this revision, under another name; null: the same, or new. */
async function originOf(
  tx: Tx,
  component: string,
  pipeline: PipelineState,
  before: Before,
): Promise<PipelineState | null> {
  const { dir, movedFrom } = pipeline.config;
  const known = before.byName.get(pipeline.name);
  if (known === undefined) {
    const undone = [...before.byName.values()].find(({ config }) => config.movedFrom === dir);
    if (undone !== undefined) return undone;
  }
  // The next revision still says moved_from: nothing moves twice.
  if (movedFrom === undefined || known?.config.movedFrom === movedFrom) return null;
  return before.byDir.get(movedFrom) ?? (await lastStateOf(tx, component, movedFrom));
}

/** The newest state of a folder in the retained revisions. */
async function lastStateOf(tx: Tx, component: string, dir: string): Promise<PipelineState | null> {
  const rows = await tx.db
    .selectFrom('revision_folder')
    .innerJoin('revision', 'revision.revision_id', 'revision_folder.revision_id')
    .innerJoin('folder_state', 'folder_state.state_digest', 'revision_folder.state_digest')
    .select(['folder_state.body', 'revision_folder.commit_sha', 'revision_folder.status'])
    .where('revision.component', '=', component)
    .where('folder_state.body', 'like', `%${JSON.stringify(dir)}%`)
    .orderBy('revision_folder.revision_id', 'desc')
    .limit(LOOKED_AT)
    .execute();
  const states = rows.map((row) =>
    fromFolder({ body: row.body, commit: row.commit_sha, status: row.status as PipelineState['status'] }),
  );
  return states.find(({ config }) => config.dir === dir) ?? null;
}

/** False: some name has a history of its own, which stays with it. */
async function movePipeline(
  tx: Tx,
  component: string,
  from: PipelineState,
  to: PipelineState,
): Promise<boolean> {
  const moved = [await movePipelineName(tx, component, from.name, to.name)];
  for (const asset of to.assets) {
    const old = from.assets.find((one) => isSameAsset(from, one, to, asset));
    if (old !== undefined && old.key !== asset.key) moved.push(await moveAsset(tx, old.key, asset.key));
  }
  moved.push(await moveSchedule(tx, `${from.name}_schedule`, `${to.name}_schedule`));
  return moved.every(Boolean);
}

type Asset = PipelineState['assets'][number];

function isSameAsset(from: PipelineState, old: Asset, to: PipelineState, asset: Asset): boolean {
  if (old.resource !== undefined || asset.resource !== undefined) return old.resource === asset.resource;
  if (from.assets.length === 1 && to.assets.length === 1) return true;
  return old.key.slice(old.key.indexOf('/')) === asset.key.slice(asset.key.indexOf('/'));
}

async function movePipelineName(tx: Tx, component: string, from: string, to: string): Promise<boolean> {
  const rows = await tx.db
    .selectFrom('pipeline')
    .select(['pipeline_id as id', 'name'])
    .where('component', '=', component)
    .where('name', 'in', [from, to])
    .execute();
  const moved = rows.find(({ name }) => name === from);
  const taken = rows.find(({ name }) => name === to);
  const rename = async (id: number, name: string): Promise<void> => {
    await tx.db.updateTable('pipeline').set({ name }).where('pipeline_id', '=', id).execute();
  };
  if (moved === undefined) return true;
  if (taken !== undefined) {
    const used = tx.db.selectFrom('run_pipeline').select('run_no').where('pipeline_id', '=', taken.id);
    if ((await used.limit(1).executeTakeFirst()) !== undefined) return false;
  }
  await exchange(moved.id, taken?.id, from, to, rename);
  return true;
}

async function moveAsset(tx: Tx, from: string, to: string): Promise<boolean> {
  const rows = await tx.db
    .selectFrom('asset')
    .select(['asset_id as id', 'key'])
    .where('key', 'in', [from, to])
    .execute();
  const moved = rows.find(({ key }) => key === from);
  const taken = rows.find(({ key }) => key === to);
  const rename = async (id: number, key: string): Promise<void> => {
    await tx.db.updateTable('asset').set({ key }).where('asset_id', '=', id).execute();
  };
  if (moved === undefined) return true;
  if (taken !== undefined) {
    const used = tx.db.selectFrom('run_asset').select('run_no').where('asset_id', '=', taken.id);
    if ((await used.limit(1).executeTakeFirst()) !== undefined) return false;
  }
  await exchange(moved.id, taken?.id, from, to, rename);
  return true;
}

async function moveSchedule(tx: Tx, from: string, to: string): Promise<boolean> {
  tx.schedulesChanged = true;
  const rows = await tx.db
    .selectFrom('schedule')
    .select(['schedule_id as id', 'name'])
    .where('name', 'in', [from, to])
    .execute();
  const moved = rows.find(({ name }) => name === from);
  const taken = rows.find(({ name }) => name === to);
  const rename = async (id: number, name: string): Promise<void> => {
    await tx.db.updateTable('schedule').set({ name }).where('schedule_id', '=', id).execute();
  };
  if (moved === undefined) return true;
  if (taken !== undefined) {
    const used = tx.db.selectFrom('tick').select('at').where('schedule_id', '=', taken.id);
    if ((await used.limit(1).executeTakeFirst()) !== undefined) return false;
  }
  await exchange(moved.id, taken?.id, from, to, rename);
  return true;
}

/** Names are unique at any moment, so the unused identity goes aside first; it keeps the old name. */
async function exchange(
  moved: number,
  unused: number | undefined,
  from: string,
  to: string,
  rename: (id: number, name: string) => Promise<void>,
): Promise<void> {
  if (unused === undefined) return rename(moved, to);
  await rename(unused, `${to} (unused ${unused})`);
  await rename(moved, to);
  await rename(unused, from);
}
