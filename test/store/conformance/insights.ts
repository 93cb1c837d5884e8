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

    const sums = async () =>
      new Map((await opened.store.insights.sums(DAYS)).map(({ assetKey, measures }) => [assetKey, measures]));

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
      const byDay = await insights.byDay(DAYS, ['orders', 'nobody']);
      expect(byDay.map(({ day, component, measures }) => [day, component, measures.rows])).toEqual([
        [TODAY, 'main', 7],
        [TODAY + 1, 'main', 7],
      ]);
      expect((await insights.byDay(DAYS, null)).map(({ measures }) => measures.rows)).toEqual([14, 7]);
      expect([...(await insights.durations(DAYS)).get('orders')!.values()]).toEqual([2]);
      expect(await insights.sums({ fromDay: TODAY + 2, toDay: TODAY + 9 })).toEqual([]);
    });

    it('counts a failed step when it gave up, its time at once', async () => {
      const { store } = opened;
      const [runId] = await launch(opened, SAMPLE, { assets: ['report'] });
      await fail(store, runId!, 'python_report');
      await store.insights.catchUp();
      expect((await sums()).get('report')).toMatchObject({ seconds: 1, failed: 1, succeeded: 0 });
      expect(await store.insights.durations(DAYS)).toEqual(new Map());
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
