import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PartitionsDefinition } from '../../../src/partitions/definition/partitions-definition.ts';
import { keyToOrdinal, ordinalToKey } from '../../../src/partitions/partition-set.ts';
import type { PartitionSubset } from '../../../src/partitions/subset/partition-subset.ts';
import { ordinalsOf } from '../../../src/partitions/subset/partition-subset.ts';
import { DAILY, DAILY_BY_CATEGORY, REGIONS } from '../../helpers/sample-definitions.ts';
import {
  fail,
  launch,
  OK,
  type OpenedStore,
  type OpenStore,
  publish,
  record,
  running,
  type Sample,
  succeed,
} from './harness.ts';

const daily = DAILY as Extract<PartitionsDefinition, { kind: 'time' }>;
const WITHOUT_SUNDAYS: PartitionsDefinition = { ...daily, exclusions: ['0 0 * * 0'] };
const NEW_YORK_HOURS: PartitionsDefinition = {
  ...daily,
  start: '2026-01-01-00:00',
  cron: '0 * * * *',
  timezone: 'America/New_York',
  fmt: '%Y-%m-%d-%H:%M',
};
const TWO_TIMES: PartitionsDefinition = {
  kind: 'multi',
  dimensions: { day: daily, hour: { ...NEW_YORK_HOURS, timezone: 'UTC' } },
};
const TWO_LISTS: PartitionsDefinition = {
  kind: 'multi',
  dimensions: { shop: { kind: 'static', keys: ['s1', 's2'] }, region: REGIONS as never },
};

function sampleOf(partitions: PartitionsDefinition): Sample {
  return { orders: { assets: { orders: {} }, config: { partitions } } };
}

/** Status of partitions as subsets: by whatever definition is asked with. */
export function describePartitionSubsets(open: OpenStore): void {
  describe('partition subsets', () => {
    let opened: OpenedStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.close();
    });

    const start = async (definition: PartitionsDefinition, keys: readonly string[]): Promise<string> => {
      const partitions = { kind: 'keys', keys } as const;
      return (await launch(opened, sampleOf(definition), { assets: ['orders'], partitions }))[0]!;
    };
    const keysIn = (definition: PartitionsDefinition, subset: PartitionSubset) =>
      [...ordinalsOf(subset)].map((ordinal) => ordinalToKey(definition, ordinal));
    const subsetsOf = async (definition: PartitionsDefinition) => {
      const found = await opened.store.assets.partitionSubsets('orders', definition);
      return {
        materialized: keysIn(definition, found.materialized),
        failed: keysIn(definition, found.failed),
        inProgress: keysIn(definition, found.inProgress),
      };
    };

    it.each([
      ['days', daily, ['2026-01-02', '2026-01-03', '2026-01-05']],
      ['days without Sundays', WITHOUT_SUNDAYS, ['2026-01-03', '2026-01-05', '2026-01-06']],
      ['hours of a zone', NEW_YORK_HOURS, ['2026-01-01-23:00', '2026-01-02-00:00', '2026-01-09-05:00']],
      ['a list', REGIONS, ['us', 'eu']],
      ['days by a list', DAILY_BY_CATEGORY, ['A|2026-01-02', 'B|2026-01-02', 'A|2026-01-03']],
      [
        'days by hours',
        TWO_TIMES,
        ['2026-01-02|2026-01-05-07:00', '2026-01-03|2026-01-01-00:00', '2026-01-03|2026-01-05-07:00'],
      ],
      ['two lists', TWO_LISTS, ['us|s2', 'eu|s1']],
    ])('are what is known of %s', async (_, definition, keys) => {
      await publish(opened.store, sampleOf(definition));
      const inOrder = keys.toSorted((a, b) => keyToOrdinal(definition, a)! - keyToOrdinal(definition, b)!);
      const [first, second] = keys as [string, string];
      const none = { materialized: [], failed: [], inProgress: [] };
      expect(await subsetsOf(definition)).toEqual(none);
      for (const key of keys) await succeed(opened.store, await start(definition, [key]), 'orders');
      expect(await subsetsOf(definition)).toEqual({ ...none, materialized: inOrder });
      await fail(opened.store, await start(definition, [first]), 'orders');
      expect(await subsetsOf(definition)).toEqual({ ...none, materialized: inOrder, failed: [first] });
      const runId = await start(definition, [second]);
      const ref = await running(opened.store, runId, 'orders');
      expect(await subsetsOf(definition)).toMatchObject({ failed: [first], inProgress: [second] });
      await opened.store.steps.finish(ref, OK, []);
      await record(opened.store, runId, { type: 'run_succeeded' });
      await succeed(opened.store, await start(definition, [first]), 'orders');
      expect(await subsetsOf(definition)).toEqual({ ...none, materialized: inOrder });
    });

    it('follow the definition that is asked with, whichever is published (C5)', async () => {
      await publish(opened.store, sampleOf(daily));
      for (const key of ['2026-01-02', '2026-01-05']) {
        await succeed(opened.store, await start(daily, [key]), 'orders');
      }
      const earlier = { ...daily, start: '01.12.2025', fmt: '%d.%m.%Y' };
      expect((await subsetsOf(earlier)).materialized).toEqual(['02.01.2026', '05.01.2026']);
      expect((await subsetsOf({ ...daily, start: '2026-01-04' })).materialized).toEqual(['2026-01-05']);
      expect((await subsetsOf({ ...daily, end: '2026-01-05' })).materialized).toEqual(['2026-01-02']);
      expect((await subsetsOf({ ...daily, cron: '0 12 * * *' })).materialized).toEqual([]);
      expect((await subsetsOf(REGIONS)).materialized).toEqual([]);
      expect((await subsetsOf(daily)).materialized).toEqual(['2026-01-02', '2026-01-05']);
    });

    it('are the same from memory, from a snapshot, from the rows and after a rebuild', async () => {
      const days = { ...daily, start: '2020-01-01' };
      const policy = { type: 'single_run', maxPartitionsPerRun: 1 } as const;
      const sample: Sample = {
        orders: { assets: { orders: {} }, config: { partitions: days, backfillPolicy: policy } },
      };
      await publish(opened.store, sample);
      const [runId] = await launch(opened, sample, {
        assets: ['orders'],
        partitions: { kind: 'range', start: '2020-01-01', end: '2024-12-31' },
      });
      const ref = await running(opened.store, runId!, 'orders');
      // Of a long range a step knows the ends: what it reports without a partition is all of it.
      await opened.store.steps.append(ref, [
        { n: 1, event: { type: 'materialization', asset_key: 'orders', metadata: {} } },
      ]);
      await opened.store.steps.finish(ref, OK, []);
      await record(opened.store, runId!, { type: 'run_succeeded' });
      const ask = async () => opened.store.assets.partitionSubsets('orders', days);
      const first = await ask();
      expect(first).toEqual({
        materialized: { bounds: [0, 1827] },
        failed: { bounds: [] },
        inProgress: { bounds: [] },
      });
      expect(await ask()).toBe(first);
      opened = await opened.reopen();
      expect(await ask()).toEqual(first);
      await fail(opened.store, await start(days, ['2020-01-02']), 'orders');
      const second = { ...first, failed: { bounds: [1, 2] } };
      expect(await ask()).toEqual(second);
      opened = await opened.reopen();
      expect(await ask()).toEqual(second);
      await opened.store.operations.rebuildProjections();
      expect(await ask()).toEqual(second);
      await succeed(opened.store, await start(days, ['2020-01-02']), 'orders');
      expect(await ask()).toEqual(first);
    });

    it('agree with the list of partitions whatever happens, and whenever one looks', async () => {
      const happening = fc.record({
        what: fc.constantFrom('succeed', 'fail', 'start', 'look', 'reopen', 'rebuild'),
        key: fc.constantFrom('us', 'eu', 'asia', 'africa'),
      });
      const definition = { kind: 'static', keys: ['us', 'eu', 'asia', 'africa'] } as const;
      await fc.assert(
        fc.asyncProperty(fc.array(happening, { minLength: 1, maxLength: 12 }), async (happenings) => {
          await opened.close();
          opened = await open();
          await publish(opened.store, sampleOf(definition));
          for (const { what, key } of happenings) {
            const { store } = opened;
            if (what === 'succeed') await succeed(store, await start(definition, [key]), 'orders');
            if (what === 'fail') await fail(store, await start(definition, [key]), 'orders');
            if (what === 'start') await running(store, await start(definition, [key]), 'orders');
            if (what === 'look') await subsetsOf(definition);
            if (what === 'reopen') opened = await opened.reopen();
            if (what === 'rebuild') await store.operations.rebuildProjections();
          }
          const list = await opened.store.assets.partitions('orders');
          const { materialized, failed, inProgress } = await subsetsOf(definition);
          const shown = (key: string) =>
            inProgress.includes(key) ? 'in_progress' : failed.includes(key) ? 'failed' : 'materialized';
          const known = [...new Set([...materialized, ...failed, ...inProgress])] as string[];
          expect(Object.fromEntries(known.map((key) => [key, shown(key)]))).toEqual(
            Object.fromEntries(list.map(({ key, status }) => [key, status])),
          );
          const stateOf = await opened.store.assets.partitionStates('orders', definition);
          const states = definition.keys.map((key, ordinal) => [key, stateOf(ordinal)] as const);
          expect(Object.fromEntries(states.filter(([, state]) => state !== 'missing'))).toEqual(
            Object.fromEntries(list.map(({ key, status }) => [key, status])),
          );
        }),
        { numRuns: 12 },
      );
    });

    it('are empty of an asset that nothing is known of', async () => {
      const nobody = await opened.store.assets.partitionSubsets('nobody', daily);
      expect(nobody).toEqual({
        materialized: { bounds: [] },
        failed: { bounds: [] },
        inProgress: { bounds: [] },
      });
    });
  });
}
