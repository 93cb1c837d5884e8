import fc from 'fast-check';
import { expect } from 'vitest';
import { TICK_CRASH_POINTS, type TickCrashPoint } from '../../src/daemons/tick-crash-points.ts';
import { ticksBetween } from '../../src/partitions/cron.ts';
import { MINUTE, pipelines, SCHEDULE, schedulerWorld, T0 } from './scheduler-world.ts';

type Step =
  | { readonly do: 'move'; readonly minutes: number }
  | { readonly do: 'restart' | 'stop' | 'start' | 'remove' }
  | { readonly do: 'crash'; readonly point: TickCrashPoint }
  | { readonly do: 'edit'; readonly cron: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.integer({ min: -4, max: 4 }).map((minutes): Step => ({ do: 'move', minutes })),
  },
  { weight: 2, arbitrary: fc.constantFrom<Step>({ do: 'restart' }, { do: 'stop' }, { do: 'start' }) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(...TICK_CRASH_POINTS).map((point): Step => ({ do: 'crash', point })),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'remove' }) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('* * * * *', '*/2 * * * *', '*/3 * * * *')
      .map((cron): Step => ({ do: 'edit', cron })),
  },
);

const GONE = { python_b: { assets: { b: {} } } };

/**
 * Random edits, crashes at every point, stops, restarts and moves of the clock, held against a plain count: exactly one
 * tick and one run per due instant.
 */
export async function checkScheduler(numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
      const world = await schedulerWorld({ ...pipelines({}), ...GONE });
      const { clock } = world;
      const expected: number[] = [];
      let cron: string | null = '* * * * *';
      let isRunning = true;
      let cursor = T0;
      const skipPast = (): void => {
        cursor = Math.max(cursor, clock.now());
      };
      for (const one of steps) {
        if (one.do === 'move') clock.advance(one.minutes * MINUTE);
        if (one.do === 'edit' && one.cron !== cron) {
          cron = one.cron;
          skipPast();
          await world.edit({ ...pipelines({ cron: [cron] }), ...GONE });
        }
        if (one.do === 'remove' && cron !== null) {
          cron = null;
          skipPast();
          await world.edit(GONE);
        }
        if (one.do === 'stop' || one.do === 'start') {
          isRunning = one.do === 'start';
          const status = isRunning ? 'RUNNING' : 'STOPPED';
          const override = { status, by: 'page', at: clock.now() } as const;
          await world.store.schedules.setOverride(SCHEDULE, override, clock.now());
          skipPast();
        }
        if (cron !== null && isRunning) {
          for (const at of ticksBetween(cron, 'UTC', cursor + 1, clock.now() + 1)) {
            expected.push((at - T0) / MINUTE);
            cursor = at;
          }
        }
        if (one.do === 'restart') await world.restart();
        if (one.do === 'crash') await world.crash(one.point);
        await world.scheduler.runOnce();
      }
      expect(await world.launched()).toEqual(expected);
      const runs = await world.store.runs.list({ limit: 1000 });
      expect(runs).toHaveLength(expected.length);
      expect(new Set(runs.map(({ cause }) => JSON.stringify(cause))).size).toBe(expected.length);
      await world.close();
    }),
    { numRuns },
  );
}
