import type { AutomationCondition } from '../definitions/automation-condition/condition.ts';
import { childrenOf } from '../definitions/automation-condition/condition.ts';
import type { AssetKey } from '../definitions/definitions.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import { unpartitioned } from '../partitions/mapping/map-partitions.ts';
import type { PartitionSubset } from '../partitions/subset/partition-subset.ts';
import { emptySubset } from '../partitions/subset/partition-subset.ts';
import { allPartitions } from '../partitions/subset/subset-keys.ts';
import type { AutomationView, CheckView } from './asset-view.ts';
import type { AutomationAsset, AutomationCheck, AutomationGraph, EntityKey } from './automation-graph.ts';
import { checkEntity } from './automation-graph.ts';
import type { AutomationCursor, NodeState } from './cursor.ts';
import type { Moment, Stamp, When } from './moment.ts';
import type { Watch } from './watch.ts';

/** An asset, or one of its checks: what a condition is asked of. */
export interface Entity {
  readonly key: EntityKey;
  readonly asset: AutomationAsset;
  readonly check: AutomationCheck | null;
  readonly partitions: PartitionsDefinition | null;
}

/** One evaluation of everything: the world as it is, and what was decided so far. */
export interface Scope {
  readonly graph: AutomationGraph;
  readonly view: AutomationView;
  /** The cursors of the evaluation before. */
  readonly cursors: ReadonlyMap<EntityKey, AutomationCursor>;
  /** What this evaluation requests; filled in dependency order. */
  readonly requested: Map<EntityKey, PartitionSubset>;
  readonly existing: Map<PartitionsDefinition, PartitionSubset>;
}

/** The evaluation of one entity's condition. */
export interface RootScope {
  readonly scope: Scope;
  readonly entity: Entity;
  readonly cursor: AutomationCursor | null;
  readonly watch: Watch;
  /** True when there is no cursor, or it is another condition's. */
  readonly initial: boolean;
  /** What the next evaluation will remember. */
  readonly states: Map<string, NodeState>;
  /** Results of conditions that remember: asked twice, they are evaluated once. */
  readonly remembered: Map<string, Evaluated>;
  /** Within `any_downstream_conditions`, which then adds nothing of its own. */
  readonly downstream: boolean;
  /** Asked of some partitions only, to explain them: what looks at all partitions shows what it says of these. */
  readonly focused: boolean;
}

/** The result of one condition for one entity: a part of the candidates. */
export interface Evaluated {
  readonly condition: AutomationCondition;
  readonly entity: Entity;
  readonly candidates: PartitionSubset;
  readonly subset: PartitionSubset;
  readonly children: readonly Evaluated[];
  /** When some of the true partitions became so; asked only where a trigger and a reset meet. */
  when(within: PartitionSubset): When;
}

export type Evaluate = (
  root: RootScope,
  condition: AutomationCondition,
  entity: Entity,
  candidates: PartitionSubset,
) => Evaluated;

/** Everything of an entity that exists now. */
export function everyPartition(scope: Scope, partitions: PartitionsDefinition | null): PartitionSubset {
  if (partitions === null) return unpartitioned;
  let all = scope.existing.get(partitions);
  if (all === undefined) {
    all = allPartitions(partitions, scope.view.now);
    scope.existing.set(partitions, all);
  }
  return all;
}

export function assetEntity(asset: AutomationAsset): Entity {
  return { key: asset.key, asset, check: null, partitions: asset.partitions };
}

export function entityOfCheck(scope: Scope, asset: AutomationAsset, check: AutomationCheck): Entity {
  const { partitioned } = checkView(scope, asset.key, check.name);
  return {
    key: checkEntity(asset.key, check.name),
    asset,
    check,
    partitions: partitioned ? asset.partitions : null,
  };
}

export function checkView(scope: Scope, asset: AssetKey, check: string): CheckView {
  return scope.view.check(asset, check);
}

/** The moment of this evaluation: after all that it sees. */
export function present({ view }: Scope): Moment {
  return { at: view.now, eventId: view.eventId };
}

/** An event's moment. Clocks may differ; the order of the log does not: an event that is new came after the last evaluation. */
export function momentOf(root: RootScope, event: Moment): Moment {
  const earliest = root.cursor?.at ?? event.at;
  return { at: Math.min(Math.max(event.at, earliest), root.scope.view.now), eventId: event.eventId };
}

/** `when` of a state. */
export function timeless(within: PartitionSubset): When {
  return { stamps: [], timeless: within };
}

/** `when` of what is true as of one moment. */
export function asOf(stamp: Omit<Stamp, 'partitions'>): (within: PartitionSubset) => When {
  return (within) => ({ stamps: [{ ...stamp, partitions: within }], timeless: emptySubset });
}

const remembering = new WeakMap<AutomationCondition, boolean>();

/** Whether a condition has to see every evaluation, or else forgets. */
export function remembers(condition: AutomationCondition): boolean {
  let answer = remembering.get(condition);
  if (answer === undefined) {
    answer =
      ['since', 'newly_true', 'code_version_changed', 'any_downstream_conditions'].includes(condition.kind) ||
      childrenOf(condition).some(remembers);
    remembering.set(condition, answer);
  }
  return answer;
}
