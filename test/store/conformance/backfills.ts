import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PartitionSubset, rangeSubset } from '../../../src/partitions/subset/partition-subset.ts';
import { keysOf } from '../../../src/partitions/subset/subset-keys.ts';
import { itemsOfBackfill } from '../../../src/plan/backfill-items.ts';
import type { BackfillGroup, BackfillItem } from '../../../src/plan/backfill-plan.ts';
import type { BackfillRequest } from '../../../src/plan/backfill-request.ts';
import { planBackfillItem } from '../../../src/plan/plan-backfill-item.ts';
import type { RunPlan } from '../../../src/plan/run-plan.ts';
import { stepSpecs } from '../../../src/plan/step-spec-of.ts';
import type { BackfillRow, BackfillStatus, BackfillStore } from '../../../src/store/backfill-store.ts';
import { DAILY, sampleDefinitions } from '../../helpers/sample-definitions.ts';
import {
  fail,
  failure,
  launch,
  NOON,
  type OpenedStore,
  type OpenStore,
  publish,
  range,
  record,
  running,
  succeed,
} from './harness.ts';

const SAMPLE = {
  orders: { config: { partitions: DAILY }, assets: { orders: {}, lines: { deps: ['orders'] } } },
};
const DAYS = 4;
const CLI = { kind: 'cli', user: 'ada' } as const;
const DAY_MS = 86_400_000;

function request(more: Partial<BackfillRequest> = {}): BackfillRequest {
  return {
    assets: ['orders', 'lines'],
    partitions: { kind: 'all' },
    fullRefresh: false,
    config: {},
    tags: { team: 'sales' },
    cause: CLI,
    ...more,
  };
}

function groupOf(more: Partial<BackfillGroup> = {}): BackfillGroup {
  return {
    definition: DAILY,
    parts: [{ assets: ['orders', 'lines'], subset: rangeSubset(0, DAYS) }],
    policy: null,
    serial: false,
    needs: [],
    ...more,
  };
}

/** Backfills: each item once, counts that add up, retries that count. */
export function describeBackfillStore(open: OpenStore): void {
  describe('backfills', () => {
    let opened: OpenedStore;
    let next = 0;
    beforeEach(async () => {
      next = 0;
      opened = await open();
      await publish(opened.store, SAMPLE);
    });
    afterEach(async () => {
      await opened.close();
    });

    const { definitions } = sampleDefinitions(SAMPLE);
    const newId = () => `id-${String((next += 1)).padStart(4, '0')}`;
    const specs = (plan: RunPlan) => stepSpecs(definitions, plan);

    async function create(
      groups: readonly BackfillGroup[] = [groupOf()],
      more: Partial<BackfillRequest> = {},
    ): Promise<BackfillRow> {
      return opened.store.backfills.create({
        backfillId: newId(),
        request: request(more),
        parentId: null,
        groups,
        runs: [...itemsOfBackfill(groups, 'asc')].length,
      });
    }

    function itemsOf(row: BackfillRow): BackfillItem[] {
      return [...itemsOfBackfill(row.groups, 'asc')];
    }

    function planOf(row: BackfillRow, item: BackfillItem): RunPlan {
      const { plan } = planBackfillItem(definitions, row, item, { now: opened.clock.now(), newId });
      return plan!;
    }

    /** Launches the next item; its run. */
    async function submit(row: BackfillRow, position: number): Promise<string> {
      const item = itemsOf(row)[position]!;
      const launched = await opened.store.backfills.launchItem(
        row.backfillId,
        item,
        [planOf(row, item)],
        specs,
      );
      expect(launched).toMatchObject({ created: true });
      return launched!.runIds[0]!;
    }

    const counts = async (row: BackfillRow) => {
      const { total: _, ...rest } = (await opened.store.backfills.get(row.backfillId))!.counts;
      return Object.fromEntries(Object.entries(rest).filter(([, n]) => n > 0));
    };
    const days = (subset: PartitionSubset) =>
      [...keysOf(DAILY, subset)].map((key) => Number(key.slice(-2)) - 1);
    const partitions = async (row: BackfillRow, asset = 'orders') => {
      const found = await opened.store.backfills.partitions(row.backfillId, asset);
      return Object.fromEntries(
        Object.entries(found!).flatMap(([name, subset]) =>
          subset.bounds.length === 0 ? [] : [[name, days(subset)]],
        ),
      );
    };
    const changes = async () =>
      (await opened.store.events({ after: 0, limit: 1000, types: ['backfill_changed'] })).map(
        ({ event }) => event,
      );
    const set = async (row: BackfillRow, from: readonly BackfillStatus[], to: BackfillStatus, reason = '') =>
      opened.store.backfills.setStatus(row.backfillId, { from, to, by: 'cli:ada', reason });

    it('keeps what was asked for, and tells of it', async () => {
      const row = await create([groupOf({ policy: { type: 'single_run' }, serial: true })], {
        order: 'desc',
        maxConcurrent: 2,
      });
      expect(row).toMatchObject({
        status: 'REQUESTED',
        runs: 1,
        submitted: 0,
        counts: { total: DAYS, not_started: DAYS },
        request: { order: 'desc', maxConcurrent: 2, tags: { team: 'sales' } },
        createdAt: NOON,
        endedAt: null,
        agreed: null,
      });
      opened = await opened.reopen();
      expect(await opened.store.backfills.get(row.backfillId)).toEqual(row);
      expect(await opened.store.backfills.get('nobody')).toBeNull();
      expect(await changes()).toEqual([
        {
          type: 'backfill_changed',
          backfillId: row.backfillId,
          status: 'REQUESTED',
          by: 'cli:ada',
          reason: '',
        },
      ]);
    });

    it('is one backfill for one idempotency key', async () => {
      const [first, second] = [
        await create([groupOf()], { idempotencyKey: 'once' }),
        await create([groupOf()], { idempotencyKey: 'once' }),
      ];
      expect(second).toEqual(first);
      expect(await opened.store.backfills.byIdempotencyKey('once')).toEqual(first);
      expect(await opened.store.backfills.byIdempotencyKey('never')).toBeNull();
      expect(await changes()).toHaveLength(1);
    });

    it('launches each item once, in order, of many that come at once', async () => {
      const row = await create();
      const [first, second] = itemsOf(row) as [BackfillItem, BackfillItem];
      const { backfills } = opened.store;
      expect(await backfills.launchItem(row.backfillId, second, [planOf(row, second)], specs)).toBeNull();
      const launched = await Promise.all(
        range(6).map(async () => backfills.launchItem(row.backfillId, first, [planOf(row, first)], specs)),
      );
      expect(launched.filter((launch) => launch !== null)).toHaveLength(1);
      expect(await opened.store.runs.list({ limit: 10 })).toHaveLength(1);
      expect(await opened.store.backfills.get(row.backfillId)).toMatchObject({
        submitted: 1,
        counts: { in_progress: 1, not_started: DAYS - 1 },
      });
    });

    it('leaves neither run nor item of a launch that fails', async () => {
      const row = await create();
      const [item] = itemsOf(row) as [BackfillItem];
      const launched = opened.store.backfills.launchItem(
        row.backfillId,
        item,
        [planOf(row, item)],
        () => ({}),
      );
      await expect(launched).rejects.toThrow(/no spec/);
      expect(await opened.store.runs.list({ limit: 10 })).toEqual([]);
      expect(await opened.store.backfills.get(row.backfillId)).toEqual(row);
    });

    it.each<BackfillStatus>(['PAUSED', 'CANCELING', 'CANCELED', 'COMPLETED_FAILED'])(
      'takes no item while it is %s',
      async (status) => {
        const row = await create();
        await set(row, ['REQUESTED'], status);
        const [item] = itemsOf(row) as [BackfillItem];
        const { backfills } = opened.store;
        expect(await backfills.launchItem(row.backfillId, item, [planOf(row, item)], specs)).toBeNull();
        await backfills.skipItems(row.backfillId, [item], 'no');
        expect(await backfills.runs(row.backfillId, { limit: 10 })).toEqual([]);
      },
    );

    it('follows its runs to their ends', async () => {
      const row = await create();
      const runs = [await submit(row, 0), await submit(row, 1), await submit(row, 2)] as const;
      expect(await counts(row)).toEqual({ in_progress: 3, not_started: 1 });
      await succeed(opened.store, runs[0], 'orders');
      await fail(opened.store, runs[1], 'orders', ['orders']);
      await record(opened.store, runs[2], { type: 'run_canceled', reason: 'no' });
      expect(await counts(row)).toEqual({ materialized: 1, failed: 1, canceled: 1, not_started: 1 });
      await opened.store.backfills.skipItems(row.backfillId, itemsOf(row).slice(3), 'it needs another');
      expect(await counts(row)).toEqual({ materialized: 1, failed: 1, canceled: 1, skipped: 1 });
      expect(await partitions(row)).toEqual({ materialized: [0], failed: [1], canceled: [2], skipped: [3] });
      const shown = await opened.store.backfills.runs(row.backfillId, { limit: 10 });
      expect(shown.map(({ item, runId, status, reason }) => [item, runId, status, reason])).toEqual([
        [0, runs[0], 'SUCCESS', ''],
        [1, runs[1], 'FAILURE', ''],
        [2, runs[2], 'CANCELED', ''],
        [3, null, 'SKIPPED', 'it needs another'],
      ]);
      expect(await opened.store.backfills.unfinishedRuns(row.backfillId)).toEqual([]);
    });

    it('lists runs by status and place, and finds them among all runs', async () => {
      const row = await create();
      const runs = [await submit(row, 0), await submit(row, 1), await submit(row, 2)] as const;
      const [other] = (await launch(opened, SAMPLE, {
        assets: ['orders'],
        partitions: { kind: 'latest' },
      })) as [string];
      await succeed(opened.store, runs[1], 'orders');
      const { backfills } = opened.store;
      const of = async (filter: Parameters<BackfillStore['runs']>[1]) =>
        (await backfills.runs(row.backfillId, filter)).map(({ item }) => item);
      expect(await of({ limit: 2 })).toEqual([0, 1]);
      expect(await of({ afterItem: 0, limit: 9 })).toEqual([1, 2]);
      expect(await of({ statuses: ['QUEUED'], limit: 9 })).toEqual([0, 2]);
      expect(await of({ statuses: ['SUCCESS', 'SKIPPED'], limit: 9 })).toEqual([1]);
      expect(await backfills.unfinishedRuns(row.backfillId)).toEqual([runs[0], runs[2]]);
      const listed = await opened.store.runs.list({ backfillId: row.backfillId, limit: 9 });
      expect(listed.map(({ runId }) => runId)).toEqual([...runs].reverse());
      expect(listed[0]).toMatchObject({
        cause: { kind: 'backfill', backfillId: row.backfillId },
        tags: { team: 'sales', backfill: row.backfillId },
      });
      expect(listed.map(({ runId }) => runId)).not.toContain(other);
      expect(await opened.store.runs.list({ backfillId: 'nobody', limit: 9 })).toEqual([]);
    });

    it.each(['retry', 'run_retry'] as const)('counts what a %s of its run writes', async (kind) => {
      const row = await create();
      const first = await submit(row, 0);
      const cause =
        kind === 'retry' ? ({ kind, runId: first, by: 'ada' } as const) : ({ kind, runId: first } as const);
      const again = async (runCause: typeof cause) =>
        (
          await launch(opened, SAMPLE, {
            assets: ['orders', 'lines'],
            partitions: { kind: 'keys', keys: ['2026-01-01'] },
            cause: runCause,
          })
        )[0]!;
      let second: string;
      if (kind === 'run_retry') {
        // By itself a run is tried again before its failure is recorded.
        second = await again(cause);
        await fail(opened.store, first, 'orders');
      } else {
        await fail(opened.store, first, 'orders');
        expect(await counts(row)).toEqual({ failed: 1, not_started: 3 });
        second = await again(cause);
      }
      expect(await counts(row)).toEqual({ in_progress: 1, not_started: 3 });
      expect(await opened.store.backfills.unfinishedRuns(row.backfillId)).toEqual([second]);
      await fail(opened.store, second, 'orders');
      const third = await again({ ...cause, runId: second });
      await succeed(opened.store, third, 'orders');
      expect(await counts(row)).toEqual({ materialized: 1, not_started: 3 });
      const [item] = await opened.store.backfills.runs(row.backfillId, { limit: 1 });
      expect(item).toMatchObject({ runId: third, status: 'SUCCESS' });
      // Done is done: one more is not the backfill's business.
      const fourth = await again({ ...cause, runId: third });
      await fail(opened.store, fourth, 'orders');
      expect(await counts(row)).toEqual({ materialized: 1, not_started: 3 });
      expect(await opened.store.runs.list({ backfillId: row.backfillId, limit: 9 })).toHaveLength(4);
    });

    it('has succeeded after all when a retry wrote what a failed one lacked', async () => {
      const row = await create([
        groupOf({ parts: [{ assets: ['orders', 'lines'], subset: rangeSubset(0, 1) }] }),
      ]);
      const first = await submit(row, 0);
      await fail(opened.store, first, 'orders');
      await set(row, ['REQUESTED'], 'COMPLETED_FAILED', 'one failed');
      const [again] = (await launch(opened, SAMPLE, {
        assets: ['orders', 'lines'],
        partitions: { kind: 'keys', keys: ['2026-01-01'] },
        cause: { kind: 'retry', runId: first, by: 'ada' },
      })) as [string];
      await succeed(opened.store, again, 'orders');
      expect(await opened.store.backfills.get(row.backfillId)).toMatchObject({
        status: 'COMPLETED_SUCCESS',
        reason: '',
      });
      expect((await changes()).map((event) => 'status' in event && event.status)).toEqual([
        'REQUESTED',
        'COMPLETED_FAILED',
        'COMPLETED_SUCCESS',
      ]);
    });

    it('counts what a failed run of many partitions wrote of them', async () => {
      const row = await create([groupOf({ policy: { type: 'single_run' } })]);
      const runId = await submit(row, 0);
      const ref = await running(opened.store, runId, 'orders');
      const wrote = (asset_key: string, partition: string) =>
        ({ type: 'materialization', asset_key, partition, metadata: {} }) as const;
      const events = [
        wrote('orders', '2026-01-01'),
        wrote('lines', '2026-01-01'),
        wrote('orders', '2026-01-02'),
      ];
      await opened.store.steps.append(
        ref,
        events.map((event, index) => ({ n: index + 1, event })),
      );
      expect(await partitions(row)).toEqual({ materialized: [0, 1], in_progress: [2, 3] });
      await opened.store.steps.finish(ref, failure(), []);
      await record(
        opened.store,
        runId,
        { type: 'step_gave_up', stepKey: 'orders', attempt: 1 },
        { type: 'run_failed', reason: 'no' },
      );
      expect(await counts(row)).toEqual({ materialized: 1, failed: 3 });
      expect(await partitions(row, 'orders')).toEqual({ materialized: [0, 1], failed: [2, 3] });
      expect(await partitions(row, 'lines')).toEqual({ materialized: [0], failed: [1, 2, 3] });
    });

    it('is done by several retries only when all of it is written', async () => {
      const row = await create([groupOf({ policy: { type: 'single_run' } })]);
      const first = await submit(row, 0);
      await fail(opened.store, first, 'orders');
      const again = async (...keys: readonly string[]) =>
        launch(opened, SAMPLE, {
          assets: ['orders', 'lines'],
          partitions: { kind: 'keys', keys },
          cause: { kind: 'retry', runId: first, by: 'ada' },
        });
      const [one, two] = (await again('2026-01-01', '2026-01-02')) as [string, string];
      await succeed(opened.store, two, 'orders');
      // The other run of the same retry goes on.
      expect(await opened.store.backfills.unfinishedRuns(row.backfillId)).toEqual([one]);
      await succeed(opened.store, one, 'orders');
      expect(await counts(row)).toEqual({ materialized: 2, failed: 2 });
      expect(await partitions(row)).toEqual({ materialized: [0, 1], failed: [2, 3] });
      for (const runId of await again('2026-01-03', '2026-01-04')) {
        await succeed(opened.store, runId, 'orders');
      }
      expect(await counts(row)).toEqual({ materialized: 4 });
    });

    it('is judged by its retry although the first run is recorded as ended after it', async () => {
      const row = await create();
      const first = await submit(row, 0);
      const [again] = (await launch(opened, SAMPLE, {
        assets: ['orders', 'lines'],
        partitions: { kind: 'keys', keys: ['2026-01-01'] },
        cause: { kind: 'run_retry', runId: first },
      })) as [string];
      await succeed(opened.store, again, 'orders');
      expect(await counts(row)).toEqual({ in_progress: 1, not_started: 3 });
      await fail(opened.store, first, 'orders');
      expect(await counts(row)).toEqual({ materialized: 1, not_started: 3 });
    });

    it('has failed where everything was written and a blocking check failed', async () => {
      const row = await create();
      const runId = await submit(row, 0);
      const ref = await running(opened.store, runId, 'orders');
      const implied = ['orders', 'lines'].map((assetKey) => ({
        assetKey,
        partitions: ['2026-01-01'],
        metadata: {},
      }));
      await opened.store.steps.finish(ref, failure(['orders', 'lines']), implied);
      await record(
        opened.store,
        runId,
        { type: 'step_gave_up', stepKey: 'orders', attempt: 1 },
        { type: 'run_failed', reason: 'check' },
      );
      expect(await counts(row)).toEqual({ failed: 1, not_started: 3 });
      expect(await partitions(row)).toEqual({ failed: [0], not_started: [1, 2, 3] });
    });

    it('knows of each asset which partitions are its own', async () => {
      const row = await create([
        groupOf({
          parts: [
            { assets: ['orders', 'lines'], subset: rangeSubset(0, 2) },
            { assets: ['lines'], subset: rangeSubset(3, 4) },
          ],
        }),
      ]);
      await succeed(opened.store, await submit(row, 0), 'orders');
      expect(await partitions(row, 'orders')).toEqual({ materialized: [0], not_started: [1] });
      expect(await partitions(row, 'lines')).toEqual({ materialized: [0], not_started: [1, 3] });
      expect(await opened.store.backfills.partitions(row.backfillId, 'nobody')).toBeNull();
      expect(await opened.store.backfills.partitions('nobody', 'orders')).toBeNull();
    });

    it('passes over assets that are gone from the plan of an item', async () => {
      const row = await create();
      const [item] = itemsOf(row) as [BackfillItem];
      const plan = planOf(row, item);
      const only: RunPlan = {
        ...plan,
        steps: plan.steps.map((step) => ({
          ...step,
          assets: step.assets.filter((asset) => asset.key === 'orders'),
        })),
      };
      const launched = await opened.store.backfills.launchItem(row.backfillId, item, [only], specs);
      await succeed(opened.store, launched!.runIds[0]!, 'orders');
      expect(await partitions(row, 'orders')).toEqual({ materialized: [0], not_started: [1, 2, 3] });
      expect(await partitions(row, 'lines')).toEqual({ skipped: [0], not_started: [1, 2, 3] });
    });

    it('changes its status only from where it is', async () => {
      const row = await create();
      expect(await set(row, ['REQUESTED'], 'PAUSED', 'lunch')).toMatchObject({
        status: 'PAUSED',
        reason: 'lunch',
        changedBy: 'cli:ada',
        endedAt: null,
      });
      expect(await set(row, ['REQUESTED'], 'CANCELING')).toBeNull();
      const { backfills } = opened.store;
      const resumed = await backfills.setStatus(row.backfillId, {
        from: ['PAUSED'],
        to: 'REQUESTED',
        by: 'page:bob',
        reason: '',
        agreed: 'shape',
      });
      expect(resumed).toMatchObject({ agreed: 'shape', changedBy: 'page:bob' });
      opened.clock.advance(1000);
      const ended = await backfills.setStatus(row.backfillId, {
        from: ['REQUESTED'],
        to: 'COMPLETED_FAILED',
        by: null,
        reason: 'no',
      });
      expect(ended).toMatchObject({ endedAt: NOON + 1000, changedBy: 'page:bob', agreed: 'shape' });
      expect((await changes()).map((event) => 'status' in event && event.status)).toEqual([
        'REQUESTED',
        'PAUSED',
        'REQUESTED',
        'COMPLETED_FAILED',
      ]);
    });

    it('lists newest first by status, asset and page; unfinished ones oldest first', async () => {
      const [a, b, c] = [await create(), await create(), await create()];
      const other = await create([groupOf({ parts: [{ assets: ['lines'], subset: rangeSubset(0, 1) }] })]);
      await set(b, ['REQUESTED'], 'CANCELED');
      const ids = async (filter: Parameters<BackfillStore['list']>[0]) =>
        (await opened.store.backfills.list(filter)).map(({ backfillId }) => backfillId);
      expect(await ids({ limit: 3 })).toEqual([other, c, b].map((row) => row.backfillId));
      expect(await ids({ limit: 9, cursor: c.backfillId })).toEqual([b, a].map((row) => row.backfillId));
      expect(await ids({ limit: 9, statuses: ['CANCELED'] })).toEqual([b.backfillId]);
      expect(await ids({ limit: 9, assetKey: 'orders' })).toEqual([c, b, a].map((row) => row.backfillId));
      expect(await ids({ limit: 9, assetKey: 'nobody' })).toEqual([]);
      const unfinished = await opened.store.backfills.unfinished();
      expect(unfinished.map((row) => row.backfillId)).toEqual([a, c, other].map((row) => row.backfillId));
    });

    it('gives the seconds of steps that succeeded, newest first', async () => {
      const row = await create([groupOf({ policy: { type: 'single_run' } })]);
      const runId = await submit(row, 0);
      const ref = await running(opened.store, runId, 'orders');
      opened.clock.advance(8000);
      await opened.store.steps.finish(ref, { type: 'step_succeeded', seconds: 8, metadata: {} }, []);
      const samples = await opened.store.backfills.stepSamples(['orders', 'lines', 'nobody'], 5);
      expect([...samples.keys()]).toEqual(['orders', 'lines']);
      expect(samples.get('orders')).toMatchObject([{ seconds: 8, partitions: DAYS }]);
      expect(samples.get('orders')![0]!.stepId).toBe(samples.get('lines')![0]!.stepId);
    });

    it('is as it was after projections were rebuilt', async () => {
      const row = await create();
      await succeed(opened.store, await submit(row, 0), 'orders');
      await fail(opened.store, await submit(row, 1), 'orders');
      await submit(row, 2);
      const before = await opened.store.backfills.get(row.backfillId);
      await opened.store.operations.rebuildProjections();
      expect(await opened.store.backfills.get(row.backfillId)).toEqual(before);
      expect(await opened.store.backfills.unfinishedRuns(row.backfillId)).toHaveLength(1);
    });

    it('is pruned with the events of its time, and never before its end', async () => {
      const [ended, open2] = [await create(), await create()];
      await set(ended, ['REQUESTED'], 'CANCELED');
      await succeed(opened.store, await submit(open2, 0), 'orders');
      opened.clock.advance(10 * DAY_MS);
      const since = opened.clock.now() - DAY_MS;
      const removed = await opened.store.operations.prune({
        eventsSince: since,
        ticksSince: since,
        deliveriesSince: since,
      });
      expect(removed['backfill']).toBe(1);
      expect(await opened.store.backfills.get(ended.backfillId)).toBeNull();
      expect(await opened.store.backfills.get(open2.backfillId)).toMatchObject({ submitted: 1 });
      expect(await partitions(open2)).toEqual({ materialized: [0], not_started: [1, 2, 3] });
    });
  });
}
