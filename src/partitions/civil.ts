/**
 * Calendar arithmetic on plain numbers: the proleptic Gregorian calendar, no zones, no Date objects.
 *
 * A *day* is a whole number of days since 1970-01-01, a *month* the number `year * 12 + (month - 1)`,
 * and *local milliseconds* are what a clock on the wall shows, counted as if it were UTC.
 */

export const SECOND = 1000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

/** The day that a month begins on. */
export function firstDayOfMonth(month: number): number {
  return dayOf(Math.floor(month / 12), mod(month, 12) + 1, 1);
}

/** How many days a month has: 28 to 31. */
export function daysInMonth(month: number): number {
  const index = mod(month, 12);
  if (index !== 1) {
    return index === 3 || index === 5 || index === 8 || index === 10 ? 30 : 31;
  }
  const year = Math.floor(month / 12);
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
}

/** The day of a date; month is 1 to 12. Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
export function dayOf(year: number, month: number, dayOfMonth: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + dayOfMonth - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The month that a day lies in. */
export function monthOf(day: number): number {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const year = yearOfEra + era * 400 + (shiftedMonth >= 10 ? 1 : 0);
  return year * 12 + ((shiftedMonth + 2) % 12);
}

/** Day of the week: 0 = Sunday to 6 = Saturday. */
export function weekdayOf(day: number): number {
  return mod(day + 4, 7);
}

/** A date and a time of day in fields; `weekday` 0 = Sunday. */
export interface CivilTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
  readonly weekday: number;
  readonly dayOfYear: number;
}

/** The fields of local milliseconds. */
export function civilTime(local: number): CivilTime {
  const day = Math.floor(local / DAY);
  const rest = local - day * DAY;
  const month = monthOf(day);
  const year = Math.floor(month / 12);
  return {
    year,
    month: mod(month, 12) + 1,
    day: day - firstDayOfMonth(month) + 1,
    hour: Math.floor(rest / HOUR),
    minute: Math.floor(rest / MINUTE) % 60,
    second: Math.floor(rest / SECOND) % 60,
    millisecond: rest % SECOND,
    weekday: weekdayOf(day),
    dayOfYear: day - dayOf(year, 1, 1) + 1,
  };
}

/** The day of an ISO 8601 week date; weekday is 1 = Monday to 7 = Sunday. */
export function dayOfIsoWeek(isoYear: number, week: number, weekday: number): number {
  const january4 = dayOf(isoYear, 1, 4);
  const firstMonday = january4 - mod(weekdayOf(january4) - 1, 7);
  return firstMonday + (week - 1) * 7 + weekday - 1;
}

/** The ISO 8601 year and week of a day. */
export function isoWeekOf(day: number): { readonly isoYear: number; readonly week: number } {
  const thursday = day - mod(weekdayOf(day) - 1, 7) + 3;
  const isoYear = Math.floor(monthOf(thursday) / 12);
  return { isoYear, week: Math.floor((thursday - dayOf(isoYear, 1, 1)) / 7) + 1 };
}

/** The remainder that has the divisor's sign. */
export function mod(value: number, divisor: number): number {
  const rest = value % divisor;
  return rest < 0 ? rest + divisor : rest;
}
