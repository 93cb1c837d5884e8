import { DAY, HOUR } from './civil.ts';
import { partitionCount } from './definition/key-order.ts';
import type { TimeWindowPartitions } from './definition/partitions-definition.ts';
import { type TimeWindows, timeWindows, windowOfOrdinal } from './definition/time-window.ts';
import type { Instant } from './instant.ts';
import { tickAt } from './tick-index.ts';
import { offsetAt } from './zone.ts';

export type CalendarUnit = 'hour' | 'day' | 'week' | 'month';

/** Neighbouring partitions whose windows start one unit after another on the wall clock. */
export interface CalendarStretch {
  readonly from: number;
  readonly count: number;
  /** Wall clock of the definition's zone, as milliseconds since 1970 if that clock were UTC. */
  readonly local: number;
}

export interface CalendarPage {
  /** Null: the windows are shorter than an hour, or there are none. */
  readonly unit: CalendarUnit | null;
  readonly total: number;
  readonly from: number;
  readonly stretches: readonly CalendarStretch[];
}

const WEEK = 7 * DAY;
/** 1970-01-05 was a Monday. */
const FIRST_MONDAY = 4 * DAY;
/** Partitions of a page: a month of hours, a year of days, and what a screen holds of the others. */
const MOST: Readonly<Record<CalendarUnit, number>> = { hour: 31 * 24, day: 53 * 7, week: 530, month: 600 };

/**
 * Where on a calendar the last partitions before a place lie, as runs of one unit after another: a clock change, an
 * exclusion or a weekend begins a new one. The page begins with a whole day, week or year.
 * @param before only partitions before this place
 */
export function calendarPage(
  definition: TimeWindowPartitions,
  now: Instant,
  before = Number.POSITIVE_INFINITY,
): CalendarPage {
  const total = partitionCount(definition, now);
  const end = Math.min(before, total);
  const windows = timeWindows(definition);
  const localOf = (place: number): number => {
    const start = tickAt(windows.index, windowOfOrdinal(windows, place));
    return start + offsetAt(definition.timezone, start);
  };
  const unit = end === 0 ? null : unitOf(windows, end - 1);
  if (unit === null) return { unit, total, from: end, stretches: [] };
  let from = Math.max(0, end - MOST[unit]);
  if (from > 0) {
    const block = blockOf(unit, localOf(from - 1));
    while (from < end && blockOf(unit, localOf(from)) === block) from += 1;
  }
  const stretches: { from: number; count: number; local: number }[] = [];
  let expected = Number.NaN;
  for (let place = from; place < end; place += 1) {
    const local = localOf(place);
    if (local === expected) stretches.at(-1)!.count += 1;
    else stretches.push({ from: place, count: 1, local });
    expected = next(unit, local);
  }
  return { unit, total, from, stretches };
}

/** By the shortest of the last windows: over a weekend one is longer. */
function unitOf(windows: TimeWindows, last: number): CalendarUnit | null {
  const starts = [last - 2, last - 1, last, last + 1]
    .filter((place) => place >= 0)
    .map((place) => tickAt(windows.index, windowOfOrdinal(windows, place)));
  const length = Math.min(...starts.slice(1).map((start, index) => start - starts[index]!));
  if (length >= 27 * DAY) return 'month';
  if (length >= 6 * DAY) return 'week';
  if (length >= 20 * HOUR) return 'day';
  return length >= HOUR ? 'hour' : null;
}

function blockOf(unit: CalendarUnit, local: number): number {
  if (unit === 'hour') return Math.floor(local / DAY);
  if (unit === 'day') return Math.floor((local - FIRST_MONDAY) / WEEK);
  return new Date(local).getUTCFullYear();
}

function next(unit: CalendarUnit, local: number): number {
  switch (unit) {
    case 'hour':
      return local + HOUR;
    case 'day':
      return local + DAY;
    case 'week':
      return local + WEEK;
    case 'month': {
      const date = new Date(local);
      return date.setUTCMonth(date.getUTCMonth() + 1);
    }
  }
}
