import type { AssetGraph, AssetKey } from '../definitions/definitions.ts';

export interface AssetGroup {
  /** What the caller groups by: a pipeline, a partitions definition. */
  readonly label: string;
  /** Position among the groups of one label, from 0. */
  readonly part: number;
  readonly keys: readonly AssetKey[];
  /** Indexes of the groups that have to come first. */
  readonly needs: readonly number[];
}

/**
 * Splits `keys` into the fewest groups of one label each whose own graph has no cycle (dbt A → python B → dbt C gives two
 * dbt groups). Groups come in an order in which each stands after those that it needs. Dependencies outside `keys` are
 * not looked at.
 */
export function groupByLabel(
  graph: AssetGraph,
  keys: readonly AssetKey[],
  labelOf: (key: AssetKey) => string,
): readonly AssetGroup[] {
  const chosen = new Set(keys);
  const positions = positionsOf(graph);
  const order = [...chosen]
    .filter((key) => positions.has(key))
    .sort((a, b) => positions.get(a)! - positions.get(b)!);
  const depsOf = (key: AssetKey) =>
    graph.nodes
      .get(key)!
      .deps.map((dep) => dep.key)
      .filter((dep) => chosen.has(dep));
  const fewest = arrange(order, depsOf, labelOf, excursions(order, depsOf, labelOf));
  return fewest ?? arrange(order, depsOf, labelOf, labelChanges(order, depsOf, labelOf))!;
}

const positionsByGraph = new WeakMap<AssetGraph, ReadonlyMap<AssetKey, number>>();

/** Places in the order of a graph: a tick plans a few assets of ten thousand, and a thousand ticks can be due at once. */
function positionsOf(graph: AssetGraph): ReadonlyMap<AssetKey, number> {
  let positions = positionsByGraph.get(graph);
  if (positions === undefined) {
    positions = new Map(graph.order.map((key, position) => [key, position]));
    positionsByGraph.set(graph, positions);
  }
  return positions;
}

type DepsOf = (key: AssetKey) => readonly AssetKey[];
type LabelOf = (key: AssetKey) => string;

/** For each asset: how often a way to it leaves its label and comes back, at most. Least, but two labels can interlock. */
function excursions(order: readonly AssetKey[], depsOf: DepsOf, labelOf: LabelOf): Map<AssetKey, number> {
  const counts = new Map<string, number>();
  for (const key of order) counts.set(labelOf(key), (counts.get(labelOf(key)) ?? 0) + 1);
  const parts = new Map<AssetKey, number>(order.map((key) => [key, 0]));
  for (const [label, count] of counts) {
    if (count < 2) continue;
    const depth = new Map<AssetKey, number>();
    for (const key of order) {
      const inside = labelOf(key) === label;
      let deepest = 0;
      for (const dep of depsOf(key)) {
        const leaves = !inside && labelOf(dep) === label ? 1 : 0;
        deepest = Math.max(deepest, depth.get(dep)! + leaves);
      }
      depth.set(key, deepest);
      if (inside) parts.set(key, deepest);
    }
  }
  return parts;
}

/** For each asset: the changes of label on the way to it, at most. Never interlocks, may split more than needed. */
function labelChanges(order: readonly AssetKey[], depsOf: DepsOf, labelOf: LabelOf): Map<AssetKey, number> {
  const parts = new Map<AssetKey, number>();
  for (const key of order) {
    let most = 0;
    for (const dep of depsOf(key))
      most = Math.max(most, parts.get(dep)! + (labelOf(dep) === labelOf(key) ? 0 : 1));
    parts.set(key, most);
  }
  return parts;
}

function arrange(
  order: readonly AssetKey[],
  depsOf: DepsOf,
  labelOf: LabelOf,
  parts: ReadonlyMap<AssetKey, number>,
): AssetGroup[] | null {
  const groups = new Map<string, { label: string; part: number; keys: AssetKey[]; needs: Set<string> }>();
  const idOf = (key: AssetKey) => `${parts.get(key)!}\u0000${labelOf(key)}`;
  for (const key of order) {
    const id = idOf(key);
    const group = groups.get(id) ?? {
      label: labelOf(key),
      part: parts.get(key)!,
      keys: [],
      needs: new Set(),
    };
    groups.set(id, group);
    group.keys.push(key);
    for (const dep of depsOf(key)) if (idOf(dep) !== id) group.needs.add(idOf(dep));
  }
  const placed = new Map<string, number>();
  const arranged: AssetGroup[] = [];
  while (arranged.length < groups.size) {
    const before = arranged.length;
    for (const [id, group] of groups) {
      if (placed.has(id) || ![...group.needs].every((need) => placed.has(need))) continue;
      placed.set(id, arranged.length);
      const needs = [...group.needs].map((need) => placed.get(need)!).sort((a, b) => a - b);
      arranged.push({ label: group.label, part: group.part, keys: group.keys, needs });
    }
    if (arranged.length === before) return null;
  }
  return arranged;
}
