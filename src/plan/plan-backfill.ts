import type { AssetKey, AssetNode, Definitions } from '../definitions/definitions.ts';
import type { ErrorCode } from '../lib/errors.ts';
import { downstreamOf, unpartitioned } from '../partitions/mapping/map-partitions.ts';
import type { PartitionSubset } from '../partitions/subset/partition-subset.ts';
import {
  emptySubset,
  intersectionOf,
  isEmpty,
  minus,
  unionOf,
} from '../partitions/subset/partition-subset.ts';
import { askedPartitions, definitionLabel } from './backfill-asked.ts';
import { partsOf } from './backfill-parts.ts';
import type { BackfillGroup } from './backfill-plan.ts';
import type { BackfillRequest } from './backfill-request.ts';
import { depsAndSelf, edgeMapping, reachOf } from './dependency-reach.ts';
import { refuseSelection } from './plan-run.ts';
import { groupByLabel } from './step-graph.ts';

/** What is known of an asset's partitions today; of an unpartitioned asset subsets of `unpartitioned`. */
export interface AssetPartitions {
  /** Written at least once. */
  readonly materialized: PartitionSubset;
  /** What happened last was a failure. */
  readonly failed: PartitionSubset;
  readonly inProgress: PartitionSubset;
}

export type BackfillPlan =
  | {
      readonly ok: true;
      /** Each after those that it needs; none when there is nothing to run, and then a note says why. */
      readonly groups: readonly BackfillGroup[];
      readonly notes: readonly string[];
    }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string; readonly hint?: string };

/**
 * What a backfill runs. Assets that nothing selected and partitioned lies right above get the partitions asked for, as do
 * others with the same definition; the rest get what those map to; unpartitioned ones run once. Works on subsets
 * throughout: 100,000 partitions cost what one range does.
 *
 * Assets of one definition and policy run together where their dependencies allow it (`step-graph.ts`).
 */
export function planBackfill(
  definitions: Definitions,
  request: BackfillRequest,
  statusOf: (key: AssetKey) => AssetPartitions,
  now: number,
): BackfillPlan {
  const selected = request.assets.map((key) => definitions.assets.nodes.get(key));
  const refusal = refuseSelection(selected, request.assets);
  if (refusal !== null) return refusal;
  const all = new Map((selected as AssetNode[]).map((node) => [node.key, node]));
  const notes: string[] = [];
  const disabled = [...all.values()].filter((node) => !node.enabled);
  if (disabled.length > 0) notes.push(disabledNote(disabled));
  const nodes = definitions.assets.order.flatMap((key) => {
    const node = all.get(key);
    return node?.enabled === true ? [node] : [];
  });

  const asked = askedPartitions(nodes, request.partitions, now);
  if (!asked.ok) return asked;
  notes.push(...asked.notes);
  const wanted = partitionsOfAssets(nodes, asked.byDefinition, now);
  if (request.only !== undefined) {
    for (const [key, subset] of wanted) wanted.set(key, lacking(subset, statusOf(key), request.only));
  }
  const left = nodes.filter((node) => !isEmpty(wanted.get(node.key)!));
  if (left.length === 0 && asked.notes.length === 0) notes.push(nothingNote(request));
  return { ok: true, groups: groupsOf(definitions, left, wanted, request, notes), notes };
}

/** The partitions of every asset, upstream first. */
function partitionsOfAssets(
  nodes: readonly AssetNode[],
  asked: ReadonlyMap<string, PartitionSubset>,
  now: number,
): Map<AssetKey, PartitionSubset> {
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  const wanted = new Map<AssetKey, PartitionSubset>();
  for (const node of nodes) {
    if (node.partitions === undefined) {
      wanted.set(node.key, unpartitioned);
      continue;
    }
    let subset = asked.get(definitionLabel(node.partitions));
    if (subset === undefined) {
      subset = emptySubset;
      for (const dep of node.deps) {
        const up = byKey.get(dep.key);
        if (up?.partitions === undefined) continue;
        const mapped =
          reachOf(up, node, dep) === 'own'
            ? wanted.get(up.key)!
            : downstreamOf(
                up.partitions,
                node.partitions,
                edgeMapping(up, node, dep),
                wanted.get(up.key)!,
                now,
              );
        subset = unionOf(subset, mapped);
      }
    }
    wanted.set(node.key, subset);
  }
  return wanted;
}

function lacking(
  subset: PartitionSubset,
  { materialized, failed, inProgress }: AssetPartitions,
  only: NonNullable<BackfillRequest['only']>,
): PartitionSubset {
  const atRest = minus(subset, inProgress);
  const broken = intersectionOf(atRest, failed);
  if (only === 'failed') return broken;
  const missing = minus(minus(atRest, materialized), failed);
  return only === 'missing' ? missing : unionOf(missing, broken);
}

/** The groups in which assets run, given the partitions wanted of each; upstream first. */
export function groupsOf(
  definitions: Definitions,
  nodes: readonly AssetNode[],
  wanted: ReadonlyMap<AssetKey, PartitionSubset>,
  request: Pick<BackfillRequest, 'singleRun' | 'order'>,
  notes: string[],
): BackfillGroup[] {
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  const levels = levelsOf(nodes, byKey);
  const labelOf = (key: AssetKey): string => {
    const node = byKey.get(key)!;
    const policy = JSON.stringify(policyOf(node, request));
    return `${levels.get(key)}\n${policy}\n${definitionLabel(node.partitions)}`;
  };
  const keys = nodes.map((node) => node.key);
  return groupByLabel(definitions.assets, keys, labelOf).map((group): BackfillGroup => {
    const members = group.keys.map((key) => byKey.get(key)!);
    const [first] = members as [AssetNode];
    const serial = isSerial(members);
    if (serial && request.order === 'desc') {
      notes.push(`${first.key} runs oldest first all the same: a partition needs an earlier one`);
    }
    return {
      definition: first.partitions ?? null,
      parts: partsOf(members.map(({ key }) => ({ key, subset: wanted.get(key)! }))),
      policy: policyOf(first, request),
      serial,
      needs: group.needs,
    };
  });
}

/**
 * Assets that need partitions of one with the same definition that come later (all of them, the last): one level below
 * it, so that they run in a group of their own, after it.
 */
function levelsOf(
  nodes: readonly AssetNode[],
  byKey: ReadonlyMap<AssetKey, AssetNode>,
): ReadonlyMap<AssetKey, number> {
  const levels = new Map<AssetKey, number>();
  for (const node of nodes) {
    let level = 0;
    for (const dep of node.deps) {
      const up = byKey.get(dep.key);
      if (up === undefined || !isSame(up, node)) continue;
      level = Math.max(level, levels.get(up.key)! + (reachOf(up, node, dep) === 'any' ? 1 : 0));
    }
    levels.set(node.key, level);
  }
  return levels;
}

function isSerial(members: readonly AssetNode[]): boolean {
  const byKey = new Map(members.map((node) => [node.key, node]));
  return members.some((node) =>
    depsAndSelf(node).some((dep) => {
      const up = byKey.get(dep.key);
      return up?.partitions !== undefined && reachOf(up, node, dep) !== 'own';
    }),
  );
}

function isSame(a: AssetNode, b: AssetNode): boolean {
  return definitionLabel(a.partitions) === definitionLabel(b.partitions);
}

function policyOf(node: AssetNode, request: Pick<BackfillRequest, 'singleRun'>): BackfillGroup['policy'] {
  if (node.partitions === undefined || request.singleRun === false) return null;
  if (request.singleRun === true) return { type: 'single_run' };
  const policy = node.backfillPolicy;
  return policy.type === 'multi_run' && policy.maxPartitionsPerRun <= 1 ? null : policy;
}

const MOST_NAMED = 3;

function disabledNote(nodes: readonly AssetNode[]): string {
  const named = nodes.slice(0, MOST_NAMED).map((node) => node.key);
  const more = nodes.length - named.length;
  const who = `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return nodes.length === 1
    ? `${who} is left out: its pipeline ${nodes[0]!.pipeline} is disabled`
    : `${who} are left out: their pipelines are disabled`;
}

function nothingNote({ only }: BackfillRequest): string {
  switch (only) {
    case 'missing':
      return 'nothing is missing: every partition asked for was written, failed, or is being written';
    case 'failed':
      return 'nothing has failed: of no partition asked for the last attempt failed';
    case 'missing_or_failed':
      return 'nothing is missing and nothing has failed';
    default:
      return 'no partition exists yet';
  }
}
