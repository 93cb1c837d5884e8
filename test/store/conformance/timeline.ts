import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TimelineQuery } from '../../../src/store/timeline-store.ts';
import {
  fail,
  launch,
  NOON,
  OK,
  type OpenedStore,
  type OpenStore,
  publish,
  range,
  record,
  running,
} from './harness.ts';

const SAMPLE = {
  orders: { assets: { orders: {} } },
  report: { assets: { report: { deps: ['orders'] } } },
  stock: { assets: { stock: {} } },
};
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What ran within a window, lane by lane. */
export function describeTimelineStore(open: OpenStore): void {
  describe('timeline', () => {
    let opened: OpenedStore;
    beforeEach(async () => {
      opened = await open();
      await publish(opened.store, SAMPLE);
    });
    afterEach(async () => {
      await opened.close();
    });

    const ask = (query: Partial<TimelineQuery> = {}) =>
      opened.store.timeline.activity({
        from: NOON,
        to: NOON + 4 * HOUR,
        columns: 4,
        mostBars: 10,
        withRest: false,
        lanes: [
          { assetKeys: ['orders', 'report'], by: 'runs' },
          { assetKeys: ['stock'], by: 'runs' },
        ],
        ...query,
      });

    /** Started at the clock's time, ended after some minutes. */
    async function ran(asset: string, minutes: number): Promise<string> {
      const [runId] = await launch(opened, SAMPLE, { assets: [asset] });
      await running(opened.store, runId!, asset);
      opened.clock.advance(minutes * MINUTE);
      await record(opened.store, runId!, { type: 'run_succeeded' });
      return runId!;
    }

    it('tells a run once in a lane, however many of its assets it has', async () => {
      const { store, clock } = opened;
      clock.advance(HOUR);
      const [runId] = await launch(opened, SAMPLE, { assets: ['orders', 'report'] });
      clock.advance(1_000);
      await fail(store, runId!, 'orders');
      expect(await ask()).toEqual([
        {
          runs: 1,
          failed: 1,
          bars: [
            {
              runId,
              status: 'failed',
              createdAt: NOON + HOUR,
              startedAt: NOON + HOUR + 1_000,
              endedAt: NOON + HOUR + 1_000,
              assets: 2,
              cause: { kind: 'cli', user: 'ada' },
              partitions: { kind: 'none' },
            },
          ],
          columns: null,
        },
        { runs: 0, failed: 0, bars: [], columns: null },
      ]);
    });

    it('tells of a step in the lane of its asset: what succeeded in a failed run did succeed', async () => {
      const { store } = opened;
      const [runId] = await launch(opened, SAMPLE, { assets: ['orders', 'stock'] });
      await store.steps.finish(await running(store, runId!, 'stock'), OK, []);
      await fail(store, runId!, 'orders');
      const lanes = [
        { assetKeys: ['orders', 'stock'], by: 'runs' },
        { assetKeys: ['orders'], by: 'steps' },
        { assetKeys: ['stock'], by: 'steps' },
      ] as const;
      const statuses = (await ask({ lanes })).map(({ bars }) => bars?.map(({ status }) => status));
      expect(statuses).toEqual([['failed'], ['failed'], ['succeeded']]);
    });

    it('holds what reaches into the window, and nothing that lies outside', async () => {
      const { clock } = opened;
      const before = await ran('stock', 30);
      const [still] = await launch(opened, SAMPLE, { assets: ['stock'] });
      const into = await ran('stock', 90);
      const inside = await ran('stock', 5);
      clock.advance(3 * HOUR);
      const after = await ran('stock', 5);
      const lanes = [{ assetKeys: ['stock'], by: 'runs' }] as const;
      const [lane] = await ask({ from: NOON + HOUR, to: NOON + 3 * HOUR, lanes });
      const ids = lane!.bars!.map(({ runId }) => runId);
      expect(ids).toEqual([still, into, inside]);
      expect(ids).not.toContain(before);
      expect(ids).not.toContain(after);
    });

    it('holds every run of one instant, whatever their ids say of their order', async () => {
      const ids = [];
      for (const _ of range(12)) ids.push(...(await launch(opened, SAMPLE, { assets: ['stock'] })));
      for (const window of [{}, { from: NOON - HOUR, to: NOON + 1 }, { from: NOON - HOUR, to: NOON }]) {
        const [, lane] = await ask({ ...window, mostBars: 20 });
        const expected = 'to' in window && window.to === NOON ? [] : ids.toSorted();
        expect(lane!.bars!.map(({ runId }) => runId).sort()).toEqual(expected);
      }
    });

    it('counts in columns what would be too many bars', async () => {
      const { clock } = opened;
      for (const _ of range(3)) await ran('stock', 2);
      clock.set(NOON + 3 * HOUR);
      await launch(opened, SAMPLE, { assets: ['stock'] });
      const [, lane] = await ask({ mostBars: 3 });
      expect(lane).toEqual({
        runs: 4,
        failed: 0,
        bars: null,
        columns: [
          { at: 0, counts: { succeeded: 3 } },
          { at: 3, counts: { queued: 1 } },
        ],
      });
    });

    it('has a lane for what is in no other', async () => {
      await ran('orders', 1);
      const stock = await ran('stock', 1);
      const answer = await ask({ lanes: [{ assetKeys: ['orders'], by: 'runs' }], withRest: true });
      expect(answer.map(({ runs }) => runs)).toEqual([1, 1]);
      expect(answer[1]!.bars!.map(({ runId }) => runId)).toEqual([stock]);
    });
  });
}
