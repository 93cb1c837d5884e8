import type { AssetKey, AssetNode, Definitions } from '../definitions/definitions.ts';
import type { ErrorCode } from '../lib/errors.ts';
import { groupIntoRuns } from '../partitions/backfill-runs.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import { requestedKeys } from './partition-request.ts';
import { planOperation } from './plan-operation.ts';
import { planSteps } from './plan-steps.ts';
import type { PartitionSelection, RunPlan, RunRequest } from './run-plan.ts';
import { groupByLabel } from './step-graph.ts';

export type PlanResult =
  | { readonly ok: true; readonly launchId: string; readonly runs: readonly RunPlan[] }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string; readonly hint?: string };

export interface PlanContext {
  readonly now: number;
  /** A new run or launch id. */
  readonly newId: () => string;
}

const UNPARTITIONED = '';

/**
 * A launch → 1..n runs. Assets of one partitions definition run together, one run per partition (or as the backfill
 * policy says); several definitions give several runs, each after those that its assets depend on.
 */
export function planRun(definitions: Definitions, request: RunRequest, context: PlanContext): PlanResult {
  if (request.operation !== undefined) return planOperation(definitions, request, request.operation, context);
  const asked = request.assets.map((key) => definitions.assets.nodes.get(key));
  const refusal = refuseSelection(asked, request.assets);
  if (refusal !== null) return refusal;
  const nodes = (asked as AssetNode[]).filter((node) => node.enabled);
  const keys = nodes.map((node) => node.key);

  const labels = new Map<AssetKey, string>();
  const partitionsByLabel = new Map<string, PartitionsDefinition>();
  for (const node of nodes) {
    const label = node.partitions === undefined ? UNPARTITIONED : JSON.stringify(node.partitions);
    labels.set(node.key, label);
    if (node.partitions !== undefined) partitionsByLabel.set(label, node.partitions);
  }

  const selectionsByLabel = new Map<string, readonly PartitionSelection[]>([
    [UNPARTITIONED, [{ kind: 'none' }]],
  ]);
  for (const [label, partitions] of partitionsByLabel) {
    const requested = requestedKeys(partitions, request.partitions, context.now);
    if (!requested.ok) return { ...requested, message: `${firstOf(labels, label)}: ${requested.message}` };
    const policy = definitions.assets.nodes.get(firstOf(labels, label))!.backfillPolicy;
    selectionsByLabel.set(label, selectionsOf(partitions, requested.keys, policy, context.now));
  }

  const launchId = context.newId();
  const groups = groupByLabel(definitions.assets, keys, (key) => labels.get(key)!);
  const runIds: { runId: string; selection: PartitionSelection }[][] = [];
  const runs: RunPlan[] = [];
  for (const group of groups) {
    const own: { runId: string; selection: PartitionSelection }[] = [];
    runIds.push(own);
    for (const selection of selectionsByLabel.get(group.label)!) {
      const runId = context.newId();
      own.push({ runId, selection });
      const after = group.needs.flatMap((index) =>
        runsBefore(runIds[index]!, groups[index]!.label === group.label, selection),
      );
      runs.push({
        runId,
        launchId,
        definitionsDigest: definitions.digest,
        jobName: jobNameOf(definitions, group.keys),
        steps: planSteps(definitions, group.keys, selection, request, context.now),
        after,
        partitions: selection,
        cause: request.cause,
        tags: request.tags,
        config: request.config,
        priority: request.priority,
        runRetriesLeft: definitions.instance.runRetries.enabled
          ? definitions.instance.runRetries.maxRetries
          : 0,
      });
    }
  }
  return { ok: true, launchId, runs };
}

/** A later group of the same definition waits for the same partition only. */
function runsBefore(
  earlier: readonly { runId: string; selection: PartitionSelection }[],
  sameDefinition: boolean,
  selection: PartitionSelection,
): string[] {
  const text = JSON.stringify(selection);
  return earlier
    .filter((run) => !sameDefinition || JSON.stringify(run.selection) === text)
    .map((run) => run.runId);
}

function selectionsOf(
  partitions: PartitionsDefinition,
  keys: readonly string[],
  policy: AssetNode['backfillPolicy'],
  now: number,
): PartitionSelection[] {
  if (policy.type === 'multi_run' && policy.maxPartitionsPerRun === 1)
    return keys.map((key) => ({ kind: 'key', key }));
  return groupIntoRuns(partitions, keys, policy, now).map((run) =>
    run.keys.length === 1
      ? { kind: 'key', key: run.keys[0]! }
      : { kind: 'range', start: run.keys[0]!, end: run.keys.at(-1)! },
  );
}

/** Disabled assets are left out of a wider selection; alone they are refused, as are assets that nobody here makes. */
export function refuseSelection(
  nodes: readonly (AssetNode | undefined)[],
  keys: readonly AssetKey[],
): Extract<PlanResult, { readonly ok: false }> | null {
  const [first] = nodes;
  if (nodes.length === 0) return { ok: false, code: 'SELECTION_EMPTY', message: 'no asset was selected' };
  const unknown = nodes.findIndex((node) => node === undefined || node.kind === 'external');
  if (unknown !== -1) {
    return { ok: false, code: 'ASSET_NOT_FOUND', message: `no pipeline makes an asset "${keys[unknown]}"` };
  }
  if (first === undefined || nodes.some((node) => node?.enabled === true)) return null;
  return {
    ok: false,
    code: 'PIPELINE_DISABLED',
    message: `${first.key} belongs to the disabled pipeline ${first.pipeline}`,
    hint: `set "enabled: true" in ${first.source.file}`,
  };
}

function firstOf(labels: ReadonlyMap<AssetKey, string>, label: string): AssetKey {
  for (const [key, value] of labels) if (value === label) return key;
  return '';
}

/** What people call a run of these assets: the job that has them and no others, else their names. */
export function jobNameOf(definitions: Definitions, keys: readonly AssetKey[]): string {
  const wanted = new Set(keys);
  for (const job of definitions.jobs.values()) {
    if (job.assets.length === wanted.size && job.assets.every((key) => wanted.has(key))) return job.name;
  }
  return keys.length === 1 ? keys[0]! : `${keys[0]} +${keys.length - 1}`;
}
