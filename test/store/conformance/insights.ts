import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NOTHING } from '../../../src/insights/measures.ts';
import {
  fail,
  launch,
  NOON,
  type OpenedStore,
  type OpenStore,
  plansFor,
  publish,
  record,
  recordTick,
  running,
  type Sample,
  succeed,
} from './harness.ts';

const DAY_MS = 86_400_000;
const TODAY = Math.floor(NOON / DAY_MS);
const DAYS = { fromDay: TODAY, toDay: TODAY + 2 };
const SAMPLE: Sample = {
  dlt_orders: { assets: { orders: {}, items: {} } },
  python_report: { assets: { report: {} } },
};

/** What runs did, by asset and day. */
export function describeInsightsStore(open: OpenStore): void {
  describe('insights', () => {
    let opened: OpenedStore;
    beforeEach(async () => {
      opened = await open();
      await publish(opened.store, SAMPLE);
    });
    afterEach(async () => {
      await opened.close();
    });

    const sums = async () => opened.store.insights.sums(DAYS);

    it('counts writes, results and seconds, each event once, also after a restart', async () => {
      const [runId] = await launch(opened, SAMPLE, { assets: ['orders', 'items'] });
      await succeed(opened.store, runId!, 'dlt_orders');
      expect(await opened.store.insights.catchUp()).toBeGreaterThan(0);
      expect(await opened.store.insights.catchUp()).toBe(0);
      const once = { ...NOTHING, materializations: 1, rows: 7, seconds: 0.5, succeeded: 1 };
      expect(await sums()).toEqual(
        new Map([
          ['orders', once],
          ['items', once],
        ]),
      );
      opened = await opened.reopen();
      expect(await opened.store.insights.catchUp()).toBe(0);
      opened.clock.advance(DAY_MS);
      const [next] = await launch(opened, SAMPLE, { assets: ['orders'] });
      await succeed(opened.store, next!, 'dlt_orders');
      await opened.store.insights.catchUp();
      const { insights } = opened.store;
      expect((await sums()).get('orders')).toEqual({
        ...NOTHING,
        materializations: 2,
        rows: 14,
        seconds: 1.5,
        succeeded: 2,
      });
      const rowsByDay = async (keys: readonly string[]) =>
        [...(await insights.byDay(DAYS, keys))].map(([day, { rows }]) => [day, rows]);
      expect(await rowsByDay(['orders', 'nobody'])).toEqual([
        [TODAY, 7],
        [TODAY + 1, 7],
      ]);
      expect(await rowsByDay(['orders', 'items'])).toEqual([
        [TODAY, 14],
        [TODAY + 1, 7],
      ]);
      expect(await rowsByDay([])).toEqual([]);
      expect([...(await insights.durations(DAYS)).get('orders')!.values()]).toEqual([2]);
      expect(await insights.sums({ fromDay: TODAY + 2, toDay: TODAY + 9 })).toEqual(new Map());
    });

    it('counts a failed step when it gave up, its time at once', async () => {
      const { store } = opened;
      const [runId] = await launch(opened, SAMPLE, { assets: ['report'] });
      await fail(store, runId!, 'python_report');
      await store.insights.catchUp();
      expect((await sums()).get('report')).toMatchObject({ seconds: 1, failed: 1, succeeded: 0 });
      expect(await store.insights.durations(DAYS)).toEqual(new Map());
    });

    it('counts what a step wrote before it failed as well written, all as failed if it wrote all', async () => {
      const { store } = opened;
      const [partly] = await launch(opened, SAMPLE, { assets: ['orders', 'items'] });
      await fail(store, partly!, 'dlt_orders', ['orders']);
      await store.insights.catchUp();
      const results = async () =>
        [...(await sums())].map(([key, { succeeded, failed }]) => [key, succeeded, failed]);
      expect(await results()).toEqual([
        ['orders', 1, 0],
        ['items', 0, 1],
      ]);
      const [whole] = await launch(opened, SAMPLE, { assets: ['orders', 'items'] });
      await fail(store, whole!, 'dlt_orders', ['orders', 'items']);
      await store.insights.catchUp();
      expect(await results()).toEqual([
        ['orders', 1, 1],
        ['items', 0, 2],
      ]);
    });

    it('counts each event once whoever asks at the same time', async () => {
      const { store } = opened;
      const [runId] = await launch(opened, SAMPLE, { assets: ['report'] });
      await succeed(store, runId!, 'python_report');
      await Promise.all([store.insights.catchUp(), store.insights.catchUp(), store.insights.catchUp()]);
      expect((await sums()).get('report')).toMatchObject({ materializations: 1, succeeded: 1, rows: 7 });
    });

    it('takes what users reported as no number for nothing', async () => {
      const { store } = opened;
      const [runId] = await launch(opened, SAMPLE, { assets: ['report'] });
      const ref = await running(store, runId!, 'python_report');
      const metadata = { rows: 'many', bytes: -5 };
      await store.steps.append(ref, [
        { n: 1, event: { type: 'materialization', asset_key: 'report', metadata } },
      ]);
      await store.insights.catchUp();
      expect((await sums()).get('report')).toEqual({ ...NOTHING, materializations: 1 });
    });

    it('knows how late the runs of a schedule began', async () => {
      const { store, clock } = opened;
      const at = clock.now();
      const { plans, specs } = plansFor(SAMPLE, clock, {
        assets: ['report'],
        cause: { kind: 'schedule', schedule: 'python_report_schedule', tick: at },
      });
      await recordTick(store, {
        schedule: 'python_report_schedule',
        at,
        status: 'launched',
        reason: '',
        plans,
        specs,
      });
      clock.advance(90_000);
      await record(store, plans[0]!.runId, { type: 'run_started' });
      await store.insights.catchUp();
      expect((await sums()).get('report')).toMatchObject({ scheduled: 1, delay: 90, longestDelay: 90 });
    });

    it('keeps what was done when its events are pruned', async () => {
      const { store, clock } = opened;
      const [runId] = await launch(opened, SAMPLE, { assets: ['report'] });
      await succeed(store, runId!, 'python_report');
      await store.insights.catchUp();
      const before = await sums();
      clock.advance(DAY_MS);
      const since = clock.now();
      await store.operations.prune({ eventsSince: since, ticksSince: since, deliveriesSince: since });
      await store.insights.catchUp();
      expect(await sums()).toEqual(before);
    });
  });
}
