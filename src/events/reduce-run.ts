import type { EngineEvent, FailureClass, StepError, StepResult } from './run-event.ts';
import { type RunState, type StepState, TERMINAL_RUN, TERMINAL_STEP } from './run-state.ts';

/** One row of a run's log as the reducer sees it; `stepKey` and `attempt` tell whose result a `StepResult` is. */
export interface RunRecord {
  readonly event: EngineEvent | StepResult;
  readonly stepKey: string | null;
  readonly attempt: number | null;
  /** Epoch milliseconds of the store's clock. */
  readonly at: number;
}

/** Failures that say nothing about the user's code: they spend no retry, their cap is by time. */
const TIME_CAPPED: ReadonlySet<FailureClass> = new Set(['lost', 'resource_busy', 'environment']);

/**
 * The state of a run after one more event of its log. Total: an event that does not fit the state (a stale attempt, a
 * second result, anything after a terminal state) leaves it as it is, and then the same object comes back.
 */
export function reduceRun(state: RunState, record: RunRecord): RunState {
  if (TERMINAL_RUN.has(state.status)) return state;
  const { event, at } = record;
  switch (event.type) {
    case 'run_enqueued':
      return state;
    case 'run_started':
      return state.status === 'QUEUED' ? { ...state, status: 'STARTED', startedAt: at } : state;
    case 'run_cancel_requested':
      if (state.status === 'CANCELING') return state;
      return { ...state, status: 'CANCELING', cancelRequestedBy: event.by };
    case 'run_succeeded':
      return { ...state, status: 'SUCCESS', endedAt: at };
    case 'run_failed':
      return { ...state, status: 'FAILURE', endedAt: at };
    case 'run_canceled':
      return { ...state, status: 'CANCELED', endedAt: at };
    case 'step_dispatched':
      if (state.status === 'CANCELING') return state;
      return withStep(state, event.stepKey, (step) => dispatched(step, event.attempt, at));
    case 'step_succeeded':
    case 'step_failed':
    case 'step_canceled':
      return withStep(state, record.stepKey, (step) => finished(step, event, record.attempt, at));
    default:
      return withStep(state, event.stepKey, (step) => moved(step, event, at));
  }
}

function withStep(
  state: RunState,
  stepKey: string | null,
  change: (step: StepState) => StepState | null,
): RunState {
  const step = stepKey === null ? undefined : state.steps[stepKey];
  if (step === undefined || TERMINAL_STEP.has(step.status)) return state;
  const next = change(step);
  return next === null ? state : { ...state, steps: { ...state.steps, [step.stepKey]: next } };
}

function dispatched(step: StepState, attempt: number, at: number): StepState | null {
  if (!isIdle(step) || attempt <= step.attempt) return null;
  return {
    ...step,
    status: 'dispatched',
    attempt,
    retryAt: null,
    dispatchedAt: at,
    startedAt: null,
    endedAt: null,
  };
}

function finished(step: StepState, result: StepResult, attempt: number | null, at: number): StepState | null {
  if (attempt !== step.attempt || !isInFlight(step)) return null;
  const ended = { ...step, endedAt: at };
  switch (result.type) {
    case 'step_succeeded':
      return { ...ended, status: 'succeeded', error: null, lostSince: null };
    case 'step_canceled':
      return { ...ended, status: 'canceled', lostSince: null };
    case 'step_failed':
      return {
        ...ended,
        status: 'attempt_failed',
        error: result.error,
        lostSince: TIME_CAPPED.has(result.error.failureClass) ? (step.lostSince ?? at) : null,
        finishedAssets: [...new Set([...step.finishedAssets, ...result.finishedAssets])],
      };
  }
}

type StepMove = Extract<
  EngineEvent,
  {
    type:
      | 'step_started'
      | 'step_lost'
      | 'step_retry_scheduled'
      | 'step_gave_up'
      | 'step_skipped'
      | 'step_dropped';
  }
>;

function moved(step: StepState, event: StepMove, at: number): StepState | null {
  if ('attempt' in event && event.attempt !== step.attempt) return null;
  switch (event.type) {
    case 'step_started':
      return step.status === 'dispatched' ? { ...step, status: 'running', startedAt: at } : null;
    case 'step_lost':
      if (!isInFlight(step)) return null;
      return {
        ...step,
        status: 'waiting',
        endedAt: at,
        lostSince: step.lostSince ?? at,
        error: lostError(event.reason),
      };
    case 'step_retry_scheduled':
      if (step.status !== 'attempt_failed' && step.status !== 'waiting') return null;
      return {
        ...step,
        status: 'retry_wait',
        retryAt: event.retryAt,
        retriesSpent: Math.max(step.retriesSpent, event.retriesSpent),
      };
    case 'step_gave_up':
      return isInFlight(step)
        ? null
        : { ...step, status: 'failed', retryAt: null, endedAt: step.endedAt ?? at };
    case 'step_skipped':
      return isIdle(step) ? { ...step, status: 'skipped', retryAt: null, endedAt: at } : null;
    case 'step_dropped':
      return isInFlight(step) ? null : { ...step, status: 'canceled', retryAt: null, endedAt: at };
  }
}

/** May be dispatched: nothing of it runs and nothing of it waits to be judged. */
function isIdle(step: StepState): boolean {
  return step.status === 'waiting' || step.status === 'retry_wait';
}

/** An attempt is under way, so that its result counts. */
function isInFlight(step: StepState): boolean {
  return step.status === 'dispatched' || step.status === 'running';
}

function lostError(reason: string): StepError {
  return { code: 'STEP_LOST', message: reason, failureClass: 'lost' };
}
