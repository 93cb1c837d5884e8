import type { EventRecord, StepError } from '../../events/run-event.ts';
import { type RunState, type RunStatus, type StepState, TERMINAL_RUN } from '../../events/run-state.ts';
import type { PartitionSelection, Cause as PlanCause, RunPlan, StepPlan } from '../../plan/run-plan.ts';
import type { RunSummary as RunRow } from '../../store/store.ts';
import type { PartitionSelection as PartitionSelectionView } from '../contract/common.ts';
import type { Cause, RunDetail, RunSummary, Step, StepErrorInfo } from '../contract/run.ts';
import { commitView, linkOf, timestamp, timestampOrNull, type ViewContext } from './view-context.ts';

const RUNNING_STEPS: ReadonlySet<string> = new Set(['dispatched', 'running']);

export function runSummary(context: ViewContext, row: RunRow): RunSummary {
  const counts = row.stepCounts;
  const sum = (names: Iterable<string>): number => [...names].reduce((n, name) => n + (counts[name] ?? 0), 0);
  return {
    run_id: row.runId,
    launch_id: row.launchId,
    job_name: row.jobName,
    status: row.status,
    cause: causeView(row.cause),
    tags: { ...row.tags },
    asset_keys: [...row.assetKeys],
    partitions: partitionsView(row.partitions),
    commits: row.commits.map((commit) => commitView(context, commit)),
    created_at: timestamp(row.createdAt),
    started_at: timestampOrNull(row.startedAt),
    ended_at: timestampOrNull(row.endedAt),
    seconds: row.startedAt === null ? null : ((row.endedAt ?? context.now) - row.startedAt) / 1000,
    steps: {
      total: sum(Object.keys(counts)),
      succeeded: counts['succeeded'] ?? 0,
      failed: counts['failed'] ?? 0,
      running: sum(RUNNING_STEPS),
    },
    error: row.error === null ? null : stepError(context, row.error, null),
  };
}

export interface RunFacts {
  readonly row: RunRow;
  readonly plan: RunPlan;
  readonly state: RunState;
  /** The run's `materialization` and `check` events. */
  readonly events: readonly EventRecord[];
  /** Status of the runs that it waits for. */
  readonly after: Readonly<Record<string, string>>;
  /** Pools without a free slot. */
  readonly fullPools: ReadonlySet<string>;
}

export function runDetail(context: ViewContext, facts: RunFacts): RunDetail {
  const { row, plan, state } = facts;
  const failed = plan.steps.find((step) => state.steps[step.stepKey]?.error != null);
  const summary = runSummary(context, row);
  return {
    ...summary,
    error: row.error === null ? null : stepError(context, row.error, failed ?? null),
    steps_list: plan.steps.map((step) => stepView(context, facts, step)),
    materializations: facts.events.flatMap(({ event, at, stepKey }) =>
      event.type === 'materialization'
        ? [
            {
              asset_key: event.asset_key,
              partition: event.partition ?? null,
              at: timestamp(at),
              step_key: stepKey ?? '',
              metadata: event.metadata,
            },
          ]
        : [],
    ),
    checks: facts.events.flatMap(({ event, at }) =>
      event.type === 'check'
        ? [
            {
              asset_key: event.asset_key,
              check_name: event.check_name,
              passed: event.passed,
              severity: event.severity,
              at: timestamp(at),
              metadata: event.metadata,
            },
          ]
        : [],
    ),
    definitions_digest: plan.definitionsDigest,
    config: { ...plan.config },
    priority: plan.priority,
    after: [...plan.after],
  };
}

export function causeView(cause: PlanCause): Cause {
  const none = { schedule: null, tick: null, run_id: null, backfill_id: null };
  switch (cause.kind) {
    case 'schedule': {
      const tick = timestamp(cause.tick);
      return {
        ...none,
        kind: cause.kind,
        text: `schedule ${cause.schedule}`,
        schedule: cause.schedule,
        tick,
      };
    }
    case 'backfill':
      return {
        ...none,
        kind: cause.kind,
        text: `backfill ${cause.backfillId}`,
        backfill_id: cause.backfillId,
      };
    case 'retry':
      return {
        ...none,
        kind: cause.kind,
        text: `retry of ${cause.runId} by ${cause.by}`,
        run_id: cause.runId,
      };
    case 'run_retry':
      return { ...none, kind: cause.kind, text: `automatic retry of ${cause.runId}`, run_id: cause.runId };
    case 'automation':
      return { ...none, kind: cause.kind, text: `automation ${cause.evaluationId}` };
    case 'cli':
      return { ...none, kind: cause.kind, text: `${cause.user} on the command line` };
    case 'page':
      return {
        ...none,
        kind: cause.kind,
        text: cause.user === 'page' ? 'the page' : `${cause.user} on the page`,
      };
    case 'api':
      return { ...none, kind: cause.kind, text: 'the API' };
  }
}

function stepView(context: ViewContext, facts: RunFacts, step: StepPlan): Step {
  const state = facts.state.steps[step.stepKey];
  return {
    step_key: step.stepKey,
    pipeline: step.pipeline,
    tool: step.tool,
    status: state?.status ?? 'waiting',
    attempt: state?.attempt ?? 0,
    retries_spent: state?.retriesSpent ?? 0,
    max_retries: step.retry?.maxRetries ?? 0,
    retry_at: timestampOrNull(state?.retryAt),
    dispatched_at: timestampOrNull(state?.dispatchedAt),
    started_at: timestampOrNull(state?.startedAt),
    ended_at: timestampOrNull(state?.endedAt),
    needs: [...step.needs],
    asset_keys: step.assets.map((asset) => asset.key),
    partitions: partitionsView(step.partitions),
    commit: commitView(context, step.code),
    content_digest: step.code.contentDigest,
    latest: latestOf(context, step),
    pools: [...step.pools],
    waiting_for: waitingFor(facts, step, state),
    error: state?.error == null ? null : stepError(context, state.error, step),
  };
}

function latestOf(context: ViewContext, { component, pipeline, code }: StepPlan): Step['latest'] {
  const today = context.definitions.pipelines.get(`${component}/${pipeline}`);
  if (today === undefined) return null;
  return {
    commit: commitView(context, today.code),
    changed: today.code.contentDigest !== code.contentDigest,
  };
}

/** The nearest reason why a step has not started; null if it has, or will at once. */
function waitingFor(facts: RunFacts, step: StepPlan, state: StepState | undefined): string | null {
  if (state?.status === 'retry_wait') {
    return state.retryAt === null ? 'its retry' : `its retry at ${timestamp(state.retryAt)}`;
  }
  if (state !== undefined && state.status !== 'waiting') return null;
  const run = facts.plan.after.find((id) => facts.after[id] !== 'SUCCESS');
  if (run !== undefined) return `run ${run}, which has to succeed first`;
  const earlier = facts.plan.waitsFor?.find((id) => !TERMINAL_RUN.has(facts.after[id] as RunStatus));
  if (earlier !== undefined) return `run ${earlier}, which has to end first`;
  const need = step.needs.find((key) => facts.state.steps[key]?.status !== 'succeeded');
  if (need !== undefined) return `step ${need}`;
  const pool = step.pools.find((name) => facts.fullPools.has(name));
  return pool === undefined ? 'a free slot' : `a free slot of pool ${pool}`;
}

function stepError(context: ViewContext, error: StepError, step: StepPlan | null): StepErrorInfo {
  const { file, line } = error;
  const path = file === undefined || step === null ? null : pathInRepository(step.code.dir, file);
  return {
    code: error.code,
    message: error.message,
    failure_class: error.failureClass,
    stack: error.stack ?? null,
    file: path ?? file ?? null,
    line: line ?? null,
    exit_code: error.exitCode ?? null,
    url:
      path === null || step === null
        ? null
        : linkOf(context, step.component, {
            commit: step.code.commit,
            path,
            ...(line === undefined ? {} : { line }),
          }),
  };
}

/** Tools name files of the folder relative to it, or to the repository; a file elsewhere (a library) has no link. */
function pathInRepository(dir: string, file: string): string | null {
  if (file.startsWith('/') || file.startsWith('..')) return null;
  return file === dir || file.startsWith(`${dir}/`) ? file : `${dir}/${file}`;
}

function partitionsView(selection: PartitionSelection): PartitionSelectionView {
  return selection.kind === 'keys' ? { kind: 'keys', keys: [...selection.keys] } : { ...selection };
}
