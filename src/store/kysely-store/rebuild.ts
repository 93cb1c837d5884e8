import { sql } from 'kysely';
import { initialRunState, type RunState, TERMINAL_RUN } from '../../events/run-state.ts';
import { invariant } from '../../lib/invariant.ts';
import type { RunPlan } from '../../plan/run-plan.ts';
import { showAll } from './check-latest.ts';
import type { StoreContext, Tx } from './context.ts';
import { decodeEvent } from './event-codec.ts';
import { fromJson } from './json.ts';
import { P_KIND } from './partition-identity.ts';
import { isRunEvent, projectRunEvent, projectStepReport } from './projections.ts';
import { saveRun } from './run-record.ts';

const BATCH = 1_000;

/**
 * Makes every projection again from the log, in one transaction; readers see the old ones until it is done. What runs
 * wrote whose events retention removed is kept: nothing is left to make it from.
 */
export async function rebuildProjections(context: StoreContext): Promise<void> {
  await context.write(async (tx) => {
    await forgetUnpruned(tx);
    const open = new Map<number, RunState>();
    let after = 0;
    for (;;) {
      const rows = await tx.db
        .selectFrom('event')
        .innerJoin('run', 'run.run_no', 'event.run_no')
        .selectAll('event')
        .where('event.event_id', '>', after)
        .where('run.pruned', '=', 0)
        .orderBy('event.event_id')
        .limit(BATCH)
        .execute();
      for (const row of rows) {
        const runNo = row.run_no as number;
        const event = decodeEvent(row.payload);
        const entry = {
          eventId: row.event_id,
          runNo,
          stepKey: row.step_key,
          attempt: row.attempt,
          at: row.at,
        };
        after = row.event_id;
        if (!isRunEvent(event)) {
          await projectStepReport(tx, { ...entry, event });
          continue;
        }
        const before = open.get(runNo) ?? (await newRun(tx, runNo));
        const next = await projectRunEvent(tx, { ...entry, event }, before);
        if (TERMINAL_RUN.has(next.status)) {
          await saveWhole(tx, runNo, next);
          open.delete(runNo);
        } else {
          open.set(runNo, next);
        }
      }
      if (rows.length < BATCH) break;
    }
    for (const [runNo, state] of open) await saveWhole(tx, runNo, state);
  });
  context.epoch += 1;
}

async function newRun(tx: Tx, runNo: number): Promise<RunState> {
  const row = await tx.db
    .selectFrom('run_plan')
    .innerJoin('run', 'run.run_no', 'run_plan.run_no')
    .select(['run_plan.plan', 'run.created_at'])
    .where('run_plan.run_no', '=', runNo)
    .executeTakeFirst();
  invariant(row !== undefined, `run number ${runNo} has no plan`);
  return initialRunState(fromJson<RunPlan>(row.plan), row.created_at);
}

async function saveWhole(tx: Tx, runNo: number, state: RunState): Promise<void> {
  await saveRun(tx, runNo, { ...state, steps: {} }, state);
}

/** Takes from the projections all that runs with events wrote. */
async function forgetUnpruned(tx: Tx): Promise<void> {
  const { db } = tx;
  const unpruned = db.selectFrom('run').select('run_no').where('pruned', '=', 0);
  await db.deleteFrom('partition_activity').execute();
  await db.deleteFrom('partition_count').execute();
  await db.deleteFrom('partition_snapshot').execute();
  await db.deleteFrom('check_latest').execute();
  await db.deleteFrom('materialization').where('run_no', 'in', unpruned).execute();
  await db.deleteFrom('asset_check').where('run_no', 'in', unpruned).execute();
  await db
    .updateTable('asset_partition')
    .set({ active_count: 0, active_run_no: null, active_at: null, status: null })
    .execute();
  await db
    .updateTable('asset_partition')
    .set({ mat_event_id: null, mat_run_no: null, mat_at: null })
    .where('mat_run_no', 'in', unpruned)
    .execute();
  await db
    .updateTable('asset_partition')
    .set({ fail_event_id: null, fail_run_no: null, fail_at: null })
    .where('fail_run_no', 'in', unpruned)
    .execute();
  await db
    .deleteFrom('asset_partition')
    .where('mat_event_id', 'is', null)
    .where('fail_event_id', 'is', null)
    .execute();
  await sql`
    update asset_partition set status =
      case when coalesce(fail_event_id, 0) > coalesce(mat_event_id, 0) then 'failed' else 'materialized' end
  `.execute(db);
  await sql`
    insert into partition_count (asset_id, status, n)
    select asset_id, status, count(*) from asset_partition
    where p_kind <> ${P_KIND.none} and orphan = 0 group by asset_id, status
  `.execute(db);
  await showAll(db);
}
