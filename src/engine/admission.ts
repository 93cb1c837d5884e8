import { type RunState, type StepState, TERMINAL_RUN } from '../events/run-state.ts';
import type { StepPlan } from '../plan/run-plan.ts';
import type { Admission, RunView } from '../store/store.ts';

/** Slots as they are while one decision takes some: starts from what the store counted over all runs. */
export interface Slots {
  readonly free: (pools: readonly string[]) => boolean;
  readonly take: (pools: readonly string[]) => void;
}

/** A pool that the limits do not name has no limit. */
export function slotsOf(admission: Admission): Slots {
  let steps = admission.stepsInFlight;
  const taken = new Map<string, number>();
  function isFree(pool: string): boolean {
    const entry = admission.pools[pool];
    return entry === undefined || entry.held + (taken.get(pool) ?? 0) < entry.limit;
  }
  return {
    free: (pools) => steps < admission.maxSteps && pools.every(isFree),
    take(pools) {
      steps += 1;
      for (const pool of pools) taken.set(pool, (taken.get(pool) ?? 0) + 1);
    },
  };
}

/** Whether a run that has not started may start beside those in flight. */
export function mayStart(admission: Admission): boolean {
  return admission.maxConcurrentRuns === null || admission.runsInFlight < admission.maxConcurrentRuns;
}

/** Steps that could be dispatched now if there were slots, in the plan's order. */
export function readySteps(view: Pick<RunView, 'plan' | 'now'>, state: RunState): readonly StepPlan[] {
  if (state.status !== 'QUEUED' && state.status !== 'STARTED') return [];
  return view.plan.steps.filter((step) => {
    const own = state.steps[step.stepKey];
    return own !== undefined && isDue(own, view.now) && step.needs.every((need) => succeeded(state, need));
  });
}

/** What a waiting run lacks; the driver looks at a run again when one of these came free. */
export interface Lack {
  /** Pools of each step that is ready, one list per step. */
  readonly steps: readonly (readonly string[])[];
  /** It waits for one of the places of runs in flight. */
  readonly runSlot: boolean;
}

export function lackOf(view: Pick<RunView, 'plan' | 'now' | 'after'>, state: RunState): Lack {
  if (!isItsTurn(view)) return { steps: [], runSlot: false };
  return {
    steps: readySteps(view, state).map((step) => step.pools),
    runSlot: state.status === 'QUEUED',
  };
}

/** The runs that it comes after have succeeded, and those that it waits for have ended. */
export function isItsTurn({ plan, after }: Pick<RunView, 'plan' | 'after'>): boolean {
  return Object.entries(after).every(([runId, status]) =>
    plan.waitsFor?.includes(runId) === true ? TERMINAL_RUN.has(status) : status === 'SUCCESS',
  );
}

function isDue(step: StepState, now: number): boolean {
  return step.status === 'waiting' || (step.status === 'retry_wait' && (step.retryAt ?? 0) <= now);
}

function succeeded(state: RunState, stepKey: string): boolean {
  return state.steps[stepKey]?.status === 'succeeded';
}
