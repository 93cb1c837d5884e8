import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Temporal } from '../../src/lib/temporal.ts';
import { nextTick, parseCron, previousTick } from '../../src/partitions/cron.ts';

const zones = Intl.supportedValuesOf('timeZone');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Zoned = InstanceType<typeof Temporal.ZonedDateTime>;

type Fields = Pick<Zoned, 'hour' | 'minute' | 'month' | 'day' | 'dayOfWeek' | 'daysInMonth'>;

/** The rule in the slowest words: every minute around, its wall clock asked of Temporal one by one. */
function ticksByBruteForce(cron: string, timezone: string, from: number, to: number): number[] {
  const parsed = parseCron(cron);
  if (!parsed.ok) throw new Error(parsed.message);
  const { times, everyHour, months, daysOfMonth, daysOfWeek } = parsed.cron;
  const matches = (local: Fields): boolean => {
    const byDate =
      daysOfMonth.values.includes(local.day) || (daysOfMonth.last && local.day === local.daysInMonth);
    const byWeekday = daysOfWeek.values.includes(local.dayOfWeek % 7);
    const dayMatches =
      daysOfMonth.star || daysOfWeek.star
        ? (daysOfMonth.star || byDate) && (daysOfWeek.star || byWeekday)
        : byDate || byWeekday;
    return dayMatches && months.includes(local.month) && times.includes(local.hour * 60 + local.minute);
  };
  const zoned = (instant: number): Zoned =>
    Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timezone);
  const ticks = new Set<number>();
  if (everyHour) {
    for (let instant = from; instant < to; instant += MINUTE) if (matches(zoned(instant))) ticks.add(instant);
  } else {
    const end = zoned(to + 30 * HOUR).toPlainDateTime();
    let local = zoned(from - 30 * HOUR)
      .toPlainDateTime()
      .round({ smallestUnit: 'minute' });
    for (; Temporal.PlainDateTime.compare(local, end) < 0; local = local.add({ minutes: 1 })) {
      if (!matches(local)) continue;
      const later = local.toZonedDateTime(timezone, { disambiguation: 'later' });
      const skipped = !later.toPlainDateTime().equals(local);
      // In a gap Temporal moves by the gap's length; the rule wants the gap's end.
      const instant = skipped
        ? (local
            .toZonedDateTime(timezone, { disambiguation: 'earlier' })
            .getTimeZoneTransition('next') as Zoned)
        : later;
      ticks.add(instant.epochMilliseconds);
    }
  }
  return [...ticks].filter((tick) => tick >= from && tick < to).sort((a, b) => a - b);
}

const crons = fc.oneof(
  fc.constantFrom('*/15 * * * *', '30 * * * *', '0 0-23 * * *', '7 * * * 0,6', '* 1-3 * * *'),
  fc
    .tuple(
      fc.integer({ min: 0, max: 59 }),
      fc.constantFrom('0', '1', '2', '3', '*/4', '1,2', '22-2', '23'),
      fc.constantFrom('*', '1', 'L', '*/2', '10-20'),
      fc.constantFrom('*', '0', '1-5'),
    )
    .map(([minute, hour, day, weekday]) => `${minute} ${hour} ${day} * ${weekday}`),
);

describe('ticks', () => {
  it('are those of the rule, around clock changes of every zone', () => {
    const property = fc.property(
      fc.constantFrom(...zones),
      crons,
      fc.integer({ min: Date.UTC(2005, 0, 1) / MINUTE, max: Date.UTC(2030, 0, 1) / MINUTE }),
      (timezone, cron, minute) => {
        const near = Temporal.Instant.fromEpochMilliseconds(minute * MINUTE).toZonedDateTimeISO(timezone);
        const change = near.getTimeZoneTransition('next');
        const middle =
          change === null ? minute * MINUTE : Math.floor(change.epochMilliseconds / MINUTE) * MINUTE;
        const from = middle - 13 * HOUR;
        const to = middle + 13 * HOUR;
        const expected = ticksByBruteForce(cron, timezone, from, to);
        const forward: number[] = [];
        for (let tick = nextTick(cron, timezone, from); tick !== null && tick < to; ) {
          forward.push(tick);
          tick = nextTick(cron, timezone, tick, { inclusive: false });
        }
        const backward: number[] = [];
        for (let tick = previousTick(cron, timezone, to - 1); tick !== null && tick >= from; ) {
          backward.unshift(tick);
          tick = previousTick(cron, timezone, tick, { inclusive: false });
        }
        expect(forward).toEqual(expected);
        expect(backward).toEqual(expected);
      },
    );
    fc.assert(property, { numRuns: 400 });
  }, 300_000);
});
