import { sql } from 'kysely';
import type { Instant } from '../../lib/clock.ts';
import type { TickRow, TickStatus } from '../store.ts';
import type { StoreContext, Tx } from './context.ts';
import { appendEvents } from './event-log.ts';
import { ensureSchedules } from './identities.ts';
import { chunks } from './json.ts';

const CHUNK = 500;
type Db = StoreContext['db'];

/** The tick of a schedule at an instant, if it is recorded. */
export async function findTick(
  { db }: StoreContext | Tx,
  schedule: string,
  at: Instant,
): Promise<TickRow | null> {
  const row = await ticksOf(db)
    .where('schedule.name', '=', schedule)
    .where('tick.at', '=', at)
    .executeTakeFirst();
  return row === undefined ? null : ((await toTicks(db, [row]))[0] ?? null);
}

/** A tick whose launch, if any, is there already. */
export interface LaunchedTick {
  readonly schedule: string;
  readonly at: Instant;
  readonly status: TickStatus;
  readonly reason: string;
  readonly launchId: string | null;
}

/** Records ticks that are not there yet, in the log too, and moves their schedules' cursors up to them. */
export async function insertTicks(tx: Tx, ticks: readonly LaunchedTick[]): Promise<void> {
  const ids = await ensureSchedules(
    tx,
    ticks.map(({ schedule }) => schedule),
  );
  tx.schedulesChanged = true;
  for (const some of chunks(ticks, CHUNK)) {
    const rows = some.map(({ schedule, at, status, reason, launchId }) => ({
      schedule_id: ids.get(schedule) as number,
      at,
      status,
      reason,
      launch_id: launchId,
      recorded_at: tx.now,
    }));
    await tx.db.insertInto('tick').values(rows).execute();
    await tx.db
      .insertInto('schedule_state')
      .values(rows.map(({ schedule_id, at }) => ({ schedule_id, cursor: at, config_digest: '' })))
      .onConflict((conflict) =>
        conflict
          .column('schedule_id')
          .doUpdateSet((eb) => ({ cursor: eb.ref('excluded.cursor') }))
          .whereRef('schedule_state.cursor', '<', sql.ref('excluded.cursor')),
      )
      .execute();
  }
  await appendEvents(
    tx,
    ticks.map(({ schedule, at, status, reason }) => ({
      runNo: null,
      event: { type: 'tick', schedule, at, status, reason },
    })),
  );
}

/** Which of these ticks are there already, as `schedule@at`. */
export async function recordedTicks(
  { db }: Tx,
  ticks: readonly { readonly schedule: string; readonly at: Instant }[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const some of chunks(ticks, CHUNK)) {
    const wanted = sql.join(some.map(({ schedule, at }) => sql`(${schedule}, ${at})`));
    const { rows } = await sql<{ name: string; at: number }>`
      with wanted(name, at) as (values ${wanted})
      select wanted.name, wanted.at from wanted
      cross join schedule on schedule.name = wanted.name
      cross join tick on tick.schedule_id = schedule.schedule_id and tick.at = wanted.at`.execute(db);
    for (const row of rows) found.add(tickName(row.name, row.at));
  }
  return found;
}

/** A tick in a set. */
export function tickName(schedule: string, at: Instant): string {
  return `${schedule}@${at}`;
}

/** Ticks of a schedule, newest first. */
export async function readTicks(
  db: Db,
  schedule: string,
  filter: { before?: Instant; limit: number },
): Promise<readonly TickRow[]> {
  let query = ticksOf(db).where('schedule.name', '=', schedule);
  if (filter.before !== undefined) query = query.where('tick.at', '<', filter.before);
  return toTicks(db, await query.orderBy('tick.at', 'desc').limit(filter.limit).execute());
}

/** The newest tick of every schedule that has one. */
export async function readLastTicks(db: Db): Promise<readonly TickRow[]> {
  const rows = await ticksOf(db)
    .where('tick.at', '=', (eb) =>
      eb
        .selectFrom('tick as newest')
        .select((max) => max.fn.max('newest.at').as('at'))
        .whereRef('newest.schedule_id', '=', 'schedule.schedule_id'),
    )
    .orderBy('schedule.name')
    .execute();
  return toTicks(db, rows);
}

interface StoredTick {
  readonly name: string;
  readonly at: Instant;
  readonly status: string;
  readonly reason: string;
  readonly launch_id: string | null;
  readonly recorded_at: Instant;
}

function ticksOf(db: Db) {
  return db
    .selectFrom('schedule')
    .innerJoin('tick', 'tick.schedule_id', 'schedule.schedule_id')
    .select(['schedule.name', 'tick.at', 'tick.status', 'tick.reason', 'tick.launch_id', 'tick.recorded_at']);
}

async function toTicks(db: Db, rows: readonly StoredTick[]): Promise<readonly TickRow[]> {
  const launchIds = [...new Set(rows.flatMap((row) => (row.launch_id === null ? [] : [row.launch_id])))];
  const runIds = new Map<string, string[]>();
  for (const some of chunks(launchIds, CHUNK)) {
    const runs = await db
      .selectFrom('run')
      .select(['run_id', 'launch_id'])
      .where('launch_id', 'in', some)
      .orderBy('run_no')
      .execute();
    for (const run of runs) runIds.set(run.launch_id, [...(runIds.get(run.launch_id) ?? []), run.run_id]);
  }
  return rows.map((row) => ({
    schedule: row.name,
    at: row.at,
    status: row.status as TickStatus,
    reason: row.reason,
    launchId: row.launch_id,
    runIds: row.launch_id === null ? [] : (runIds.get(row.launch_id) ?? []),
    recordedAt: row.recorded_at,
  }));
}
