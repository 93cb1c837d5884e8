import type { PlotPoint } from '../../../../src/server/contract/history.ts';
import { bytes, count, duration, rate } from '../../lib/format.ts';

/** The name of a run's own length among the numbers that runs report. */
export const RUN_DURATION = 'run duration';

const TITLES: Readonly<Record<string, string>> = {
  rows: 'Rows',
  bytes: 'Size',
  seconds: 'Time of the step',
  rows_per_second: 'Rows per second',
  [RUN_DURATION]: 'Run duration',
};

export function titleOf(name: string): string {
  return TITLES[name] ?? name;
}

export function numberOf(point: PlotPoint, name: string): number | null {
  return (name === RUN_DURATION ? point.run_seconds : point.values[name]) ?? null;
}

/** Units by the name of the number, as everywhere on the page. */
export function unitText(name: string, value: number): string {
  if (/(^|_)bytes(_|$)/.test(name)) return bytes(value);
  if (/(^|_)seconds$/.test(name) || name === RUN_DURATION) return duration(value);
  return name.endsWith('_per_second') ? rate(value) : count(value);
}

/** From zero, so that half as many rows look like half as many; below it where a number is. Null: there is none. */
export function heightRange(low: number | null, high: number | null): [number, number] {
  const [least, most] = [Math.min(0, low ?? 0) * 1.12, Math.max(0, high ?? 0) * 1.12];
  return least === most ? [0, 1] : [least, most];
}

/** Places at which another commit wrote than at the point before. */
export function commitMarks(
  points: readonly PlotPoint[],
): { readonly at: number; readonly commit: string }[] {
  const marks: { at: number; commit: string }[] = [];
  let last: string | null = null;
  for (const [at, { commit }] of points.entries()) {
    if (commit === null) continue;
    if (last !== null && last !== commit) marks.push({ at, commit });
    last = commit;
  }
  return marks;
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] as number;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] as number) + high) / 2;
}
