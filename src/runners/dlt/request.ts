import type { SchemaContract } from '../../discovery/pipeline-config.ts';
import { sha256 } from '../../lib/digest.ts';
import { invariant } from '../../lib/invariant.ts';
import { isSplit } from '../../plan/split-resources.ts';
import type { StepOperation } from '../../plan/step-operation.ts';
import type { StepSpec } from '../../plan/step-spec.ts';
import { isoWindow, portionVariables, type StepPartitions } from '../step-partitions.ts';
import { workRunId } from '../work-run-id.ts';

/** What `python/elt_runner/dlt_runner.py` is asked to do; written as JSON into the step directory. */
export interface DltRequest {
  readonly script: string;
  readonly source_module: string | null;
  readonly source_name: string | null;
  readonly source_args: Readonly<Record<string, unknown>>;
  /** Of several declared sources those of the step; empty: the folder has one, or none. */
  readonly sources: readonly {
    readonly name: string;
    readonly module: string;
    readonly source: string;
    readonly args: Readonly<Record<string, unknown>>;
    readonly dataset: string;
  }[];
  readonly pipeline_name: string;
  readonly destination: string | null;
  readonly dataset_name: string | null;
  readonly write_disposition: string | null;
  /** Resources to load; null: everything that the script loads. */
  readonly resources: readonly string[] | null;
  /** `source`: of an asset that is one of several declared sources, its name. */
  readonly assets: readonly {
    readonly key: string;
    readonly resource: string | null;
    readonly source: string | null;
  }[];
  /** The resource that this step alone loads, under a pipeline name of its own; null: the code's names are kept. */
  readonly own_resource: string | null;
  /** The assets are resources of one pipeline, which may have been, or become, pipelines of their own. */
  readonly assets_share_state: boolean;
  readonly partitioned: boolean;
  readonly partitions: readonly {
    readonly key: string;
    /** For `os.environ` while it is loaded. */
    readonly variables: Readonly<Record<string, string>>;
    readonly window: IsoWindow | null;
  }[];
  /** The selection as one stretch of time, for code that does not take keys. */
  readonly span: IsoWindow | null;
  readonly incremental: Readonly<Record<string, unknown>>;
  /** dlt's refresh mode, for a full refresh. */
  readonly refresh: string | null;
  readonly schema_contract: string | Readonly<Record<string, string>> | null;
  readonly on_pending: 'load' | 'abort';
  readonly on_uncertain: 'fail' | 'load' | 'skip';
  /** Names what is remembered from one attempt to the next. */
  readonly work_run_id: string;
  /** For locks between the steps of this machine. */
  readonly lock_dir: string;
  readonly loaded_file: string;
  /** dlt's working folder of this partition selection; null: the pipeline's own. */
  readonly partition_data_dir: string | null;
  readonly warnings: readonly string[];
  /** Absent: load. */
  readonly operation?: StepOperation;
}

interface IsoWindow {
  readonly start: string;
  readonly end: string;
}

/**
 * dlt's working folder. Each partition selection has one of its own: a package that a killed attempt left there belongs to
 * that selection and to no other. Its cursors and schemas stand in the destination, so a new folder is no loss.
 */
export function dltDataDir(spec: StepSpec, stateDir: string): string {
  const shared = `${stateDir}/dlt`;
  if (spec.partitions.kind === 'none' || spec.operation !== undefined) return shared;
  const parts = isSplit(spec.config) ? resourcesOf(spec).sort() : [];
  const selection = [spec.partitions, ...parts].map((part) => JSON.stringify(part)).join();
  return `${shared}/partitions/${sha256(selection).slice(0, 16)}`;
}

function resourcesOf(spec: StepSpec): string[] {
  return spec.assets.flatMap(({ resource }) => (resource === undefined ? [] : [resource]));
}

function contractOf(contract: SchemaContract | undefined): DltRequest['schema_contract'] {
  if (contract === undefined || typeof contract === 'string') return contract ?? null;
  const { tables, columns, dataType } = contract;
  const parts = Object.entries({ tables, columns, data_type: dataType });
  return Object.fromEntries(parts.flatMap(([part, mode]) => (mode === undefined ? [] : [[part, mode]])));
}

/** Pure: a spec as the request for the Python side. */
export function dltRequest(spec: StepSpec, partitions: StepPartitions, stateDir: string): DltRequest {
  const config = spec.config.dlt;
  invariant(config !== undefined, `${spec.pipeline} is a dlt pipeline without dlt settings`);
  const partitioned = spec.partitions.kind !== 'none';
  const { sources } = config;
  const named = resourcesOf(spec);
  const chosen = sources !== undefined ? [] : named.length > 0 ? named : config.resources;
  const isPerResource = config.assetPer === 'resource' && sources === undefined;
  return {
    ...(spec.operation === undefined ? {} : { operation: spec.operation }),
    script: config.script,
    source_module: config.sourceModule ?? null,
    source_name: config.sourceName ?? null,
    source_args: config.sourceArgs,
    sources: (sources ?? [])
      .filter(({ name }) => named.length === 0 || named.includes(name))
      .map(({ name, sourceModule, sourceName, sourceArgs, datasetName }) => ({
        name,
        module: sourceModule,
        source: sourceName,
        args: sourceArgs,
        dataset: config.datasetName ?? datasetName,
      })),
    pipeline_name: config.pipelineName ?? spec.pipeline,
    destination: config.destination ?? null,
    dataset_name: config.datasetName ?? null,
    write_disposition: config.writeDisposition ?? null,
    resources: chosen.length > 0 ? chosen : null,
    assets: spec.assets.map(({ key, resource = null }) =>
      sources === undefined ? { key, resource, source: null } : { key, resource: null, source: resource },
    ),
    own_resource: isPerResource && isSplit(spec.config) && named.length === 1 ? named[0]! : null,
    assets_share_state: isPerResource && !partitioned,
    partitioned,
    partitions: partitions.each.map((partition) => ({
      key: partition.key,
      variables: portionVariables(partition, spec.timezone),
      window: isoWindow(partition.window),
    })),
    span: isoWindow(partitions.span),
    incremental: Object.fromEntries(
      Object.entries(config.incremental).map(([resource, { cursorPath, initialValue, format }]) => [
        resource,
        { cursor_path: cursorPath, initial_value: initialValue ?? null, format: format ?? null },
      ]),
    ),
    // drop_sources would also drop tables of resources that are not part of this step.
    refresh: spec.fullRefresh && !partitioned ? (config.refresh ?? 'drop_resources') : null,
    schema_contract: contractOf(config.schemaContract),
    on_pending: config.onPending ?? 'load',
    on_uncertain: config.onUncertain ?? 'fail',
    work_run_id: workRunId(spec),
    lock_dir: `${stateDir.split('/').slice(0, -2).join('/')}/.locks`,
    loaded_file: `${stateDir}/dlt/loaded.json`,
    partition_data_dir: partitioned ? dltDataDir(spec, stateDir) : null,
    warnings:
      spec.fullRefresh && partitioned
        ? ['full refresh of a partition loads it again; tables and the other partitions are kept']
        : [],
  };
}
