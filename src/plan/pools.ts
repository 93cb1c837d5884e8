import type { AssetNode, Definitions } from '../definitions/definitions.ts';
import type { PipelineState } from '../state/snapshot.ts';

/** Tools that keep one working folder per pipeline, or lock the file they write, run one step of a pipeline at a time. */
const SERIAL_TOOLS: ReadonlySet<string> = new Set(['dlt', 'sling', 'dbt']);

/**
 * Every pool that a step of this pipeline holds a slot of: those of `dagster.yaml`; `pipeline:…`, its own limit; and
 * `dest:…`, the shared DuckDB file, which one process at a time can write (DuckDB refuses the second one at once).
 */
export function poolsOf(component: string, pipeline: PipelineState, nodes: readonly AssetNode[]): string[] {
  const { config } = pipeline;
  const pools = new Set(config.pools);
  if (pipelineLimit(pipeline) !== null) pools.add(`pipeline:${component}/${pipeline.name}`);
  const usesDuckDb = nodes.some((node) => node.kinds.includes('duckdb') || readsDuckDb(node));
  if (usesDuckDb || writesDuckDbByDefault(pipeline)) pools.add('dest:duckdb');
  return [...pools].sort();
}

/** Pipelines that no code makes go to DuckDB unless a variable says where else. */
function writesDuckDbByDefault({ config }: PipelineState): boolean {
  const { dlt } = config;
  if (dlt === undefined || dlt.destination !== undefined) return dlt?.destination === 'duckdb';
  const isMadeForIt =
    dlt.sourceModule !== undefined || dlt.sources !== undefined || dlt.script === 'definitions.py';
  return isMadeForIt && !Object.keys(config.env).some((name) => name.endsWith('DESTINATION_TYPE'));
}

/** A check holds the file too, while it looks at it: its connection says by its name that it is one. */
function readsDuckDb(node: AssetNode): boolean {
  return node.checks.some((check) => {
    if (check.kind !== 'declared') return false;
    const { connection } = check.settings;
    return typeof connection === 'string' && /duckdb/i.test(connection);
  });
}

/** Limits of all pools, implicit ones included. A pool that is not named here has no limit. */
export function poolLimits(definitions: Definitions): Record<string, number> {
  const limits: Record<string, number> = { 'dest:duckdb': 1, ...definitions.instance.pools };
  for (const [id, pipeline] of definitions.pipelines) {
    const limit = pipelineLimit(pipeline);
    if (limit !== null) limits[`pipeline:${id}`] = limit;
  }
  return limits;
}

function pipelineLimit({ config }: PipelineState): number | null {
  return config.maxConcurrent ?? (SERIAL_TOOLS.has(config.tool) ? 1 : null);
}
