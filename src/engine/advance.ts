import { type RunState, type RunStatus, TERMINAL_RUN } from '../events/run-state.ts';
import type { Instant } from '../lib/clock.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import type { StepRef } from '../plan/step-spec.ts';
import type { Admission, AdmissionLimits, RunCommand, RunView, Store } from '../store/store.ts';
import { type Lack, lackOf } from './admission.ts';
import { decide } from './decide.ts';

const LEASE_TTL_MS = 600_000;

export interface Advanced {
  readonly plan: RunPlan;
  readonly state: RunState;
  /** Every step that is dispatched and has no result yet: a crash between commit and reply loses nothing. */
  readonly dispatch: readonly StepRef[];
  /** Those of them that are asked to stop. */
  readonly cancel: readonly StepRef[];
  /** When to look at the run again although nothing happened: a retry is due, a lease runs out. */
  readonly sleepUntil: Instant | null;
  readonly finished: RunStatus | null;
  /** What it waits for beside time. */
  readonly lack: Lack;
  /** What this decision left free. */
  readonly admission: Admission;
  readonly commands: readonly RunCommand[];
}

/**
 * Looks at a run once: reads it, decides, applies, in one transaction of the store. Idempotent; null if there is no such
 * run.
 * @param choose what decides; `decide` but for a cancel
 * @param durability `process` for what would be decided again after a loss of power; a user's wish needs `power`
 */
export async function advance(
  store: Store,
  runId: string,
  limits: AdmissionLimits,
  choose: (view: RunView) => readonly RunCommand[] = decide,
  durability: 'power' | 'process' = 'process',
): Promise<Advanced | null> {
  const result = await store.runs.advance(runId, limits, choose, { durability });
  if (result === null) return null;
  const { view, state, commands } = result;
  const inFlight = Object.values(state.steps).filter(
    (step) => step.status === 'dispatched' || step.status === 'running',
  );
  const refs = inFlight.map((step) => stepRef(view, step.stepKey, step.attempt));
  const asked = new Set(
    commands.flatMap((command) => (command.type === 'cancel_lease' ? [command.stepKey] : [])),
  );
  return {
    plan: view.plan,
    state,
    dispatch: refs,
    cancel: refs.filter((ref) => asked.has(ref.stepKey) || view.leases[ref.stepKey]?.cancel === true),
    sleepUntil: nextLook(view, state),
    finished: TERMINAL_RUN.has(state.status) ? state.status : null,
    lack: lackOf(view, state),
    admission: admissionAfter(view, state),
    commands,
  };
}

/** Enough to find the step; whoever runs it takes the reference of its spec, which has the true length of the lease. */
function stepRef(view: RunView, stepKey: string, attempt: number): StepRef {
  const lease = view.leases[stepKey];
  if (lease?.ref.attempt === attempt) return lease.ref;
  const step = view.plan.steps.find((candidate) => candidate.stepKey === stepKey)!;
  return {
    runId: view.plan.runId,
    stepKey,
    attempt,
    queue: step.volume === null ? 'default' : `vol:${step.volume}`,
    timeoutMs: step.timeoutSeconds === null ? null : step.timeoutSeconds * 1000,
    leaseTtlMs: LEASE_TTL_MS,
  };
}

function nextLook(view: RunView, state: RunState): Instant | null {
  let next = Number.POSITIVE_INFINITY;
  for (const step of Object.values(state.steps)) {
    if (step.status === 'retry_wait' && step.retryAt !== null && step.retryAt > view.now) {
      next = Math.min(next, step.retryAt);
    } else if (step.status === 'dispatched' || step.status === 'running') {
      const lease = view.leases[step.stepKey];
      next = Math.min(next, lease?.ref.attempt === step.attempt ? lease.expires : view.now + LEASE_TTL_MS);
    }
  }
  return Number.isFinite(next) ? next : null;
}

function admissionAfter(view: RunView, state: RunState): Admission {
  const { admission } = view;
  const pools = Object.fromEntries(
    Object.entries(admission.pools).map(([name, pool]) => [name, { ...pool }]),
  ) as Record<string, { limit: number; held: number }>;
  let steps = admission.stepsInFlight;
  for (const { stepKey, pools: held } of view.plan.steps) {
    const change = Number(isInFlight(state, stepKey)) - Number(isInFlight(view.state, stepKey));
    steps += change;
    for (const name of held) if (pools[name] !== undefined) pools[name].held += change;
  }
  return {
    ...admission,
    stepsInFlight: steps,
    pools,
    runsInFlight: admission.runsInFlight + Number(isRunning(state)) - Number(isRunning(view.state)),
  };
}

function isInFlight(state: RunState, stepKey: string): boolean {
  const status = state.steps[stepKey]?.status;
  return status === 'dispatched' || status === 'running';
}

function isRunning(state: RunState): boolean {
  return state.status === 'STARTED' || state.status === 'CANCELING';
}
