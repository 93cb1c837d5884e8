import { sha256 } from '../../lib/digest.ts';
import { invariant } from '../../lib/invariant.ts';
import type { StepOperation } from '../../plan/step-operation.ts';
import type { StepSpec } from '../../plan/step-spec.ts';
import { isoWindow, portionVariables, type StepPartitions } from '../step-partitions.ts';

/** What `python/elt_runner/dlt_runner.py` is asked to do; written as JSON into the step directory. */
export interface DltRequest {
  readonly script: string;
  readonly source_module: string | null;
  readonly source_name: string | null;
  readonly source_args: Readonly<Record<string, unknown>>;
  readonly pipeline_name: string;
  readonly destination: string | null;
  readonly dataset_name: string | null;
  readonly write_disposition: string | null;
  /** Resources to load; null: everything that the script loads. */
  readonly resources: readonly string[] | null;
  readonly assets: readonly { readonly key: string; readonly resource: string | null }[];
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
  return `${shared}/partitions/${sha256(JSON.stringify(spec.partitions)).slice(0, 16)}`;
}

/** Pure: a spec as the request for the Python side. */
export function dltRequest(spec: StepSpec, partitions: StepPartitions, stateDir: string): DltRequest {
  const config = spec.config.dlt;
  invariant(config !== undefined, `${spec.pipeline} is a dlt pipeline without dlt settings`);
  const partitioned = spec.partitions.kind !== 'none';
  const assets = spec.assets.map(({ key, resource }) => ({ key, resource: resource ?? null }));
  const named = assets.flatMap(({ resource }) => (resource === null ? [] : [resource]));
  const chosen = named.length > 0 ? named : config.resources;
  return {
    ...(spec.operation === undefined ? {} : { operation: spec.operation }),
    script: config.script,
    source_module: config.sourceModule ?? null,
    source_name: config.sourceName ?? null,
    source_args: config.sourceArgs,
    pipeline_name: config.pipelineName ?? spec.pipeline,
    destination: config.destination ?? null,
    dataset_name: config.datasetName ?? null,
    write_disposition: config.writeDisposition ?? null,
    resources: chosen.length > 0 ? chosen : null,
    assets,
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
    loaded_file: `${stateDir}/dlt/loaded.json`,
    partition_data_dir: partitioned ? dltDataDir(spec, stateDir) : null,
    warnings:
      spec.fullRefresh && partitioned
        ? ['full refresh of a partition loads it again; tables and the other partitions are kept']
        : [],
  };
}
