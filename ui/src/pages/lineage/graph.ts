import type { Lineage } from '../../../../src/server/contract/asset.ts';

export interface GraphNode {
  readonly id: string;
  /** A collapsed group instead of an asset: its members. */
  readonly members: readonly Lineage['nodes'][number][] | null;
  readonly asset: Lineage['nodes'][number] | null;
  readonly group: string;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly (readonly [from: string, to: string])[];
}

/** Above this many assets groups start as boxes. */
export const COLLAPSE_ABOVE = 150;

export function groupId(group: string): string {
  return `group\u0000${group}`;
}

/** The graph to draw: assets, and one box for each group that is not open. */
export function graphOf(lineage: Lineage, isOpen: (group: string) => boolean): Graph {
  const idOf = new Map<string, string>();
  const nodes = new Map<string, GraphNode>();
  for (const [group, members] of Map.groupBy(lineage.nodes, (node) => node.group)) {
    if (!isOpen(group)) {
      const id = groupId(group);
      nodes.set(id, { id, members, asset: null, group });
      for (const { key } of members) idOf.set(key, id);
      continue;
    }
    for (const asset of members) {
      nodes.set(asset.key, { id: asset.key, members: null, asset, group });
      idOf.set(asset.key, asset.key);
    }
  }
  const edges = new Map<string, readonly [string, string]>();
  for (const { from, to } of lineage.edges) {
    const a = idOf.get(from);
    const b = idOf.get(to);
    if (a === undefined || b === undefined || a === b) continue;
    edges.set(`${a}\u0001${b}`, [a, b]);
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

/** The part of a lineage within so many steps of an asset. */
export function around(lineage: Lineage, key: string, up: number, down: number): Lineage {
  const near = new Set([key]);
  walk(near, key, up, (at) => lineage.edges.filter(({ to }) => to === at).map(({ from }) => from));
  walk(near, key, down, (at) => lineage.edges.filter(({ from }) => from === at).map(({ to }) => to));
  return {
    nodes: lineage.nodes.filter((node) => near.has(node.key)),
    edges: lineage.edges.filter(({ from, to }) => near.has(from) && near.has(to)),
  };
}

function walk(seen: Set<string>, from: string, steps: number, next: (key: string) => string[]): void {
  let frontier = [from];
  const visited = new Set(frontier);
  for (let step = 0; step < steps && frontier.length > 0; step += 1) {
    frontier = frontier.flatMap(next).filter((key) => !visited.has(key));
    for (const key of frontier) {
      visited.add(key);
      seen.add(key);
    }
  }
}

const HUES = 8;

/** A colour of the style sheet for each group, neighbours in the alphabet apart. */
export function groupHues(groups: readonly string[]): Map<string, number> {
  return new Map([...new Set(groups)].sort().map((group, index) => [group, index % HUES]));
}
