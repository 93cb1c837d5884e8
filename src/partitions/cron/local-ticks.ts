import { DAY, daysInMonth, firstDayOfMonth, MINUTE, monthOf, weekdayOf } from '../civil.ts';
import type { DayOfMonthField, DayOfWeekField } from './fields.ts';

/** A cron after parsing. `expression` is what was written, white space tidied. */
export interface ParsedCron {
  readonly expression: string;
  /** Minutes of the day at which it ticks, ascending: every hour × every minute. */
  readonly times: readonly number[];
  /** Every hour is allowed: ticks follow elapsed time through clock changes (see `cron.ts`). */
  readonly everyHour: boolean;
  readonly months: readonly number[];
  readonly daysOfMonth: DayOfMonthField;
  readonly daysOfWeek: DayOfWeekField;
}

/** A cron that fires at all fires again within this many months: 29 February on a given weekday, over 2100. */
const HORIZON_MONTHS = 12 * 50;

/** Bits `position`, `position + 7`, … of a month of 31 days. */
const WEEKLY = [0, 1, 2, 3, 4, 5, 6].map((position) => {
  let bits = 0;
  for (let day = position; day < 31; day += 7) bits |= 1 << day;
  return bits;
});

/**
 * The days of a month (`year * 12 + month index`) on which a cron ticks, as bits: bit 0 = the 1st.
 * Day of month and day of week are OR-ed unless one of them is exactly `*` (Vixie cron; Dagster).
 */
export function dayMask(cron: ParsedCron, month: number): number {
  const monthNumber = (((month % 12) + 12) % 12) + 1;
  if (!cron.months.includes(monthNumber)) return 0;
  const length = daysInMonth(month);
  const all = length === 31 ? 0x7fffffff : (1 << length) - 1;
  const { daysOfMonth, daysOfWeek } = cron;
  if (daysOfMonth.star && daysOfWeek.star) return all;
  const firstWeekday = weekdayOf(firstDayOfMonth(month));
  if (daysOfMonth.star) return weekdayMask(daysOfWeek, firstWeekday, length) & all;
  let byDate = daysOfMonth.last ? 1 << (length - 1) : 0;
  for (const day of daysOfMonth.values) byDate |= 1 << (day - 1);
  if (daysOfWeek.star) return byDate & all;
  return (byDate | weekdayMask(daysOfWeek, firstWeekday, length)) & all;
}

function weekdayMask(field: DayOfWeekField, firstWeekday: number, length: number): number {
  let mask = 0;
  for (const weekday of field.values) mask |= WEEKLY[(weekday - firstWeekday + 7) % 7] as number;
  for (const { weekday, n } of field.nth) {
    const first = (weekday - firstWeekday + 7) % 7;
    const count = Math.floor((length - 1 - first) / 7) + 1;
    const wanted = n === -1 ? count : n;
    if (wanted <= count) mask |= 1 << (first + 7 * (wanted - 1));
  }
  return mask;
}

/** The first local tick at or after `local` (local milliseconds), clock changes left aside; NaN when none comes. */
export function nextLocalTick(cron: ParsedCron, local: number): number {
  const day = Math.floor(local / DAY);
  let month = monthOf(day);
  const first = firstDayOfMonth(month);
  const index = day - first;
  let mask = dayMask(cron, month);
  if ((mask >>> index) & 1) {
    const at = lowerBound(cron.times, (local - day * DAY) / MINUTE);
    if (at < cron.times.length) return day * DAY + (cron.times[at] as number) * MINUTE;
  }
  mask = index >= 30 ? 0 : (mask >>> (index + 1)) << (index + 1);
  for (let left = HORIZON_MONTHS; left > 0; left--) {
    if (mask !== 0) {
      const found = 31 - Math.clz32(mask & -mask);
      return (firstDayOfMonth(month) + found) * DAY + (cron.times[0] as number) * MINUTE;
    }
    month += 1;
    mask = dayMask(cron, month);
  }
  return Number.NaN;
}

/** The last local tick at or before `local`; NaN when there is none. */
export function previousLocalTick(cron: ParsedCron, local: number): number {
  const day = Math.floor(local / DAY);
  let month = monthOf(day);
  const index = day - firstDayOfMonth(month);
  let mask = dayMask(cron, month);
  if ((mask >>> index) & 1) {
    const at = upperBound(cron.times, (local - day * DAY) / MINUTE) - 1;
    if (at >= 0) return day * DAY + (cron.times[at] as number) * MINUTE;
  }
  mask &= (1 << index) - 1;
  for (let left = HORIZON_MONTHS; left > 0; left--) {
    if (mask !== 0) {
      const found = 31 - Math.clz32(mask);
      return (firstDayOfMonth(month) + found) * DAY + (cron.times.at(-1) as number) * MINUTE;
    }
    month -= 1;
    mask = dayMask(cron, month);
  }
  return Number.NaN;
}

/** Index of the first element that is not below `wanted`. */
export function lowerBound(sorted: readonly number[], wanted: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first element above `wanted`. */
export function upperBound(sorted: readonly number[], wanted: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
