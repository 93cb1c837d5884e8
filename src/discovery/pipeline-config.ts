import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';

export const TOOLS = ['dlt', 'sling', 'dbt', 'python'] as const;
export type Tool = (typeof TOOLS)[number];

/** Where in the repository something was written; lines and columns from 1. */
export interface SourceRef {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface MetadataEntry {
  readonly key: string;
  readonly value: string | number | boolean | null | readonly unknown[] | { readonly [key: string]: unknown };
  readonly type: 'text' | 'url' | 'path' | 'md' | 'json' | 'int' | 'float' | 'bool';
}

export type PartitionMappingConfig =
  | { readonly kind: 'identity' | 'all' | 'last' }
  | { readonly kind: 'time_window'; readonly startOffset: number; readonly endOffset: number }
  | { readonly kind: 'static'; readonly map: Readonly<Record<string, string | readonly string[]>> }
  | { readonly kind: 'specific'; readonly partitionKeys: readonly string[] }
  | { readonly kind: 'multi_to_single'; readonly dimension: string }
  | {
      readonly kind: 'multi';
      readonly dimensions: Readonly<
        Record<string, { readonly dimension: string; readonly mapping: PartitionMappingConfig }>
      >;
    };

export interface Dep {
  readonly asset: string;
  readonly partitionMapping?: PartitionMappingConfig;
}

export interface ScheduleConfig {
  /** One or more five-field crons; their ticks are united. */
  readonly cron: readonly string[];
  readonly timezone: string;
  readonly defaultStatus: 'RUNNING' | 'STOPPED';
  readonly catchUp: 'all' | 'latest' | 'none';
  readonly overlap: 'queue' | 'skip' | 'allow';
  readonly jitterSeconds: number;
}

/** Delays in seconds; the formulas stand in `engine/retry.ts`. */
export interface RetryPolicy {
  readonly maxRetries: number;
  readonly delay: number;
  readonly backoff?: 'EXPONENTIAL' | 'LINEAR';
  readonly jitter?: 'FULL' | 'PLUS_MINUS';
}

export interface FreshnessConfig {
  readonly lowerBoundDeltaSeconds: number;
  readonly deadlineCron?: string;
  readonly timezone: string;
  readonly severity: 'WARN' | 'ERROR';
}

export const CHECK_TYPES = [
  'row_count',
  'freshness',
  'no_schema_change',
  'not_null',
  'unique',
  'sql',
] as const;

/** A check declared in YAML; checks that a tool brings (dbt tests) are `DiscoveredCheck`s. */
export interface CheckConfig {
  readonly name: string;
  readonly type: (typeof CHECK_TYPES)[number];
  readonly blocking: boolean;
  readonly severity: 'WARN' | 'ERROR';
  /** The check's own keys as written (`min`, `column`, `sql`, `connection`, …), durations in seconds. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface AutomationConfig {
  /** A preset or an expression, as written. */
  readonly condition: string;
  readonly cron?: string;
  readonly timezone?: string;
}

export interface BackfillPolicy {
  readonly type: 'multi_run' | 'single_run';
  readonly maxPartitionsPerRun: number;
}

/** What one attempt of a step may use, with all processes that it starts (`docs/limits.md`). Absent: no limit. */
export interface Limits {
  readonly memoryBytes?: number;
  /** Processors at once: 1.5 is one and a half. */
  readonly cpus?: number;
  /** Seconds of work of all its processors. */
  readonly cpuTimeSeconds?: number;
}

export interface EnvironmentConfig {
  /** File of requirements inside the folder. */
  readonly requirements?: string;
  readonly python?: string;
  /** Packages that have no wheel are built; absent: they are refused. */
  readonly sourceBuilds?: boolean;
}

export interface DltIncremental {
  readonly cursorPath: string;
  readonly initialValue?: string | number;
  readonly format?: string;
}

/** Of several sources that one folder declares; each is loaded under its own name. */
export interface DltDeclaredSource {
  readonly name: string;
  readonly sourceModule: string;
  readonly sourceName: string;
  readonly sourceArgs: Readonly<Record<string, unknown>>;
  readonly datasetName: string;
}

export const CONTRACT_MODES = ['evolve', 'freeze', 'discard_row', 'discard_value'] as const;
type ContractMode = (typeof CONTRACT_MODES)[number];

/** What happens to data that the schema does not have: one word for all, or for each part of it. */
export type SchemaContract =
  | ContractMode
  | { readonly tables?: ContractMode; readonly columns?: ContractMode; readonly dataType?: ContractMode };

export interface DltConfig {
  readonly script: string;
  /** Two at least; then there is no `sourceModule`. */
  readonly sources?: readonly DltDeclaredSource[];
  readonly sourceModule?: string;
  readonly sourceName?: string;
  readonly sourceArgs: Readonly<Record<string, unknown>>;
  readonly pipelineName?: string;
  readonly destination?: string;
  readonly datasetName?: string;
  readonly resources: readonly string[];
  readonly assetPer: 'pipeline' | 'resource';
  readonly writeDisposition?: string;
  readonly incremental: Readonly<Record<string, DltIncremental>>;
  readonly refresh?: string;
  readonly schemaContract?: SchemaContract;
  /** What becomes of a load that an earlier run left pending: it is finished first (the default), or dropped. */
  readonly onPending?: 'load' | 'abort';
  /** What becomes of rows that may have been written or not: nothing (the default), they are written, or taken as written. */
  readonly onUncertain?: 'fail' | 'load' | 'skip';
}

/** What the values of a stream's `update_key` are; `meta.dagster.cursor` of the stream can say it. */
export const SLING_CURSORS = [
  'timestamp',
  'timestamptz',
  'date',
  'yyyymmdd',
  'epoch_seconds',
  'epoch_milliseconds',
] as const;
export type SlingCursor = (typeof SLING_CURSORS)[number];

export interface SlingConfig {
  readonly replication: string;
  /** Empty: every stream of the file. */
  readonly streams: readonly string[];
  readonly assetPer: 'replication' | 'stream';
}

export interface DbtAssetSet {
  readonly select: string;
  readonly exclude?: string;
  readonly partitions?: PartitionsDefinition;
}

export interface DbtConfig {
  readonly select?: string;
  readonly exclude?: string;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly target?: string;
  readonly assetSets: readonly DbtAssetSet[];
  readonly translator: {
    readonly sourceKey: 'name' | 'source_name';
    /** `<source>` or `<source>.<table>` → the asset that loads it: one asset can be all tables of a source. */
    readonly sourceKeys?: Readonly<Record<string, string>>;
    readonly modelKey: 'name' | 'schema_name';
    readonly group?: 'folder';
    readonly automationCondition?: string;
  };
}

export interface ScriptConfig {
  /** First element `python` means the interpreter of the folder's environment. */
  readonly command: readonly string[];
  /** Asset keys that the script writes; `[name]` if the file declares none. */
  readonly assets: readonly string[];
}

/** Keys that can be overridden for one asset (`assets: {<resource, stream or model>: …}`). */
export interface AssetOverride {
  readonly description?: string;
  readonly group?: string;
  readonly owners?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly kinds?: readonly string[];
  readonly metadata?: readonly MetadataEntry[];
  readonly deps?: readonly Dep[];
  readonly codeVersion?: string;
  readonly partitions?: PartitionsDefinition | null;
  readonly automation?: AutomationConfig;
  readonly freshness?: FreshnessConfig;
  readonly checks?: readonly CheckConfig[];
}

/** A `dagster.yaml` with its folder, validated and with every default filled in (`docs/spec/dagster-yaml.md`). */
export interface PipelineConfig {
  readonly name: string;
  readonly tool: Tool;
  readonly dir: string;
  readonly enabled: boolean;
  readonly description?: string;
  readonly group: string;
  readonly owners: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly kinds: readonly string[];
  readonly metadata: readonly MetadataEntry[];
  readonly deps: readonly Dep[];
  readonly codeVersion?: string;
  readonly movedFrom?: string;
  readonly partitions?: PartitionsDefinition;
  readonly backfillPolicy: BackfillPolicy;
  readonly schedule?: ScheduleConfig;
  readonly retryPolicy?: RetryPolicy;
  readonly automation?: AutomationConfig;
  readonly freshness?: FreshnessConfig;
  readonly checks: readonly CheckConfig[];
  /** Per attempt; absent: none. */
  readonly timeoutSeconds?: number;
  readonly limits?: Limits;
  readonly pools: readonly string[];
  readonly maxConcurrent?: number;
  readonly environment: EnvironmentConfig;
  /** Values as written, with `${VAR}` still in them: they are interpolated only when a step starts. */
  readonly env: Readonly<Record<string, string>>;
  readonly assets: Readonly<Record<string, AssetOverride>>;
  readonly dlt?: DltConfig;
  readonly sling?: SlingConfig;
  readonly dbt?: DbtConfig;
  readonly script?: ScriptConfig;
  readonly source: SourceRef;
}

/** `dlt_github`: unique in its component, whatever folders of other tools are called (`docs/adr/0001`). */
export function pipelineName(config: Pick<PipelineConfig, 'tool' | 'name'>): string {
  return `${config.tool}_${config.name}`;
}
