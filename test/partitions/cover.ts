import fc from 'fast-check';
import { expect } from 'vitest';
import { Temporal } from '../../src/lib/temporal.ts';
import { nextTick } from '../../src/partitions/cron.ts';
import { timeWindows, windowContaining } from '../../src/partitions/definition/time-window.ts';
import {
  keyToOrdinal,
  ordinalToKey,
  partitionCount,
  windowOfKey,
} from '../../src/partitions/partition-set.ts';
import { time } from './helpers.ts';

export const zones = Intl.supportedValuesOf('timeZone');
const DAY = 86_400_000;

export const definitions = [
  { cron: '0 * * * *', fmt: '%Y-%m-%d-%H:%M' },
  { cron: '*/30 * * * *', fmt: '%Y-%m-%dT%H:%M:%S' },
  { cron: '0 */4 * * *', fmt: '%Y-%m-%d-%H:%M' },
  { cron: '30 1 * * *', fmt: '%Y-%m-%d' },
  { cron: '0 0 * * *', fmt: '%Y-%m-%d' },
  { cron: '15 2 * * 1-5', fmt: '%Y%m%d' },
  { cron: '0 0 * * 0', fmt: '%G-W%V-%u' },
];

/** Windows around a clock change of a zone follow one another without gap or overlap, and each key leads back. */
export function checkCover(timezone: string, near: number, cron: string, fmt: string): void {
  const change = Temporal.Instant.fromEpochMilliseconds(near)
    .toZonedDateTimeISO(timezone)
    .getTimeZoneTransition('next');
  const middle = change === null ? near : change.epochMilliseconds;
  const iso = new Date(middle - 4 * DAY).toISOString().slice(0, 10);
  const start = { '%Y%m%d': iso.replaceAll('-', ''), '%Y-%m-%d': iso }[fmt];
  const definition = time(cron, start ?? `${iso}-00:00`, { timezone, fmt });
  const usable =
    start !== undefined || fmt === '%Y-%m-%d-%H:%M'
      ? definition
      : { ...definition, start: fmt.startsWith('%G') ? isoWeek(middle - 14 * DAY) : `${iso}T00:00:00` };
  const now = middle + (fmt.startsWith('%G') ? 30 : 5) * DAY;
  const count = partitionCount(usable, now);
  expect(count).toBeGreaterThan(0);
  const seen = new Set<string>();
  let end: number | null = null;
  for (let ordinal = 0; ordinal < count; ordinal++) {
    const key = ordinalToKey(usable, ordinal) as string;
    expect(seen.has(key), `${key} twice in ${timezone}`).toBe(false);
    seen.add(key);
    expect(keyToOrdinal(usable, key), `${key} in ${timezone}`).toBe(ordinal);
    const window = windowOfKey(usable, key);
    if (window === null) throw new Error(`no window for ${key} in ${timezone}`);
    if (end !== null) expect(window.start).toBe(end);
    expect(window.end).toBeGreaterThan(window.start);
    expect(nextTick(cron, timezone, window.start, { inclusive: false })).toBe(window.end);
    const windows = timeWindows(usable);
    for (const instant of [window.start, window.end - 1, Math.floor((window.start + window.end) / 2)]) {
      expect(windowContaining(windows, instant)).toBe(ordinal);
    }
    end = window.end;
  }
  expect(end).not.toBeNull();
  expect(end as number).toBeLessThanOrEqual(now);
}

function isoWeek(instant: number): string {
  const date = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO('UTC').toPlainDate();
  return `${date.yearOfWeek}-W${String(date.weekOfYear).padStart(2, '0')}-1`;
}

/** Any zone, set and clock change from 2000 to 2037. */
export function checkCoverAnywhere(numRuns: number): void {
  const property = fc.property(
    fc.constantFrom(...zones),
    fc.constantFrom(...definitions),
    fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2037, 10, 1) }),
    (timezone, { cron, fmt }, near) => checkCover(timezone, near, cron, fmt),
  );
  fc.assert(property, { numRuns });
}
