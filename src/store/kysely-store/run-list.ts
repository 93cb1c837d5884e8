import type { SelectQueryBuilder } from 'kysely';
import type { StepError } from '../../events/run-event.ts';
import type { RunStatus } from '../../events/run-state.ts';
import type { RunFilter, RunSummary } from '../store.ts';
import type { StoreContext } from './context.ts';
import { findAssets, findSchedule } from './identities.ts';
import { fromJson } from './json.ts';
import type { StoredSummary } from './launches.ts';
import type { Database, RunRow } from './schema.ts';

type RunQuery = SelectQueryBuilder<Database, 'run', Record<never, never>>;

/** Runs by a filter, newest first; pages by `cursor`, so that a page never costs more than its own rows. */
export async function listRuns(context: StoreContext, filter: RunFilter): Promise<readonly RunSummary[]> {
  const base = await filtered(context, filter);
  if (base === null) return [];
  if (filter.statuses === undefined) return toSummaries(await page(base, filter.limit));
  // One ordered index walk per status: with `in`, a rare status among many runs would be searched row by row.
  const pages = await Promise.all(
    [...new Set(filter.statuses)].map((status) => page(base.where('run.status', '=', status), filter.limit)),
  );
  const rows = pages.flat().sort((a, b) => b.run_no - a.run_no);
  return toSummaries(rows.slice(0, filter.limit));
}

export async function runSummary({ db }: StoreContext, runId: string): Promise<RunSummary | null> {
  const row = await db.selectFrom('run').selectAll().where('run_id', '=', runId).executeTakeFirst();
  return row === undefined ? null : toSummary(row);
}

/** Null: a name of the filter is not known, so nothing can match. */
async function filtered(context: StoreContext, filter: RunFilter): Promise<RunQuery | null> {
  const { db } = context;
  let query: RunQuery = db.selectFrom('run');
  if (filter.cursor !== undefined) {
    const { cursor } = filter;
    const at = await db
      .selectFrom('run')
      .select(['run_no', 'run_id'])
      .where('run_id', '<=', cursor)
      .orderBy('run_id', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (at === undefined) return null;
    query = query.where('run.run_no', at.run_id === cursor ? '<' : '<=', at.run_no);
  }
  if (filter.assetKey !== undefined) {
    const assetId = (await findAssets(context, [filter.assetKey])).get(filter.assetKey);
    if (assetId === undefined) return null;
    query = query.where('run.run_no', 'in', (eb) =>
      eb.selectFrom('run_asset').select('run_asset.run_no').where('run_asset.asset_id', '=', assetId),
    );
  }
  if (filter.pipeline !== undefined) {
    const { pipeline } = filter;
    query = query.where('run.run_no', 'in', (eb) =>
      eb
        .selectFrom('run_pipeline')
        .innerJoin('pipeline', 'pipeline.pipeline_id', 'run_pipeline.pipeline_id')
        .select('run_pipeline.run_no')
        .where('pipeline.name', '=', pipeline),
    );
  }
  if (filter.jobName !== undefined) query = query.where('run.job_name', '=', filter.jobName);
  if (filter.schedule !== undefined) {
    const scheduleId = await findSchedule(context, filter.schedule);
    if (scheduleId === null) return null;
    query = query.where('run.schedule_id', '=', scheduleId);
  }
  if (filter.backfillId !== undefined) {
    const { backfillId } = filter;
    query = query.where('run.backfill_no', '=', (eb) =>
      eb.selectFrom('backfill').select('backfill.backfill_no').where('backfill.backfill_id', '=', backfillId),
    );
  }
  if (filter.launchId !== undefined) query = query.where('run.launch_id', '=', filter.launchId);
  return query;
}

async function page(query: RunQuery, limit: number): Promise<RunRow[]> {
  return query.selectAll('run').orderBy('run.run_no', 'desc').limit(limit).execute();
}

function toSummaries(rows: readonly RunRow[]): readonly RunSummary[] {
  return rows.map(toSummary);
}

function toSummary(row: RunRow): RunSummary {
  const fixed = fromJson<StoredSummary>(row.summary);
  return {
    runId: row.run_id,
    launchId: row.launch_id,
    status: row.status as RunStatus,
    jobName: row.job_name,
    ...fixed,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    stepCounts: fromJson<Record<string, number>>(row.step_counts),
    error: row.error === null ? null : fromJson<StepError>(row.error),
  };
}
