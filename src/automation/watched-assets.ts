import type { AutomationCondition } from '../definitions/automation-condition/condition.ts';
import { childrenOf } from '../definitions/automation-condition/condition.ts';
import type { AssetKey } from '../definitions/definitions.ts';
import { nextTick } from '../partitions/cron.ts';
import { dimensionsOf } from '../partitions/definition/multi.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import type { Instant } from '../partitions/instant.ts';
import type { AutomationAsset, AutomationGraph, EntityKey } from './automation-graph.ts';
import { checkEntity } from './automation-graph.ts';
import { downstreamConditions, type Watch, watchOf } from './watch.ts';

/** An asset that an evaluation looks at. */
export interface WatchedAsset {
  readonly key: AssetKey;
  readonly partitions: PartitionsDefinition | null;
  readonly checks: readonly string[];
  /** The evaluation asks what was written after this event, or a later one. */
  readonly writesAfter: number;
}

/** Everything that the conditions of a graph look at, in dependency order. None without conditions. */
export function watchedAssets(
  graph: AutomationGraph,
  cursors: ReadonlyMap<EntityKey, { readonly eventId: number }>,
): readonly WatchedAsset[] {
  const after = new Map<AssetKey, number>();
  for (const { entity, watch, wholeHistory } of watchersOf(graph)) {
    // At the first evaluation nothing is new.
    const seen = wholeHistory ? 0 : (cursors.get(entity)?.eventId ?? Number.POSITIVE_INFINITY);
    for (const key of watch.assets)
      after.set(key, Math.min(after.get(key) ?? Number.POSITIVE_INFINITY, seen));
  }
  return graph.order.flatMap((key) => {
    const asset = graph.assets.get(key);
    const writesAfter = after.get(key);
    if (asset === undefined || writesAfter === undefined) return [];
    return [{ key, partitions: asset.partitions, checks: asset.checks.map(({ name }) => name), writesAfter }];
  });
}

/** Whether anything of a graph has a condition. */
export function hasConditions(graph: AutomationGraph): boolean {
  return watchersOf(graph).length > 0;
}

/** The first instant after `now` at which the mere passing of time can change an answer; null: never. */
export function nextDueAt(graph: AutomationGraph, now: Instant): Instant | null {
  const crons = new Map<string, { readonly cron: string; readonly timezone: string }>();
  for (const { watch } of watchersOf(graph)) {
    for (const cron of watch.crons) crons.set(`${cron.timezone} ${cron.cron}`, cron);
    for (const definition of watch.definitions) {
      for (const { cron, timezone } of timeSides(definition)) {
        crons.set(`${timezone} ${cron}`, { cron, timezone });
      }
    }
  }
  let next: Instant | null = null;
  for (const { cron, timezone } of crons.values()) {
    const tick = nextTick(cron, timezone, now, { inclusive: false });
    if (tick !== null && (next === null || tick < next)) next = tick;
  }
  return next;
}

function timeSides(definition: PartitionsDefinition) {
  const sides =
    definition.kind === 'multi' ? dimensionsOf(definition).map((one) => one.definition) : [definition];
  return sides.filter((side) => side.kind === 'time');
}

interface Watcher {
  readonly entity: EntityKey;
  readonly watch: Watch;
  /** It asks of writes of any age. */
  readonly wholeHistory: boolean;
}

const watchers = new WeakMap<AutomationGraph, readonly Watcher[]>();

function watchersOf(graph: AutomationGraph): readonly Watcher[] {
  let known = watchers.get(graph);
  if (known === undefined) {
    known = [...graph.assets.values()].flatMap((asset) => [
      ...watcher(graph, asset.key, asset, asset.condition),
      ...asset.checks.flatMap(({ name, condition }) =>
        watcher(graph, checkEntity(asset.key, name), asset, condition),
      ),
    ]);
    watchers.set(graph, known);
  }
  return known;
}

function watcher(
  graph: AutomationGraph,
  entity: EntityKey,
  asset: AutomationAsset,
  condition: AutomationCondition | null,
): Watcher[] {
  if (condition === null) return [];
  const asked = [condition, ...downstreamConditions(graph, asset)];
  const wholeHistory = asked.some((one) => looksBack(one, false));
  return [{ entity, watch: watchOf(graph, entity, asset, condition), wholeHistory }];
}

/**
 * `executed_with_root_target` asks who wrote last, however long ago; after `newly_updated` in a conjunction only of what
 * is new.
 */
function looksBack(condition: AutomationCondition, onlyNew: boolean): boolean {
  switch (condition.kind) {
    case 'executed_with_root_target':
      return !onlyNew;
    case 'and': {
      let narrowed = onlyNew;
      return condition.operands.some((operand) => {
        const found = looksBack(operand, narrowed);
        narrowed ||= operand.kind === 'newly_updated' || operand.kind === 'data_version_changed';
        return found;
      });
    }
    case 'or':
    case 'not':
      return childrenOf(condition).some((child) => looksBack(child, onlyNew));
    default:
      return childrenOf(condition).some((child) => looksBack(child, false));
  }
}
