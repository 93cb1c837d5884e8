import type { Graph } from './graph.ts';

export interface Placed {
  /** Top left corner of each node. */
  readonly at: ReadonlyMap<string, { readonly x: number; readonly y: number }>;
  readonly edges: readonly { readonly from: string; readonly to: string; readonly d: string }[];
  readonly width: number;
  readonly height: number;
}

export interface LayoutRequest {
  readonly ids: readonly string[];
  readonly edges: readonly (readonly [string, string])[];
  readonly width: number;
  readonly height: number;
}

/** What the worker answers: centres of the nodes, bends of the edges. */
export interface LayoutAnswer {
  readonly nodes: readonly (readonly [id: string, x: number, y: number])[];
  readonly edges: readonly (readonly [
    from: string,
    to: string,
    points: readonly (readonly [number, number])[],
  ])[];
  readonly width: number;
}

export const NODE = { width: 204, height: 52 } as const;
const BUDGET_MS = 4_000;
const cache = new Map<string, Placed>();

/**
 * Places a graph in a worker, so that the page stays alive. Over its time budget, or when `signal` says so, the worker
 * is ended and a plain layered drawing is given instead: there is always a picture.
 */
export async function layout(graph: Graph, signal: AbortSignal): Promise<Placed> {
  const request = requestOf(graph);
  const hash = JSON.stringify(request);
  const known = cache.get(hash);
  if (known !== undefined) return known;
  const answer = request.ids.length === 0 ? null : await inWorker(request, signal);
  const placed = answer === null ? layered(request) : placedFrom(answer);
  if (answer !== null) {
    if (cache.size > 20) cache.clear();
    cache.set(hash, placed);
  }
  return placed;
}

function requestOf(graph: Graph): LayoutRequest {
  return { ids: graph.nodes.map(({ id }) => id), edges: graph.edges, ...NODE };
}

function inWorker(request: LayoutRequest, signal: AbortSignal): Promise<LayoutAnswer | null> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./layout.worker.ts', import.meta.url), { type: 'module' });
    const timer = setTimeout(() => end(null), BUDGET_MS);
    const end = (answer: LayoutAnswer | null): void => {
      clearTimeout(timer);
      worker.terminate();
      resolve(answer);
    };
    signal.addEventListener('abort', () => end(null));
    worker.addEventListener('message', (event: MessageEvent<LayoutAnswer>) => end(event.data));
    worker.addEventListener('error', () => end(null));
    worker.postMessage(request);
  });
}

function placedFrom(answer: LayoutAnswer): Placed {
  const centres = new Map(answer.nodes.map(([id, x, y]) => [id, [x, y] as const]));
  const columns = [...new Set(answer.nodes.map(([, x]) => x))];
  const routes = answer.edges.map(([from, to, points]) => ({
    from,
    to,
    points: route(centres, columns, from, to, points),
  }));
  // What is drawn, not what dagre kept free for the bends that are left out.
  const ys = [...centres.values(), ...routes.flatMap(({ points }) => points)].map(([, y]) => y);
  const top = ys.reduce((least, y) => Math.min(least, y), Number.POSITIVE_INFINITY) - NODE.height / 2;
  const bottom = ys.reduce((most, y) => Math.max(most, y), 0) + NODE.height / 2;
  return {
    at: new Map(
      answer.nodes.map(([id, x, y]) => [id, { x: x - NODE.width / 2, y: y - NODE.height / 2 - top }]),
    ),
    edges: routes.map(({ from, to, points }) => ({
      from,
      to,
      d: smooth(points.map(([x, y]) => [x, y - top])),
    })),
    width: answer.width,
    height: bottom - top,
  };
}

type Point = readonly [number, number];

/**
 * From the middle of a node's right side to the middle of the next one's left side. Where it passes a column of other
 * nodes it keeps the height that the layout gave it there, straight; dagre's bends in the gaps between are left out.
 */
function route(
  centres: ReadonlyMap<string, Point>,
  columns: readonly number[],
  from: string,
  to: string,
  points: readonly Point[],
): Point[] {
  const half = NODE.width / 2;
  const a = centres.get(from);
  const b = centres.get(to);
  if (a === undefined || b === undefined) return [...points];
  const passed = points.slice(1, -1).flatMap(([x, y]): Point[] => {
    const column = columns.find((centre) => Math.abs(centre - x) < half);
    const isBetween = column !== undefined && column > a[0] + half && column < b[0] - half;
    return isBetween
      ? [
          [column - half, y],
          [column + half, y],
        ]
      : [];
  });
  return [[a[0] + half, a[1]], ...passed, [b[0] - half, b[1]]];
}

/** A curve through the bends: level at each of them, rounded between. */
function smooth(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let d = `M${r(first[0])} ${r(first[1])}`;
  let [x0, y0] = first;
  for (const [x1, y1] of rest) {
    const middle = (x0 + x1) / 2;
    d += y0 === y1 ? `L${r(x1)} ${r(y1)}` : `C${r(middle)} ${r(y0)} ${r(middle)} ${r(y1)} ${r(x1)} ${r(y1)}`;
    [x0, y0] = [x1, y1];
  }
  return d;
}

/** By longest path, no crossing avoided: linear in nodes and edges. Of a cycle each node still gets its place. */
function layered({ ids, edges, width, height }: LayoutRequest): Placed {
  const next = Map.groupBy(edges, ([from]) => from);
  const waiting = new Map(ids.map((id) => [id, 0]));
  for (const [, to] of edges) waiting.set(to, (waiting.get(to) ?? 0) + 1);
  const rank = new Map(ids.map((id) => [id, 0]));
  const ready = ids.filter((id) => waiting.get(id) === 0);
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    for (const [, to] of next.get(id) ?? []) {
      rank.set(to, Math.max(rank.get(to) ?? 0, (rank.get(id) ?? 0) + 1));
      const left = (waiting.get(to) ?? 0) - 1;
      waiting.set(to, left);
      if (left === 0) ready.push(to);
    }
  }
  const at = new Map<string, { x: number; y: number }>();
  const filled: number[] = [];
  for (const id of ids) {
    const column = rank.get(id) ?? 0;
    const row = filled[column] ?? 0;
    filled[column] = row + 1;
    at.set(id, { x: column * (width + 90), y: row * (height + 20) });
  }
  return {
    at,
    edges: edges.map(([from, to]) => {
      const a = at.get(from) ?? { x: 0, y: 0 };
      const b = at.get(to) ?? { x: 0, y: 0 };
      return {
        from,
        to,
        d: smooth([
          [a.x + width, a.y + height / 2],
          [b.x, b.y + height / 2],
        ]),
      };
    }),
    width: filled.length * (width + 90),
    height: Math.max(0, ...filled) * (height + 20),
  };
}

function r(value: number): number {
  return Math.round(value * 10) / 10;
}
