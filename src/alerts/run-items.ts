import type { AlertSeverity } from '../definitions/alerts.ts';
import type { AssetKey } from '../definitions/definitions.ts';
import type { RunState, StepState } from '../events/run-state.ts';
import type { CheckEvent } from '../events/step-event.ts';
import type { Instant } from '../lib/clock.ts';
import type { PartitionSelection, RunPlan, StepPlan } from '../plan/run-plan.ts';
import { type AlertItem, firstLine } from './alert-item.ts';

/** A run that has ended. */
export interface EndedRun {
  readonly plan: RunPlan;
  readonly state: RunState;
  readonly outcome: 'succeeded' | 'failed' | 'canceled';
  /** Of a failure. */
  readonly reason: string;
  readonly at: Instant;
  /** The service launched it once more by itself: what failed in it is not final. */
  readonly retriedByItself: boolean;
  /** Results of checks in the order in which they came, of all attempts. */
  readonly checks: readonly { readonly stepKey: string; readonly event: CheckEvent }[];
}

export interface RunFindings {
  readonly items: readonly AlertItem[];
  /** Assets that it wrote: a failure of theirs may be over. */
  readonly written: readonly AssetKey[];
  /** `asset:check` that passed in the end. */
  readonly passed: readonly string[];
}

/** What an ended run gives reason to tell. Nothing that is still tried: attempts of steps, runs that are run again. */
export function runFindings(run: EndedRun): RunFindings {
  const checks = checkFindings(run);
  const failure = run.outcome === 'failed' && !run.retriedByItself ? failureItem(run) : null;
  return {
    items: [...(failure === null ? [] : [failure]), ...checks.items],
    written: run.plan.steps.flatMap((step) => writtenOf(step, run.state.steps[step.stepKey])),
    passed: checks.passed,
  };
}

function failureItem(run: EndedRun): AlertItem {
  const { plan, state } = run;
  const failed = plan.steps.filter(({ stepKey }) => state.steps[stepKey]?.status === 'failed');
  // None: a run before it in the same launch failed, so that all of it was skipped.
  const steps = failed.length > 0 ? failed : plan.steps;
  const [first] = steps;
  const keys = [...new Set(steps.flatMap((step) => unwrittenOf(step, state.steps[step.stepKey])))];
  const error = failed.length > 0 ? state.steps[first!.stepKey]?.error?.message : undefined;
  return {
    event: 'run_failure',
    subjects: keys.length > 0 ? keys : [plan.jobName],
    severity: 'ERROR',
    at: run.at,
    components: [...new Set(plan.steps.map(({ component }) => component))],
    assetKeys: keys,
    what: named(keys) ?? plan.jobName,
    partition: partitionText(plan.partitions),
    cause: firstLine(error ?? run.reason),
    runId: plan.runId,
    backfillId: plan.cause.kind === 'backfill' ? plan.cause.backfillId : (plan.tags['backfill'] ?? null),
    schedule: plan.cause.kind === 'schedule' ? plan.cause.schedule : null,
    commit: first === undefined ? null : commitOf(first),
    page: `/runs/${encodeURIComponent(plan.runId)}`,
  };
}

function checkFindings(run: EndedRun): { items: AlertItem[]; passed: string[] } {
  const { plan, state } = run;
  const last = new Map<string, EndedRun['checks'][number]>();
  for (const check of run.checks) {
    const { asset_key: asset, check_name: name, partition } = check.event;
    last.set(JSON.stringify([asset, name, partition ?? null]), check);
  }
  const failing = new Map<string, { step: StepPlan; events: CheckEvent[] }>();
  const passed = new Set<string>();
  for (const { stepKey, event } of last.values()) {
    const step = plan.steps.find((one) => one.stepKey === stepKey);
    if (step === undefined) continue;
    // What is to be run again will be checked again.
    if (run.retriedByItself && state.steps[stepKey]?.status !== 'succeeded') continue;
    const subject = `${event.asset_key}:${event.check_name}`;
    if (event.passed) passed.add(subject);
    else {
      const known = failing.get(subject) ?? { step, events: [] };
      known.events.push(event);
      failing.set(subject, known);
    }
  }
  const items = [...failing].map(([subject, { step, events }]): AlertItem => {
    const partitions = events.flatMap(({ partition }) => partition ?? []);
    const severity: AlertSeverity = events.some((event) => event.severity === 'ERROR') ? 'ERROR' : 'WARN';
    return {
      event: 'check_failure',
      subjects: [subject],
      severity,
      at: run.at,
      components: [step.component],
      assetKeys: [events[0]!.asset_key],
      what: subject,
      partition:
        partitions.length > 0
          ? partitionText({ kind: 'keys', keys: partitions })
          : partitionText(plan.partitions),
      cause: checkCause(events[0]!),
      runId: plan.runId,
      backfillId: null,
      schedule: null,
      commit: commitOf(step),
      page: `/assets/${encodeURIComponent(events[0]!.asset_key)}?tab=checks`,
    };
  });
  return { items, passed: [...passed].filter((subject) => !failing.has(subject)) };
}

/** What the check says of itself, in the words that our runners use; without one, that it did not pass. */
function checkCause({ metadata }: CheckEvent): string {
  for (const key of ['message', 'description', 'reason', 'error']) {
    const text = metadata[key];
    if (typeof text === 'string' && text.trim() !== '') return firstLine(text);
  }
  const numbers = Object.entries(metadata).flatMap(([key, value]) =>
    typeof value === 'number' ? [`${key} ${value}`] : [],
  );
  return numbers.length === 0 ? 'it did not pass' : firstLine(numbers.slice(0, 4).join(', '));
}

function writtenOf(step: StepPlan, state: StepState | undefined): AssetKey[] {
  const keys = step.assets.map(({ key }) => key);
  if (state?.status === 'succeeded') return keys;
  return keys.filter((key) => state?.finishedAssets.includes(key) === true);
}

/** All of them when it wrote all and failed nevertheless: a blocking check. */
function unwrittenOf(step: StepPlan, state: StepState | undefined): AssetKey[] {
  const keys = step.assets.map(({ key }) => key);
  const left = keys.filter((key) => state?.finishedAssets.includes(key) !== true);
  return left.length > 0 ? left : keys;
}

function commitOf({ code }: StepPlan): AlertItem['commit'] {
  return { component: code.component, sha: code.commit };
}

/** `a`, `a and b`, `a, b and 3 more`; null: none. */
export function named(keys: readonly string[]): string | null {
  const [first, second] = keys;
  if (first === undefined) return null;
  if (second === undefined) return first;
  if (keys.length === 2) return `${first} and ${second}`;
  return `${first}, ${second} and ${keys.length - 2} more`;
}

export function partitionText(selection: PartitionSelection): string | null {
  switch (selection.kind) {
    case 'none':
      return null;
    case 'key':
      return selection.key;
    case 'range':
      return `${selection.start} … ${selection.end}`;
    case 'keys':
      return named(selection.keys);
  }
}
