import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  dispatch,
  failure,
  launch,
  NO_LIMITS,
  NOON,
  OK,
  type OpenedStore,
  type OpenStore,
  publish,
  record,
  running,
} from './harness.ts';

const SAMPLE = { orders: { assets: { orders: {}, items: {} }, config: { pools: ['duckdb'] } } };
const TTL = 600_000;

/** The fence: who is heard, and that an attempt has one result. */
export function describeStepStore(open: OpenStore): void {
  describe('steps', () => {
    let opened: OpenedStore;
    let runId: string;
    beforeEach(async () => {
      opened = await open();
      await publish(opened.store, SAMPLE);
      [runId] = (await launch(opened, SAMPLE, { assets: ['orders', 'items'] })) as [string];
    });
    afterEach(async () => {
      await opened.close();
    });

    it('gives the lease to the first holder, and to another once it has expired', async () => {
      const { store, clock } = opened;
      const ref = await dispatch(store, runId, 'orders');
      expect(ref).toMatchObject({
        runId,
        stepKey: 'orders',
        attempt: 1,
        queue: 'vol:local',
        leaseTtlMs: TTL,
      });
      expect(await store.steps.acquire(ref, 'a')).toBe('ok');
      expect(await store.steps.acquire(ref, 'a')).toBe('ok');
      expect(await store.steps.acquire(ref, 'b')).toBe('held');
      clock.advance(TTL - 1);
      expect(await store.steps.acquire(ref, 'b')).toBe('held');
      clock.advance(1);
      expect(await store.steps.acquire(ref, 'b')).toBe('ok');
      expect(await store.steps.renew(ref, 'a')).toBe('lost');
      expect(await store.steps.leases()).toMatchObject([
        { holder: 'b', expires: NOON + 2 * TTL, cancel: false },
      ]);
    });

    it('renews for the holder only, and tells it to cancel', async () => {
      const { store, clock } = opened;
      const ref = await running(store, runId, 'orders');
      clock.advance(1000);
      expect(await store.steps.renew(ref, 'worker-1')).toBe('ok');
      expect(await store.steps.leases()).toMatchObject([{ expires: NOON + 1000 + TTL }]);
      await store.runs.advance(runId, NO_LIMITS, () => [{ type: 'cancel_lease', stepKey: 'orders' }]);
      expect(await store.steps.renew(ref, 'worker-1')).toBe('cancel');
      expect(await store.steps.renew(ref, 'worker-2')).toBe('lost');
    });

    it('refuses an attempt that was given up, in every call', async () => {
      const { store } = opened;
      const old = await running(store, runId, 'orders');
      await record(store, runId, { type: 'step_lost', stepKey: 'orders', attempt: 1, reason: 'gone' });
      expect(await store.steps.leases()).toEqual([]);
      const fresh = await dispatch(store, runId, 'orders');
      expect(fresh.attempt).toBe(2);
      expect(await store.steps.acquire(fresh, 'worker-2')).toBe('ok');

      expect(await store.steps.acquire(old, 'worker-1')).toBe('stale');
      expect(await store.steps.takeOver(old, 'worker-1', 'worker-3')).toBe('stale');
      expect(await store.steps.renew(old, 'worker-1')).toBe('lost');
      expect(await store.steps.started(old, { pid: 1, envKey: 'e' })).toBe('fenced');
      const late = { type: 'log', level: 'info', message: 'late' } as const;
      expect(await store.steps.append(old, [{ n: 1, event: late }])).toBe('fenced');
      expect(await store.steps.finish(old, OK, [])).toBe('fenced');
      const events = await store.events({ after: 0, limit: 100, runId, types: ['log', 'step_succeeded'] });
      expect(events).toEqual([]);
    });

    it('hears nobody before the lease is acquired', async () => {
      const { store } = opened;
      const ref = await dispatch(store, runId, 'orders');
      expect(await store.steps.started(ref, { pid: 1, envKey: 'e' })).toBe('fenced');
      expect(await store.steps.append(ref, [])).toBe('fenced');
      expect(await store.steps.finish(ref, OK, [])).toBe('fenced');
    });

    it('passes over numbers that it knows', async () => {
      const { store } = opened;
      const ref = await running(store, runId, 'orders');
      const line = (n: number) => ({ n, event: { type: 'log', level: 'info', message: `${n}` } as const });
      expect(await store.steps.lastN(ref)).toBe(0);
      await store.steps.append(ref, [line(1), line(2)]);
      await store.steps.append(ref, [line(1), line(2), line(3)]);
      expect(await store.steps.lastN(ref)).toBe(3);
      const events = await store.events({ after: 0, limit: 100, runId, types: ['log'] });
      expect(events.map(({ n, event, attempt, stepKey }) => [n, event, attempt, stepKey])).toEqual(
        [1, 2, 3].map((n) => [n, line(n).event, 1, 'orders']),
      );
      expect(await store.steps.lastN({ ...ref, attempt: 2 })).toBe(0);
    });

    it('keeps what a runner invents and the end word of the child, without meaning', async () => {
      const { store } = opened;
      const ref = await running(store, runId, 'orders');
      await store.steps.append(ref, [
        { n: 1, event: { type: 'other', payload: { type: 'novelty', someKey: 1 } } },
        { n: 2, event: { type: 'end', status: 'ok' } },
      ]);
      const events = await store.events({ after: 0, limit: 100, runId, types: ['other'] });
      expect(events.map(({ event }) => event)).toEqual([
        { type: 'other', payload: { type: 'novelty', someKey: 1 } },
        { type: 'other', payload: { type: 'end', status: 'ok' } },
      ]);
      expect((await store.runs.state(runId))!.steps.orders!.status).toBe('running');
    });

    it('records a result once, with what it implies, and frees lease and slots', async () => {
      const { store } = opened;
      const ref = await running(store, runId, 'orders');
      const limits = { ...NO_LIMITS, pools: { duckdb: 1 } };
      const admissionOf = async () => (await store.runs.advance(runId, limits, () => []))!.view.admission;
      expect(await admissionOf()).toMatchObject({
        stepsInFlight: 1,
        runsInFlight: 1,
        pools: { duckdb: { limit: 1, held: 1 } },
      });
      const implied = [{ assetKey: 'orders', partitions: [], metadata: { rows: 3 } }];
      expect(await store.steps.finish(ref, OK, implied)).toBe('ok');
      expect(await store.steps.finish(ref, OK, implied)).toBe('fenced');
      expect(await store.steps.finish(ref, failure(), [])).toBe('fenced');
      expect(await store.steps.leases()).toEqual([]);
      expect(await admissionOf()).toMatchObject({
        stepsInFlight: 0,
        pools: { duckdb: { limit: 1, held: 0 } },
      });
      const written = await store.assets.materializations('orders', { limit: 10 });
      expect(written).toMatchObject([{ partition: null, runId, stepKey: 'orders', metadata: { rows: 3 } }]);
      const results = await store.events({ after: 0, limit: 100, runId, types: ['step_succeeded'] });
      expect(results).toMatchObject([{ attempt: 1, event: OK }]);
    });

    it('marks a start once', async () => {
      const { store } = opened;
      const ref = await running(store, runId, 'orders');
      expect(await store.steps.started(ref, { pid: 43, envKey: 'other' })).toBe('ok');
      const events = await store.events({ after: 0, limit: 100, runId, types: ['step_started'] });
      expect(events.map(({ event }) => event)).toEqual([
        { type: 'step_started', stepKey: 'orders', attempt: 1, pid: 42, envKey: 'default' },
      ]);
    });

    it('hands a step over to a new holder, with the same fence', async () => {
      const { store, clock } = opened;
      const ref = await running(store, runId, 'orders');
      clock.advance(TTL + 1);
      expect(await store.steps.takeOver(ref, 'somebody', 'worker-2')).toBe('held');
      expect(await store.steps.takeOver(ref, 'worker-1', 'worker-2')).toBe('ok');
      expect(await store.steps.renew(ref, 'worker-1')).toBe('lost');
      expect(await store.steps.renew(ref, 'worker-2')).toBe('ok');
      expect(await store.steps.leases()).toMatchObject([
        { ref, holder: 'worker-2', expires: clock.now() + TTL },
      ]);
    });

    it('gives a retry the assets that are left', async () => {
      const { store } = opened;
      const ref = await running(store, runId, 'orders');
      await store.steps.finish(ref, failure(['items']), []);
      await record(store, runId, {
        type: 'step_retry_scheduled',
        stepKey: 'orders',
        attempt: 1,
        retryAt: NOON + 60_000,
        delaySeconds: 60,
        failureClass: 'user',
        retriesSpent: 1,
      });
      const second = await dispatch(store, runId, 'orders');
      const spec = await store.steps.spec(second);
      expect(spec.assets.map((asset) => asset.key)).toEqual(['orders']);
      expect(spec).toMatchObject({ ref: second, retriesSpent: 1, v: 1 });
    });

    it('knows no spec of a run that is not there', async () => {
      const ref = { runId: 'none', stepKey: 'x', attempt: 1, queue: '', timeoutMs: null, leaseTtlMs: 1 };
      await expect(opened.store.steps.spec(ref)).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
      expect(await opened.store.steps.acquire(ref, 'a')).toBe('stale');
    });
  });
}
