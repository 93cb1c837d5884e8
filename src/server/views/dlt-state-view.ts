import { z } from 'zod';
import type { AssetNode } from '../../definitions/definitions.ts';
import type { EventRecord } from '../../events/run-event.ts';
import type { RunPlan } from '../../plan/run-plan.ts';
import type { MaterializationRow, RunSummary } from '../../store/store.ts';
import {
  type DltDrop,
  DltDropped,
  type DltPipeline,
  DltPipelineState,
  type DltStateReport,
  DltTable,
} from '../contract/dlt-state.ts';
import { causeView } from './run-view.ts';
import { timestamp, timestampOrNull, type ViewContext } from './view-context.ts';

/** What `python/elt_runner/dlt_state_runner.py` reports; a state is told in parts, since an event has to fit into a line. */
const Facts = z.object({
  type: z.literal('dlt_state'),
  pipeline: z.string(),
  dlt_version: z.string(),
  facts: DltPipelineState.omit({ tables: true, state: true }),
});
const Tables = z.object({
  type: z.literal('dlt_state_tables'),
  pipeline: z.string(),
  tables: z.array(DltTable),
});
const State = z.object({
  type: z.literal('dlt_state_json'),
  pipeline: z.string(),
  state: z.record(z.string(), z.unknown()).nullable(),
});
const Dropped = z.object({
  type: z.enum(['dlt_dropped', 'dlt_drop_preview']),
  pipelines: z.array(DltDropped),
});

/**
 * The state that a run read; null if its events are not there any more.
 * @param events of that run, of type `other`
 * @param home of the service: paths inside it are told from there
 */
export function stateReport(
  run: RunSummary,
  events: readonly EventRecord[],
  home: string,
): DltStateReport | null {
  const payloads = ofLastAttempt(events);
  const pipelines = payloads.flatMap((payload) => {
    const parsed = Facts.safeParse(payload);
    if (!parsed.success) return [];
    const { facts, pipeline } = parsed.data;
    const tables = payloads.flatMap((one) => {
      const part = Tables.safeParse(one);
      return part.success && part.data.pipeline === pipeline ? part.data.tables : [];
    });
    const state = payloads.map((one) => State.safeParse(one)).find((one) => one.data?.pipeline === pipeline);
    return [
      { ...facts, working_dir: fromHome(facts.working_dir, home), tables, state: state?.data?.state ?? null },
    ];
  });
  if (pipelines.length === 0) return null;
  const version = payloads.map((payload) => Facts.safeParse(payload)).find((one) => one.success);
  return {
    run_id: run.runId,
    read_at: timestamp(run.endedAt ?? run.createdAt),
    commit: run.commits[0]?.commit ?? null,
    dlt_version: version?.data?.dlt_version ?? '',
    pipelines,
  };
}

export function dropView(run: RunSummary, plan: RunPlan, events: readonly EventRecord[]): DltDrop {
  const operation = plan.steps[0]?.operation;
  const dropped = ofLastAttempt(events).map((payload) => Dropped.safeParse(payload));
  return {
    run_id: run.runId,
    status: run.status,
    dry_run: operation?.action === 'preview',
    cause: causeView(run.cause),
    at: timestamp(run.createdAt),
    ended_at: timestampOrNull(run.endedAt),
    resources: operation?.resources == null ? null : [...operation.resources],
    dropped: dropped.flatMap((one) => (one.success ? one.data.pipelines : [])),
    error: run.error?.message ?? null,
  };
}

/**
 * @param nodes of the pipeline
 * @param latest last materialization of each asset; those that never were are not in it
 */
export function pipelineView(
  { definitions }: ViewContext,
  id: string,
  nodes: readonly AssetNode[],
  latest: ReadonlyMap<string, MaterializationRow>,
): DltPipeline {
  const pipeline = definitions.pipelines.get(id)!;
  const assets = nodes.map(({ key, resource }) => {
    const last = latest.get(key);
    const { rows, cursor } = last?.metadata ?? {};
    return {
      key,
      resource: resource ?? null,
      last_load_at: timestampOrNull(last?.at),
      run_id: last?.runId ?? null,
      partition: last?.partition ?? null,
      rows: typeof rows === 'number' ? rows : null,
      cursor: isRecord(cursor) ? cursor : null,
    };
  });
  const newest = nodes
    .flatMap(({ key }) => latest.get(key) ?? [])
    .reduce<MaterializationRow | null>((best, row) => (best === null || row.at > best.at ? row : best), null);
  const { destination, dataset } = newest?.metadata ?? {};
  const named = assets.flatMap(({ resource }) => (resource === null ? [] : [resource]));
  return {
    component: pipeline.code.component,
    pipeline: pipeline.name,
    dir: pipeline.code.dir,
    enabled: pipeline.config.enabled,
    held: pipeline.status === 'held',
    partitioned: nodes.some((node) => node.partitions !== undefined),
    resources: named.length > 0 ? named : resourcesOf(pipeline.config.dlt?.resources ?? [], newest),
    assets,
    destination: typeof destination === 'string' ? destination : null,
    dataset: typeof dataset === 'string' ? dataset : null,
    last_load_at: timestampOrNull(newest?.at),
  };
}

/** Assets of every pipeline, by its id `component/name`. */
export function assetsByPipeline({ definitions }: ViewContext): ReadonlyMap<string, readonly AssetNode[]> {
  const found = new Map<string, AssetNode[]>();
  for (const node of definitions.assets.nodes.values()) {
    const id = `${node.component}/${node.pipeline}`;
    const known = found.get(id);
    if (known === undefined) found.set(id, [node]);
    else known.push(node);
  }
  return found;
}

/** Of one asset for a whole folder the resources are known by the cursors (`<resource>.<cursor>`) and tables of its last load. */
function resourcesOf(declared: readonly string[], newest: MaterializationRow | null): string[] {
  if (declared.length > 0) return [...declared];
  const { cursor, tables } = newest?.metadata ?? {};
  const byCursor = isRecord(cursor)
    ? Object.keys(cursor).map((path) => path.slice(0, path.indexOf('.')))
    : [];
  const roots = isRecord(tables) ? Object.keys(tables).filter((name) => !name.includes('__')) : [];
  return [...new Set([...byCursor, ...roots])].filter((name) => name !== '').sort();
}

function ofLastAttempt(events: readonly EventRecord[]): Readonly<Record<string, unknown>>[] {
  const last = Math.max(...events.map(({ attempt }) => attempt ?? 0));
  return events.flatMap(({ attempt, event }) =>
    event.type === 'other' && attempt === last ? [event.payload] : [],
  );
}

function fromHome(path: string, home: string): string {
  return path.startsWith(`${home}/`) ? `$ELT_HOME${path.slice(home.length)}` : path;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
