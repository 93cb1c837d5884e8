import { reduceRun } from '../../events/reduce-run.ts';
import type { EngineEvent, LoggedEvent, StepResult } from '../../events/run-event.ts';
import { type RunState, TERMINAL_RUN } from '../../events/run-state.ts';
import { invariant } from '../../lib/invariant.ts';
import type { StepSpec } from '../../plan/step-spec.ts';
import { settleBackfillItem } from './backfill-items.ts';
import type { StoreContext, Tx } from './context.ts';
import { appendEvent } from './event-log.ts';
import { fromJson } from './json.ts';
import { projectRunEvent, projectStepReport } from './projections.ts';

interface Place {
  readonly runNo: number;
  readonly stepKey: string | null;
  readonly attempt: number | null;
}

/**
 * Appends an event that moves a run, with its effects on assets, leases and slots. An event that the reducer passes over
 * is not recorded: the same state comes back. The caller saves the state.
 */
export async function recordRunEvent(
  tx: Tx,
  place: Place,
  event: EngineEvent | StepResult,
  state: RunState,
): Promise<RunState> {
  if (reduceRun(state, { event, ...place, at: tx.now }) === state) return state;
  const eventId = await appendEvent(tx, { ...place, n: null, event });
  invariant(eventId !== null, 'events without a number are never doubles');
  const next = await projectRunEvent(tx, { ...place, eventId, event, at: tx.now }, state);
  if (event.type === 'step_dispatched') await writeLease(tx, place.runNo, event);
  const ended = TERMINAL_RUN.has(next.status);
  if (ended) await settleBackfillItem(tx, place.runNo, next.status);
  for (const step of Object.values(next.steps)) {
    if (!ended && state.steps[step.stepKey] === step) continue;
    const inFlight = step.status === 'dispatched' || step.status === 'running';
    if (ended || !inFlight) await releaseLease(tx, place.runNo, step.stepKey);
  }
  return next;
}

/** Appends what a step reports; nothing happens when its number is known. */
export async function recordStepReport(
  tx: Tx,
  place: Place,
  n: number | null,
  event: LoggedEvent,
): Promise<void> {
  const eventId = await appendEvent(tx, { ...place, n, event });
  if (eventId !== null) await projectStepReport(tx, { ...place, eventId, event, at: tx.now });
}

/** Removes the lease of a step, and the slots that it held. */
export async function releaseLease(tx: Tx, runNo: number, stepKey: string): Promise<void> {
  await tx.db.deleteFrom('lease').where('run_no', '=', runNo).where('step_key', '=', stepKey).execute();
  await tx.db.deleteFrom('pool_slot').where('run_no', '=', runNo).where('step_key', '=', stepKey).execute();
}

async function writeLease(
  tx: Tx,
  runNo: number,
  event: Extract<EngineEvent, { type: 'step_dispatched' }>,
): Promise<void> {
  const { ref } = await storedSpec(tx, runNo, event.stepKey);
  await tx.db
    .insertInto('lease')
    .values({
      run_no: runNo,
      step_key: event.stepKey,
      fence: event.attempt,
      holder: '',
      expires: tx.now + ref.leaseTtlMs,
      cancel: 0,
      queue: ref.queue,
      timeout_ms: ref.timeoutMs,
      lease_ttl_ms: ref.leaseTtlMs,
    })
    .execute();
  for (const pool of new Set(event.pools)) {
    await tx.db.insertInto('pool_slot').values({ pool, run_no: runNo, step_key: event.stepKey }).execute();
  }
}

/** The spec of a step as it was planned. */
export async function storedSpec(
  { db }: StoreContext | Tx,
  runNo: number,
  stepKey: string,
): Promise<StepSpec> {
  const row = await db
    .selectFrom('step_spec')
    .select('spec')
    .where('run_no', '=', runNo)
    .where('step_key', '=', stepKey)
    .executeTakeFirst();
  invariant(row !== undefined, `the run has no step ${stepKey}, or its specs were pruned`);
  return fromJson<StepSpec>(row.spec);
}
