import { reduceRun } from '../events/reduce-run.ts';
import type { EngineEvent } from '../events/run-event.ts';
import { type RunState, type StepState, TERMINAL_RUN, TERMINAL_STEP } from '../events/run-state.ts';
import type { StepPlan } from '../plan/run-plan.ts';
import type { RunCommand, RunView } from '../store/store.ts';
import { isItsTurn, mayStart, readySteps, slotsOf } from './admission.ts';
import { judgeFailure } from './judge-failure.ts';

/**
 * What is to be done with a run now. Pure and idempotent: applied to the state that its own commands lead to, at the
 * same instant, it has nothing more to say.
 */
export function decide(view: RunView): RunCommand[] {
  if (TERMINAL_RUN.has(view.state.status)) return [];
  const draft = draftOf(view);
  recordLost(view, draft);
  if (draft.state.status === 'CANCELING') {
    endCanceled(view, draft);
    return draft.commands;
  }
  if (endWithUpstreamRun(view, draft)) return draft.commands;
  for (const step of view.plan.steps) {
    const own = draft.state.steps[step.stepKey]!;
    if (own.status === 'attempt_failed' || wasJustLost(own)) {
      draft.record(judgeFailure(view.plan.runId, step, own, view.now));
    }
  }
  skipDownstream(view, draft);
  if (finish(view, draft)) return draft.commands;
  if (isItsTurn(view)) dispatch(view, draft);
  return draft.commands;
}

/** The user's wish to cancel, and what follows from it at once. Empty for a run that has ended. */
export function decideCancel(view: RunView, by: string): RunCommand[] {
  if (TERMINAL_RUN.has(view.state.status)) return [];
  const event: EngineEvent = { type: 'run_cancel_requested', by };
  const state = reduceRun(view.state, { event, stepKey: null, attempt: null, at: view.now });
  if (state === view.state) return decide(view);
  return [{ type: 'record', event }, ...decide({ ...view, state })];
}

interface Draft {
  readonly commands: RunCommand[];
  state: RunState;
  readonly record: (event: EngineEvent) => void;
}

function draftOf(view: RunView): Draft {
  const draft: Draft = {
    commands: [],
    state: view.state,
    record(event) {
      draft.commands.push({ type: 'record', event });
      draft.state = reduceRun(draft.state, { event, stepKey: null, attempt: null, at: view.now });
    },
  };
  return draft;
}

/** Nobody renewed the lease of an attempt: it is over, whatever its process does (the fence refuses what it says). */
function recordLost(view: RunView, draft: Draft): void {
  for (const step of Object.values(view.state.steps)) {
    if (!isInFlight(step)) continue;
    const lease = view.leases[step.stepKey];
    if (lease !== undefined && lease.expires > view.now) continue;
    const reason = lease === undefined ? 'its lease is gone' : 'nobody renewed its lease';
    draft.record({ type: 'step_lost', stepKey: step.stepKey, attempt: step.attempt, reason });
    if (lease !== undefined) draft.commands.push({ type: 'release_lease', stepKey: step.stepKey });
  }
}

function endCanceled(view: RunView, draft: Draft): void {
  for (const step of Object.values(draft.state.steps)) {
    if (isInFlight(step)) {
      if (view.leases[step.stepKey]?.cancel === false) {
        draft.commands.push({ type: 'cancel_lease', stepKey: step.stepKey });
      }
    } else if (step.status === 'attempt_failed') {
      draft.record({ type: 'step_gave_up', stepKey: step.stepKey, attempt: step.attempt });
    } else if (!TERMINAL_STEP.has(step.status)) {
      draft.record({ type: 'step_dropped', stepKey: step.stepKey, reason: 'the run was canceled' });
    }
  }
  if (allEnded(draft.state)) {
    draft.record({
      type: 'run_canceled',
      reason: `canceled by ${draft.state.cancelRequestedBy ?? 'the user'}`,
    });
  }
}

/** A run of the same launch that had to succeed first did not: this one ends without having started. */
function endWithUpstreamRun(view: RunView, draft: Draft): boolean {
  for (const [runId, status] of Object.entries(view.after)) {
    if ((status !== 'FAILURE' && status !== 'CANCELED') || view.plan.waitsFor?.includes(runId)) continue;
    const reason = `run ${runId} of the same launch ${status === 'FAILURE' ? 'failed' : 'was canceled'}`;
    for (const { stepKey } of view.plan.steps) draft.record({ type: 'step_skipped', stepKey, reason });
    if (!allEnded(draft.state)) continue;
    draft.record(status === 'FAILURE' ? { type: 'run_failed', reason } : { type: 'run_canceled', reason });
    return true;
  }
  return false;
}

function skipDownstream(view: RunView, draft: Draft): void {
  for (const step of inDependencyOrder(view.plan.steps)) {
    const own = draft.state.steps[step.stepKey]!;
    if (own.status !== 'waiting' && own.status !== 'retry_wait') continue;
    const cause = step.needs.find((need) => endedWithoutSuccess(draft.state.steps[need]));
    if (cause === undefined) continue;
    draft.record({
      type: 'step_skipped',
      stepKey: step.stepKey,
      reason: skipReason(draft.state.steps[cause]!),
    });
  }
}

/** Every step after those that it needs, so that one pass carries a failure down to the last of them. */
function inDependencyOrder(steps: readonly StepPlan[]): readonly StepPlan[] {
  const byKey = new Map(steps.map((step) => [step.stepKey, step]));
  const ordered = new Set<StepPlan>();
  function visit(step: StepPlan | undefined): void {
    if (step === undefined || !byKey.delete(step.stepKey)) return;
    for (const need of step.needs) visit(byKey.get(need));
    ordered.add(step);
  }
  for (const step of steps) visit(step);
  return [...ordered];
}

function skipReason(cause: StepState): string {
  if (cause.error?.code === 'BLOCKING_CHECK_FAILED') return `${cause.stepKey}: ${cause.error.message}`;
  const words = { failed: 'failed', canceled: 'was canceled', skipped: 'was skipped' } as const;
  return `${cause.stepKey} ${words[cause.status as keyof typeof words]}`;
}

function finish(view: RunView, draft: Draft): boolean {
  if (!allEnded(draft.state)) return false;
  const steps = Object.values(draft.state.steps);
  const failed = steps.filter((step) => step.status === 'failed');
  if (failed.length > 0) {
    draft.record({ type: 'run_failed', reason: failureReason(failed) });
  } else if (steps.some((step) => step.status !== 'succeeded')) {
    draft.record({ type: 'run_canceled', reason: 'a step was canceled' });
  } else {
    if (draft.state.status === 'QUEUED') draft.record({ type: 'run_started' });
    draft.record({ type: 'run_succeeded' });
  }
  return view.state !== draft.state;
}

function failureReason(failed: readonly StepState[]): string {
  const [first] = failed;
  const more = failed.length === 1 ? '' : ` (and ${failed.length - 1} more)`;
  return `${first!.stepKey}${more}: ${first!.error?.message ?? 'failed'}`;
}

function dispatch(view: RunView, draft: Draft): void {
  if (draft.state.status === 'QUEUED' && !mayStart(view.admission)) return;
  const slots = slotsOf(view.admission);
  for (const step of readySteps(view, draft.state)) {
    if (!slots.free(step.pools)) continue;
    slots.take(step.pools);
    if (draft.state.status === 'QUEUED') draft.record({ type: 'run_started' });
    draft.record(dispatched(step, draft.state.steps[step.stepKey]!));
  }
}

function dispatched(step: StepPlan, own: StepState): EngineEvent {
  return { type: 'step_dispatched', stepKey: step.stepKey, attempt: own.attempt + 1, pools: step.pools };
}

/** `step_lost` leaves `waiting`; only a verdict about it leads to another attempt. */
function wasJustLost(step: StepState): boolean {
  return step.status === 'waiting' && step.attempt > 0;
}

function isInFlight(step: StepState): boolean {
  return step.status === 'dispatched' || step.status === 'running';
}

function endedWithoutSuccess(step: StepState | undefined): boolean {
  return (
    step === undefined || step.status === 'failed' || step.status === 'canceled' || step.status === 'skipped'
  );
}

function allEnded(state: RunState): boolean {
  return Object.values(state.steps).every((step) => TERMINAL_STEP.has(step.status));
}
