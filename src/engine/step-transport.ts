import type { StepRef } from '../plan/step-spec.ts';

export interface WorkerInfo {
  readonly id: string;
  readonly labels: readonly string[];
  readonly volumes: readonly string[];
  readonly slots: number;
  readonly used: number;
  readonly version: string;
  readonly lastSeen: number;
}

/**
 * How steps reach processes. What a step's result is, the store says, never the transport: doubles are harmless (the
 * fence refuses them), silence is found by the lease. Adapters: `engine/local` (child processes).
 */
export interface StepTransport {
  /** Makes sure that somebody calls `advance` for this run until it is finished. */
  start(runId: string): Promise<'started' | 'exists'>;
  /** At least once. */
  dispatch(ref: StepRef): Promise<void>;
  /** Best effort and fast; the certain way is `lease.cancel`. */
  cancel(ref: StepRef): Promise<void>;
  /** A pool slot came free, the user cancelled, a retry is due. */
  wake(runId: string): Promise<void>;
  capacity(): Promise<readonly WorkerInfo[]>;
  /** Stops taking work. Embedded: running children are left to be adopted, or ended after `graceMs` if `endSteps`. */
  close(options: { graceMs: number; endSteps: boolean }): Promise<void>;
}
