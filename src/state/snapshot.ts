import type { AlertsConfig } from '../definitions/alerts.ts';
import type { CostRates } from '../definitions/cost-rates.ts';
import type { AssetOverride, Limits, PipelineConfig, SourceRef } from '../discovery/pipeline-config.ts';
import type { Diagnostic } from '../lib/diagnostics.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import type { CodeRef } from './code-ref.ts';

/** An asset check that a tool brings with it: a dbt test. */
export interface DiscoveredCheck {
  readonly name: string;
  readonly severity: 'WARN' | 'ERROR';
  readonly blocking: boolean;
  /** How the tool names it (a dbt unique id); results are matched by it. */
  readonly toolId?: string;
  readonly description?: string;
}

export interface AssetColumn {
  readonly name: string;
  readonly type?: string;
  readonly description?: string;
}

/** What a folder knows of an asset that it only reads: a dbt source. Shown if no pipeline makes that asset. */
export interface DiscoveredSource {
  readonly key: string;
  readonly description?: string;
  readonly columns: readonly AssetColumn[];
  readonly source: SourceRef;
}

/** One asset as a folder's own files tell it, before `dagster.yaml` settings of the pipeline are laid over it. */
export interface DiscoveredAsset {
  /** `/`-joined key, as users see it: `dlt_orders`, `dlt_catalog/products`. */
  readonly key: string;
  readonly kind: 'dlt' | 'sling' | 'dbt' | 'python';
  /** dlt resource, Sling stream or dbt unique id that makes this asset. */
  readonly resource?: string;
  /** Asset keys; a key that no pipeline has becomes an external asset. */
  readonly deps: readonly string[];
  /** Partitions other than the pipeline's (a dbt asset set); null: none although the pipeline has some. */
  readonly partitions?: PartitionsDefinition | null;
  /** Assets of one set run together (index of the dbt asset set); absent: all of the pipeline together. */
  readonly assetSet?: number;
  readonly checks: readonly DiscoveredCheck[];
  readonly codeVersion?: string;
  readonly columns?: readonly AssetColumn[];
  /** SQL that the tool makes of the asset's code. */
  readonly compiledSql?: string;
  /** Of `deps`, those that the folder describes. */
  readonly reads?: readonly DiscoveredSource[];
  readonly description?: string;
  readonly group?: string;
  readonly owners?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly kinds?: readonly string[];
  readonly metadata?: Readonly<Record<string, string | number | boolean>>;
  /** Settings that the asset's own code gives it; `assets:` of `dagster.yaml` is laid over them. */
  readonly overrides?: AssetOverride;
  readonly source?: SourceRef;
}

export interface DiscoveryInfo {
  readonly method: 'declared' | 'ast' | 'recorded' | 'manifest';
  /** `pending`: a background job is under way, the last known assets serve. */
  readonly status: 'complete' | 'pending' | 'failed';
  readonly inputsDigest: string;
  readonly envKey?: string;
  /** Only beside `pending` and `failed`: what is served was once known for good, newer code waits or is broken. */
  readonly proven?: true;
}

export interface PipelineState {
  /** Name, unique in its component: `orders`. */
  readonly name: string;
  readonly config: PipelineConfig;
  readonly code: CodeRef;
  /** `held`: the newest revision of the folder is broken and this is its last good one. */
  readonly status: 'current' | 'held';
  readonly assets: readonly DiscoveredAsset[];
  readonly discovery: DiscoveryInfo;
}

export type ConditionType = 'Ready' | 'Reconciling' | 'Stalled' | 'FetchFailed' | 'Degraded';

export interface Condition {
  readonly type: ConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  /** Epoch milliseconds of the last change of `status`. */
  readonly since: number;
}

export interface RepoInfo {
  /** Without user name and password. */
  readonly url: string;
  readonly branch: string;
  readonly commit: string;
  readonly author: string;
  readonly message: string;
  /** Epoch milliseconds. */
  readonly committedAt: number;
  /** `commit` stands for a working copy with uncommitted changes: nobody else has it. */
  readonly uncommitted?: true;
}

/** Defaults of the whole instance from the `dagster.yaml` at the repository's root. */
export interface InstanceConfig {
  readonly runRetries: { readonly enabled: boolean; readonly maxRetries: number };
  readonly maxConcurrentRuns: number | null;
  readonly pools: Readonly<Record<string, number>>;
  /** Of every step that says nothing else itself. */
  readonly limits?: Limits;
  /** Absent: nobody is told of anything. */
  readonly alerts?: AlertsConfig;
  /** Absent: Insights shows no costs. */
  readonly costRates?: CostRates;
}

/** All that definitions are built from. Written whole to `pipelines_state.json` (snake_case there). */
export interface Snapshot {
  readonly version: 1;
  readonly component: string;
  readonly repo: RepoInfo;
  readonly takenAt: number;
  /** Of everything but `takenAt` and `conditions`. */
  readonly digest: string;
  readonly instance: InstanceConfig;
  /** Sorted by name. */
  readonly pipelines: readonly PipelineState[];
  readonly diagnostics: readonly Diagnostic[];
  readonly conditions: readonly Condition[];
}
