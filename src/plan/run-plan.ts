import type { AssetKey } from '../definitions/definitions.ts';
import type { CheckConfig, RetryPolicy, Tool } from '../discovery/pipeline-config.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import type { TimeWindow } from '../partitions/instant.ts';
import type { CodeRef } from '../state/code-ref.ts';
import type { OperationRequest, StepOperation } from './step-operation.ts';

export type PartitionSelection =
  | { readonly kind: 'none' }
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'range'; readonly start: string; readonly end: string }
  | { readonly kind: 'keys'; readonly keys: readonly string[] };

/** Who or what asked for a run; stored with it and shown everywhere. */
export type Cause =
  | { readonly kind: 'schedule'; readonly schedule: string; readonly tick: number }
  | { readonly kind: 'backfill'; readonly backfillId: string }
  | { readonly kind: 'retry'; readonly runId: string; readonly by: string }
  | { readonly kind: 'run_retry'; readonly runId: string }
  | { readonly kind: 'automation'; readonly evaluationId: string }
  | { readonly kind: 'cli'; readonly user: string }
  | { readonly kind: 'page'; readonly user: string }
  | { readonly kind: 'api'; readonly token: string };

/** What a user, a tick or a backfill asks for; `plan-run.ts` makes 1..n `RunPlan`s of it. */
export interface RunRequest {
  readonly assets: readonly AssetKey[];
  /** Something else than to write assets: `assets` is empty then. */
  readonly operation?: OperationRequest;
  /**
   * `latest`: the newest key of each asset's own definition (2-D: newest time key × every other key; static: every key).
   * `keys`: these exact keys, for every selected partitioned asset. Unpartitioned assets ignore it.
   */
  readonly partitions:
    | { readonly kind: 'none' }
    | { readonly kind: 'latest' }
    | { readonly kind: 'keys'; readonly keys: readonly string[] }
    | { readonly kind: 'range'; readonly start: string; readonly end: string }
    | { readonly kind: 'tick'; readonly at: number };
  readonly fullRefresh: boolean;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly priority: number;
  readonly cause: Cause;
  /** Two requests with one key are one launch. */
  readonly idempotencyKey?: string;
}

export interface PlannedAsset {
  readonly key: AssetKey;
  readonly resource?: string;
  /** Partitions that this step writes of this asset. */
  readonly partitions: PartitionSelection;
  /**
   * The definition that `partitions` is written in: by it the store reads the keys. Absent: the asset's own by the
   * newest applied revision.
   */
  readonly partitionsDefinition?: PartitionsDefinition;
  /** Names of blocking checks: when one fails, what lies downstream in the run is not started. */
  readonly blockingChecks: readonly string[];
  /** Checks of `dagster.yaml`, run by the step once everything is written. Absent: none. */
  readonly declaredChecks?: readonly CheckConfig[];
  readonly codeVersion: string;
}

/** One process: one or more assets of one folder. Holds nothing of a machine. */
export interface StepPlan {
  /** `dlt_orders`, `shop_models`, unique in its run; shown to people. */
  readonly stepKey: string;
  readonly component: string;
  readonly pipeline: string;
  readonly tool: Tool;
  readonly code: CodeRef;
  readonly assets: readonly PlannedAsset[];
  /** Absent: it writes its assets. Otherwise it has none, and `partitionKeys` a partition to look with, if any. */
  readonly operation?: StepOperation;
  readonly partitions: PartitionSelection;
  /** Every key of `partitions`, at most 1,000 of them spelled out (a longer range has only its ends). */
  readonly partitionKeys: readonly string[];
  /** Dimension → key, when `partitions` is one key of a 2-D definition. */
  readonly partitionDimensions: Readonly<Record<string, string>>;
  /** Whole span [start, end) of time-partitioned work. */
  readonly window: TimeWindow | null;
  readonly timezone: string;
  /** Python version wanted (`>=3.10`), and the digest of the environment's requirements; '' = default environment. */
  readonly python: string;
  readonly lockDigest: string;
  /** Data that lives in files is on one volume; null: the step can run anywhere. */
  readonly volume: string | null;
  /** Pools that it holds a slot of while it runs, implicit ones (`dest:…`, `pipeline:…`) included. */
  readonly pools: readonly string[];
  readonly retry: RetryPolicy | null;
  readonly timeoutSeconds: number | null;
  /** Step keys of the same run. */
  readonly needs: readonly string[];
  readonly fullRefresh: boolean;
}

export interface RunPlan {
  readonly runId: string;
  readonly launchId: string;
  readonly definitionsDigest: string;
  /** What people call the run: a job's name, or the assets. */
  readonly jobName: string;
  readonly steps: readonly StepPlan[];
  /** Runs of the same launch that have to succeed first. */
  readonly after: readonly string[];
  /** Earlier runs that have to have ended first, however they ended (`overlap: queue` of a schedule). */
  readonly waitsFor?: readonly string[];
  readonly partitions: PartitionSelection;
  readonly cause: Cause;
  readonly tags: Readonly<Record<string, string>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly priority: number;
  /** Automatic re-runs of a failed run from its failed steps that are still allowed. */
  readonly runRetriesLeft: number;
}
