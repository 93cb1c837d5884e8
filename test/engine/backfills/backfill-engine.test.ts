import { afterEach, describe, expect, it } from 'vitest';
import type { PartitionSubset } from '../../../src/partitions/subset/partition-subset.ts';
import { keysOf } from '../../../src/partitions/subset/subset-keys.ts';
import type { BackfillRequest } from '../../../src/plan/backfill-request.ts';
import { BACKFILL_PRIORITY } from '../../../src/plan/priorities.ts';
import type { StepSpec } from '../../../src/plan/step-spec.ts';
import { type BackfillWorld, backfillWorld, type Outcome } from '../../helpers/backfill-world.ts';
import { DAILY, type SamplePipeline, WEEKLY } from '../../helpers/sample-definitions.ts';

const NOW = Date.UTC(2026, 0, 20, 12);
const ADA = { kind: 'cli', user: 'ada' } as const;
type Samples = Readonly<Record<string, SamplePipeline>>;

const ORDERS: Samples = { orders: { config: { partitions: DAILY }, assets: { orders: {} } } };
const CHAIN: Samples = {
  orders: { config: { partitions: DAILY }, assets: { orders: {} } },
  weeks: { config: { partitions: WEEKLY, deps: [{ asset: 'orders' }] }, assets: { weeks: {} } },
  report: { config: { deps: [{ asset: 'weeks' }] }, assets: { report: {} } },
};

let world: BackfillWorld;
afterEach(async () => {
  await world.close();
});

async function open(pipelines: Samples, maxSteps = 4): Promise<void> {
  world = await backfillWorld({ pipelines, now: NOW, maxSteps });
}

function request(assets: readonly string[], more: Partial<BackfillRequest> = {}): BackfillRequest {
  return {
    assets,
    partitions: { kind: 'range', start: '2026-01-05', end: '2026-01-18' },
    fullRefresh: false,
    config: {},
    tags: {},
    cause: ADA,
    ...more,
  };
}

const succeed = (): Outcome => 'succeed';
const failing =
  (...keys: readonly string[]) =>
  (spec: StepSpec): Outcome =>
    spec.partitionKeys.some((key) => keys.includes(key)) ? 'fail' : 'succeed';

/** Runs until nothing is left to do. */
async function drain(outcome: (spec: StepSpec) => Outcome = succeed): Promise<void> {
  await world.settle();
  while ((await world.finish(outcome)) > 0) await world.settle();
}

const get = async (id: string) => (await world.store().backfills.get(id))!;
const counts = async (id: string) =>
  Object.fromEntries(Object.entries((await get(id)).counts).filter(([, n]) => n > 0));
const keys = (subset: PartitionSubset) => [...keysOf(DAILY, subset)].map((key) => key.slice(5));

describe('a backfill', () => {
  it('runs in order, at most so many at once, and ends', async () => {
    await open(ORDERS, 2);
    const { backfillId } = await world.backfills().create(request(['orders'], { maxConcurrent: 3 }));
    await world.settle();
    expect(await counts(backfillId)).toEqual({ total: 14, in_progress: 3, not_started: 11 });
    expect(world.running()).toBe(2);
    const [first] = await world.store().runs.list({ backfillId, limit: 1 });
    expect(first).toMatchObject({
      cause: { kind: 'backfill', backfillId },
      tags: { backfill: backfillId },
      partitions: { kind: 'key', key: '2026-01-07' },
    });
    expect((await world.store().runs.plan(first!.runId))!.priority).toBe(BACKFILL_PRIORITY);
    await drain();
    expect(await get(backfillId)).toMatchObject({
      status: 'COMPLETED_SUCCESS',
      counts: { total: 14, materialized: 14 },
      submitted: 14,
      reason: '',
    });
    const runs = await world.store().backfills.runs(backfillId, { limit: 99 });
    expect(runs.map(({ start }) => start!.slice(8))).toEqual(
      Array.from({ length: 14 }, (_, n) => String(n + 5).padStart(2, '0')),
    );
  });

  it('keeps the queue short when nothing limits it', async () => {
    await open(ORDERS, 2);
    const { backfillId } = await world.backfills().create(request(['orders']));
    await world.settle();
    expect(await counts(backfillId)).toMatchObject({ in_progress: 8, not_started: 6 });
  });

  it('lets schedules and people go first (E7)', async () => {
    await open(ORDERS, 1);
    await world.backfills().create(request(['orders']));
    await world.settle();
    const launched = async (priority: number) => {
      const { runIds } = await world.runs().submit({
        assets: ['orders'],
        partitions: { kind: 'latest' },
        fullRefresh: false,
        config: {},
        tags: {},
        priority,
        cause: ADA,
      });
      return runIds[0]!;
    };
    const [scheduled, person] = [await launched(0), await launched(10)];
    const status = async (runId: string) => (await world.store().runs.state(runId))!.status;
    await world.finish(succeed, 1);
    await world.settle();
    expect([await status(person), await status(scheduled)]).toEqual(['STARTED', 'QUEUED']);
    await world.finish(succeed, 1);
    await world.settle();
    expect(await status(scheduled)).toBe('STARTED');
  });

  it('is refused when there is nothing to run, with the reason', async () => {
    await open(ORDERS);
    const reversed = request(['orders'], {
      partitions: { kind: 'range', start: '2026-01-06', end: '2026-01-05' },
    });
    await expect(world.backfills().create(reversed)).rejects.toMatchObject({
      code: 'BACKFILL_EMPTY',
      message: 'the range is empty: "2026-01-06" comes after "2026-01-05"',
    });
    await expect(world.backfills().create(request(['nobody']))).rejects.toMatchObject({
      code: 'ASSET_NOT_FOUND',
    });
    await expect(world.backfills().pause('nobody', 'ada')).rejects.toMatchObject({
      code: 'BACKFILL_NOT_FOUND',
    });
    expect(await world.store().backfills.list({ limit: 9 })).toEqual([]);
  });

  it('is the earlier one when its key was used, although nothing would be left to run', async () => {
    await open(ORDERS);
    const once = request(['orders'], { idempotencyKey: 'k', only: 'missing' });
    const first = await world.backfills().create(once);
    await drain();
    expect((await world.backfills().create(once)).backfillId).toBe(first.backfillId);
  });

  it('submits nothing while it is paused, across restarts, and goes on where it was', async () => {
    await open(ORDERS, 2);
    const { backfillId } = await world.backfills().create(request(['orders']));
    await world.settle();
    await world.backfills().pause(backfillId, 'cli:ada');
    await drain();
    expect(await counts(backfillId)).toEqual({ total: 14, materialized: 8, not_started: 6 });
    await world.restart();
    await world.settle();
    expect(await get(backfillId)).toMatchObject({ status: 'PAUSED', changedBy: 'cli:ada' });
    expect((await world.backfills().pause(backfillId, 'page:bob')).changedBy).toBe('cli:ada');
    await world.backfills().resume(backfillId, 'page:bob');
    await drain();
    expect(await get(backfillId)).toMatchObject({ status: 'COMPLETED_SUCCESS', runs: 14, submitted: 14 });
    expect(await world.store().runs.list({ backfillId, limit: 99 })).toHaveLength(14);
  });

  it('ends when it was paused while its last runs went on', async () => {
    await open(ORDERS, 20);
    const { backfillId } = await world.backfills().create(request(['orders']));
    await world.settle();
    await world.backfills().pause(backfillId, 'cli:ada');
    await drain();
    expect(await get(backfillId)).toMatchObject({ status: 'COMPLETED_SUCCESS' });
  });

  it('cancels what runs and what waits, ends when the last has ended, and is not revived', async () => {
    await open(ORDERS, 2);
    const { backfillId } = await world.backfills().create(request(['orders']));
    await world.settle();
    await world.finish(succeed, 1);
    expect(await world.backfills().cancel(backfillId, 'cli:ada')).toMatchObject({ status: 'CANCELING' });
    await world.restart();
    await world.settle();
    expect(await get(backfillId)).toMatchObject({
      status: 'CANCELED',
      counts: { materialized: 1, canceled: 7, not_started: 6 },
    });
    await expect(world.backfills().resume(backfillId, 'cli:ada')).rejects.toMatchObject({
      code: 'BACKFILL_ENDED',
    });
    await expect(world.backfills().cancel(backfillId, 'cli:ada')).rejects.toMatchObject({
      code: 'BACKFILL_ENDED',
    });
    await world.settle();
    expect(world.running()).toBe(0);
  });

  it('retries what failed, was canceled or never ran, and nothing else', async () => {
    await open(ORDERS, 2);
    const { backfillId } = await world.backfills().create(request(['orders']));
    await expect(world.backfills().retryFailed(backfillId, ADA)).rejects.toMatchObject({
      code: 'BACKFILL_NOT_ENDED',
    });
    await world.settle();
    await world.finish(failing('2026-01-06'), 2);
    await world.settle();
    await world.backfills().cancel(backfillId, 'cli:ada');
    await world.settle();
    expect(await get(backfillId)).toMatchObject({ status: 'CANCELED' });
    const again = await world.backfills().retryFailed(backfillId, { kind: 'page', user: 'bob' });
    expect(again).toMatchObject({ parentId: backfillId, runs: 13, request: { cause: { user: 'bob' } } });
    expect((await world.backfills().retryFailed(backfillId, ADA)).backfillId).toBe(again.backfillId);
    await drain();
    expect(await get(again.backfillId)).toMatchObject({
      status: 'COMPLETED_SUCCESS',
      counts: { materialized: 13 },
    });
    await expect(world.backfills().retryFailed(again.backfillId, ADA)).rejects.toMatchObject({
      code: 'BACKFILL_EMPTY',
    });
  });
});

describe('groups of a backfill', () => {
  it('wait for those that they need', async () => {
    await open(CHAIN, 20);
    const { backfillId } = await world.backfills().create(request(['orders', 'weeks', 'report']));
    await world.settle();
    expect(await counts(backfillId)).toEqual({ total: 17, in_progress: 14, not_started: 3 });
    await world.finish(succeed, 13);
    await world.settle();
    expect(await counts(backfillId)).toMatchObject({ materialized: 13, in_progress: 1, not_started: 3 });
    await world.finish(succeed);
    await world.settle();
    expect(await counts(backfillId)).toMatchObject({ materialized: 14, in_progress: 2, not_started: 1 });
    await drain();
    expect(await get(backfillId)).toMatchObject({
      status: 'COMPLETED_SUCCESS',
      counts: { materialized: 17 },
    });
  });

  it('pass over what needs a failed partition, all the way down, with the reason', async () => {
    await open(CHAIN, 20);
    const { backfillId } = await world.backfills().create(request(['orders', 'weeks', 'report']));
    await drain(failing('2026-01-07'));
    expect(await get(backfillId)).toMatchObject({
      status: 'COMPLETED_FAILED',
      reason: 'of 17 partitions 1 failed, 2 were not run',
      counts: { materialized: 14, failed: 1, skipped: 2 },
    });
    const skipped = await world.store().backfills.runs(backfillId, { statuses: ['SKIPPED'], limit: 9 });
    expect(skipped.map(({ start, reason }) => [start, reason])).toEqual([
      ['2026-01-05', 'weeks needs partitions of orders that failed or were not run'],
      [null, 'report needs partitions of weeks that failed or were not run'],
    ]);
    const weeks = (await world.store().backfills.partitions(backfillId, 'weeks'))!;
    expect([...keysOf(WEEKLY, weeks.materialized)]).toEqual(['2026-01-12']);
    const again = await world.backfills().retryFailed(backfillId, ADA);
    await drain();
    expect(await get(again.backfillId)).toMatchObject({
      status: 'COMPLETED_SUCCESS',
      counts: { materialized: 3 },
    });
  });

  it('run strictly one after the other where a partition needs the one before, and stop at a failure', async () => {
    const yesterday = { kind: 'time_window', startOffset: -1, endOffset: -1 } as const;
    await open(
      {
        balance: {
          config: { partitions: DAILY, deps: [{ asset: 'balance', partitionMapping: yesterday }] },
          assets: { balance: {} },
        },
      },
      20,
    );
    const named = ['2026-01-05', '2026-01-06', '2026-01-07', '2026-01-10'];
    const { backfillId } = await world
      .backfills()
      .create(request(['balance'], { partitions: { kind: 'keys', keys: named }, order: 'desc' }));
    await world.settle();
    expect(await counts(backfillId)).toEqual({ total: 4, in_progress: 1, not_started: 3 });
    await drain(failing('2026-01-06'));
    const found = (await world.store().backfills.partitions(backfillId, 'balance'))!;
    expect([keys(found.materialized), keys(found.failed), keys(found.skipped)]).toEqual([
      ['01-05', '01-10'],
      ['01-06'],
      ['01-07'],
    ]);
  });

  it('count a failed run that was retried as what the retry makes of it', async () => {
    await open(CHAIN, 20);
    const { backfillId } = await world.backfills().create(request(['orders', 'weeks']));
    await world.settle();
    await world.finish(failing('2026-01-07'), 13);
    const [failed] = await world.store().runs.list({ backfillId, statuses: ['FAILURE'], limit: 1 });
    // While one day is still under way a person tries the failed one again: the weeks wait for it.
    await world.runs().retry(failed!.runId, { fromFailure: true, latest: false, by: ADA });
    await drain();
    expect(await get(backfillId)).toMatchObject({
      status: 'COMPLETED_SUCCESS',
      counts: { materialized: 16 },
    });
  });
});

describe('C5: definitions that change under a backfill', () => {
  const changed = (config: Partial<SamplePipeline['config']>): Samples => ({
    orders: { config: { partitions: DAILY, ...config }, assets: { orders: {} } },
  });

  it.each<[string, Samples, RegExp]>([
    ['gone', {}, /orders is not defined any more/],
    ['disabled', changed({ enabled: false }), /pipeline orders of orders is disabled/],
    ['unpartitioned', { orders: { assets: { orders: {} } } }, /orders has no partitions any more/],
    ['weekly', changed({ partitions: WEEKLY }), /the partitions of orders changed: "2026-01-13"/],
  ])('pause it with what changed and what to do: %s', async (_, later, reason) => {
    await open(ORDERS, 2);
    const { backfillId } = await world.backfills().create(request(['orders']));
    await world.settle();
    const other: Samples = { other: { assets: { other: {} } }, ...later };
    await world.publish(other);
    await drain();
    const paused = await get(backfillId);
    expect(paused).toMatchObject({ status: 'PAUSED', counts: { materialized: 8, not_started: 6 } });
    expect(paused.reason).toMatch(reason);
    expect(paused.reason).toContain(`elt backfill resume ${backfillId}`);
    await world.backfills().resume(backfillId, 'cli:ada');
    await drain();
    expect(await get(backfillId)).toMatchObject({
      status: 'COMPLETED_FAILED',
      reason: 'of 14 partitions 6 were not run',
      counts: { materialized: 8, skipped: 6 },
    });
    const [skipped] = await world.store().backfills.runs(backfillId, { statuses: ['SKIPPED'], limit: 1 });
    expect(skipped!.reason).toMatch(reason);
  });

  it('go on where the partitions are still there, whatever they are called', async () => {
    await open(ORDERS, 2);
    const { backfillId } = await world.backfills().create(request(['orders']));
    await world.settle();
    await world.publish(changed({ partitions: { ...DAILY, start: '20251201', fmt: '%Y%m%d' } as never }));
    await drain();
    expect(await get(backfillId)).toMatchObject({
      status: 'COMPLETED_SUCCESS',
      counts: { materialized: 14 },
    });
    const [last] = await world.store().runs.list({ backfillId, limit: 1 });
    expect(last!.partitions).toEqual({ kind: 'key', key: '20260118' });
  });

  it('hold it again when more is gone than was agreed to', async () => {
    await open(ORDERS, 1);
    const { backfillId } = await world.backfills().create(request(['orders'], { maxConcurrent: 1 }));
    await world.settle();
    await world.publish(changed({ partitions: { ...DAILY, start: '2026-01-08' } as never }));
    await drain();
    expect((await get(backfillId)).reason).toContain('"2026-01-06" is none of them any more');
    await world.backfills().resume(backfillId, 'cli:ada');
    await world.settle();
    expect(await counts(backfillId)).toMatchObject({ materialized: 1, skipped: 2, in_progress: 1 });
    await world.publish(changed({ partitions: { ...DAILY, start: '2026-01-12' } as never }));
    await drain();
    expect(await get(backfillId)).toMatchObject({ status: 'PAUSED' });
    await world.backfills().resume(backfillId, 'cli:ada');
    await drain();
    expect(await get(backfillId)).toMatchObject({
      status: 'COMPLETED_FAILED',
      counts: { materialized: 2 + 7, skipped: 2 + 3 },
    });
  });
});

describe('a preview', () => {
  it('says what would run, what is written again, and how long it will take', async () => {
    await open(CHAIN, 4);
    const first = await world
      .backfills()
      .create(request(['orders'], { partitions: { kind: 'keys', keys: ['2026-01-05', '2026-01-06'] } }));
    await world.settle();
    const unknown = await world.backfills().preview(request(['orders']));
    expect(unknown.expected).toBeNull();
    world.clock.advance(1000);
    for (let under = world.running(); under > 0; under -= 1) await world.finish(succeed, 1);
    await world.settle();
    expect(await get(first.backfillId)).toMatchObject({ status: 'COMPLETED_SUCCESS' });
    const preview = await world.backfills().preview(request(['orders', 'weeks', 'report']));
    expect(preview).toMatchObject({
      assets: [
        {
          key: 'orders',
          partitions: 14,
          alreadyMaterialized: 2,
          firstKey: '2026-01-05',
          lastKey: '2026-01-18',
        },
        {
          key: 'weeks',
          partitions: 2,
          alreadyMaterialized: 0,
          firstKey: '2026-01-05',
          lastKey: '2026-01-12',
        },
        { key: 'report', partitions: 1, alreadyMaterialized: 0, firstKey: null, lastKey: null },
      ],
      runs: 17,
      partitions: 17,
      notes: [],
      expected: { samples: 2 },
    });
    expect(preview.firstRuns[0]).toEqual({
      assets: ['orders'],
      start: '2026-01-05',
      end: '2026-01-05',
      partitions: 1,
    });
    expect(await world.store().backfills.list({ limit: 9 })).toHaveLength(1);
  });
});

it('tells of news when something is to be done', async () => {
  await open(ORDERS, 20);
  let news = 0;
  const forget = world.backfills().onNews(() => (news += 1));
  const { backfillId } = await world.backfills().create(request(['orders']));
  expect(news).toBe(1);
  await world.settle();
  await world.finish(succeed, 1);
  await world.settle();
  expect(news).toBe(2);
  await world.backfills().cancel(backfillId, 'ada');
  expect(news).toBe(3);
  forget();
  await drain();
  expect(news).toBe(3);
});
