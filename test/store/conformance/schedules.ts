import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunPlan } from '../../../src/plan/run-plan.ts';
import {
  launch,
  NOON,
  type OpenedStore,
  type OpenStore,
  plansFor,
  publish,
  range,
  record,
  recordTick,
} from './harness.ts';

const SAMPLE = { orders: { assets: { orders: {} } } };
const SCHEDULE = 'orders_schedule';
const MINUTE = 60_000;

/** Ticks that fire once, cursors that only move on. */
export function describeScheduleStore(open: OpenStore): void {
  describe('schedules', () => {
    let opened: OpenedStore;
    beforeEach(async () => {
      opened = await open();
      await publish(opened.store, SAMPLE);
    });
    afterEach(async () => {
      await opened.close();
    });

    const tickAt = (at: number) => {
      const cause = { kind: 'schedule', schedule: SCHEDULE, tick: at } as const;
      const { plans, specs } = plansFor(SAMPLE, opened.clock, { assets: ['orders'], cause });
      return { schedule: SCHEDULE, at, status: 'launched' as const, reason: '', plans, specs };
    };
    const cursor = async () => (await opened.store.schedules.states())[0]!.cursor;

    it('records a tick with its launch and its cursor, once', async () => {
      const { store } = opened;
      const first = await recordTick(store, tickAt(NOON));
      expect(first).toMatchObject({ schedule: SCHEDULE, at: NOON, status: 'launched', recordedAt: NOON });
      expect(first!.runIds).toHaveLength(1);
      expect(await recordTick(store, tickAt(NOON))).toBeNull();
      expect(await store.runs.list({ limit: 10 })).toHaveLength(1);
      expect(await cursor()).toBe(NOON);
      const events = await store.events({ after: 0, limit: 10, types: ['tick'] });
      expect(events.map(({ event }) => event)).toEqual([
        { type: 'tick', schedule: SCHEDULE, at: NOON, status: 'launched', reason: '' },
      ]);
    });

    it('records one tick of many that come at once (T4)', async () => {
      const { store } = opened;
      const recorded = await Promise.all(range(8).map(async () => recordTick(store, tickAt(NOON))));
      expect(recorded.filter((tick) => tick !== null)).toHaveLength(1);
      expect(await store.runs.list({ limit: 10 })).toHaveLength(1);
    });

    it('records many in one transaction, those that are there left out, one given twice once', async () => {
      const { store } = opened;
      await recordTick(store, tickAt(NOON));
      const version = store.schedules.version();
      const ticks = [NOON, NOON + MINUTE, NOON + MINUTE, NOON + 2 * MINUTE].map(tickAt);
      const stages: string[] = [];
      const rows = await store.schedules.recordTicks(
        ticks,
        (plan) => ticks.find(({ plans }) => plans.includes(plan))!.specs(plan),
        (stage) => stages.push(stage),
      );
      expect(rows.map((row) => row?.at ?? null)).toEqual([null, NOON + MINUTE, null, NOON + 2 * MINUTE]);
      expect(rows.map((row) => row?.runIds)).toEqual(
        ticks.map(({ plans }, at) => (rows[at] === null ? undefined : plans.map(({ runId }) => runId))),
      );
      expect(stages).toEqual(['begun', 'runs_inserted', 'ticks_inserted']);
      expect(store.schedules.version()).toBe(version + 1);
      expect(await store.runs.list({ limit: 10 })).toHaveLength(3);
      expect(await store.schedules.ticks(SCHEDULE, { limit: 9 })).toMatchObject(
        rows
          .filter((row) => row !== null)
          .reverse()
          .concat({ at: NOON } as never),
      );
      expect(await cursor()).toBe(NOON + 2 * MINUTE);
    });

    it('leaves neither tick nor run nor cursor of a launch that fails', async () => {
      const { store } = opened;
      const specs = (_plan: RunPlan) => ({});
      await expect(recordTick(store, { ...tickAt(NOON), specs })).rejects.toThrow(/no spec/);
      expect(await store.schedules.ticks(SCHEDULE, { limit: 5 })).toEqual([]);
      expect(await store.runs.list({ limit: 5 })).toEqual([]);
      expect(await store.schedules.states()).toEqual([]);
    });

    it('records skipped ticks with their reason', async () => {
      const { store } = opened;
      const skipped = { ...tickAt(NOON), status: 'skipped' as const, reason: 'still running', plans: [] };
      expect(await recordTick(store, skipped)).toMatchObject({
        status: 'skipped',
        reason: 'still running',
        launchId: null,
        runIds: [],
      });
    });

    it('never moves a cursor back', async () => {
      const { store } = opened;
      await store.schedules.setCursors([{ schedule: SCHEDULE, cursor: NOON, configDigest: 'digest-1' }]);
      await store.schedules.setCursors([
        { schedule: SCHEDULE, cursor: NOON - MINUTE, configDigest: 'digest-2' },
      ]);
      expect(await store.schedules.states()).toEqual([
        { schedule: SCHEDULE, override: null, cursor: NOON, configDigest: 'digest-2' },
      ]);
      const override = { status: 'STOPPED', by: 'ada', at: NOON } as const;
      await store.schedules.setOverride(SCHEDULE, override, NOON - MINUTE);
      expect(await store.schedules.states()).toMatchObject([
        { override, cursor: NOON, configDigest: 'digest-2' },
      ]);
      await recordTick(store, tickAt(NOON - MINUTE));
      expect(await cursor()).toBe(NOON);
      await store.schedules.setOverride(SCHEDULE, null, NOON + MINUTE);
      expect(await store.schedules.states()).toMatchObject([{ override: null, cursor: NOON + MINUTE }]);
    });

    it('reads ticks newest first, and the last of every schedule', async () => {
      const { store } = opened;
      for (const n of range(5)) await recordTick(store, tickAt(NOON + n * MINUTE));
      await recordTick(store, { ...tickAt(NOON), schedule: 'other_schedule', plans: [] });
      const page = await store.schedules.ticks(SCHEDULE, { limit: 2 });
      expect(page.map((tick) => tick.at)).toEqual([NOON + 4 * MINUTE, NOON + 3 * MINUTE]);
      const older = await store.schedules.ticks(SCHEDULE, { limit: 9, before: page[1]!.at });
      expect(older.map((tick) => tick.at)).toEqual([2, 1, 0].map((n) => NOON + n * MINUTE));
      expect((await store.schedules.lastTicks()).map((tick) => [tick.schedule, tick.at])).toEqual([
        [SCHEDULE, NOON + 4 * MINUTE],
        ['other_schedule', NOON],
      ]);
    });

    it('knows the unfinished runs of a schedule, its automatic re-runs among them', async () => {
      const { store } = opened;
      const tick = (await recordTick(store, tickAt(NOON)))!;
      const [first] = tick.runIds as [string];
      const cause = { kind: 'run_retry', runId: first } as const;
      const [again] = (await launch(opened, SAMPLE, { assets: ['orders'], cause })) as [string];
      await launch(opened, SAMPLE, { assets: ['orders'] });
      const unfinished = async () =>
        Object.fromEntries(await store.schedules.unfinishedRuns([SCHEDULE, 'nobody']));
      expect(await unfinished()).toEqual({ [SCHEDULE]: [first, again] });
      await record(store, first, { type: 'run_failed', reason: 'no' });
      expect(await unfinished()).toEqual({ [SCHEDULE]: [again] });
    });
  });
}
