import type { PartitionState } from '../../../src/server/contract/asset.ts';
import type { Calendar } from '../../../src/server/contract/history.ts';
import { type Grid, letterOf, worse } from './cells.ts';

export interface CalendarGrid {
  readonly grid: Grid;
  /** Place among the partitions; null: there is none. */
  readonly placeAt: (row: number, column: number) => number | null;
  readonly cellOf: (place: number) => { row: number; column: number } | null;
}

type Unit = NonNullable<Calendar['unit']>;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
/** 1970-01-05 was a Monday. */
const FIRST_MONDAY = 4 * DAY;
const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const NAMES: Readonly<Record<Unit, readonly [string, string]>> = {
  hour: ['day', 'hour'],
  day: ['weekday', 'week'],
  week: ['year', 'week'],
  month: ['year', 'month'],
};

/** Hours as day × hour, days as weekday × week, months as year × month: the newest above or at the right. */
export function calendarGrid(
  { unit, stretches }: Calendar,
  stateAt: (place: number) => PartitionState,
): CalendarGrid | null {
  const first = stretches[0];
  const last = stretches.at(-1);
  if (unit === null || first === undefined || last === undefined) return null;
  const start = localOf(first.start);
  const end = step(unit, localOf(last.start), last.count - 1);
  const { rows, columns, cellAt } = layoutOf(unit, start, end);
  const letters = rows.map(() => columns.map(() => '-'));
  const places = new Map<number, number>();
  const cells = new Map<number, number>();
  for (const stretch of stretches) {
    const from = localOf(stretch.start);
    for (let index = 0; index < stretch.count; index += 1) {
      const place = stretch.from + index;
      const [row, column] = cellAt(step(unit, from, index));
      const line = letters[row];
      if (line === undefined) continue;
      line[column] = worse(letterOf(stateAt(place)), line[column] ?? '-');
      places.set(row * columns.length + column, place);
      cells.set(place, row * columns.length + column);
    }
  }
  const [rowName, columnName] = NAMES[unit];
  return {
    grid: {
      rows: { name: rowName, keys: rows },
      columns: { name: columnName, keys: columns },
      cells: letters.map((line) => line.join('')),
    },
    placeAt: (row, column) => places.get(row * columns.length + column) ?? null,
    cellOf: (place) => {
      const cell = cells.get(place);
      if (cell === undefined) return null;
      return { row: Math.floor(cell / columns.length), column: cell % columns.length };
    },
  };
}

function layoutOf(
  unit: Unit,
  start: number,
  end: number,
): { rows: string[]; columns: string[]; cellAt: (local: number) => [number, number] } {
  switch (unit) {
    case 'hour': {
      const last = Math.floor(end / DAY);
      const rows = count(last - Math.floor(start / DAY) + 1, (nth) => dayText((last - nth) * DAY));
      const columns = count(24, (hour) => String(hour).padStart(2, '0'));
      return {
        rows,
        columns,
        cellAt: (local) => [last - Math.floor(local / DAY), new Date(local).getUTCHours()],
      };
    }
    case 'day': {
      const weekOf = (local: number): number => Math.floor((local - FIRST_MONDAY) / WEEK);
      const first = weekOf(start);
      const columns = count(weekOf(end) - first + 1, (nth) => dayText((first + nth) * WEEK + FIRST_MONDAY));
      const cellAt = (local: number): [number, number] => [
        Math.floor((local - FIRST_MONDAY) / DAY) - weekOf(local) * 7,
        weekOf(local) - first,
      ];
      return { rows: DAYS, columns, cellAt };
    }
    case 'week':
    case 'month': {
      const last = yearOf(end);
      const rows = count(last - yearOf(start) + 1, (nth) => String(last - nth));
      const columns = unit === 'month' ? MONTHS : count(53, (nth) => String(nth + 1).padStart(2, '0'));
      const columnOf = (local: number): number =>
        unit === 'month'
          ? new Date(local).getUTCMonth()
          : Math.floor((local - Date.UTC(yearOf(local), 0, 1)) / WEEK);
      return { rows, columns, cellAt: (local) => [last - yearOf(local), columnOf(local)] };
    }
  }
}

function step(unit: Unit, local: number, times: number): number {
  if (unit === 'hour') return local + times * HOUR;
  if (unit === 'day') return local + times * DAY;
  if (unit === 'week') return local + times * WEEK;
  const date = new Date(local);
  return date.setUTCMonth(date.getUTCMonth() + times);
}

function localOf(text: string): number {
  return Date.parse(`${text}Z`);
}

function yearOf(local: number): number {
  return new Date(local).getUTCFullYear();
}

function dayText(local: number): string {
  return new Date(local).toISOString().slice(0, 10);
}

function count<T>(number: number, of: (nth: number) => T): T[] {
  return Array.from({ length: Math.max(0, number) }, (_, nth) => of(nth));
}
