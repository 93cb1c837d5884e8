import type { SlingCursor } from '../../discovery/pipeline-config.ts';
import { Temporal } from '../../lib/temporal.ts';
import type { TimeWindow } from '../../partitions/instant.ts';

/** `lower,upper` for Sling's `source_options.range`, whose ends are both inclusive. */
export type WindowRanges = Readonly<Partial<Record<SlingCursor, string>>>;

/**
 * The window [start, end) as Sling's range, for each kind of cursor: the upper end is one unit before the window's. Texts
 * of instants are UTC; one with a time zone says so, because the database reads the others in the session's zone. A window
 * that is not made of whole days of its zone has no dates.
 */
export function windowRanges(window: TimeWindow, timezone: string): WindowRanges {
  const [start, end] = [slingTime(window.start), slingTime(window.end - 1_000)];
  const dates = datesOf(window, timezone);
  return {
    timestamp: `${start},${end}.999999`,
    timestamptz: `${start}+00:00,${end}.999999+00:00`,
    epoch_seconds: `${Math.ceil(window.start / 1_000)},${Math.ceil(window.end / 1_000) - 1}`,
    epoch_milliseconds: `${window.start},${window.end - 1}`,
    ...(dates !== null && {
      date: dates.join(','),
      yyyymmdd: dates.map((date) => date.replaceAll('-', '')).join(','),
    }),
  };
}

/** UTC, `2026-01-05 00:00:00`. */
export function slingTime(instant: number): string {
  return new Date(instant).toISOString().slice(0, 19).replace('T', ' ');
}

function datesOf(window: TimeWindow, timezone: string): readonly [string, string] | null {
  const timeOf = (instant: number) =>
    Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timezone);
  const [first, after] = [timeOf(window.start), timeOf(window.end)];
  const isWhole = [first, after].every((time) => time.startOfDay().equals(time));
  if (!isWhole) return null;
  return [first.toPlainDate().toString(), after.toPlainDate().subtract({ days: 1 }).toString()];
}
