import { describe, expect, it } from 'vitest';
import type { PipelineConfig } from '../../../src/discovery/pipeline-config.ts';
import { tickForecast } from '../../../src/plan/revision-plan/tick-forecast.ts';
import type { ScheduleOverride } from '../../../src/plan/schedule-status.ts';
import { sampleDefinitions } from '../../helpers/sample-definitions.ts';

type Schedule = NonNullable<PipelineConfig['schedule']>;
const BASE: Schedule = {
  cron: ['0 2 * * *'],
  timezone: 'UTC',
  defaultStatus: 'RUNNING',
  catchUp: 'latest',
  overlap: 'skip',
  jitterSeconds: 0,
};
const DAY = 86_400_000;
// A Tuesday; the clocks of Europe go forward on Sunday, 29 March.
const FROM = Date.UTC(2026, 2, 24, 12);

function defs(schedules: Readonly<Record<string, Schedule | undefined>>) {
  const pipelines = Object.entries(schedules).map(([name, schedule]) => [
    name,
    { config: schedule === undefined ? {} : { schedule }, assets: { [name]: {} } },
  ]);
  return sampleDefinitions(Object.fromEntries(pipelines) as never).definitions;
}

function forecast(
  before: Schedule | undefined,
  after: Schedule | undefined,
  override: ScheduleOverride | null = null,
) {
  return tickForecast(defs({ a: before }), defs({ a: after }), FROM, FROM + 7 * DAY, () => override);
}

describe('ticks of the next days', () => {
  it.each<[string, Schedule | undefined, Schedule | undefined, [number, number, string] | null]>([
    ['the same cron', BASE, { ...BASE, overlap: 'queue' }, null],
    [
      'the same ticks, written otherwise',
      { ...BASE, cron: ['0 0 * * *'] },
      { ...BASE, cron: ['@daily'] },
      null,
    ],
    ['an hour later', BASE, { ...BASE, cron: ['0 3 * * *'] }, [7, 7, '']],
    ['another zone', BASE, { ...BASE, timezone: 'Europe/Berlin' }, [7, 7, 'time zone']],
    ['hourly', BASE, { ...BASE, cron: ['0 * * * *'] }, [7, 168, '']],
    [
      'every minute in a zone with a gap',
      BASE,
      { ...BASE, cron: ['* * * * *'], timezone: 'Europe/Berlin' },
      [7, 10_080, ''],
    ],
    ['two crons with a common tick', BASE, { ...BASE, cron: ['0 2 * * *', '0 2,14 * * *'] }, [7, 14, '']],
    ['new', undefined, BASE, [0, 7, 'starts']],
    ['gone', BASE, undefined, [7, 0, 'stops']],
    ['stopped in Git', BASE, { ...BASE, defaultStatus: 'STOPPED' }, [7, 0, 'stops']],
    [
      'stopped before and after',
      { ...BASE, defaultStatus: 'STOPPED' },
      { ...BASE, defaultStatus: 'STOPPED', cron: ['* * * * *'] },
      null,
    ],
    ['once a year', BASE, { ...BASE, cron: ['@yearly'] }, [7, 0, 'not in these days']],
    ['29 February', BASE, { ...BASE, cron: ['0 0 29 2 *'] }, [7, 0, 'not in these days']],
    [
      'another day of the year',
      { ...BASE, cron: ['@yearly'] },
      { ...BASE, cron: ['0 0 2 1 *'] },
      [0, 0, 'not in these days'],
    ],
  ])('%s', (_, before, after, expected) => {
    const found = forecast(before, after);
    expect(found.map((one) => [one.before.count, one.after.count, one.note])).toEqual(
      expected === null ? [] : [expected],
    );
  });

  it('lists the first ticks with the zone that they are to be shown in', () => {
    const [one] = forecast(BASE, { ...BASE, timezone: 'Europe/Berlin' });
    expect(one!.before).toMatchObject({
      timezone: 'UTC',
      first: [25, 26, 27, 28, 29].map((day) => Date.UTC(2026, 2, day, 2)),
    });
    // 02:00 does not exist in Berlin on the 29th: the first instant after the gap.
    expect(one!.after).toMatchObject({
      timezone: 'Europe/Berlin',
      first: [25, 26, 27, 28].map((day) => Date.UTC(2026, 2, day, 1)).concat(Date.UTC(2026, 2, 29, 1)),
    });
  });

  it('says when a yearly schedule fires', () => {
    expect(forecast(BASE, { ...BASE, cron: ['@yearly'] })[0]!.after.first).toEqual([Date.UTC(2027, 0, 1)]);
  });

  it('fires nothing of a schedule that a person stopped', () => {
    expect(forecast(BASE, { ...BASE, cron: ['* * * * *'] }, { status: 'STOPPED' })).toEqual([]);
    expect(forecast(BASE, { ...BASE, defaultStatus: 'STOPPED' }, { status: 'RUNNING' })).toEqual([]);
    const over = { status: 'STOPPED', expiresAt: FROM } as const;
    expect(forecast(BASE, { ...BASE, cron: ['* * * * *'] }, over)).toHaveLength(1);
  });

  it('forecasts 10,000 changed schedules at once', () => {
    const many = (hour: number) =>
      defs(
        Object.fromEntries(
          Array.from({ length: 10_000 }, (_, at) => [
            `p${at}`,
            { ...BASE, cron: [`${at % 60} ${hour} * * *`] },
          ]),
        ),
      );
    const [before, after] = [many(2), many(3)];
    const at = performance.now();
    const found = tickForecast(before, after, FROM, FROM + 7 * DAY);
    expect(found).toHaveLength(10_000);
    expect(performance.now() - at).toBeLessThan(1500);
  });
});
