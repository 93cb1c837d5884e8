import type { AutomationCondition } from '../definitions/automation-condition/condition.ts';
import { childrenOf } from '../definitions/automation-condition/condition.ts';
import { conditionText } from '../definitions/automation-condition/condition-text.ts';
import { sameCondition } from '../definitions/automation-condition/operators.ts';
import type { AssetKey } from '../definitions/definitions.ts';
import { digestOf } from '../lib/digest.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import type { AutomationAsset, AutomationGraph, EntityKey } from './automation-graph.ts';

/** All that the evaluation of one condition looks at; worked out once per graph. */
export interface Watch {
  /** Identity of the condition alone. */
  readonly condition: string;
  /** Identity of the condition and of what the definitions say of everything it looks at. */
  readonly identity: string;
  readonly assets: readonly AssetKey[];
  readonly definitions: readonly PartitionsDefinition[];
  readonly crons: readonly { readonly cron: string; readonly timezone: string }[];
}

interface GraphCache {
  readonly watches: Map<EntityKey, { readonly condition: AutomationCondition; readonly watch: Watch }>;
  readonly downstream: Map<AssetKey, readonly AutomationCondition[]>;
  readonly selected: Map<string, ReadonlySet<AssetKey>>;
}

const caches = new WeakMap<AutomationGraph, GraphCache>();

function cacheOf(graph: AutomationGraph): GraphCache {
  let cache = caches.get(graph);
  if (cache === undefined) {
    cache = { watches: new Map(), downstream: new Map(), selected: new Map() };
    caches.set(graph, cache);
  }
  return cache;
}

/** What evaluating the condition of an entity (an asset, or a check of it) looks at. */
export function watchOf(
  graph: AutomationGraph,
  entity: EntityKey,
  asset: AutomationAsset,
  condition: AutomationCondition,
): Watch {
  const { watches } = cacheOf(graph);
  const known = watches.get(entity);
  if (known?.condition === condition) return known.watch;
  const watch = build(graph, entity, asset, condition);
  watches.set(entity, { condition, watch });
  return watch;
}

function build(
  graph: AutomationGraph,
  entity: EntityKey,
  asset: AutomationAsset,
  condition: AutomationCondition,
): Watch {
  const seen = new Set<string>();
  const assets = new Map<AssetKey, AutomationAsset>();
  const crons = new Map<string, { cron: string; timezone: string }>();
  const extra: unknown[] = [];
  const visit = (one: AutomationCondition, of: AutomationAsset, ofCheck: boolean): void => {
    const id = `${of.key} ${ofCheck} ${conditionText(one)}`;
    if (seen.has(id)) return;
    seen.add(id);
    assets.set(of.key, of);
    switch (one.kind) {
      case 'cron_tick_passed':
        crons.set(`${one.cron} ${one.timezone}`, { cron: one.cron, timezone: one.timezone });
        return;
      case 'any_deps_match':
      case 'all_deps_match': {
        const deps = ofCheck ? [of] : depsOf(graph, one, of);
        extra.push(deps.map(({ key }) => key));
        for (const dep of deps) visit(one.operand, dep, false);
        return;
      }
      case 'asset_matches': {
        const other = graph.assets.get(one.asset);
        extra.push(other !== undefined);
        if (other !== undefined) visit(one.operand, other, false);
        return;
      }
      case 'any_checks_match':
      case 'all_checks_match':
        visit(one.operand, of, true);
        return;
      case 'any_downstream_conditions': {
        const conditions = downstreamConditions(graph, of);
        extra.push(conditions.map(conditionText));
        for (const each of conditions) visit(each, of, ofCheck);
        return;
      }
      default:
        for (const child of childrenOf(one)) visit(child, of, ofCheck);
    }
  };
  visit(condition, asset, entity !== asset.key);
  const described = [...assets.values()].map(({ key, partitions, deps, checks, codeVersion }) => [
    key,
    partitions,
    deps,
    checks.map(({ name, blocking }) => [name, blocking]),
    codeVersion,
  ]);
  const text = conditionText(condition);
  return {
    condition: stateId(condition),
    identity: digestOf([text, described, extra]).slice(7, 39),
    assets: [...assets.keys()],
    definitions: [...assets.values()].flatMap(({ partitions }) => (partitions === null ? [] : [partitions])),
    crons: [...crons.values()],
  };
}

const ids = new WeakMap<AutomationCondition, string>();

/** A short name for what a condition says: where it stands does not matter, so state outlives a change around it. */
export function stateId(condition: AutomationCondition): string {
  let id = ids.get(condition);
  if (id === undefined) {
    id = digestOf(conditionText(condition)).slice(7, 23);
    ids.set(condition, id);
  }
  return id;
}

/** The dependencies that a condition looks at, of those that there are. */
export function depsOf(
  graph: AutomationGraph,
  { allow, ignore }: { readonly allow?: readonly string[]; readonly ignore?: readonly string[] },
  asset: AutomationAsset,
): AutomationAsset[] {
  const { selected } = cacheOf(graph);
  const among = (selections: readonly string[], key: AssetKey): boolean =>
    selections.some((selection) => {
      let keys = selected.get(selection);
      if (keys === undefined) {
        keys = graph.select(selection);
        selected.set(selection, keys);
      }
      return keys.has(key);
    });
  return asset.deps.flatMap(({ key }) => {
    const dep = graph.assets.get(key);
    if (dep === undefined) return [];
    if (allow !== undefined && !among(allow, key)) return [];
    return ignore !== undefined && among(ignore, key) ? [] : [dep];
  });
}

/** The distinct conditions of everything downstream of an asset, in the order of its assets. */
export function downstreamConditions(
  graph: AutomationGraph,
  asset: AutomationAsset,
): readonly AutomationCondition[] {
  const { downstream } = cacheOf(graph);
  const known = downstream.get(asset.key);
  if (known !== undefined) return known;
  const reached = new Set<AssetKey>([asset.key]);
  const conditions: AutomationCondition[] = [];
  for (const key of reached) {
    const one = graph.assets.get(key);
    if (one === undefined) continue;
    if (key !== asset.key && one.condition !== null) {
      const { condition } = one;
      if (!conditions.some((other) => sameCondition(other, condition))) conditions.push(condition);
    }
    for (const child of one.downstream) reached.add(child);
  }
  downstream.set(asset.key, conditions);
  return conditions;
}
