import { sha256 } from '../../lib/digest.ts';
import { invariant } from '../../lib/invariant.ts';
import type { StepSpec } from '../../plan/step-spec.ts';
import { portionVariables, type StepPortion } from '../step-partitions.ts';
import { workRunId } from '../work-run-id.ts';

/** What `python/elt_runner/dbt_runner.py` is asked to do; written as JSON into the step directory. */
export interface DbtRequest {
  /** `unique_id`: `model.shop.orders`. */
  readonly assets: readonly { readonly key: string; readonly unique_id: string }[];
  /** Always passed. */
  readonly vars: Readonly<Record<string, unknown>>;
  readonly portions: readonly {
    /** null: all of the step's partitions. */
    readonly partition: string | null;
    /** Passed only if the project uses the name, because other vars make dbt parse everything anew. */
    readonly vars: Readonly<Record<string, string>>;
    /** For `env_var()` while the portion is built. */
    readonly variables: Readonly<Record<string, string>>;
  }[];
  readonly target: string | null;
  readonly full_refresh: boolean;
  readonly target_path: string;
  /** Parsed state of this content of the folder by this environment's dbt, shared by its runs. */
  readonly parse_cache: string;
  readonly state_dir: string;
  readonly warnings: readonly string[];
  /** What is tried again: alike for all attempts at a step, also for those of runs that were made to retry its run. */
  readonly work: string;
}

/**
 * Pure: a spec as the request for the Python side. Times are UTC, `2026-01-05 00:00:00`, so that the windows of a zone with
 * daylight saving never overlap.
 */
export function dbtRequest(
  spec: StepSpec,
  portions: readonly StepPortion[],
  places: { readonly stepDir: string; readonly stateDir: string; readonly python: string },
): DbtRequest {
  const config = spec.config.dbt;
  invariant(config !== undefined, `${spec.pipeline} is a dbt pipeline without dbt settings`);
  const partitioned = spec.partitions.kind !== 'none';
  const stateDir = `${places.stateDir}/dbt`;
  return {
    assets: spec.assets.map(({ key, resource }) => {
      invariant(resource !== undefined, `${key} names no node of the dbt project`);
      return { key, unique_id: resource };
    }),
    vars: config.vars,
    portions: portions.map((portion) => ({
      partition: portion.key,
      vars: partitionVars(portion),
      variables: portionVariables(portion, spec.timezone),
    })),
    target: config.target ?? null,
    full_refresh: spec.fullRefresh && !partitioned,
    target_path: `${places.stepDir}/target`,
    parse_cache: `${stateDir}/parsed/${sha256([spec.code.contentDigest, config.target ?? '', places.python].join('\0')).slice(0, 16)}.msgpack`,
    state_dir: stateDir,
    warnings:
      spec.fullRefresh && partitioned
        ? ['full refresh of a partition builds it again; tables and the other partitions are kept']
        : [],
    work: `${workRunId(spec)}/${spec.ref.stepKey}`,
  };
}

function partitionVars({ key, dimensions, window }: StepPortion): Record<string, string> {
  const vars: Record<string, string> = {};
  if (window !== null) {
    vars.start_time = dbtTime(window.start);
    vars.end_time = dbtTime(window.end);
  }
  if (key !== null) vars.partition_key = key;
  for (const [dimension, part] of Object.entries(dimensions)) {
    vars[dimension] = part;
    vars[`partition_key_${dimension}`] = part;
  }
  return vars;
}

function dbtTime(instant: number): string {
  return new Date(instant).toISOString().slice(0, 19).replace('T', ' ');
}
