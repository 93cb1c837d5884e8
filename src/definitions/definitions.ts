import type {
  AutomationConfig,
  BackfillPolicy,
  CheckConfig,
  FreshnessConfig,
  MetadataEntry,
  PartitionMappingConfig,
  RetryPolicy,
  ScheduleConfig,
  SourceRef,
  Tool,
} from '../discovery/pipeline-config.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import type { CodeRef } from '../state/code-ref.ts';
import type { AssetColumn, DiscoveredCheck, InstanceConfig, PipelineState } from '../state/snapshot.ts';
import type { DefinedAlerts } from './alerts.ts';

/** `/`-joined: `dlt_catalog/products`. */
export type AssetKey = string;

export interface AssetDep {
  readonly key: AssetKey;
  readonly mapping?: PartitionMappingConfig;
}

export type AssetCheck =
  | ({ readonly kind: 'declared' } & CheckConfig)
  | ({ readonly kind: 'tool' } & DiscoveredCheck);

export interface AssetNode {
  readonly key: AssetKey;
  /** `external`: named as a dependency, made by nobody here; it has no pipeline and cannot be materialized. */
  readonly kind: 'materializable' | 'external';
  readonly component: string;
  readonly pipeline: string;
  readonly tool: Tool | null;
  readonly code: CodeRef | null;
  /** dlt resource, Sling stream or dbt unique id. */
  readonly resource?: string;
  readonly assetSet?: number;
  readonly description?: string;
  readonly group: string;
  readonly owners: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly kinds: readonly string[];
  readonly metadata: readonly MetadataEntry[];
  readonly columns: readonly AssetColumn[];
  /** SQL that the tool makes of the asset's code. */
  readonly compiledSql?: string;
  readonly partitions?: PartitionsDefinition;
  readonly backfillPolicy: BackfillPolicy;
  /** Other assets: never itself. */
  readonly deps: readonly AssetDep[];
  /** It reads partitions of itself, earlier ones for instance: which. */
  readonly selfMapping?: PartitionMappingConfig;
  readonly checks: readonly AssetCheck[];
  readonly codeVersion: string;
  readonly retryPolicy?: RetryPolicy;
  readonly automation?: AutomationConfig;
  readonly freshness?: FreshnessConfig;
  readonly enabled: boolean;
  /** The folder's newest revision is broken and this asset serves from its last good one. */
  readonly held: boolean;
  readonly source: SourceRef;
}

export interface AssetGraph {
  /** By key, in key order. */
  readonly nodes: ReadonlyMap<AssetKey, AssetNode>;
  readonly downstream: ReadonlyMap<AssetKey, readonly AssetKey[]>;
  /** Every key after those that it depends on; ties by key. */
  readonly order: readonly AssetKey[];
}

export interface JobDefinition {
  /** `dlt_orders_job`, `group_github_job`, `all_assets_job`. */
  readonly name: string;
  readonly kind: 'pipeline' | 'group' | 'all';
  readonly assets: readonly AssetKey[];
}

export interface ScheduleDefinition {
  /** `dlt_orders_schedule`: unique in the instance. */
  readonly name: string;
  readonly component: string;
  readonly pipeline: string;
  readonly job: string;
  readonly assets: readonly AssetKey[];
  readonly config: ScheduleConfig;
  readonly source: SourceRef;
}

/** Immutable, published whole by swapping one reference. */
export interface Definitions {
  /** Of meaning only: no comment, time or condition. */
  readonly digest: string;
  readonly sources: readonly {
    readonly component: string;
    readonly revisionId: number;
    readonly commit: string;
  }[];
  readonly assets: AssetGraph;
  readonly jobs: ReadonlyMap<string, JobDefinition>;
  readonly schedules: ReadonlyMap<string, ScheduleDefinition>;
  /** `component/name` → state, disabled ones included. */
  readonly pipelines: ReadonlyMap<string, PipelineState>;
  /** Of all repositories together; alerts and cost rates are each repository's own. */
  readonly instance: Omit<InstanceConfig, 'alerts' | 'costRates'>;
  readonly alerts: DefinedAlerts;
}
