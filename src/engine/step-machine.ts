import type { StepError } from '../events/run-event.ts';
import type { CodeSource } from '../git/code-source.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { StepSpec } from '../plan/step-spec.ts';
import type { Environments } from '../runners/environment.ts';
import type { Runner } from '../runners/runner.ts';
import type { LogStore } from '../store/log-store.ts';
import type { StepStore } from '../store/store.ts';
import type { Cgroups } from './local/cgroups.ts';
import type { PassedNames } from './local/passed-names.ts';
import type { Places } from './local/places.ts';
import type { WarmStarts } from './local/warm/warm-starts.ts';
import type { WorkDirLocks } from './local/work-dir-locks.ts';

/** Places in the life of an attempt at which a test lets the service die. */
export type CrashPoint =
  | 'acquired'
  | 'before_spawn'
  | 'spawned'
  | 'started'
  | 'end_seen'
  | 'exit_seen'
  | 'finished';

export interface StepMachine {
  readonly steps: StepStore;
  readonly logs: LogStore;
  readonly code: CodeSource;
  readonly environments: Environments;
  readonly runners: ReadonlyMap<string, Runner>;
  readonly places: Places;
  /** Folder of `elt_supervisor.py` and of the package `elt_runner`. */
  readonly pythonDir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly passEnv: readonly string[];
  /** Variables that hold the service's own Git tokens. */
  readonly tokenVariables?: readonly string[];
  readonly secretsDir: string | null;
  readonly passedNames: (spec: StepSpec, tree: string) => PassedNames;
  readonly workDirs: WorkDirLocks;
  /** Null: every step starts cold. */
  readonly warmStarts: WarmStarts | null;
  readonly cgroups: Cgroups;
  /** Who holds the leases: this service, in this life of it. */
  readonly holder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly crashPoint: (point: CrashPoint) => void;
}

/**
 * `finished`: the store has the result · `refused`: the attempt was not ours to begin · `fenced`: it was taken from us, and
 * its process is ended · `left`: its process runs on without us, or was not started yet.
 */
export type StepEnd = 'finished' | 'refused' | 'fenced' | 'left';

/** What the service can do with an attempt that it runs. */
export interface StepControl {
  /** The user's wish. */
  readonly cancel: AbortSignal;
  /** The service ends and takes its steps with it: they count as lost. */
  readonly terminate: AbortSignal;
  /** The grace time of that is over. */
  readonly kill: AbortSignal;
  /** The service ends and leaves the process to the next one. */
  readonly leave: AbortSignal;
  /** Another attempt holds the step: this one must end and is not heard any more. */
  readonly fenced: AbortSignal;
}

/** Carries a `StepError` out of the preparation of a step. */
export class StepErrorThrown extends Error {
  override readonly name = 'StepErrorThrown';
  readonly error: StepError;
  constructor(error: StepError) {
    super(error.message);
    this.error = error;
  }
}
