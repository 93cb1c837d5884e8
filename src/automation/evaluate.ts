import type { AutomationCondition } from '../definitions/automation-condition/condition.ts';
import { nextTick } from '../partitions/cron.ts';
import { partitionCount } from '../partitions/definition/key-order.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import type { Instant } from '../partitions/instant.ts';
import type { PartitionSubset } from '../partitions/subset/partition-subset.ts';
import { intersectionOf, isEmpty, isEqual } from '../partitions/subset/partition-subset.ts';
import type { AutomationView } from './asset-view.ts';
import type { AutomationGraph, EntityKey } from './automation-graph.ts';
import type { AutomationCursor } from './cursor.ts';
import { sameMemory, subsetUnder } from './cursor.ts';
import { evaluateCondition } from './evaluate-condition.ts';
import type { Entity, RootScope, Scope } from './evaluation.ts';
import { assetEntity, entityOfCheck, everyPartition } from './evaluation.ts';
import type { Explanation } from './explanation.ts';
import { explain } from './explanation.ts';
import { type Watch, watchOf } from './watch.ts';

/** What came of one asset's or check's condition. */
export interface EntityEvaluation {
  readonly entity: EntityKey;
  readonly asset: string;
  /** Null: the asset itself. */
  readonly check: string | null;
  readonly partitions: PartitionsDefinition | null;
  readonly requested: PartitionSubset;
  /** False: nothing that it looks at changed, so that the previous evaluation still holds; its cursor is the same object. */
  readonly evaluated: boolean;
  readonly cursor: AutomationCursor;
  /** Null when it was not evaluated. Made when asked for. */
  explain(): Explanation | null;
}

export interface AutomationEvaluation {
  readonly at: Instant;
  readonly eventId: number;
  /** In dependency order; each check after its asset. */
  readonly results: readonly EntityEvaluation[];
  /** For the next evaluation. What has no condition any more is not in it. */
  readonly cursors: ReadonlyMap<EntityKey, AutomationCursor>;
}

/** What is to be evaluated: by default every condition of the graph. Tests give others. */
export interface AutomationInput {
  readonly graph: AutomationGraph;
  readonly view: AutomationView;
  /** As the previous evaluation left them; empty at the very first. */
  readonly cursors: ReadonlyMap<EntityKey, AutomationCursor>;
  /** Evaluate everything, also what nothing changed for. */
  readonly all?: boolean;
}

/** Why one condition is, or is not, true of some partitions now. */
export interface FocusedInput extends AutomationInput {
  readonly entity: EntityKey;
  /** Null: of all of them. */
  readonly partitions: PartitionSubset | null;
}

/**
 * Evaluates every condition, parents before children, so that what is requested of a parent counts for its children in
 * the same evaluation. Pure: the same view and cursors give the same answer. Where nothing changed since a settled
 * evaluation it costs a few look-ups per asset.
 */
export function evaluateAutomation(input: AutomationInput): AutomationEvaluation {
  return evaluateIn(scopeOf(input), input.all ?? false);
}

/**
 * The tree of one condition as an evaluation at this moment finds it, asked of some of its partitions. Null: the entity
 * has no condition, or none of the partitions exists.
 */
export function explainNow(input: FocusedInput): Explanation | null {
  const { graph, cursors, entity: key, partitions } = input;
  const scope = scopeOf(input);
  // What lies upstream, and is requested at this moment, counts.
  evaluateIn(scope, false);
  scope.requested.delete(key);
  const asset = graph.assets.get(key);
  if (asset === undefined || asset.condition === null) return null;
  const entity = assetEntity(asset);
  const every = everyPartition(scope, entity.partitions);
  const candidates = partitions === null ? every : intersectionOf(partitions, every);
  if (isEmpty(candidates)) return null;
  const watch = watchOf(graph, key, asset, asset.condition);
  const root = rootOf(scope, entity, watch, cursors.get(key) ?? null, partitions !== null);
  return explain(evaluateCondition(root, asset.condition, entity, candidates));
}

function scopeOf({ graph, view, cursors }: AutomationInput): Scope {
  return { graph, view, cursors, requested: new Map(), existing: new Map() };
}

function rootOf(
  scope: Scope,
  entity: Entity,
  watch: Watch,
  cursor: AutomationCursor | null,
  focused: boolean,
): RootScope {
  return {
    scope,
    entity,
    cursor,
    watch,
    initial: cursor === null || cursor.condition !== watch.condition,
    states: new Map(),
    remembered: new Map(),
    downstream: false,
    focused,
  };
}

function evaluateIn(scope: Scope, all: boolean): AutomationEvaluation {
  const { graph, view, cursors } = scope;
  const clock = createQuietClock(view.now);
  const differently = new Set<string>();
  const results: EntityEvaluation[] = [];
  const next = new Map<EntityKey, AutomationCursor>();
  const evaluate = (entity: Entity, condition: AutomationCondition): void => {
    const result = evaluateEntity(scope, entity, condition, clock, differently, all);
    results.push(result);
    next.set(entity.key, result.cursor);
    scope.requested.set(entity.key, result.requested);
    const before = cursors.get(entity.key);
    const same =
      before === undefined
        ? isEmpty(result.requested)
        : isEqual(subsetUnder(before.requested, entity.partitions), result.requested);
    if (!same) differently.add(entity.asset.key);
  };
  for (const key of graph.order) {
    const asset = graph.assets.get(key);
    if (asset === undefined) continue;
    if (asset.condition !== null) evaluate(assetEntity(asset), asset.condition);
    for (const check of asset.checks) {
      if (check.condition !== null) evaluate(entityOfCheck(scope, asset, check), check.condition);
    }
  }
  return { at: view.now, eventId: view.eventId, results, cursors: next };
}

function evaluateEntity(
  scope: Scope,
  entity: Entity,
  condition: AutomationCondition,
  clock: QuietClock,
  differently: ReadonlySet<string>,
  all: boolean,
): EntityEvaluation {
  const { view, graph } = scope;
  const cursor = scope.cursors.get(entity.key) ?? null;
  const watch = watchOf(graph, entity.key, entity.asset, condition);
  const quiet =
    cursor !== null &&
    cursor.identity === watch.identity &&
    watch.assets.every((key) => view.changedAt(key) <= cursor.eventId && !differently.has(key)) &&
    !clock.passed(cursor.at, watch.crons, watch.definitions);
  const about = {
    entity: entity.key,
    asset: entity.asset.key,
    check: entity.check?.name ?? null,
    partitions: entity.partitions,
  };
  if (quiet && cursor.settled && !all) {
    const requested = subsetUnder(cursor.requested, entity.partitions);
    return { ...about, requested, evaluated: false, cursor, explain: () => null };
  }
  const root = rootOf(scope, entity, watch, cursor, false);
  const result = evaluateCondition(root, condition, entity, everyPartition(scope, entity.partitions));
  const memory = {
    requested: { partitions: entity.partitions, subset: result.subset },
    states: root.states,
  };
  const same = cursor !== null && sameMemory(cursor, memory);
  return {
    ...about,
    requested: result.subset,
    evaluated: true,
    cursor: {
      at: view.now,
      eventId: view.eventId,
      condition: watch.condition,
      identity: watch.identity,
      ...memory,
      settled: quiet && same,
    },
    explain: () => explain(result),
  };
}

/** Whether the mere passing of time changed something; answers are shared by all assets. */
interface QuietClock {
  passed(
    since: Instant,
    crons: readonly { readonly cron: string; readonly timezone: string }[],
    definitions: readonly PartitionsDefinition[],
  ): boolean;
}

function createQuietClock(now: Instant): QuietClock {
  const ticks = new Map<string, boolean>();
  const counts = new Map<PartitionsDefinition, Map<Instant, number>>();
  const ticked = (since: Instant, cron: string, timezone: string): boolean => {
    const id = `${since} ${timezone} ${cron}`;
    let answer = ticks.get(id);
    if (answer === undefined) {
      const tick = nextTick(cron, timezone, since, { inclusive: false });
      answer = tick !== null && tick <= now;
      ticks.set(id, answer);
    }
    return answer;
  };
  const countAt = (definition: PartitionsDefinition, at: Instant): number => {
    let known = counts.get(definition);
    if (known === undefined) {
      known = new Map();
      counts.set(definition, known);
    }
    let count = known.get(at);
    if (count === undefined) {
      count = partitionCount(definition, at);
      known.set(at, count);
    }
    return count;
  };
  return {
    passed: (since, crons, definitions) =>
      crons.some(({ cron, timezone }) => ticked(since, cron, timezone)) ||
      definitions.some((one) => one.kind !== 'static' && countAt(one, now) !== countAt(one, since)),
  };
}
