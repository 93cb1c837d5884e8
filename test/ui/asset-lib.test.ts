import { describe, expect, it } from 'vitest';
import type { PartitionState } from '../../src/server/contract/asset.ts';
import type { Calendar, PlotPoint } from '../../src/server/contract/history.ts';
import { calendarGrid } from '../../ui/src/lib/calendar.ts';
import { countIn, isIn, lookOf } from '../../ui/src/lib/cells.ts';
import { commitMarks, heightRange, median, unitText } from '../../ui/src/pages/asset/plot-numbers.ts';
import { latestRange } from '../../ui/src/pages/backfills/backfill-form.ts';
import { tillDays } from './fixture/assets.ts';

function calendar(unit: Calendar['unit'], stretches: Calendar['stretches']): Calendar {
  return { unit, timezone: 'UTC', total: 0, from: 0, stretches };
}

const written = (): PartitionState => 'materialized';

describe('calendarGrid', () => {
  it('lays days out as weekday by week, and finds places and cells again', () => {
    // A Thursday; the second stretch goes on after an excluded Saturday.
    const made = calendarGrid(
      calendar('day', [
        { from: 0, count: 2, start: '2026-01-01T00:00' },
        { from: 2, count: 3, start: '2026-01-04T00:00' },
      ]),
      (place) => (place === 1 ? 'failed' : 'materialized'),
    )!;
    expect(made.grid.columns.keys).toEqual(['2025-12-29', '2026-01-05']);
    expect(made.grid.cells).toEqual(['-m', '-m', '--', 'm-', 'f-', '--', 'm-']);
    expect([made.placeAt(6, 0), made.placeAt(5, 0), made.placeAt(1, 1)]).toEqual([2, null, 4]);
    for (const place of [0, 1, 2, 3, 4]) {
      const cell = made.cellOf(place)!;
      expect(made.placeAt(cell.row, cell.column)).toBe(place);
    }
  });

  it('lays hours out by day, the newest day above; an hour that comes twice shows the worse of both', () => {
    const { grid } = calendarGrid(
      calendar('hour', [
        { from: 0, count: 3, start: '2026-10-25T00:00' },
        { from: 3, count: 23, start: '2026-10-25T02:00' },
      ]),
      (place) => (place === 2 ? 'failed' : 'materialized'),
    )!;
    expect(grid.rows.keys).toEqual(['2026-10-26', '2026-10-25']);
    expect(grid.cells).toEqual(['m'.padEnd(24, '-'), `mmf${'m'.repeat(21)}`]);
  });

  it.each([
    ['month', '2025-11-01T00:00', 4, ['2026', '2025'], ['mm----------', '----------mm']],
    ['week', '2025-12-22T00:00', 3, ['2026', '2025'], [`m${'-'.repeat(52)}`, `${'-'.repeat(50)}mm-`]],
  ] as const)('lays %ss out by year', (unit, start, count, years, cells) => {
    const { grid } = calendarGrid(calendar(unit, [{ from: 0, count, start }]), written)!;
    expect(grid.rows.keys).toEqual(years);
    expect(grid.cells).toEqual(cells);
  });

  it('has nothing to show of windows that no calendar has', () => {
    expect(calendarGrid(calendar(null, []), written)).toBeNull();
  });
});

it('counts a rectangle from whichever corner it was drawn', () => {
  const cells = ['m.f', 'mm.'];
  for (const area of [
    { row: 0, column: 1, toRow: 1, toColumn: 2 },
    { row: 1, column: 2, toRow: 0, toColumn: 1 },
  ]) {
    expect(countIn(cells, area, '.f')).toEqual({ total: 4, found: 3 });
    expect(isIn(area, 0, 0)).toBe(false);
  }
  expect(lookOf('?')[2]).toBe(lookOf('-')[2]);
});

it('marks where another commit began to write, over gaps too', () => {
  const points = ['a', 'a', null, 'b', null, 'b', 'a'].map((commit) => ({ commit }) as PlotPoint);
  expect(commitMarks(points)).toEqual([
    { at: 3, commit: 'b' },
    { at: 6, commit: 'a' },
  ]);
});

it.each([
  [5, 100, 0, 112],
  [-50, 100, -56, 112],
  [-100, -50, -112, 0],
  [0, 0, 0, 1],
  [null, null, 0, 1],
])('draws numbers from %s to %s between %s and %s', (low, high, bottom, top) => {
  const [least, most] = heightRange(low, high);
  expect([least, most].map((one) => Number(one.toFixed(6)) + 0)).toEqual([bottom, top]);
});

it('says numbers in the units of their names', () => {
  expect(unitText('bytes_stored', 145_376)).toBe('145 kB');
  expect(unitText('rows_per_second', 1_234)).toBe('1,234/s');
  expect(unitText('load_seconds', 79)).toBe('1m 19s');
  expect(unitText('rows', 145_376)).toBe('145.4 k');
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, null]);
});

it('takes as the latest of two dimensions the newest of each key', () => {
  const info = tillDays(['2026-01-01', '2026-01-02'], ['A', 'B'], ['mm', 'm.']);
  expect(latestRange(info)).toEqual({ start: 'A|2026-01-02', end: 'B|2026-01-02' });
  expect(latestRange({ ...info, last_key: null })).toBeNull();
  expect(latestRange(null)).toBeNull();
});
