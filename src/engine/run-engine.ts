import type { RunRequest } from '../plan/run-plan.ts';
import type { LaunchRecord } from '../store/store.ts';

export interface RetryOptions {
  /** Only steps that did not succeed. */
  readonly fromFailure: boolean;
  /** With today's definitions and commit instead of the run's own. */
  readonly latest: boolean;
  readonly by:
    | { readonly kind: 'cli' | 'page'; readonly user: string }
    | { readonly kind: 'api'; readonly token: string };
}

/**
 * The engine as daemons and surface see it: `advance` plus one `StepTransport`.
 * Errors are `OperationalError`s of the catalogue (`SELECTION_EMPTY`, `PARTITION_NEEDED`, `PIPELINE_DISABLED`,
 * `RUN_NOT_FOUND`, `RUN_NOT_CANCELABLE`, `RUN_NOT_RETRYABLE`, …).
 */
export interface RunEngine {
  submit(request: RunRequest): Promise<LaunchRecord>;
  /** Resolves when the request is durable; the steps end afterwards. */
  cancel(runId: string, by: string): Promise<void>;
  retry(runId: string, options: RetryOptions): Promise<LaunchRecord>;
  /** After a start: adopts or ends what an earlier process of this service left, then drives every unfinished run. */
  adopt(): Promise<{ readonly adopted: number; readonly lost: number; readonly resumed: number }>;
  /** Looks at a run again (new runs by the scheduler, a freed slot). */
  wake(runId: string): void;
  /** Resolves when the run has ended. */
  finished(runId: string): Promise<void>;
  close(options: { graceMs: number; endSteps: boolean }): Promise<void>;
}
