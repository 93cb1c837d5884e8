import type { AssetKey, AssetNode, Definitions } from '../definitions/definitions.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import { unpartitioned, upstreamOf } from '../partitions/mapping/map-partitions.ts';
import { rangeOfKeys } from '../partitions/partition-set.ts';
import type { PartitionSubset } from '../partitions/subset/partition-subset.ts';
import { emptySubset, intersectionOf, isEmpty } from '../partitions/subset/partition-subset.ts';
import { itemsOfBackfill } from './backfill-items.ts';
import type { BackfillGroup, BackfillItem } from './backfill-plan.ts';
import { depsAndSelf, edgeMapping } from './dependency-reach.ts';
import { groupsOf } from './plan-backfill.ts';
import { type PlanContext, planRun } from './plan-run.ts';
import type { Cause, RunPlan, RunRequest } from './run-plan.ts';

/** As that of scheduled runs: backfills lie below, people's own launches above. */
const PRIORITY = 0;

/** What conditions ask for, by groups that run together as in a backfill; upstream first. */
export function automationGroups(
  definitions: Definitions,
  requested: ReadonlyMap<AssetKey, PartitionSubset>,
): readonly BackfillGroup[] {
  const nodes = definitions.assets.order.flatMap((key) => {
    const node = definitions.assets.nodes.get(key);
    const subset = requested.get(key);
    return node === undefined || !node.enabled || subset === undefined || isEmpty(subset) ? [] : [node];
  });
  return nodes.length === 0 ? [] : groupsOf(definitions, nodes, requested, {}, []);
}

export interface AutomationPlan {
  /** One launch; each run after those that write what it reads. */
  readonly runs: readonly RunPlan[];
  /** What could not be planned, and why. */
  readonly refused: readonly { readonly assets: readonly AssetKey[]; readonly message: string }[];
}

/**
 * The fewest runs for what conditions ask for: assets of one definition and the same partitions run together. Across
 * definitions, and where a partition needs another one of the same launch, a run waits for exactly the runs that it
 * depends on.
 */
export function planAutomation(
  definitions: Definitions,
  groups: readonly BackfillGroup[],
  cause: Extract<Cause, { readonly kind: 'automation' }>,
  context: PlanContext,
): AutomationPlan {
  const launchId = context.newId();
  const placed: Placed[] = [];
  const runs: RunPlan[] = [];
  const refused: { assets: readonly AssetKey[]; message: string }[] = [];
  for (const item of itemsOfBackfill(groups, 'asc')) {
    const { definition, parts } = groups[item.group]!;
    const { assets } = parts[item.part]!;
    const planned = planRun(definitions, requestOf(assets, item, cause), context);
    if (!planned.ok) {
      refused.push({ assets, message: planned.message });
      continue;
    }
    const partitions = partitionsOf(definition, item);
    const nodes = assets.map((key) => definitions.assets.nodes.get(key)!);
    const before = placed.filter((earlier) => dependsOn(nodes, partitions, earlier, context.now));
    const after = before.map(({ runId }) => runId);
    for (const plan of planned.runs) {
      runs.push({ ...plan, launchId, after: [...plan.after, ...after] });
      placed.push({ runId: plan.runId, nodes: new Map(nodes.map((node) => [node.key, node])), partitions });
    }
  }
  return { runs, refused };
}

function requestOf(assets: readonly AssetKey[], item: BackfillItem, cause: Cause): RunRequest {
  const { start, end } = item;
  return {
    assets,
    partitions:
      start === null || end === null
        ? { kind: 'none' }
        : start === end
          ? { kind: 'keys', keys: [start] }
          : { kind: 'range', start, end },
    fullRefresh: false,
    config: {},
    tags: {},
    priority: PRIORITY,
    cause,
  };
}

interface Placed {
  readonly runId: string;
  readonly nodes: ReadonlyMap<AssetKey, AssetNode>;
  readonly partitions: PartitionSubset;
}

/** Whether any of some assets reads, for these partitions, what an earlier run writes. */
function dependsOn(
  nodes: readonly AssetNode[],
  partitions: PartitionSubset,
  earlier: Placed,
  now: number,
): boolean {
  return nodes.some((node) =>
    depsAndSelf(node).some((dep) => {
      const upstream = earlier.nodes.get(dep.key);
      if (upstream === undefined) return false;
      if (upstream.partitions === undefined) return true;
      const mapping = edgeMapping(upstream, node, dep);
      const needed = upstreamOf(upstream.partitions, node.partitions ?? null, mapping, partitions, now);
      return !isEmpty(intersectionOf(needed.subset, earlier.partitions));
    }),
  );
}

function partitionsOf(
  definition: PartitionsDefinition | null,
  { start, end }: BackfillItem,
): PartitionSubset {
  if (definition === null || start === null || end === null) return unpartitioned;
  const range = rangeOfKeys(definition, start, end, null);
  return range.ok ? range.subset() : emptySubset;
}
