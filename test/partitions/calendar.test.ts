import { describe, expect, it } from 'vitest';
import { calendarPage } from '../../src/partitions/calendar.ts';
import type { TimeWindowPartitions } from '../../src/partitions/definition/partitions-definition.ts';

function time(given: Partial<TimeWindowPartitions>): TimeWindowPartitions {
  return {
    kind: 'time',
    start: '2026-01-01',
    end: null,
    cron: '0 0 * * *',
    timezone: 'UTC',
    fmt: '%Y-%m-%d',
    endOffset: 0,
    exclusions: [],
    ...given,
  };
}

const HOURLY = { cron: '0 * * * *', fmt: '%Y-%m-%d-%H:%M', start: '2026-01-01-00:00' };

/** `from +count local`: a stretch in a line. */
function lines(...args: Parameters<typeof calendarPage>): string[] {
  return calendarPage(...args).stretches.map(
    ({ from, count, local }) => `${from} +${count} ${new Date(local).toISOString().slice(0, 16)}`,
  );
}

describe('calendarPage', () => {
  it.each([
    ['an hour', HOURLY, 'hour'],
    ['four hours', { ...HOURLY, cron: '0 */4 * * *' }, 'hour'],
    ['a day', {}, 'day'],
    ['working days', { cron: '0 0 * * 1-5' }, 'day'],
    ['a week', { cron: '0 0 * * 1' }, 'week'],
    ['a month', { cron: '0 0 1 * *' }, 'month'],
    ['ten minutes', { ...HOURLY, cron: '*/10 * * * *' }, null],
  ] as const)('windows of %s', (_, given, unit) => {
    expect(calendarPage(time(given), Date.UTC(2026, 5, 1)).unit).toBe(unit);
  });

  it('begins a new stretch after a weekend, an exclusion, and each clock change', () => {
    expect(lines(time({ cron: '0 0 * * 1-5' }), Date.UTC(2026, 0, 10))).toEqual([
      '0 +2 2026-01-01T00:00',
      '2 +4 2026-01-05T00:00',
    ]);
    expect(lines(time({ exclusions: ['2026-01-03'] }), Date.UTC(2026, 0, 6))).toEqual([
      '0 +2 2026-01-01T00:00',
      '2 +2 2026-01-04T00:00',
    ]);
    const vienna = time({ ...HOURLY, timezone: 'Europe/Vienna', start: '2026-03-29-00:00' });
    expect(lines(vienna, Date.UTC(2026, 2, 29, 6))).toEqual([
      '0 +2 2026-03-29T00:00',
      '2 +5 2026-03-29T03:00',
    ]);
    const back = time({ ...HOURLY, timezone: 'Europe/Vienna', start: '2026-10-25-00:00' });
    expect(lines(back, Date.UTC(2026, 9, 25, 4))).toEqual(['0 +3 2026-10-25T00:00', '3 +3 2026-10-25T02:00']);
  });

  it('gives pages that begin with a whole day, week or year and leave nothing out', () => {
    const now = Date.UTC(2027, 0, 1);
    for (const definition of [time(HOURLY), time({}), time({ cron: '0 0 1 * *', start: '1950-01-01' })]) {
      let before = Number.POSITIVE_INFINITY;
      let seen = 0;
      for (;;) {
        const page = calendarPage(definition, now, before);
        const counted = page.stretches.reduce((sum, { count }) => sum + count, 0);
        expect(counted).toBe(Math.min(before, page.total) - page.from);
        expect(counted).toBeLessThanOrEqual(800);
        seen += counted;
        if (page.from === 0) {
          expect(seen).toBe(page.total);
          break;
        }
        const first = new Date(page.stretches[0]!.local);
        if (page.unit === 'hour') expect(first.getUTCHours()).toBe(0);
        if (page.unit === 'day') expect(first.getUTCDay()).toBe(1);
        if (page.unit === 'month') expect(first.getUTCMonth()).toBe(0);
        before = page.from;
      }
    }
  });

  it('has nothing to show where no partition exists', () => {
    expect(calendarPage(time({}), Date.UTC(2025, 0, 1))).toEqual({
      unit: null,
      total: 0,
      from: 0,
      stretches: [],
    });
    expect(calendarPage(time({}), Date.UTC(2026, 0, 2))).toMatchObject({ unit: 'day', total: 1 });
  });
});
