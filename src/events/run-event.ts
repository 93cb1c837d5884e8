import type {
  CheckEvent,
  LogEvent,
  MaterializationEvent,
  Metadata,
  ProgressEvent,
  StageEvent,
} from './step-event.ts';

/**
 * Why an attempt failed (`runners.md` §7):
 * `resource_busy` a locked database file: waits, spends no retry · `transient` network, a signal not ours ·
 * `config` missing secret, compile error: never retried · `data` contract, test · `user` any other error of user code ·
 * `limit` more memory or processor time than `limits:` allows · `lost` process, worker or lease gone: spends no user retry · `environment` the environment could not be built.
 */
export type FailureClass =
  | 'resource_busy'
  | 'transient'
  | 'config'
  | 'data'
  | 'user'
  | 'lost'
  | 'timeout'
  | 'limit'
  | 'environment';

export interface StepError {
  readonly code: string;
  readonly message: string;
  readonly failureClass: FailureClass;
  /** The user's own frames first. */
  readonly stack?: string;
  readonly file?: string;
  readonly line?: number;
  readonly exitCode?: number | null;
  readonly signal?: string | null;
}

/** The result of an attempt; accepted once per attempt, by `StepStore.finish`. */
export type StepResult =
  | { readonly type: 'step_succeeded'; readonly seconds: number; readonly metadata: Metadata }
  | {
      readonly type: 'step_failed';
      readonly seconds: number;
      readonly error: StepError;
      /** Assets materialized although the step failed: its retry runs only the rest. */
      readonly finishedAssets: readonly string[];
      /** Names `asset_key:check` of blocking checks that failed. */
      readonly failedBlockingChecks: readonly string[];
    }
  | { readonly type: 'step_canceled'; readonly seconds: number; readonly forced: boolean };

/** What the engine itself records about a run; with `StepEvent`s and `StepResult`s it is the whole log of the run. */
export type EngineEvent =
  | { readonly type: 'run_enqueued' }
  | { readonly type: 'run_started' }
  | { readonly type: 'run_cancel_requested'; readonly by: string }
  | { readonly type: 'run_succeeded' }
  | { readonly type: 'run_failed'; readonly reason: string }
  | { readonly type: 'run_canceled'; readonly reason: string }
  | {
      readonly type: 'step_dispatched';
      readonly stepKey: string;
      readonly attempt: number;
      readonly pools: readonly string[];
    }
  | {
      readonly type: 'step_started';
      readonly stepKey: string;
      readonly attempt: number;
      readonly pid: number;
      readonly envKey: string;
    }
  | {
      readonly type: 'step_retry_scheduled';
      readonly stepKey: string;
      readonly attempt: number;
      readonly retryAt: number;
      readonly delaySeconds: number;
      readonly failureClass: FailureClass;
      /** User retries spent so far, this one included (0 for `lost` and `resource_busy`). */
      readonly retriesSpent: number;
    }
  | {
      readonly type: 'step_lost';
      readonly stepKey: string;
      readonly attempt: number;
      readonly reason: string;
    }
  /** Terminal for the step: no retry is left or allowed. */
  | { readonly type: 'step_gave_up'; readonly stepKey: string; readonly attempt: number }
  | { readonly type: 'step_skipped'; readonly stepKey: string; readonly reason: string }
  | { readonly type: 'step_dropped'; readonly stepKey: string; readonly reason: string };

export type AttemptEvent =
  | MaterializationEvent
  | CheckEvent
  | ProgressEvent
  | StageEvent
  | LogEvent
  | OtherAttemptEvent;
export interface OtherAttemptEvent {
  readonly type: 'other';
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What else the log holds, beside runs: the page follows all of it by one stream. */
export type InstanceEvent =
  | {
      readonly type: 'revision_applied';
      readonly component: string;
      readonly revisionId: number;
      readonly commit: string;
      readonly digest: string;
    }
  | {
      readonly type: 'component_condition';
      readonly component: string;
      readonly condition: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
    }
  | { readonly type: 'definitions_published'; readonly digest: string }
  | {
      readonly type: 'tick';
      readonly schedule: string;
      readonly at: number;
      readonly status: string;
      readonly reason: string;
    }
  | {
      readonly type: 'schedule_changed';
      readonly schedule: string;
      readonly status: string;
      readonly by: string;
    }
  | {
      readonly type: 'backfill_changed';
      readonly backfillId: string;
      readonly status: string;
      readonly by: string | null;
      readonly reason: string;
    }
  | {
      readonly type: 'automation_evaluated';
      readonly evaluationId: string;
      readonly requested: number;
      readonly assetKeys: readonly string[];
    }
  | {
      readonly type: 'freshness_changed';
      readonly assetKey: string;
      readonly fresh: boolean;
      readonly severity: 'WARN' | 'ERROR';
      readonly message: string;
    }
  | {
      readonly type: 'control_changed';
      readonly component: string;
      readonly mode: string | null;
      readonly by: string;
      readonly reason: string;
    }
  | {
      readonly type: 'environment_progress';
      readonly envKey: string;
      readonly stage: string;
      readonly message: string;
      readonly status: 'building' | 'ready' | 'failed';
    }
  /** A message was queued, sent or given up, or a rule muted. */
  | {
      readonly type: 'alert_changed';
      readonly rule: string | null;
      readonly channel: string | null;
      readonly status: string;
    }
  | {
      readonly type: 'discovery_progress';
      readonly component: string;
      readonly pipeline: string;
      readonly status: string;
    };

export type LoggedEvent = EngineEvent | StepResult | AttemptEvent | InstanceEvent;

/** A row of the log. `eventId` is global and in commit order. */
export interface EventRecord {
  readonly eventId: number;
  readonly runId: string | null;
  readonly stepKey: string | null;
  readonly attempt: number | null;
  /** Position in its attempt's stream, from 1; null for events of the engine. */
  readonly n: number | null;
  /** Epoch milliseconds of the store's clock. */
  readonly at: number;
  readonly event: LoggedEvent;
}
