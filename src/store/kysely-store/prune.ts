import type { OperationsStore } from '../store.ts';
import type { StoreContext, Tx } from './context.ts';

const RUNS_AT_ONCE = 200;
const EVENTS_AT_ONCE = 5_000;
const BACKFILLS_AT_ONCE = 20;

type Keep = Parameters<OperationsStore['prune']>[0];

/**
 * Removes what is older than asked, in pieces, so that nobody waits long: of ended runs the events, the specs and the
 * materializations that a later one overwrote. What last-write rows point to stays, and so do runs, plans, the newest
 * tick of each schedule and everything of unfinished runs and backfills.
 */
export async function prune(context: StoreContext, keep: Keep): Promise<Readonly<Record<string, number>>> {
  const removed: Record<string, number> = {};
  const count = (table: string, n: number): void => {
    removed[table] = (removed[table] ?? 0) + n;
  };
  for (;;) {
    const runNos = await context.write(async (tx) => pruneRuns(tx, keep, count));
    if (runNos < RUNS_AT_ONCE) break;
    await breathe();
  }
  for (;;) {
    const n = await context.write(async (tx) => pruneInstanceEvents(tx, keep));
    count('event', n);
    if (n < EVENTS_AT_ONCE) break;
    await breathe();
  }
  for (;;) {
    const n = await context.write(async (tx) => pruneBackfills(tx, keep));
    count('backfill', n);
    if (n < BACKFILLS_AT_ONCE) break;
    await breathe();
  }
  await context.write(async (tx) => {
    count('tick', await pruneTicks(tx, keep));
    count('delivery', await deleted(tx.db.deleteFrom('delivery').where('at', '<', keep.deliveriesSince)));
    count('discovery_result', await pruneDiscovery(tx, keep));
  });
  return removed;
}

async function pruneRuns(tx: Tx, keep: Keep, count: (table: string, n: number) => void): Promise<number> {
  const rows = await tx.db
    .selectFrom('run')
    .select('run_no')
    .where('pruned', '=', 0)
    .where('ended_at', '<', keep.eventsSince)
    .orderBy('ended_at')
    .limit(RUNS_AT_ONCE)
    .execute();
  const runNos = rows.map((row) => row.run_no);
  if (runNos.length === 0) return 0;
  count(
    'materialization',
    await deleted(
      tx.db
        .deleteFrom('materialization')
        .where('run_no', 'in', runNos)
        .where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('asset_partition')
                .select('asset_partition.asset_id')
                .whereRef('asset_partition.mat_event_id', '=', 'materialization.event_id'),
            ),
          ),
        ),
    ),
  );
  count(
    'event',
    await deleted(
      tx.db
        .deleteFrom('event')
        .where('run_no', 'in', runNos)
        .where((eb) =>
          eb.not(
            eb.or([
              eb.exists(
                eb
                  .selectFrom('asset_partition')
                  .select('asset_partition.asset_id')
                  .whereRef('asset_partition.mat_event_id', '=', 'event.event_id'),
              ),
              eb.exists(
                eb
                  .selectFrom('asset_partition')
                  .select('asset_partition.asset_id')
                  .whereRef('asset_partition.fail_event_id', '=', 'event.event_id'),
              ),
              eb.exists(
                eb
                  .selectFrom('asset_check')
                  .select('asset_check.asset_id')
                  .whereRef('asset_check.event_id', '=', 'event.event_id'),
              ),
            ]),
          ),
        ),
    ),
  );
  count('step_spec', await deleted(tx.db.deleteFrom('step_spec').where('run_no', 'in', runNos)));
  await tx.db.updateTable('run').set({ pruned: 1 }).where('run_no', 'in', runNos).execute();
  return runNos.length;
}

async function pruneInstanceEvents(tx: Tx, keep: Keep): Promise<number> {
  return deleted(
    tx.db
      .deleteFrom('event')
      .where('event_id', 'in', (eb) =>
        eb
          .selectFrom('event')
          .select('event_id')
          .where('run_no', 'is', null)
          .where('at', '<', keep.eventsSince)
          .orderBy('event_id')
          .limit(EVENTS_AT_ONCE),
      ),
  );
}

/** Ended ones with their items; their runs stay, as all runs do. */
async function pruneBackfills(tx: Tx, keep: Keep): Promise<number> {
  const rows = await tx.db
    .selectFrom('backfill')
    .select('backfill_no')
    .where('ended_at', '<', keep.eventsSince)
    .orderBy('backfill_no')
    .limit(BACKFILLS_AT_ONCE)
    .execute();
  const numbers = rows.map((row) => row.backfill_no);
  if (numbers.length === 0) return 0;
  for (const table of ['backfill_item', 'backfill_asset', 'backfill'] as const) {
    await tx.db.deleteFrom(table).where('backfill_no', 'in', numbers).execute();
  }
  return numbers.length;
}

async function pruneTicks(tx: Tx, keep: Keep): Promise<number> {
  return deleted(
    tx.db
      .deleteFrom('tick')
      .where('at', '<', keep.ticksSince)
      .where('at', '<', (eb) =>
        eb
          .selectFrom('tick as newest')
          .select((max) => max.fn.max('newest.at').as('at'))
          .whereRef('newest.schedule_id', '=', 'tick.schedule_id'),
      ),
  );
}

/** Results that no retained revision was built from. */
async function pruneDiscovery(tx: Tx, keep: Keep): Promise<number> {
  return deleted(
    tx.db
      .deleteFrom('discovery_result')
      .where('saved_at', '<', keep.eventsSince)
      .where('inputs_digest', 'not in', (eb) => eb.selectFrom('folder_state').select('inputs_digest')),
  );
}

async function deleted(query: {
  executeTakeFirst(): Promise<{ readonly numDeletedRows: bigint } | undefined>;
}): Promise<number> {
  return Number((await query.executeTakeFirst())?.numDeletedRows ?? 0n);
}

/** Lets requests and timers through between two pieces. */
async function breathe(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}
