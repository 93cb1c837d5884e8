import type { StepError } from '../../events/run-event.ts';
import type { RunState, RunStatus, StepState, StepStatus } from '../../events/run-state.ts';
import type { StoreContext, Tx } from './context.ts';
import { fromJson } from './json.ts';
import type { RunRow, RunStepRow } from './schema.ts';

export interface LoadedRun {
  readonly runNo: number;
  readonly state: RunState;
}

/** The state of a run as its rows hold it; null if there is no such run. */
export async function loadRun(
  { db }: StoreContext | Tx,
  by: { readonly runId: string } | { readonly runNo: number },
): Promise<LoadedRun | null> {
  const query = db.selectFrom('run').selectAll();
  const run = await ('runId' in by
    ? query.where('run_id', '=', by.runId)
    : query.where('run_no', '=', by.runNo)
  ).executeTakeFirst();
  if (run === undefined) return null;
  const steps = await db
    .selectFrom('run_step')
    .selectAll()
    .where('run_no', '=', run.run_no)
    .orderBy('position')
    .execute();
  return { runNo: run.run_no, state: toRunState(run, steps) };
}

/** Writes what changed between two states of a run; untouched steps keep their identity in the reducer. */
export async function saveRun(tx: Tx, runNo: number, before: RunState, after: RunState): Promise<void> {
  if (before === after) return;
  for (const step of Object.values(after.steps)) {
    if (before.steps[step.stepKey] === step) continue;
    await tx.db
      .updateTable('run_step')
      .set(stepColumns(step))
      .where('run_no', '=', runNo)
      .where('step_key', '=', step.stepKey)
      .execute();
  }
  await tx.db.updateTable('run').set(runColumns(after)).where('run_no', '=', runNo).execute();
}

export function runColumns(
  state: RunState,
): Pick<RunRow, 'status' | 'cancel_requested_by' | 'started_at' | 'ended_at' | 'step_counts' | 'error'> {
  const steps = Object.values(state.steps);
  const counts: Record<string, number> = {};
  for (const { status } of steps) counts[status] = (counts[status] ?? 0) + 1;
  const failed = steps.find((step) => step.status === 'failed');
  return {
    status: state.status,
    cancel_requested_by: state.cancelRequestedBy,
    started_at: state.startedAt,
    ended_at: state.endedAt,
    step_counts: JSON.stringify(counts),
    error: failed?.error == null ? null : JSON.stringify(failed.error),
  };
}

export function stepColumns(
  step: StepState,
): Pick<
  RunStepRow,
  | 'status'
  | 'attempt'
  | 'retries_spent'
  | 'lost_since'
  | 'retry_at'
  | 'dispatched_at'
  | 'started_at'
  | 'ended_at'
  | 'finished_assets'
  | 'error'
> {
  return {
    status: step.status,
    attempt: step.attempt,
    retries_spent: step.retriesSpent,
    lost_since: step.lostSince,
    retry_at: step.retryAt,
    dispatched_at: step.dispatchedAt,
    started_at: step.startedAt,
    ended_at: step.endedAt,
    finished_assets: JSON.stringify(step.finishedAssets),
    error: step.error === null ? null : JSON.stringify(step.error),
  };
}

function toRunState(run: RunRow, steps: readonly RunStepRow[]): RunState {
  return {
    runId: run.run_id,
    status: run.status as RunStatus,
    cancelRequestedBy: run.cancel_requested_by,
    createdAt: run.created_at,
    startedAt: run.started_at,
    endedAt: run.ended_at,
    steps: Object.fromEntries(steps.map((row) => [row.step_key, toStepState(row)])),
  };
}

function toStepState(row: RunStepRow): StepState {
  return {
    stepKey: row.step_key,
    status: row.status as StepStatus,
    attempt: row.attempt,
    retriesSpent: row.retries_spent,
    lostSince: row.lost_since,
    retryAt: row.retry_at,
    dispatchedAt: row.dispatched_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    finishedAssets: fromJson<string[]>(row.finished_assets),
    error: row.error === null ? null : fromJson<StepError>(row.error),
  };
}
