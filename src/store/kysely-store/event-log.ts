import type { EventRecord, LoggedEvent } from '../../events/run-event.ts';
import type { StoreContext, Tx } from './context.ts';
import { decodeEvent, encodeEvent } from './event-codec.ts';
import { chunks } from './json.ts';

const CHUNK = 500;

export interface NewEvent {
  readonly runNo: number | null;
  readonly stepKey: string | null;
  readonly attempt: number | null;
  /** Position in the attempt's stream; null for events of the engine. */
  readonly n: number | null;
  readonly event: LoggedEvent;
}

/** Appends one event; null when its (run, step, attempt, n) is there already. */
export async function appendEvent(tx: Tx, entry: NewEvent): Promise<number | null> {
  const row = await tx.db
    .insertInto('event')
    .values({
      run_no: entry.runNo,
      step_key: entry.stepKey,
      attempt: entry.attempt,
      n: entry.n,
      type: entry.event.type,
      at: tx.now,
      payload: encodeEvent(entry.event),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('event_id')
    .executeTakeFirst();
  if (row === undefined) return null;
  tx.lastEventId = row.event_id;
  return row.event_id;
}

/** Appends events of the engine, in this order, in a few statements. */
export async function appendEvents(
  tx: Tx,
  entries: readonly { readonly runNo: number | null; readonly event: LoggedEvent }[],
): Promise<void> {
  for (const some of chunks(entries, CHUNK)) {
    const rows = await tx.db
      .insertInto('event')
      .values(
        some.map(({ runNo, event }) => ({
          run_no: runNo,
          step_key: null,
          attempt: null,
          n: null,
          type: event.type,
          at: tx.now,
          payload: encodeEvent(event),
        })),
      )
      .returning('event_id')
      .execute();
    for (const row of rows) tx.lastEventId = Math.max(tx.lastEventId ?? 0, row.event_id);
  }
}

/** Events after an id, in the order of their commits. */
export async function readEvents(
  { db }: StoreContext,
  filter: { after: number; limit: number; runId?: string; types?: readonly string[] },
): Promise<readonly EventRecord[]> {
  let query = db
    .selectFrom('event')
    .leftJoin('run', 'run.run_no', 'event.run_no')
    .select([
      'event.event_id',
      'run.run_id',
      'event.step_key',
      'event.attempt',
      'event.n',
      'event.at',
      'event.payload',
    ])
    .where('event.event_id', '>', filter.after)
    .orderBy('event.event_id')
    .limit(filter.limit);
  if (filter.runId !== undefined) {
    const run = await db
      .selectFrom('run')
      .select('run_no')
      .where('run_id', '=', filter.runId)
      .executeTakeFirst();
    if (run === undefined) return [];
    query = query.where('event.run_no', '=', run.run_no);
  }
  if (filter.types !== undefined) query = query.where('event.type', 'in', filter.types);
  const rows = await query.execute();
  return rows.map((row) => ({
    eventId: row.event_id,
    runId: row.run_id,
    stepKey: row.step_key,
    attempt: row.attempt,
    n: row.n,
    at: row.at,
    event: decodeEvent(row.payload),
  }));
}

/** 0: nothing ever happened. */
export async function lastEventId({ db }: Pick<StoreContext, 'db'>): Promise<number> {
  const row = await db
    .selectFrom('event')
    .select('event_id')
    .orderBy('event_id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.event_id ?? 0;
}
