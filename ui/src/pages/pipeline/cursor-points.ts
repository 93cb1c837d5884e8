import type { Materialization } from '../../../../src/server/contract/asset.ts';

/** A cursor's value after a load. */
export interface CursorPoint {
  readonly at: number;
  readonly runId: string;
  readonly partition: string | null;
  readonly rows: number | null;
  readonly value: unknown;
  /** For the plot; null: neither a number nor a time. */
  readonly height: number | null;
}

/** Cursors by their path, each with its values over time, oldest first; loads that kept none are left out. */
export function cursorPoints(items: readonly Materialization[]): ReadonlyMap<string, readonly CursorPoint[]> {
  const found = new Map<string, CursorPoint[]>();
  for (const { at, run_id: runId, partition, metadata } of [...items].reverse()) {
    const { cursor, rows } = metadata;
    if (typeof cursor !== 'object' || cursor === null || Array.isArray(cursor)) continue;
    for (const [path, value] of Object.entries(cursor)) {
      if (value === null || value === undefined) continue;
      const points = found.get(path) ?? [];
      found.set(path, points);
      points.push({
        at: Date.parse(at),
        runId,
        partition,
        rows: typeof rows === 'number' ? rows : null,
        value,
        height: heightOf(value),
      });
    }
  }
  return found;
}

function heightOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return null;
  const number = /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : Date.parse(value);
  return Number.isFinite(number) ? number : null;
}
