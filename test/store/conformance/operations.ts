import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DiscoveryResult } from '../../../src/store/store.ts';
import { DAILY } from '../../helpers/sample-definitions.ts';
import {
  fail,
  failure,
  launch,
  NOON,
  OK,
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

const DAY = 86_400_000;
const SAMPLE: Sample = {
  orders: { assets: { orders: {}, items: {} }, config: { partitions: DAILY } },
  report: { assets: { report: {} } },
};
const KEEP_ALL = { eventsSince: 0, ticksSince: 0, deliveriesSince: 0 };

/** Audit, heartbeats, deliveries, discovery; retention; projections from the log. */
export function describeOperationsStore(open: OpenStore): void {
  describe('operations', () => {
    let opened: OpenedStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.close();
    });

    it('keeps who did what', async () => {
      const { store, clock } = opened;
      const entry = { actor: 'ada', action: 'run.cancel', target: 'r1', details: { force: true } };
      await store.operations.audit(entry);
      clock.advance(5);
      await store.operations.audit({ ...entry, target: 'r2' });
      const [newest] = await store.operations.auditLog({ limit: 1 });
      expect(newest).toMatchObject({ at: NOON + 5, target: 'r2', details: { force: true } });
      const older = await store.operations.auditLog({ limit: 9, beforeId: newest!.auditId });
      expect(older).toEqual([{ ...entry, auditId: expect.any(Number), at: NOON }]);
    });

    it('tells who or what caused what: changes, runs that began by themselves, revisions; by page', async () => {
      const { store, clock } = opened;
      await publish(store, SAMPLE);
      await store.operations.audit({ actor: 'cli:ada', action: 'run.launch', target: 'r1', details: {} });
      clock.advance(1000);
      const at = clock.now();
      const tick = { schedule: 'orders_schedule', at, status: 'launched', reason: '' } as const;
      const { plans, specs } = plansFor(SAMPLE, clock, {
        assets: ['report'],
        cause: { kind: 'schedule', schedule: 'orders_schedule', tick: at },
      });
      await recordTick(store, { ...tick, plans, specs });
      clock.advance(1000);
      await store.operations.audit({ actor: 'page', action: 'run.cancel', target: 'r1', details: {} });
      await launch(opened, SAMPLE, { assets: ['report'] });
      const START = { change: null, launch: null, revision: null };
      const trail = async (filter: Partial<Parameters<typeof store.operations.auditTrail>[0]>) =>
        (await store.operations.auditTrail({ before: START, limit: 9, ...filter })).map(
          ({ actor, action }) => `${actor} ${action}`,
        );
      const all = [
        'page run.cancel',
        'schedule:orders_schedule run.launch',
        'cli:ada run.launch',
        'poll revision.apply',
      ];
      expect(await trail({})).toEqual(all);
      expect(await trail({ peopleOnly: true })).toEqual([all[0], all[2]]);
      expect(await trail({ actor: 'schedule:orders_schedule' })).toEqual([all[1]]);
      expect(await trail({ actor: 'poll' })).toEqual([all[3]]);
      expect(await trail({ action: 'run.' })).toEqual(all.slice(0, 3));
      expect(await trail({ target: plans[0]!.runId })).toEqual([all[1]]);
      // Page by page the same, each once.
      const seen: string[] = [];
      let before: Parameters<typeof store.operations.auditTrail>[0]['before'] = START;
      for (;;) {
        const [row] = await store.operations.auditTrail({ before, limit: 1 });
        if (row === undefined) break;
        seen.push(`${row.actor} ${row.action}`);
        before = { ...before, [row.kind]: row.id };
      }
      expect(seen).toEqual(all);
    });

    it('tells each change once, page by page, where the clock was set back', async () => {
      const { store, clock } = opened;
      for (const target of ['first', 'second', 'third']) {
        await store.operations.audit({ actor: 'ada', action: 'run.cancel', target, details: {} });
        clock.advance(-10_000);
      }
      const seen: string[] = [];
      let before: Parameters<typeof store.operations.auditTrail>[0]['before'] = {
        change: null,
        launch: null,
        revision: null,
      };
      for (let page = 0; page < 4; page++) {
        const rows = await store.operations.auditTrail({ before, limit: 2 });
        const last = rows.slice(0, 1).at(-1);
        if (last === undefined) break;
        seen.push(last.target);
        before = { ...before, [last.kind]: last.id };
      }
      expect(seen).toEqual(['third', 'second', 'first']);
    });

    it('keeps the last heartbeat of each daemon', async () => {
      const { store, clock } = opened;
      await store.operations.heartbeat('scheduler', 'failed', 'no such table');
      clock.advance(5);
      await store.operations.heartbeat('scheduler', 'ok', null);
      await store.operations.heartbeat('refresh', 'ok', null);
      expect(await store.operations.heartbeats()).toEqual([
        { daemon: 'refresh', at: NOON + 5, status: 'ok', lastError: null, iterations: 1 },
        { daemon: 'scheduler', at: NOON + 5, status: 'ok', lastError: null, iterations: 2 },
      ]);
    });

    it('knows a delivery again (W1)', async () => {
      const { store, clock } = opened;
      const delivery = { id: 'd-1', event: 'push', outcome: 'refresh' };
      expect(await store.operations.recordDelivery(delivery)).toBe(true);
      clock.advance(3 * DAY - 1);
      expect(await store.operations.recordDelivery(delivery)).toBe(false);
      expect(await store.operations.recordDelivery({ ...delivery, id: 'd-2' })).toBe(true);
      expect(await store.operations.deliveries(5)).toEqual([
        { ...delivery, id: 'd-2', at: clock.now() },
        { ...delivery, at: NOON },
      ]);
    });

    it('keeps discovery results by content', async () => {
      const { store } = opened;
      const result: DiscoveryResult = {
        inputsDigest: 'in-1',
        kind: 'dbt_parse',
        status: 'complete',
        envKey: 'default',
        assets: [{ key: 'm', kind: 'dbt', deps: [], checks: [] }],
        diagnostics: [],
      };
      expect(await store.discovery.result('in-1')).toBeNull();
      await store.discovery.save({ ...result, status: 'failed' });
      await store.discovery.save(result);
      expect(await store.discovery.result('in-1')).toEqual(result);
      expect(await store.discovery.results()).toEqual(new Map([['in-1', result]]));
    });

    /** Runs of every kind: succeeded, failed, retried, canceled, in flight, queued; checks; two definitions. */
    async function history(): Promise<void> {
      const { store, clock } = opened;
      await publish(store, SAMPLE);
      const start = async (key: string, assets = ['orders', 'items']) => {
        clock.advance(1000);
        const partitions = { kind: 'keys', keys: [key] } as const;
        const [runId] = await launch(opened, SAMPLE, { assets, partitions });
        return runId!;
      };
      await succeed(store, await start('2026-01-01'), 'orders');
      await fail(store, await start('2026-01-02'), 'orders', ['items']);
      await succeed(store, await start('2026-01-02'), 'orders');
      await fail(store, await start('2026-01-01'), 'orders');

      const retried = await start('2026-01-03');
      const first = await running(store, retried, 'orders');
      await store.steps.append(first, [
        {
          n: 1,
          event: {
            type: 'check',
            asset_key: 'orders',
            check_name: 'unique',
            passed: false,
            severity: 'ERROR',
            partition: '2026-01-03',
            metadata: {},
          },
        },
      ]);
      await store.steps.finish(first, failure(['items']), [
        { assetKey: 'items', partitions: ['2026-01-03'], metadata: { rows: 1 } },
      ]);
      await record(store, retried, {
        type: 'step_retry_scheduled',
        stepKey: 'orders',
        attempt: 1,
        retryAt: clock.now() + 1000,
        delaySeconds: 1,
        failureClass: 'user',
        retriesSpent: 1,
      });
      const second = await running(store, retried, 'orders');
      await record(store, retried, { type: 'step_lost', stepKey: 'orders', attempt: 2, reason: 'gone' });
      expect(await store.steps.finish(second, OK, [])).toBe('fenced');
      await running(store, retried, 'orders');

      await record(
        store,
        await start('2026-01-04'),
        { type: 'run_cancel_requested', by: 'ada' },
        { type: 'step_dropped', stepKey: 'orders', reason: 'canceled' },
        { type: 'run_canceled', reason: 'asked' },
      );
      const [report] = (await launch(opened, SAMPLE, { assets: ['report'] })) as [string];
      await succeed(store, report, 'report');
      await start('2026-01-05');
      await publish(store, {
        ...SAMPLE,
        orders: {
          ...SAMPLE.orders!,
          config: { partitions: { ...DAILY, start: '2026-01-02' } as typeof DAILY },
        },
      });
    }

    it('makes every projection again from the log, equal to what was there', async () => {
      await history();
      const before = await opened.projections();
      for (const [table, rows] of Object.entries(before))
        expect([table, rows.length]).not.toEqual([table, 0]);
      await opened.store.operations.rebuildProjections();
      expect(await opened.projections()).toEqual(before);
    });

    it('goes on from rebuilt projections', async () => {
      await history();
      const { store } = opened;
      await store.operations.rebuildProjections();
      const [lease] = await store.steps.leases();
      expect(await store.steps.finish(lease!.ref, OK, [])).toBe('ok');
      const partitions = await store.assets.partitions('orders');
      expect(partitions.find((row) => row.key === '2026-01-03')).toBeUndefined();
      expect((await store.assets.partitions('items')).map((row) => [row.key, row.status])).toEqual([
        ['2026-01-02', 'materialized'],
        ['2026-01-03', 'materialized'],
      ]);
    });

    it('prunes what is old and leaves last writes, runs, unfinished work and last ticks', async () => {
      await history();
      const { store, clock } = opened;
      for (const at of [NOON, NOON + 1, clock.now()]) {
        await recordTick(store, {
          schedule: 's',
          at,
          status: 'skipped',
          reason: '',
          plans: [],
          specs: () => ({}),
        });
      }
      await store.operations.recordDelivery({ id: 'old', event: 'push', outcome: '' });
      await store.discovery.save({
        inputsDigest: 'unused',
        kind: 'dbt_parse',
        status: 'complete',
        assets: [],
        diagnostics: [],
      });
      const shown = async () => ({
        orders: await store.assets.partitions('orders'),
        items: await store.assets.partitions('items'),
        status: await store.assets.status(['orders', 'items', 'report']),
        checks: await store.assets.checks('orders'),
        runs: await store.runs.list({ limit: 100 }),
        leases: await store.steps.leases(),
      });
      const before = await shown();
      const eventsBefore = await store.events({ after: 0, limit: 10_000 });
      const unfinished = new Set(await store.runs.unfinished());

      expect(await store.operations.prune(KEEP_ALL)).toMatchObject({ event: 0 });
      clock.advance(DAY);
      const since = clock.now();
      const removed = await store.operations.prune({
        eventsSince: since,
        ticksSince: since,
        deliveriesSince: since,
      });
      expect(removed).toMatchObject({ tick: 2, delivery: 1, discovery_result: 1 });
      expect(removed.event).toBeGreaterThan(20);
      expect(await shown()).toEqual(before);
      const eventsAfter = await store.events({ after: 0, limit: 10_000 });
      expect(eventsAfter).toHaveLength(eventsBefore.length - removed.event!);
      const ofUnfinished = (events: typeof eventsAfter) =>
        events.filter((event) => event.runId !== null && unfinished.has(event.runId));
      expect(ofUnfinished(eventsAfter)).toEqual(ofUnfinished(eventsBefore));
      expect(await store.schedules.lastTicks()).toHaveLength(1);
      expect(
        await store.operations.prune({ eventsSince: since, ticksSince: since, deliveriesSince: since }),
      ).toEqual({
        event: 0,
        backfill: 0,
        tick: 0,
        delivery: 0,
        discovery_result: 0,
      });
    });

    it('rebuilds what is left after retention, equal to what was there', async () => {
      await history();
      const { store, clock } = opened;
      clock.advance(DAY);
      await store.operations.prune({ ...KEEP_ALL, eventsSince: clock.now() });
      const [runId] = await launch(opened, SAMPLE, {
        assets: ['orders'],
        partitions: { kind: 'keys', keys: ['2026-01-02'] },
      });
      await fail(store, runId!, 'orders');
      const before = await opened.projections();
      await store.operations.rebuildProjections();
      expect(await opened.projections()).toEqual(before);
    });

    it('says how large and how sound it is', async () => {
      await history();
      expect(await opened.store.operations.sizeBytes()).toBeGreaterThan(10_000);
      expect(await opened.store.operations.integrityCheck()).toBe('ok');
    });
  });
}
