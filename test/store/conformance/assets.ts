import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  PartitionsDefinition,
  TimeWindowPartitions,
} from '../../../src/partitions/definition/partitions-definition.ts';
import { DAILY_BY_CATEGORY, REGIONS } from '../../helpers/sample-definitions.ts';
import {
  fail,
  failure,
  launch,
  NOON,
  OK,
  type OpenedStore,
  type OpenStore,
  publish,
  range,
  record,
  running,
  type Sample,
  succeed,
} from './harness.ts';

function partitioned(partitions: PartitionsDefinition, assets: readonly string[] = ['orders']): Sample {
  return { orders: { assets: Object.fromEntries(assets.map((key) => [key, {}])), config: { partitions } } };
}
const DAILY: TimeWindowPartitions = {
  kind: 'time',
  start: '2026-01-01',
  end: null,
  cron: '0 0 * * *',
  timezone: 'UTC',
  fmt: '%Y-%m-%d',
  endOffset: 0,
  exclusions: [],
};
const PLAIN: Sample = { orders: { assets: { orders: {}, items: {} } } };

/** What runs wrote, by asset and by partition. */
export function describeAssetStore(open: OpenStore): void {
  describe('assets', () => {
    let opened: OpenedStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.close();
    });

    async function start(
      sample: Sample,
      keys: readonly string[] = [],
      assets = ['orders'],
    ): Promise<string[]> {
      return [
        ...(await launch(opened, sample, {
          assets,
          partitions: keys.length === 0 ? { kind: 'none' } : { kind: 'keys', keys },
        })),
      ];
    }
    const statuses = async (key = 'orders') =>
      Object.fromEntries((await opened.store.assets.partitions(key)).map((row) => [row.key, row.status]));
    const countsOf = async (key = 'orders') => (await opened.store.assets.status([key]))[0]!.partitionCounts;

    it('shows the newest write, run and checks of many assets in the order asked', async () => {
      const { store, clock } = opened;
      await publish(store, PLAIN);
      const [first] = (await start(PLAIN, [], ['orders', 'items'])) as [string];
      const ref = await running(store, first, 'orders');
      const check = { type: 'check', asset_key: 'orders', severity: 'ERROR', metadata: { n: 1 } } as const;
      await store.steps.append(ref, [
        {
          n: 1,
          event: { type: 'materialization', asset_key: 'orders', metadata: { rows: 5, cursor: null } },
        },
        { n: 2, event: { ...check, check_name: 'unique', passed: true } },
        { n: 3, event: { ...check, check_name: 'not_null', passed: true, severity: 'WARN' } },
        { n: 4, event: { ...check, check_name: 'unique', passed: false } },
      ]);
      await store.steps.finish(ref, OK, []);
      await record(store, first, { type: 'run_succeeded' });
      clock.advance(1000);
      const [second] = (await start(PLAIN)) as [string];

      const [unknown, orders, items] = await store.assets.status(['nobody', 'orders', 'items']);
      expect(unknown).toEqual({
        assetKey: 'nobody',
        latest: null,
        latestRun: null,
        checks: [],
        partitionCounts: { materialized: 0, failed: 0, in_progress: 0 },
      });
      expect(orders).toMatchObject({
        assetKey: 'orders',
        latest: {
          assetKey: 'orders',
          partition: null,
          runId: first,
          stepKey: 'orders',
          at: NOON,
          commit: 'c'.repeat(40),
          contentDigest: 'digest-orders',
          codeVersion: 'digest-orders',
          metadata: { rows: 5, cursor: null },
        },
        latestRun: { runId: second, status: 'QUEUED', at: NOON + 1000 },
        checks: [
          { checkName: 'not_null', passed: true, severity: 'WARN' },
          { checkName: 'unique', passed: false, severity: 'ERROR', runId: first, metadata: { n: 1 } },
        ],
      });
      expect(items).toMatchObject({
        latest: null,
        latestRun: { runId: first, status: 'SUCCESS' },
        checks: [],
      });
      expect(await store.assets.lastUpdates(['items', 'nobody', 'orders'])).toEqual(
        new Map([['orders', NOON]]),
      );
      expect(await store.assets.recentRuns('orders', 5)).toEqual([
        { runId: second, status: 'QUEUED', at: NOON + 1000 },
        { runId: first, status: 'SUCCESS', at: NOON },
      ]);
      expect(await store.assets.recentRuns('nobody', 5)).toEqual([]);
      const strips = await store.assets.recentRunsOf(['items', 'nobody', 'orders'], 1);
      expect([...strips.keys()].toSorted()).toEqual(['items', 'orders']);
      expect(strips.get('orders')).toEqual([{ runId: second, status: 'QUEUED', at: NOON + 1000 }]);
      expect(strips.get('items')).toEqual(await store.assets.recentRuns('items', 1));
      expect((await store.assets.checks('orders')).map((row) => row.checkName)).toEqual([
        'unique',
        'not_null',
      ]);
    });

    it.each<[string, readonly (readonly [string | null, boolean])[], readonly [string | null, boolean]]>([
      [
        'a bad day before good ones',
        [
          ['B', false],
          ['A', true],
          ['C', true],
        ],
        ['B', false],
      ],
      [
        'the newest of two bad days',
        [
          ['A', false],
          ['B', false],
          ['C', true],
        ],
        ['B', false],
      ],
      [
        'the other bad day, when one was repaired',
        [
          ['A', false],
          ['B', false],
          ['B', true],
        ],
        ['A', false],
      ],
      [
        'the newest, when all were repaired',
        [
          ['A', false],
          ['B', true],
          ['A', true],
          ['C', true],
        ],
        ['C', true],
      ],
      [
        'the whole, after days',
        [
          ['A', false],
          [null, true],
        ],
        [null, true],
      ],
      [
        'a day, after the whole',
        [
          ['A', false],
          [null, false],
          ['B', true],
        ],
        ['B', true],
      ],
      [
        'an old day repaired after the whole',
        [
          ['A', false],
          [null, true],
          ['A', true],
        ],
        ['A', true],
      ],
    ])('shows of a check %s, rebuilt too', async (_name, results, [partition, passed]) => {
      const { store } = opened;
      const sample = partitioned({ kind: 'static', keys: ['A', 'B', 'C'] });
      await publish(store, sample);
      for (const [key, isGood] of results) {
        const [runId] = (await start(sample, [key ?? 'A'])) as [string];
        const ref = await running(store, runId, 'orders');
        const event = {
          type: 'check' as const,
          asset_key: 'orders',
          check_name: 'unique',
          passed: isGood,
          severity: 'ERROR' as const,
          partition: key,
          metadata: {},
        };
        await store.steps.append(ref, [{ n: 1, event }]);
        await store.steps.finish(ref, OK, []);
      }
      const expected = [{ checkName: 'unique', partition, passed }];
      const shown = async () => [
        (await store.assets.status(['orders']))[0]!.checks,
        await store.assets.checks('orders'),
      ];
      expect(await shown()).toMatchObject([expected, expected]);
      await store.operations.rebuildProjections();
      expect(await shown()).toMatchObject([expected, expected]);
    });

    it('keeps what an asset outside the plan reports', async () => {
      const { store } = opened;
      await publish(store, PLAIN);
      const [runId] = (await start(PLAIN)) as [string];
      const ref = await running(store, runId, 'orders');
      const metadata = { rows: 1 };
      await store.steps.append(ref, [
        { n: 1, event: { type: 'materialization', asset_key: 'surprise', metadata } },
      ]);
      expect(await store.assets.materializations('surprise', { limit: 5 })).toMatchObject([
        { partition: null, runId, metadata, codeVersion: '' },
      ]);
    });

    it('goes through the statuses of a partition', async () => {
      const { store } = opened;
      const sample = partitioned(DAILY);
      await publish(store, sample);
      const key = '2026-01-03';
      const [canceled] = (await start(sample, [key])) as [string];
      expect(await statuses()).toEqual({});
      const first = await running(store, canceled, 'orders');
      expect(await statuses()).toEqual({ [key]: 'in_progress' });
      await store.steps.finish(first, { type: 'step_canceled', seconds: 1, forced: false }, []);
      expect(await statuses()).toEqual({});

      const [failing] = (await start(sample, [key])) as [string];
      const attempt = await running(store, failing, 'orders');
      await store.steps.finish(attempt, failure(), []);
      expect(await statuses()).toEqual({ [key]: 'in_progress' });
      await record(store, failing, { type: 'step_gave_up', stepKey: 'orders', attempt: 1 });
      expect(await store.assets.partitions('orders')).toEqual([
        { key, status: 'failed', runId: failing, at: NOON },
      ]);

      const [good] = (await start(sample, [key])) as [string];
      await succeed(store, good, 'orders');
      expect(await store.assets.partitions('orders')).toEqual([
        { key, status: 'materialized', runId: good, at: NOON },
      ]);
      const [again] = (await start(sample, [key])) as [string];
      await fail(store, again, 'orders');
      expect(await statuses()).toEqual({ [key]: 'failed' });
      expect(await countsOf()).toEqual({ materialized: 0, failed: 1, in_progress: 0 });
    });

    it('shows a partition in progress until the last run that writes it has ended', async () => {
      const { store, clock } = opened;
      const sample = partitioned(DAILY);
      await publish(store, sample);
      const [older] = (await start(sample, ['2026-01-03'])) as [string];
      const [newer] = (await start(sample, ['2026-01-03'])) as [string];
      await running(store, older, 'orders');
      clock.advance(1000);
      const second = await running(store, newer, 'orders');
      expect(await store.assets.partitions('orders')).toMatchObject([
        { status: 'in_progress', runId: newer },
      ]);
      await store.steps.finish(second, OK, [
        { assetKey: 'orders', partitions: ['2026-01-03'], metadata: {} },
      ]);
      expect(await store.assets.partitions('orders')).toMatchObject([
        { status: 'in_progress', runId: older },
      ]);
      await record(store, older, { type: 'run_canceled', reason: 'asked' });
      expect(await store.assets.partitions('orders')).toMatchObject([
        { status: 'materialized', runId: newer },
      ]);
      expect(await countsOf()).toEqual({ materialized: 1, failed: 0, in_progress: 0 });
    });

    it('fails only what a step did not write', async () => {
      const { store } = opened;
      const sample = partitioned(DAILY, ['orders', 'items', 'lines']);
      await publish(store, sample);
      const [runId] = (await start(sample, ['2026-01-03'], ['orders', 'items', 'lines'])) as [string];
      const ref = await running(store, runId, 'orders');
      const partition = '2026-01-03';
      await store.steps.append(ref, [
        { n: 1, event: { type: 'materialization', asset_key: 'items', partition, metadata: {} } },
        { n: 2, event: { type: 'materialization', asset_key: 'lines', metadata: {} } },
      ]);
      await store.steps.finish(ref, failure(['items']), []);
      expect(await statuses('items')).toEqual({ [partition]: 'materialized' });
      await record(store, runId, { type: 'step_gave_up', stepKey: 'orders', attempt: 1 });
      expect(await statuses('orders')).toEqual({ [partition]: 'failed' });
      expect(await statuses('items')).toEqual({ [partition]: 'materialized' });
      expect(await statuses('lines')).toEqual({ [partition]: 'materialized' });
    });

    it('takes a report without partition as all partitions of the step, long ranges too', async () => {
      const { store, clock } = opened;
      const days = { ...DAILY, start: '2020-01-01' };
      const sample: Sample = {
        orders: {
          assets: { orders: {} },
          config: { partitions: days, backfillPolicy: { type: 'single_run', maxPartitionsPerRun: 1 } },
        },
      };
      await publish(store, sample);
      const runIds = await launch({ ...opened, clock }, sample, {
        assets: ['orders'],
        partitions: { kind: 'range', start: '2020-01-01', end: '2024-12-31' },
      });
      expect(runIds).toHaveLength(1);
      const ref = await running(store, runIds[0]!, 'orders');
      expect(await countsOf()).toEqual({ materialized: 0, failed: 0, in_progress: 1827 });
      await store.steps.append(ref, [
        { n: 1, event: { type: 'materialization', asset_key: 'orders', metadata: { rows: 9 } } },
      ]);
      await store.steps.finish(ref, OK, []);
      expect(await countsOf()).toEqual({ materialized: 1827, failed: 0, in_progress: 0 });
      const page = await store.assets.materializations('orders', { limit: 10 });
      expect(page).toHaveLength(1827);
      expect(page[0]!.metadata).toEqual({ rows: 9 });
    });

    it('pages through materializations, of one partition too', async () => {
      const { store } = opened;
      const sample = partitioned(REGIONS);
      await publish(store, sample);
      for (const n of range(6)) {
        const [runId] = (await start(sample, [n % 3 === 0 ? 'eu' : 'us'])) as [string];
        await succeed(store, runId, 'orders');
      }
      const first = await store.assets.materializations('orders', { limit: 4 });
      expect(first.map((row) => row.partition)).toEqual(['us', 'us', 'eu', 'us']);
      const rest = await store.assets.materializations('orders', {
        limit: 4,
        beforeEventId: first[3]!.eventId,
      });
      expect(rest.map((row) => row.partition)).toEqual(['us', 'eu']);
      const eu = await store.assets.materializations('orders', { limit: 4, partition: 'eu' });
      expect(eu).toHaveLength(2);
      expect(await store.assets.materializations('orders', { limit: 4, partition: 'mars' })).toEqual([]);
    });

    it('counts a 2-D partition by its tuple', async () => {
      const { store } = opened;
      const sample = partitioned(DAILY_BY_CATEGORY);
      await publish(store, sample);
      for (const key of ['A|2026-01-03', 'B|2026-01-03']) {
        const [runId] = (await start(sample, [key])) as [string];
        await succeed(store, runId, 'orders');
      }
      expect(await statuses()).toEqual({ 'A|2026-01-03': 'materialized', 'B|2026-01-03': 'materialized' });
      const one = await store.assets.materializations('orders', { limit: 5, partition: 'B|2026-01-03' });
      expect(one).toMatchObject([{ partition: 'B|2026-01-03' }]);
    });

    describe('when the definition changes (C5)', () => {
      const change = async (partitions: PartitionsDefinition | undefined) => {
        await publish(opened.store, {
          orders: { assets: { orders: {} }, config: partitions === undefined ? {} : { partitions } },
        });
      };
      async function written(definition: PartitionsDefinition, keys: readonly string[]): Promise<void> {
        const sample = partitioned(definition);
        await publish(opened.store, sample);
        for (const key of keys) {
          const [runId] = (await start(sample, [key])) as [string];
          await succeed(opened.store, runId, 'orders');
        }
      }

      it('keeps state under a start that moves', async () => {
        await written(DAILY, ['2026-01-02', '2026-01-05']);
        await change({ ...DAILY, start: '2025-12-01' });
        expect(await statuses()).toEqual({ '2026-01-02': 'materialized', '2026-01-05': 'materialized' });
        await change({ ...DAILY, start: '2026-01-04' });
        expect(await statuses()).toEqual({ '2026-01-05': 'materialized' });
        expect(await countsOf()).toMatchObject({ materialized: 1 });
        await change(DAILY);
        expect(await countsOf()).toMatchObject({ materialized: 2 });
      });

      it('shows the same windows under a new fmt, and finds them by either text', async () => {
        await written(DAILY, ['2026-01-02']);
        await change({ ...DAILY, start: '01.01.2026', fmt: '%d.%m.%Y' });
        expect(await statuses()).toEqual({ '02.01.2026': 'materialized' });
        const find = async (partition: string) =>
          opened.store.assets.materializations('orders', { partition, limit: 5 });
        expect(await find('02.01.2026')).toMatchObject([{ partition: '02.01.2026' }]);
        expect(await find('2026-01-02')).toMatchObject([{ partition: '02.01.2026' }]);
      });

      it('keeps static keys whatever their order, and remembers a removed one', async () => {
        await written(REGIONS, ['us']);
        await change({ kind: 'static', keys: ['asia', 'eu', 'us'] });
        expect(await statuses()).toEqual({ us: 'materialized' });
        await change({ kind: 'static', keys: ['asia', 'eu'] });
        expect(await statuses()).toEqual({});
        expect(
          await opened.store.assets.materializations('orders', { partition: 'us', limit: 1 }),
        ).toMatchObject([{ partition: 'us' }]);
        await change(REGIONS);
        expect(await statuses()).toEqual({ us: 'materialized' });
      });

      it('counts nothing of an asset that lost its partitions', async () => {
        await written(DAILY, ['2026-01-02']);
        await change(undefined);
        expect(await countsOf()).toEqual({ materialized: 0, failed: 0, in_progress: 0 });
        expect(await opened.store.assets.materializations('orders', { limit: 1 })).toMatchObject([
          { partition: '2026-01-02' },
        ]);
        await change(REGIONS);
        expect(await statuses()).toEqual({});
      });

      it('reads the keys of a running step by the definition of its plan', async () => {
        const { store } = opened;
        const sample = partitioned(DAILY);
        await publish(store, sample);
        const [runId] = (await start(sample, ['2026-01-02'])) as [string];
        const ref = await running(store, runId, 'orders');
        await change({ ...DAILY, start: '20260101', fmt: '%Y%m%d' });
        expect(await statuses()).toEqual({ '20260102': 'in_progress' });
        await store.steps.finish(ref, OK, [{ assetKey: 'orders', partitions: ['2026-01-02'], metadata: {} }]);
        expect(await statuses()).toEqual({ '20260102': 'materialized' });
      });
    });
  });
}
