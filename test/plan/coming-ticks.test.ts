import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ticksBetween } from '../../src/partitions/cron.ts';
import { comingTicks, firstTicks } from '../../src/plan/coming-ticks.ts';
import { sampleDefinitions } from '../helpers/sample-definitions.ts';

const NOON = Date.UTC(2026, 0, 20, 12);
const HOUR = 3_600_000;

function schedules(crons: Readonly<Record<string, string>>) {
  const sample = Object.entries(crons).map(
    ([name, cron]) => [name, { config: { schedule: scheduleOf(cron) }, assets: { [name]: {} } }] as const,
  );
  return [...sampleDefinitions(Object.fromEntries(sample)).definitions.schedules.values()];
}

function scheduleOf(cron: string) {
  return {
    cron: [cron],
    timezone: 'UTC',
    defaultStatus: 'RUNNING',
    catchUp: 'latest',
    overlap: 'skip',
    jitterSeconds: 0,
  } as const;
}

describe('coming ticks', () => {
  it('joins what ticks together', () => {
    const all = schedules({ a: '0 * * * *', b: '*/30 * * * *' });
    expect(comingTicks(all, NOON + 1, NOON + 2 * HOUR, 10)).toEqual({
      ticks: [
        { at: NOON + 0.5 * HOUR, schedule: 'b_schedule', others: 0 },
        { at: NOON + HOUR, schedule: 'a_schedule', others: 1 },
        { at: NOON + 1.5 * HOUR, schedule: 'b_schedule', others: 0 },
      ],
      until: null,
    });
  });

  it('ends where it does not know all of them any more', () => {
    const all = schedules({ often: '* * * * *', rarely: '0 * * * *' });
    const { ticks, until } = comingTicks(all, NOON + 1, NOON + 5 * HOUR, 3);
    expect(ticks.map(({ at }) => at)).toEqual([1, 2, 3].map((minute) => NOON + minute * 60_000));
    expect(until).toBe(NOON + 4 * 60_000);
  });

  it('lists the first ticks of all as the clock will have them', () => {
    const crons = fc.array(
      fc.constantFrom('* * * * *', '*/7 * * * *', '0 * * * *', '5 3 * * *', '0 0 1 1 *'),
      {
        minLength: 1,
        maxLength: 6,
      },
    );
    fc.assert(
      fc.property(crons, fc.integer({ min: 1, max: 25 }), (list, limit) => {
        const all = schedules(Object.fromEntries(list.map((cron, index) => [`p${index}`, cron])));
        const every = all
          .flatMap(({ name, config }) =>
            [...ticksBetween(config.cron, config.timezone, NOON + 1, NOON + 26 * HOUR)].map((at) => ({
              at,
              name,
            })),
          )
          .sort((a, b) => a.at - b.at);
        const got = firstTicks(all, NOON, limit);
        const known = every.slice(0, got.length).map(({ at }) => at);
        expect(got.map(({ at }) => at).slice(0, known.length)).toEqual(known);
        expect(got.length).toBe(limit);
      }),
      { numRuns: 50 },
    );
  });
});
