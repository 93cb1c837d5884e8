import { setImmediate as others } from 'node:timers/promises';
import { sql } from 'kysely';
import type { AuditTrailFilter, AuditTrailRow, RefreshTrigger } from '../store.ts';
import type { StoreContext } from './context.ts';
import { fromJson } from './json.ts';
import type { StoredSummary } from './launches.ts';

/** What starts runs by itself; runs that a person asked for stand in the audit log, those of a backfill under its entry. */
const BY_ITSELF = ['schedule', 'automation', 'run_retry'];
/** Runs that one statement looks at: some 20 ms of work. */
const RUNS_AT_ONCE = 20_000;

/**
 * Changes by people, runs that the service started by itself, and revisions: newest first. Each of the three is read from
 * its own position on, so that a page costs the same at any depth.
 */
export async function auditTrail(
  context: StoreContext,
  filter: AuditTrailFilter,
): Promise<readonly AuditTrailRow[]> {
  const sources = await Promise.all([
    changes(context, filter),
    filter.peopleOnly ? [] : launches(context, filter),
    filter.peopleOnly ? [] : revisions(context, filter),
  ]);
  return merged(sources, filter.limit);
}

/** Newest first. Each list keeps its own order, by which its next page begins, also where the clock was set back. */
function merged(lists: readonly (readonly AuditTrailRow[])[], limit: number): AuditTrailRow[] {
  const heads = lists.map((rows) => ({ rows, next: 0 }));
  const all: AuditTrailRow[] = [];
  while (all.length < limit) {
    let newest: (typeof heads)[number] | undefined;
    for (const head of heads) {
      const at = head.rows[head.next]?.at;
      if (at === undefined) continue;
      if (newest === undefined || at > newest.rows[newest.next]!.at) newest = head;
    }
    if (newest === undefined) break;
    all.push(newest.rows[newest.next]!);
    newest.next += 1;
  }
  return all;
}

async function changes(
  { db }: StoreContext,
  { before, actor, action, target, limit }: AuditTrailFilter,
): Promise<AuditTrailRow[]> {
  let query = db.selectFrom('audit').selectAll();
  if (before.change !== null) query = query.where('audit_id', '<', before.change);
  if (actor !== undefined) query = query.where('actor', '=', actor);
  if (action !== undefined)
    query = query.where(sql<string>`substr(action, 1, ${action.length})`, '=', action);
  if (target !== undefined) query = query.where('target', '=', target);
  const rows = await query.orderBy('audit_id', 'desc').limit(limit).execute();
  return rows.map(({ audit_id: id, details, ...row }) => ({
    kind: 'change',
    id,
    ...row,
    details: fromJson<Record<string, unknown>>(details),
  }));
}

async function launches(
  context: StoreContext,
  { before, actor, action, target, limit }: AuditTrailFilter,
): Promise<AuditTrailRow[]> {
  if (action !== undefined && !'run.launch'.startsWith(action)) return [];
  const kinds = BY_ITSELF.filter((kind) => actor === undefined || actor.split(':', 1)[0] === kind);
  if (kinds.length === 0) return [];
  const { db } = context;
  let query = db
    .selectFrom('run')
    .select(['run_no', 'run_id', 'job_name', 'summary', 'created_at'])
    .where(sql<string>`json_extract(summary, '$.cause.kind')`, 'in', kinds)
    .orderBy('run_no', 'desc');
  if (target !== undefined) query = query.where('run_id', '=', target);
  const schedule = actor?.slice('schedule:'.length);
  if (actor?.startsWith('schedule:') === true) {
    // By its index; re-runs, which are the schedule's too, have another cause.
    query = query.where('schedule_id', '=', (eb) =>
      eb.selectFrom('schedule').select('schedule_id').where('name', '=', schedule!),
    );
  }
  const rows = [];
  let below = before.launch ?? (await newestRunNo(context)) + 1;
  while (rows.length < limit && below > 1) {
    const from = Math.max(1, below - RUNS_AT_ONCE);
    const piece = query.where('run_no', '>=', from).where('run_no', '<', below);
    rows.push(...(await piece.limit(limit - rows.length).execute()));
    below = from;
    await others();
  }
  return rows.map((row) => {
    const { cause, assetKeys, partitions } = fromJson<StoredSummary>(row.summary);
    return {
      kind: 'launch',
      id: row.run_no,
      at: row.created_at,
      actor: cause.kind === 'schedule' ? `schedule:${cause.schedule}` : cause.kind,
      action: 'run.launch',
      target: row.run_id,
      details: { job: row.job_name, assets: assetKeys.length, partitions, cause },
    };
  });
}

async function newestRunNo({ db }: StoreContext): Promise<number> {
  const newest = await db
    .selectFrom('run')
    .select('run_no')
    .orderBy('run_no', 'desc')
    .limit(1)
    .executeTakeFirst();
  return newest?.run_no ?? 0;
}

async function revisions(
  { db }: StoreContext,
  { before, actor, action, target, limit }: AuditTrailFilter,
): Promise<AuditTrailRow[]> {
  if (action !== undefined && !'revision.apply'.startsWith(action)) return [];
  let query = db
    .selectFrom('revision')
    .select([
      'revision_id',
      'component',
      'commit_sha',
      'message',
      'author',
      'trigger_by',
      'applied_at',
      'added',
      'changed',
      'removed',
    ]);
  if (before.revision !== null) query = query.where('revision_id', '<', before.revision);
  if (target !== undefined) query = query.where('component', '=', target);
  if (actor !== undefined) query = query.where(ACTOR_OF_TRIGGER, '=', actor);
  const rows = await query.orderBy('revision_id', 'desc').limit(limit).execute();
  return rows.map((row) => {
    const trigger = fromJson<RefreshTrigger>(row.trigger_by);
    return {
      kind: 'revision',
      id: row.revision_id,
      at: row.applied_at,
      actor: 'by' in trigger ? trigger.by : trigger.kind,
      action: 'revision.apply',
      target: row.component,
      details: {
        revision_id: row.revision_id,
        commit: row.commit_sha,
        message: row.message.split('\n', 1)[0],
        author: row.author,
        added: row.added,
        changed: row.changed,
        removed: row.removed,
        trigger,
      },
    };
  });
}

const ACTOR_OF_TRIGGER = sql<string>`coalesce(json_extract(trigger_by, '$.by'), json_extract(trigger_by, '$.kind'))`;
