import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunCommand } from '../../../src/store/store.ts';
import {
  dispatch,
  fail,
  failure,
  launch,
  NO_LIMITS,
  NOON,
  OK,
  type OpenedStore,
  type OpenStore,
  plansFor,
  publish,
  range,
  record,
  running,
  succeed,
} from './harness.ts';

const SAMPLE = {
  orders: { assets: { orders: {} } },
  report: { assets: { report: { deps: ['orders'] } } },
};

/** Launches, `advance`, lists. */
export function describeRunStore(open: OpenStore): void {
  describe('runs', () => {
    let opened: OpenedStore;
    beforeEach(async () => {
      opened = await open();
      await publish(opened.store, SAMPLE);
    });
    afterEach(async () => {
      await opened.close();
    });

    it('records a launch whole: plan, state, summary, first event', async () => {
      const { store, clock } = opened;
      const { plans, specs } = plansFor(SAMPLE, clock, { assets: ['orders', 'report'], tags: { team: 'x' } });
      const launched = await store.runs.createLaunch(plans, { specs });
      const [plan] = plans;
      expect(launched).toEqual({ launchId: plan!.launchId, runIds: [plan!.runId], created: true });
      expect(await store.runs.plan(plan!.runId)).toEqual(plan);
      expect(await store.runs.state(plan!.runId)).toMatchObject({
        runId: plan!.runId,
        status: 'QUEUED',
        createdAt: NOON,
        steps: { orders: { status: 'waiting', attempt: 0 }, report: { status: 'waiting' } },
      });
      expect(await store.runs.summary(plan!.runId)).toEqual({
        runId: plan!.runId,
        launchId: plan!.launchId,
        status: 'QUEUED',
        jobName: plan!.jobName,
        cause: { kind: 'cli', user: 'ada' },
        tags: { team: 'x' },
        assetKeys: ['orders', 'report'],
        partitions: { kind: 'none' },
        commits: [{ component: 'main', commit: 'c'.repeat(40) }],
        createdAt: NOON,
        startedAt: null,
        endedAt: null,
        stepCounts: { waiting: 2 },
        error: null,
      });
      const events = await store.events({ after: 0, limit: 10, runId: plan!.runId });
      expect(events.map(({ event }) => event)).toEqual([{ type: 'run_enqueued' }]);
    });

    it('makes one launch of one idempotency key, and of one launch id', async () => {
      const { store, clock } = opened;
      const first = plansFor(SAMPLE, clock, { assets: ['orders'] });
      const again = plansFor(SAMPLE, clock, { assets: ['orders'] });
      const key = { idempotencyKey: 'nightly' };
      const created = await store.runs.createLaunch(first.plans, { ...key, specs: first.specs });
      const known = { ...created, created: false };
      expect(await store.runs.createLaunch(again.plans, { ...key, specs: again.specs })).toEqual(known);
      expect(await store.runs.createLaunch(first.plans, { specs: first.specs })).toEqual(known);
      expect(await store.runs.list({ limit: 10 })).toHaveLength(1);
    });

    it('takes a launch of a schedule as its tick', async () => {
      const { store, clock } = opened;
      const cause = { kind: 'schedule', schedule: 'orders_schedule', tick: NOON } as const;
      const first = plansFor(SAMPLE, clock, { assets: ['orders'], cause });
      const again = plansFor(SAMPLE, clock, { assets: ['orders'], cause });
      const created = await store.runs.createLaunch(first.plans, { specs: first.specs });
      expect(await store.runs.createLaunch(again.plans, { specs: again.specs })).toEqual({
        ...created,
        created: false,
      });
      expect(await store.schedules.ticks('orders_schedule', { limit: 5 })).toMatchObject([
        { at: NOON, status: 'launched', launchId: created.launchId, runIds: created.runIds },
      ]);
    });

    it('shows decide a whole view', async () => {
      const { store } = opened;
      const [runId] = (await launch(opened, SAMPLE, { assets: ['orders', 'report'] })) as [string];
      const ref = await running(store, runId, 'orders');
      const limits = { maxSteps: 3, maxConcurrentRuns: 2, pools: { duckdb: 1 } };
      const advanced = await store.runs.advance(runId, limits, (view) => {
        expect(view.plan.runId).toBe(runId);
        expect(view.state.steps.orders!.status).toBe('running');
        expect(view.leases.orders).toMatchObject({ ref, holder: 'worker-1', cancel: false });
        expect(view.admission).toEqual({
          maxSteps: 3,
          stepsInFlight: 1,
          pools: { duckdb: { limit: 1, held: 0 } },
          maxConcurrentRuns: 2,
          runsInFlight: 1,
        });
        expect(view.now).toBe(NOON);
        return [];
      });
      expect(advanced?.commands).toEqual([]);
      expect(await store.runs.advance('none', limits, () => [])).toBeNull();
    });

    it('shows the runs that a run waits for', async () => {
      const { store, clock } = opened;
      const { plans, specs } = plansFor(SAMPLE, clock, { assets: ['orders'] });
      const [plan] = plans;
      const second = { ...plan!, runId: `${plan!.runId}b`, after: [plan!.runId] };
      await store.runs.createLaunch([plan!, second], { specs });
      await succeed(store, plan!.runId, 'orders');
      const advanced = await store.runs.advance(second.runId, NO_LIMITS, () => []);
      expect(advanced!.view.after).toEqual({ [plan!.runId]: 'SUCCESS' });
    });

    it('records what fits and passes over the rest', async () => {
      const { store } = opened;
      const [runId] = (await launch(opened, SAMPLE, { assets: ['orders'] })) as [string];
      const commands: RunCommand[] = [
        { type: 'record', event: { type: 'run_started' } },
        { type: 'record', event: { type: 'run_started' } },
        { type: 'record', event: { type: 'run_failed', reason: 'no' } },
        { type: 'record', event: { type: 'run_succeeded' } },
      ];
      const advanced = await store.runs.advance(runId, NO_LIMITS, () => commands);
      expect(advanced!.commands).toEqual([commands[0], commands[2]]);
      expect(advanced!.state.status).toBe('FAILURE');
      expect(await store.runs.state(runId)).toEqual(advanced!.state);
      const events = await store.events({ after: 0, limit: 10, runId });
      expect(events.map(({ event }) => event.type)).toEqual(['run_enqueued', 'run_started', 'run_failed']);
    });

    it('writes nothing of a decision that throws', async () => {
      const { store } = opened;
      const [runId] = (await launch(opened, SAMPLE, { assets: ['orders'] })) as [string];
      const before = await store.lastEventId();
      const pools: string[] = [];
      await expect(
        store.runs.advance(runId, NO_LIMITS, () => [
          { type: 'record', event: { type: 'run_started' } },
          { type: 'record', event: { type: 'step_dispatched', stepKey: 'orders', attempt: 1, pools } },
          { type: 'record', event: null as never },
        ]),
      ).rejects.toThrow();
      expect(await store.lastEventId()).toBe(before);
      expect((await store.runs.state(runId))!.status).toBe('QUEUED');
      expect(await store.steps.leases()).toEqual([]);
    });

    it('keeps the state over a restart', async () => {
      const [runId] = (await launch(opened, SAMPLE, { assets: ['orders'] })) as [string];
      const ref = await running(opened.store, runId, 'orders');
      await opened.store.steps.finish(ref, failure(), []);
      const before = await opened.store.runs.state(runId);
      opened = await opened.reopen();
      expect(await opened.store.runs.state(runId)).toEqual(before);
      expect(before!.steps.orders).toMatchObject({
        status: 'attempt_failed',
        error: { failureClass: 'user' },
      });
    });

    it('shows why a run failed', async () => {
      const { store } = opened;
      const [runId] = (await launch(opened, SAMPLE, { assets: ['orders', 'report'] })) as [string];
      await fail(store, runId, 'orders');
      expect(await store.runs.summary(runId)).toMatchObject({
        status: 'FAILURE',
        stepCounts: { failed: 1, waiting: 1 },
        error: { message: 'no such column' },
        endedAt: NOON,
      });
    });

    it('lists by status, asset, pipeline, schedule and launch, newest first, page by page', async () => {
      const { store, clock } = opened;
      const ids: string[] = [];
      for (const n of range(12)) {
        clock.advance(1000);
        const cause =
          n % 4 === 0
            ? ({ kind: 'schedule', schedule: 'orders_schedule', tick: n } as const)
            : ({ kind: 'cli', user: 'ada' } as const);
        const assets = n % 2 === 0 ? ['orders'] : ['report'];
        ids.push(...(await launch(opened, SAMPLE, { assets, cause })));
      }
      await succeed(store, ids[0]!, 'orders');
      await fail(store, ids[1]!, 'report');
      const newest = ids.toReversed();
      const listed = async (filter: Parameters<typeof store.runs.list>[0]) =>
        (await store.runs.list(filter)).map((run) => run.runId);

      expect(await listed({ limit: 5 })).toEqual(newest.slice(0, 5));
      expect(await listed({ limit: 5, cursor: newest[4]! })).toEqual(newest.slice(5, 10));
      expect(await listed({ limit: 5, cursor: newest[11]! })).toEqual([]);
      expect(await listed({ limit: 5, cursor: '0' })).toEqual([]);
      expect(await listed({ limit: 99, statuses: ['SUCCESS', 'FAILURE'] })).toEqual([ids[1], ids[0]]);
      expect(await listed({ limit: 1, statuses: ['SUCCESS', 'FAILURE'] })).toEqual([ids[1]]);
      expect(await listed({ limit: 99, statuses: [] })).toEqual([]);
      expect(await listed({ limit: 99, assetKey: 'report' })).toEqual(
        newest.filter((id) => ids.indexOf(id) % 2 === 1),
      );
      expect(await listed({ limit: 99, pipeline: 'orders', statuses: ['QUEUED'] })).toEqual(
        newest.filter((id) => ids.indexOf(id) % 2 === 0 && id !== ids[0]),
      );
      expect(await listed({ limit: 99, schedule: 'orders_schedule' })).toEqual([ids[8], ids[4], ids[0]]);
      expect(await listed({ limit: 99, assetKey: 'unknown' })).toEqual([]);
      expect(await listed({ limit: 99, schedule: 'unknown' })).toEqual([]);
      const { launchId } = (await store.runs.summary(ids[3]!))!;
      expect(await listed({ limit: 99, launchId })).toEqual([ids[3]]);
      expect(await store.runs.counts()).toEqual({
        QUEUED: 10,
        STARTED: 0,
        CANCELING: 0,
        SUCCESS: 1,
        FAILURE: 1,
        CANCELED: 0,
      });
    });

    it('gives unfinished runs by priority, then age', async () => {
      const { store } = opened;
      const [low] = (await launch(opened, SAMPLE, { assets: ['orders'], priority: -1 })) as [string];
      const [first] = (await launch(opened, SAMPLE, { assets: ['orders'] })) as [string];
      const [high] = (await launch(opened, SAMPLE, { assets: ['orders'], priority: 5 })) as [string];
      const [second] = (await launch(opened, SAMPLE, { assets: ['orders'] })) as [string];
      const [done] = (await launch(opened, SAMPLE, { assets: ['orders'], priority: 9 })) as [string];
      await record(store, done, { type: 'run_canceled', reason: 'asked' });
      expect(await store.runs.unfinished()).toEqual([high, first, second, low]);
    });

    it('takes every lease from a run that has ended', async () => {
      const { store } = opened;
      const [runId] = (await launch(opened, SAMPLE, { assets: ['orders', 'report'] })) as [string];
      const ref = await running(store, runId, 'orders');
      await record(store, runId, { type: 'run_canceled', reason: 'asked' });
      expect(await store.steps.leases()).toEqual([]);
      expect(await store.steps.finish(ref, OK, [])).toBe('fenced');
      expect(await store.steps.acquire(ref, 'worker-1')).toBe('stale');
    });

    it('frees what a step held when decide says so', async () => {
      const { store } = opened;
      const [runId] = (await launch(opened, SAMPLE, { assets: ['orders'] })) as [string];
      await dispatch(store, runId, 'orders');
      await store.runs.advance(runId, NO_LIMITS, () => [{ type: 'release_lease', stepKey: 'orders' }]);
      expect(await store.steps.leases()).toEqual([]);
    });

    it('tells listeners of new events after the commit, and numbers events in that order', async () => {
      const { store } = opened;
      const heard: number[] = [];
      const stop = store.subscribe((id) => heard.push(id));
      const [runId] = (await launch(opened, SAMPLE, { assets: ['orders'] })) as [string];
      const ref = await running(store, runId, 'orders');
      await Promise.all(
        range(20).map(async (n) =>
          store.steps.append(ref, [{ n: n + 1, event: { type: 'log', level: 'info', message: `${n}` } }]),
        ),
      );
      await store.steps.renew(ref, 'worker-1');
      const count = heard.length;
      expect(heard).toEqual(heard.toSorted((a, b) => a - b));
      expect(heard.at(-1)).toBe(await store.lastEventId());
      stop();
      await store.steps.finish(ref, OK, []);
      expect(heard).toHaveLength(count);
      const all = await store.events({ after: 0, limit: 1000 });
      const second = await store.events({ after: all[3]!.eventId, limit: 2 });
      expect(second.map((event) => event.eventId)).toEqual([all[4]!.eventId, all[5]!.eventId]);
      expect(await store.events({ after: 0, limit: 10, runId: 'none' })).toEqual([]);
    });
  });
}
