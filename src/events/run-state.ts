import type { RunPlan } from '../plan/run-plan.ts';
import type { StepError } from './run-event.ts';

/** Dagster's words; the last three are absorbing. `CANCELING`: asked for, steps still ending. */
export type RunStatus = 'QUEUED' | 'STARTED' | 'CANCELING' | 'SUCCESS' | 'FAILURE' | 'CANCELED';

/**
 * waiting → dispatched → running → succeeded
 *    ↑          │           ├────→ attempt_failed → retry_wait → (waiting) | failed
 *    └── lost ──┴───────────┘      canceled
 * `attempt_failed` is what `finish` leaves; `decide` turns it into `retry_wait` or `failed`.
 * `skipped`: something upstream failed. Absorbing: succeeded, failed, canceled, skipped.
 */
export type StepStatus =
  | 'waiting'
  | 'dispatched'
  | 'running'
  | 'attempt_failed'
  | 'retry_wait'
  | 'succeeded'
  | 'failed'
  | 'canceled'
  | 'skipped';

export interface StepState {
  readonly stepKey: string;
  readonly status: StepStatus;
  /** The fence: counts up over the life of (run, step), lost attempts too; 0 before the first dispatch. */
  readonly attempt: number;
  readonly retriesSpent: number;
  /** When the first of the present series of lost or busy attempts ended: their cap is by time. */
  readonly lostSince: number | null;
  readonly retryAt: number | null;
  readonly dispatchedAt: number | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** Over all attempts: these need no further write. */
  readonly finishedAssets: readonly string[];
  readonly error: StepError | null;
}

export interface RunState {
  readonly runId: string;
  readonly status: RunStatus;
  readonly cancelRequestedBy: string | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly steps: Readonly<Record<string, StepState>>;
}

export const TERMINAL_RUN: ReadonlySet<RunStatus> = new Set(['SUCCESS', 'FAILURE', 'CANCELED']);
export const TERMINAL_STEP: ReadonlySet<StepStatus> = new Set(['succeeded', 'failed', 'canceled', 'skipped']);

/** The state of a run that has just been recorded. */
export function initialRunState(plan: RunPlan, createdAt: number): RunState {
  const steps: Record<string, StepState> = {};
  for (const { stepKey } of plan.steps) {
    steps[stepKey] = {
      stepKey,
      status: 'waiting',
      attempt: 0,
      retriesSpent: 0,
      lostSince: null,
      retryAt: null,
      dispatchedAt: null,
      startedAt: null,
      endedAt: null,
      finishedAssets: [],
      error: null,
    };
  }
  return {
    runId: plan.runId,
    status: 'QUEUED',
    cancelRequestedBy: null,
    createdAt,
    startedAt: null,
    endedAt: null,
    steps,
  };
}
