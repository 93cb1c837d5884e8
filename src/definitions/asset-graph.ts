import type { AssetGraph, AssetKey, AssetNode } from './definitions.ts';

export interface GraphResult {
  readonly graph: AssetGraph;
  /** Dependencies that were left out because they close a cycle: `key` depends on `on`. */
  readonly broken: readonly { readonly key: AssetKey; readonly on: AssetKey }[];
}

/**
 * Orders nodes by their dependencies (ties by key). A cycle does not take the graph down: the dependencies that close it
 * are left out and reported. Every dependency must be a key of `nodes`.
 */
export function buildAssetGraph(nodes: readonly AssetNode[]): GraphResult {
  const sorted = nodes.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const byKey = new Map(sorted.map((node) => [node.key, node]));
  const broken = findCycleEdges(byKey);
  for (const { key, on } of broken) {
    const node = byKey.get(key)!;
    byKey.set(key, { ...node, deps: node.deps.filter((dep) => dep.key !== on) });
  }
  const downstream = new Map<AssetKey, AssetKey[]>();
  for (const node of byKey.values()) {
    for (const dep of node.deps) {
      const list = downstream.get(dep.key);
      if (list === undefined) downstream.set(dep.key, [node.key]);
      else list.push(node.key);
    }
  }
  return { graph: { nodes: byKey, downstream, order: topologicalOrder(byKey, downstream) }, broken };
}

/** Depth-first; an edge to a node that is still open closes a cycle. Iterative: chains may be thousands long. */
function findCycleEdges(nodes: ReadonlyMap<AssetKey, AssetNode>): { key: AssetKey; on: AssetKey }[] {
  const broken: { key: AssetKey; on: AssetKey }[] = [];
  const state = new Map<AssetKey, 'open' | 'done'>();
  for (const root of nodes.keys()) {
    if (state.has(root)) continue;
    state.set(root, 'open');
    const stack = [{ key: root, next: 0 }];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const dep = nodes.get(top.key)!.deps[top.next];
      top.next += 1;
      if (dep === undefined) {
        state.set(top.key, 'done');
        stack.pop();
      } else if (state.get(dep.key) === 'open') {
        broken.push({ key: top.key, on: dep.key });
      } else if (!state.has(dep.key)) {
        state.set(dep.key, 'open');
        stack.push({ key: dep.key, next: 0 });
      }
    }
  }
  return broken;
}

/** Rank = longest way from a root, then key: stable, and reads like the data flow. */
function topologicalOrder(
  nodes: ReadonlyMap<AssetKey, AssetNode>,
  downstream: ReadonlyMap<AssetKey, readonly AssetKey[]>,
): AssetKey[] {
  const waiting = new Map<AssetKey, number>();
  const rank = new Map<AssetKey, number>();
  const ready: AssetKey[] = [];
  for (const node of nodes.values()) {
    waiting.set(node.key, node.deps.length);
    if (node.deps.length === 0) {
      rank.set(node.key, 0);
      ready.push(node.key);
    }
  }
  for (let i = 0; i < ready.length; i += 1) {
    const key = ready[i]!;
    for (const child of downstream.get(key) ?? []) {
      rank.set(child, Math.max(rank.get(child) ?? 0, rank.get(key)! + 1));
      const left = waiting.get(child)! - 1;
      waiting.set(child, left);
      if (left === 0) ready.push(child);
    }
  }
  return ready.toSorted((a, b) => rank.get(a)! - rank.get(b)! || (a < b ? -1 : 1));
}
