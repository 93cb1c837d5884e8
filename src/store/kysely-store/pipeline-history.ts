import type { PipelineState } from '../../state/snapshot.ts';
import type { PipelineRevisionRow, RunMarkRow } from '../history-store.ts';
import { toRevision } from './components.ts';
import type { StoreContext } from './context.ts';
import { toRunMark } from './run-mark.ts';
import { fromFolder } from './snapshot-rows.ts';

/** See `HistoryStore.pipelineRevisions`. */
export async function pipelineRevisions(
  { db }: StoreContext,
  component: string,
  pipeline: string,
): Promise<readonly PipelineRevisionRow[]> {
  const folders = await db
    .selectFrom('revision')
    .innerJoin('revision_folder', 'revision_folder.revision_id', 'revision.revision_id')
    .innerJoin('pipeline', 'pipeline.pipeline_id', 'revision_folder.pipeline_id')
    .select([
      'revision.revision_id',
      'revision_folder.state_digest',
      'revision_folder.commit_sha',
      'revision_folder.status',
    ])
    .where('revision.component', '=', component)
    .where('pipeline.component', '=', component)
    .where('pipeline.name', '=', pipeline)
    .orderBy('revision.revision_id')
    .execute();
  const turns = folders.filter((row, index) => {
    const before = folders[index - 1];
    return before === undefined || before.state_digest !== row.state_digest || before.status !== row.status;
  });
  const rows = await Promise.all(
    turns.reverse().map(async (turn): Promise<PipelineRevisionRow[]> => {
      const revision = await db
        .selectFrom('revision')
        .selectAll()
        .where('revision_id', '=', turn.revision_id)
        .executeTakeFirst();
      const folder = await db
        .selectFrom('folder_state')
        .select('body')
        .where('state_digest', '=', turn.state_digest)
        .executeTakeFirst();
      if (revision === undefined || folder === undefined) return [];
      const state = readFolder(folder.body, turn.commit_sha, turn.status);
      return state === null ? [] : [{ revision: toRevision(revision), state }];
    }),
  );
  return rows.flat();
}

/** A row that cannot be read is as one that is gone (P10). */
function readFolder(body: string, commit: string, status: string): PipelineState | null {
  try {
    return fromFolder({ body, commit, status: status as PipelineState['status'] });
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** See `HistoryStore.pipelineRuns`. */
export async function pipelineRuns(
  { db }: StoreContext,
  component: string,
  pipeline: string,
  limit: number,
): Promise<ReadonlyMap<string, readonly RunMarkRow[]>> {
  const known = await db
    .selectFrom('pipeline')
    .select('pipeline_id')
    .where('component', '=', component)
    .where('name', '=', pipeline)
    .executeTakeFirst();
  const runs = new Map<string, RunMarkRow[]>();
  if (known === undefined) return runs;
  const rows = await db
    .selectFrom('run_pipeline')
    .innerJoin('run', 'run.run_no', 'run_pipeline.run_no')
    .innerJoin('run_step', 'run_step.run_no', 'run.run_no')
    .innerJoin('step_asset', (join) =>
      join
        .onRef('step_asset.run_no', '=', 'run_step.run_no')
        .onRef('step_asset.step_key', '=', 'run_step.step_key'),
    )
    .innerJoin('asset', 'asset.asset_id', 'step_asset.asset_id')
    .select([
      'run.run_no',
      'run.run_id',
      'run.status',
      'run.created_at',
      'run.started_at',
      'run.ended_at',
      'run_step.commit_sha',
    ])
    .where('run_pipeline.pipeline_id', '=', known.pipeline_id)
    .where('asset.pipeline_id', '=', known.pipeline_id)
    .where('run_pipeline.run_no', 'in', (eb) =>
      eb
        .selectFrom('run_pipeline as newest')
        .select('newest.run_no')
        .where('newest.pipeline_id', '=', known.pipeline_id)
        .orderBy('newest.run_no', 'desc')
        .limit(limit),
    )
    .groupBy(['run.run_no', 'run_step.commit_sha'])
    .orderBy('run.run_no', 'desc')
    .execute();
  for (const row of rows) {
    const own = runs.get(row.commit_sha);
    if (own === undefined) runs.set(row.commit_sha, [toRunMark(row)]);
    else own.push(toRunMark(row));
  }
  return runs;
}
