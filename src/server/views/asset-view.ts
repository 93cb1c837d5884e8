import type { AssetCheck, AssetNode, ScheduleDefinition } from '../../definitions/definitions.ts';
import { nextTick } from '../../partitions/cron.ts';
import { scheduleStatus } from '../../plan/schedule-status.ts';
import type {
  AssetStatusRow,
  CheckResultRow,
  MaterializationRow,
  ScheduleStateRow,
} from '../../store/store.ts';
import type { AssetDetail, AssetState, AssetSummary, Materialization } from '../contract/asset.ts';
import { automationAsset, type NewestEvaluations } from './automation-view.ts';
import { freshnessDetail, freshnessView } from './freshness-view.ts';
import type { StateOf } from './partition-grid.ts';
import { partitionsInfo, partitionsSummary } from './partitions-view.ts';
import { commitView, linkOf, timestamp, timestampOrNull, type ViewContext } from './view-context.ts';

/** What the store knows of one asset, fetched for all assets of a page at once. */
export interface AssetFacts {
  readonly status: AssetStatusRow | undefined;
  readonly recentRuns: AssetSummary['recent_runs'];
  readonly schedule: {
    readonly definition: ScheduleDefinition;
    readonly state: ScheduleStateRow | undefined;
  } | null;
}

export function assetSummary(context: ViewContext, node: AssetNode, facts: AssetFacts): AssetSummary {
  const { status } = facts;
  const partitions =
    node.partitions === undefined
      ? null
      : partitionsSummary(node.partitions, status?.partitionCounts ?? NO_COUNTS, context.now);
  return {
    key: node.key,
    kind: node.kind,
    component: node.component,
    pipeline: node.pipeline,
    tool: node.tool,
    group: node.group,
    description: node.description ?? null,
    owners: [...node.owners],
    tags: { ...node.tags },
    kinds: [...node.kinds],
    enabled: node.enabled,
    held: node.held,
    discovery: discoveryOf(context, node),
    deps: node.deps.map((dep) => dep.key),
    state: assetState(status, partitions?.counts ?? null),
    partitions,
    schedule: scheduleOf(context, facts.schedule),
    latest: latestOf(status?.latest ?? null),
    latest_run: status?.latestRun == null ? null : runMark(status.latestRun),
    recent_runs: [...facts.recentRuns],
    failing_checks: (status?.checks ?? []).filter((check) => !check.passed).length,
    freshness: freshnessView(context, node, status?.latest?.at ?? null),
    code: node.code === null ? null : commitView(context, node.code),
  };
}

export interface AssetDetailFacts extends AssetFacts {
  readonly checks: readonly CheckResultRow[];
  readonly evaluations: NewestEvaluations;
  /** Null: not partitioned. */
  readonly partitionState: StateOf | null;
  /** Text of the `dagster.yaml`; null if it cannot be read. */
  readonly definition: string | null;
}

export function assetDetail(context: ViewContext, node: AssetNode, facts: AssetDetailFacts): AssetDetail {
  const summary = assetSummary(context, node, facts);
  const partitions =
    node.partitions === undefined || facts.partitionState === null
      ? null
      : partitionsInfo(node.partitions, facts.partitionState, context.now);
  const { retryPolicy, source } = node;
  return {
    ...summary,
    partitions,
    state: assetState(facts.status, partitions?.counts ?? null),
    code_version: node.codeVersion,
    downstream: [...(context.definitions.assets.downstream.get(node.key) ?? [])].sort(),
    columns: node.columns.map(({ name, type, description }) => ({
      name,
      type: type ?? null,
      description: description ?? null,
    })),
    metadata: node.metadata.map(({ key, value, type }) => ({ key, value, type })),
    compiled_sql: node.compiledSql ?? null,
    latest_metadata: { ...facts.status?.latest?.metadata },
    retry_policy:
      retryPolicy === undefined
        ? null
        : {
            max_retries: retryPolicy.maxRetries,
            delay: retryPolicy.delay,
            backoff: retryPolicy.backoff ?? null,
            jitter: retryPolicy.jitter ?? null,
          },
    automation_condition: node.automation?.condition ?? null,
    automation: automationAsset(node, facts.evaluations),
    freshness: freshnessDetail(node, summary.freshness),
    checks: node.checks.map((check) => checkView(check, facts.checks)),
    source: {
      file: source.file,
      line: source.line,
      url:
        node.code === null
          ? null
          : linkOf(context, node.component, {
              commit: node.code.commit,
              path: source.file,
              line: source.line,
            }),
    },
    definition: facts.definition,
  };
}

export function materializationView(row: MaterializationRow): Materialization {
  return {
    event_id: row.eventId,
    at: timestamp(row.at),
    run_id: row.runId,
    step_key: row.stepKey,
    partition: row.partition,
    commit: row.commit,
    code_version: row.codeVersion,
    metadata: { ...row.metadata },
  };
}

export function runMark(run: {
  readonly runId: string;
  readonly status: AssetSummary['recent_runs'][number]['status'];
  readonly at: number;
}): AssetSummary['recent_runs'][number] {
  return { run_id: run.runId, status: run.status, at: timestamp(run.at) };
}

const NO_COUNTS = { materialized: 0, failed: 0, in_progress: 0 };

/**
 * One word for an asset. What its newest run did with it comes first: a run that still works on it, or ended badly before
 * it wrote it; then what there is of its partitions.
 */
export function assetState(
  status: AssetStatusRow | undefined,
  counts: { total: number; materialized: number; failed: number; in_progress: number } | null,
): AssetState {
  const run = status?.latestRun ?? null;
  const latest = status?.latest ?? null;
  const wroteIt = run !== null && latest?.runId === run.runId;
  if (run !== null && !wroteIt) {
    if (run.status === 'QUEUED') return 'queued';
    if (run.status === 'STARTED' || run.status === 'CANCELING') return 'running';
    if (run.status === 'FAILURE') return 'failed';
  }
  if (counts === null) return latest === null ? 'never' : 'materialized';
  if (counts.in_progress > 0) return 'running';
  if (counts.materialized === 0 && counts.failed === 0) return 'never';
  if (counts.materialized === 0) return 'failed';
  return counts.materialized === counts.total ? 'materialized' : 'partly';
}

function latestOf(row: MaterializationRow | null): AssetSummary['latest'] {
  if (row === null) return null;
  return {
    at: timestamp(row.at),
    run_id: row.runId,
    partition: row.partition,
    rows: numberOf(row.metadata['rows']),
    bytes: numberOf(row.metadata['bytes']),
    seconds: numberOf(row.metadata['seconds']),
    commit: row.commit,
  };
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function discoveryOf(context: ViewContext, node: AssetNode): AssetSummary['discovery'] {
  if (node.kind === 'external') return null;
  return context.definitions.pipelines.get(`${node.component}/${node.pipeline}`)?.discovery.status ?? null;
}

function scheduleOf(context: ViewContext, facts: AssetFacts['schedule']): AssetSummary['schedule'] {
  if (facts === null) return null;
  const { definition, state } = facts;
  const { cron, timezone } = definition.config;
  const status = scheduleStatus(definition, state?.override, context.now);
  const next = status === 'RUNNING' ? nextTick(cron, timezone, context.now, { inclusive: false }) : null;
  return {
    name: definition.name,
    cron_schedule: [...cron],
    timezone,
    status,
    next_tick: timestampOrNull(next),
  };
}

function checkView(check: AssetCheck, results: readonly CheckResultRow[]): AssetDetail['checks'][number] {
  let latest: CheckResultRow | null = null;
  for (const result of results) {
    if (result.checkName === check.name && (latest === null || result.at >= latest.at)) latest = result;
  }
  return {
    name: check.name,
    kind: check.kind,
    type: check.kind === 'declared' ? check.type : null,
    blocking: check.blocking,
    severity: check.severity,
    description: check.kind === 'tool' ? (check.description ?? null) : null,
    latest:
      latest === null
        ? null
        : {
            passed: latest.passed,
            at: timestamp(latest.at),
            run_id: latest.runId,
            partition: latest.partition,
            metadata: { ...latest.metadata },
          },
  };
}
