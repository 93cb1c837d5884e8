import { type RunStatus, TERMINAL_RUN } from '../../events/run-state.ts';
import type { RunPlan } from '../../plan/run-plan.ts';
import type { BackfillItemRow } from './backfill-schema.ts';
import type { Tx } from './context.ts';
import { appendEvent } from './event-log.ts';

export type ItemStatus = 'in_progress' | 'materialized' | 'failed' | 'canceled' | 'skipped';
type Counted = Pick<BackfillItemRow, 'status' | 'written' | 'partitions'>;

const NEVER_COUNTED: Counted = { status: '', written: 0, partitions: 0 };
const STATUSES: readonly ItemStatus[] = ['in_progress', 'materialized', 'failed', 'canceled', 'skipped'];

/** Moves the counts of a backfill by what one of its items was and is; `null`: it was not there. */
export async function moveCounts(
  tx: Tx,
  backfillNo: number,
  before: Counted | null,
  after: Counted,
  submitted: number,
): Promise<void> {
  const [was, is] = [countsOf(before ?? NEVER_COUNTED), countsOf(after)];
  await tx.db
    .updateTable('backfill')
    .set((eb) => ({
      submitted: eb('submitted', '+', submitted),
      ...Object.fromEntries(STATUSES.map((status) => [status, eb(status, '+', is[status] - was[status])])),
    }))
    .where('backfill_no', '=', backfillNo)
    .execute();
}

function countsOf({ status, written, partitions }: Counted): Record<ItemStatus, number> {
  const counts = { in_progress: 0, materialized: 0, failed: 0, canceled: 0, skipped: 0 };
  if (status !== '') counts[status as ItemStatus] = partitions - written;
  counts.materialized += written;
  return counts;
}

/**
 * A run that does another one again belongs to the same item of its backfill, and from now on is what the item is judged
 * by; unless the item is done already.
 */
export async function inheritBackfillItem(tx: Tx, runNo: number, { cause }: RunPlan): Promise<void> {
  if (cause.kind !== 'retry' && cause.kind !== 'run_retry') return;
  const found = await tx.db
    .selectFrom('run')
    .select(['backfill_no', 'backfill_item'])
    .where('run_id', '=', cause.runId)
    .executeTakeFirst();
  const [backfillNo, number] = [found?.backfill_no ?? null, found?.backfill_item ?? null];
  if (backfillNo === null || number === null) return;
  await tx.db
    .updateTable('run')
    .set({ backfill_no: backfillNo, backfill_item: number })
    .where('run_no', '=', runNo)
    .execute();
  const item = await findItem(tx, backfillNo, number);
  if (item === undefined || item.status === 'materialized') return;
  await changeItem(tx, item, {
    status: 'in_progress',
    written: item.written,
    judged_whole: item.judged_whole,
    run_no: runNo,
  });
}

/**
 * A run ended: what that makes of the item that it is for, if there is one. While another run of the item goes on, it is
 * in progress; then it is what the runs of its newest launch made of it (a retry is recorded before the end of the run
 * that it does again, and with other definitions it can be several runs).
 */
export async function settleBackfillItem(tx: Tx, runNo: number, status: RunStatus): Promise<void> {
  const run = await tx.db
    .selectFrom('run')
    .select(['backfill_no', 'backfill_item'])
    .where('run_no', '=', runNo)
    .executeTakeFirst();
  const [backfillNo, number] = [run?.backfill_no ?? null, run?.backfill_item ?? null];
  if (backfillNo === null || number === null) return;
  const item = await findItem(tx, backfillNo, number);
  if (item === undefined || item.status === 'materialized') return;
  const saved = await tx.db
    .selectFrom('run')
    .select(['run_no', 'launch_id', 'status'])
    .where('backfill_no', '=', backfillNo)
    .where('backfill_item', '=', number)
    .orderBy('run_no', 'desc')
    .execute();
  const runs = saved.map((one) => (one.run_no === runNo ? { ...one, status } : one));
  const unfinished = runs.find((one) => !TERMINAL_RUN.has(one.status as RunStatus));
  if (unfinished !== undefined) {
    if (unfinished.run_no !== item.run_no) await pointItem(tx, item, unfinished.run_no);
    return;
  }
  const newest = runs.filter((one) => one.launch_id === runs[0]!.launch_id);
  const broken =
    newest.find((one) => one.status === 'FAILURE') ?? newest.find((one) => one.status !== 'SUCCESS');
  const written = await writtenOf(tx, item);
  // Several runs can have had a share of it each: then it is done when everything is written.
  const isShared = item.partitions > 1 && runs.length > 1;
  if (broken === undefined && (!isShared || written === item.partitions)) {
    const done = { status: 'materialized', written: 0, judged_whole: 0, run_no: newest[0]!.run_no } as const;
    await changeItem(tx, item, done);
    await succeedAfterAll(tx, backfillNo);
    return;
  }
  const last = broken ?? newest[0]!;
  const isCanceled = last.status === 'CANCELED';
  const isWhole = written === item.partitions && !isCanceled;
  await changeItem(tx, item, {
    status: isCanceled ? 'canceled' : 'failed',
    written: isWhole ? 0 : written,
    judged_whole: isWhole ? 1 : 0,
    run_no: last.run_no,
  });
}

/** By which run the item is shown. */
async function pointItem(tx: Tx, item: BackfillItemRow, runNo: number): Promise<void> {
  await tx.db
    .updateTable('backfill_item')
    .set({ run_no: runNo })
    .where('backfill_no', '=', item.backfill_no)
    .where('item', '=', item.item)
    .execute();
}

async function findItem(tx: Tx, backfillNo: number, item: number): Promise<BackfillItemRow | undefined> {
  return tx.db
    .selectFrom('backfill_item')
    .selectAll()
    .where('backfill_no', '=', backfillNo)
    .where('item', '=', item)
    .executeTakeFirst();
}

async function changeItem(
  tx: Tx,
  item: BackfillItemRow,
  after: Pick<BackfillItemRow, 'written' | 'judged_whole'> & {
    readonly status: ItemStatus;
    readonly run_no: number;
  },
): Promise<void> {
  await tx.db
    .updateTable('backfill_item')
    .set({ ...after, reason: '' })
    .where('backfill_no', '=', item.backfill_no)
    .where('item', '=', item.item)
    .execute();
  await moveCounts(tx, item.backfill_no, item, { ...item, ...after }, 0);
}

/** Partitions of the item that every asset of it was written of, by whichever of its runs. */
async function writtenOf(tx: Tx, item: BackfillItemRow): Promise<number> {
  const rows = await tx.db
    .selectFrom('run')
    .innerJoin('materialization', 'materialization.run_no', 'run.run_no')
    .select((eb) => eb.fn.count<number>('materialization.asset_id').distinct().as('assets'))
    .where('run.backfill_no', '=', item.backfill_no)
    .where('run.backfill_item', '=', item.item)
    .groupBy(['materialization.p_kind', 'materialization.p1', 'materialization.p2'])
    .execute();
  return Math.min(item.partitions, rows.filter((row) => row.assets >= item.assets).length);
}

/** A retry wrote the last partition that a failed backfill lacked. */
async function succeedAfterAll(tx: Tx, backfillNo: number): Promise<void> {
  const row = await tx.db
    .updateTable('backfill')
    .set({ status: 'COMPLETED_SUCCESS', reason: '', ended_at: tx.now })
    .where('backfill_no', '=', backfillNo)
    .where('status', '=', 'COMPLETED_FAILED')
    .whereRef('materialized', '=', 'total')
    .returning('backfill_id')
    .executeTakeFirst();
  if (row === undefined) return;
  await recordBackfillChange(tx, row.backfill_id, 'COMPLETED_SUCCESS', null, '');
}

export async function recordBackfillChange(
  tx: Tx,
  backfillId: string,
  status: string,
  by: string | null,
  reason: string,
): Promise<void> {
  const event = { type: 'backfill_changed' as const, backfillId, status, by, reason };
  await appendEvent(tx, { runNo: null, stepKey: null, attempt: null, n: null, event });
}
