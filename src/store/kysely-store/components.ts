import type { PipelineState, Snapshot } from '../../state/snapshot.ts';
import type { ComponentStore, RefreshTrigger, RevisionRow } from '../store.ts';
import { applyAliases } from './aliases.ts';
import type { StoreContext, Tx } from './context.ts';
import { writeControl } from './controls.ts';
import { appendEvent } from './event-log.ts';
import { chunks, fromJson } from './json.ts';
import { UNFINISHED } from './runs.ts';
import type { RevisionTableRow } from './schema.ts';
import { folderBody, folderDigest, fromFolder, fromHeader, toHeader } from './snapshot-rows.ts';

const RETAINED_REVISIONS = 50;
const CHUNK = 200;
type Db = StoreContext['db'];

export function createComponentStore(context: StoreContext): ComponentStore {
  const { db } = context;
  /** What was applied last, as it was handed in: at the next revision it need not be read back. */
  const applied = new Map<string, { readonly revisionId: number; readonly snapshot: Snapshot }>();

  async function newest(component: string, tx: Tx): Promise<Snapshot | null> {
    const revisionId = await newestId(tx.db, component);
    if (revisionId === null) return null;
    const known = applied.get(component);
    return known?.revisionId === revisionId ? known.snapshot : readSnapshot(tx.db, revisionId);
  }

  return {
    async applyRevision(snapshot, info) {
      const revisionId = await context.write(async (tx) => {
        const previous = await newest(snapshot.component, tx);
        const pipelineIds = await applyAliases(tx, snapshot, previous, info.acceptedMove);
        const revisionId = await insertRevision(tx, snapshot, info);
        await insertFolders(tx, revisionId, snapshot.pipelines, pipelineIds, previous !== null);
        await dropOldRevisions(tx, snapshot.component);
        if (info.control !== undefined) {
          const { state, by } = info.control;
          await writeControl(tx, snapshot.component, state === null ? null : { ...state, revisionId }, by);
        }
        await appendEvent(tx, {
          runNo: null,
          stepKey: null,
          attempt: null,
          n: null,
          event: {
            type: 'revision_applied',
            component: snapshot.component,
            revisionId,
            commit: snapshot.repo.commit,
            digest: snapshot.digest,
          },
        });
        return revisionId;
      });
      applied.set(snapshot.component, { revisionId, snapshot });
      return revisionId;
    },

    async revisions(component, filter) {
      let query = db.selectFrom('revision').selectAll().where('component', '=', component);
      if (filter.beforeRevisionId !== undefined) {
        query = query.where('revision_id', '<', filter.beforeRevisionId);
      }
      const rows = await query.orderBy('revision_id', 'desc').limit(filter.limit).execute();
      return rows.map(toRevision);
    },

    async revision(component, revisionIdOrCommit) {
      const query = db.selectFrom('revision').selectAll().where('component', '=', component);
      const row = await (typeof revisionIdOrCommit === 'number'
        ? query.where('revision_id', '=', revisionIdOrCommit)
        : query.where('commit_sha', '=', revisionIdOrCommit).orderBy('revision_id', 'desc').limit(1)
      ).executeTakeFirst();
      return row === undefined ? null : toRevision(row);
    },

    async snapshot(revisionId) {
      return readSnapshot(db, revisionId);
    },

    async latestSnapshot(component) {
      return latest(db, component);
    },

    async neededTrees() {
      const runs = await db
        .selectFrom('run')
        .innerJoin('run_step', 'run_step.run_no', 'run.run_no')
        .select('run_step.tree_id')
        .distinct()
        .where('run.status', 'in', UNFINISHED)
        .execute();
      // Held folders are part of a retained revision: the newest one.
      const folders = await db.selectFrom('folder_state').select('tree_id').distinct().execute();
      return new Set([...runs, ...folders].map((row) => row.tree_id));
    },
  };
}

async function insertRevision(
  tx: Tx,
  snapshot: Snapshot,
  info: { trigger: RefreshTrigger; startedAt: number; summary: RevisionRow['summary'] },
): Promise<number> {
  const { repo, pipelines } = snapshot;
  const row = await tx.db
    .insertInto('revision')
    .values({
      component: snapshot.component,
      commit_sha: repo.commit,
      branch: repo.branch,
      author: repo.author,
      message: repo.message,
      committed_at: repo.committedAt,
      digest: snapshot.digest,
      trigger_by: JSON.stringify(info.trigger),
      started_at: info.startedAt,
      applied_at: tx.now,
      pipelines: pipelines.length,
      held: pipelines.filter((pipeline) => pipeline.status === 'held').length,
      diagnostics: snapshot.diagnostics.length,
      ...info.summary,
      header: toHeader(snapshot),
    })
    .returning('revision_id')
    .executeTakeFirstOrThrow();
  return row.revision_id;
}

async function insertFolders(
  tx: Tx,
  revisionId: number,
  pipelines: readonly PipelineState[],
  pipelineIds: ReadonlyMap<string, number>,
  areReadable: boolean,
): Promise<void> {
  const folders = pipelines.map((pipeline, position) => ({
    pipeline,
    position,
    stateDigest: folderDigest(pipeline),
  }));
  for (const some of chunks(folders, CHUNK)) {
    const stored = await tx.db
      .selectFrom('folder_state')
      .select('state_digest')
      .where(
        'state_digest',
        'in',
        some.map(({ stateDigest }) => stateDigest),
      )
      .execute();
    const known = new Set(stored.map((row) => row.state_digest));
    // Of thousands of folders nearly all are as they were: their bodies are not even written down.
    const fresh = some.filter(({ stateDigest }) => !areReadable || !known.has(stateDigest));
    if (fresh.length > 0) {
      await tx.db
        .insertInto('folder_state')
        .values(
          fresh.map(({ stateDigest, pipeline }) => ({
            state_digest: stateDigest,
            tree_id: pipeline.code.treeId,
            inputs_digest: pipeline.discovery.inputsDigest,
            body: folderBody(pipeline),
          })),
        )
        .onConflict((conflict) =>
          conflict.column('state_digest').doUpdateSet((row) => ({ body: row.ref('excluded.body') })),
        )
        .execute();
    }
    await tx.db
      .insertInto('revision_folder')
      .values(
        some.map(({ stateDigest, pipeline, position }) => ({
          revision_id: revisionId,
          position,
          pipeline_id: pipelineIds.get(pipeline.name)!,
          state_digest: stateDigest,
          commit_sha: pipeline.code.commit,
          status: pipeline.status,
        })),
      )
      .execute();
  }
}

/** Keeps the last 50, and those whose commit an unfinished run uses. */
async function dropOldRevisions(tx: Tx, component: string): Promise<void> {
  const old = await tx.db
    .selectFrom('revision')
    .select(['revision_id', 'commit_sha'])
    .where('component', '=', component)
    .orderBy('revision_id', 'desc')
    .offset(RETAINED_REVISIONS)
    .limit(1_000)
    .execute();
  if (old.length === 0) return;
  const used = await tx.db
    .selectFrom('run')
    .innerJoin('run_step', 'run_step.run_no', 'run.run_no')
    .select('run_step.commit_sha')
    .distinct()
    .where('run.status', 'in', UNFINISHED)
    .execute();
  const commits = new Set(used.map((row) => row.commit_sha));
  const dropped = old.filter((row) => !commits.has(row.commit_sha)).map((row) => row.revision_id);
  if (dropped.length === 0) return;
  await tx.db.deleteFrom('revision_folder').where('revision_id', 'in', dropped).execute();
  await tx.db.deleteFrom('revision').where('revision_id', 'in', dropped).execute();
  await tx.db
    .deleteFrom('folder_state')
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('revision_folder')
            .select('revision_folder.revision_id')
            .whereRef('revision_folder.state_digest', '=', 'folder_state.state_digest'),
        ),
      ),
    )
    .execute();
}

async function latest(
  db: Db,
  component: string,
): Promise<{ readonly revisionId: number; readonly snapshot: Snapshot } | null> {
  const revisionId = await newestId(db, component);
  if (revisionId === null) return null;
  const snapshot = await readSnapshot(db, revisionId);
  return snapshot === null ? null : { revisionId, snapshot };
}

async function newestId(db: Db, component: string): Promise<number | null> {
  const row = await db
    .selectFrom('revision')
    .select('revision_id')
    .where('component', '=', component)
    .orderBy('revision_id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.revision_id ?? null;
}

/** A revision with a row that cannot be read is as one that is gone: it must not keep the service from starting (P10). */
async function readSnapshot(db: Db, revisionId: number): Promise<Snapshot | null> {
  const revision = await db
    .selectFrom('revision')
    .select('header')
    .where('revision_id', '=', revisionId)
    .executeTakeFirst();
  if (revision === undefined) return null;
  const folders = await db
    .selectFrom('revision_folder')
    .innerJoin('folder_state', 'folder_state.state_digest', 'revision_folder.state_digest')
    .select(['folder_state.body', 'revision_folder.commit_sha', 'revision_folder.status'])
    .where('revision_folder.revision_id', '=', revisionId)
    .orderBy('revision_folder.position')
    .execute();
  try {
    return fromHeader(
      revision.header,
      folders.map((row) =>
        fromFolder({
          body: row.body,
          commit: row.commit_sha,
          status: row.status as PipelineState['status'],
        }),
      ),
    );
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export function toRevision(row: RevisionTableRow): RevisionRow {
  return {
    revisionId: row.revision_id,
    component: row.component,
    commit: row.commit_sha,
    branch: row.branch,
    author: row.author,
    message: row.message,
    committedAt: row.committed_at,
    digest: row.digest,
    trigger: fromJson<RefreshTrigger>(row.trigger_by),
    startedAt: row.started_at,
    appliedAt: row.applied_at,
    pipelines: row.pipelines,
    held: row.held,
    diagnostics: row.diagnostics,
    summary: { added: row.added, changed: row.changed, removed: row.removed },
  };
}
