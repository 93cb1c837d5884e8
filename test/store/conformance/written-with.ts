import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PartitionsDefinition } from '../../../src/partitions/definition/partitions-definition.ts';
import { ordinalToKey } from '../../../src/partitions/partition-set.ts';
import { ordinalsOf } from '../../../src/partitions/subset/partition-subset.ts';
import { DAILY, DAILY_BY_CATEGORY, REGIONS } from '../../helpers/sample-definitions.ts';
import { fail, launch, type OpenedStore, type OpenStore, publish, type Sample, succeed } from './harness.ts';

const daily = DAILY as Extract<PartitionsDefinition, { kind: 'time' }>;

function sampleOf(codeVersion: string, partitions?: PartitionsDefinition): Sample {
  return {
    orders: {
      assets: { orders: {} },
      config: { codeVersion, ...(partitions === undefined ? {} : { partitions }) },
    },
  };
}

/** By what code the partitions were written that there are. */
export function describeWrittenWith(open: OpenStore): void {
  describe('written with', () => {
    let opened: OpenedStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.close();
    });

    const start = async (sample: Sample, keys: readonly string[]): Promise<string> => {
      const partitions = keys.length === 0 ? ({ kind: 'none' } as const) : ({ kind: 'keys', keys } as const);
      return (await launch(opened, sample, { assets: ['orders'], partitions }))[0]!;
    };
    const load = async (sample: Sample, ...keys: readonly string[]): Promise<void> => {
      await publish(opened.store, sample);
      for (const key of keys) await succeed(opened.store, await start(sample, [key]), 'orders');
    };
    const found = async (definition: PartitionsDefinition | null) => {
      const written = await opened.store.assets.writtenWith('orders', definition);
      return Object.fromEntries(
        written.map(({ codeVersion, subset }) => [
          codeVersion,
          definition === null
            ? subset.bounds
            : [...ordinalsOf(subset)].map((ordinal) => ordinalToKey(definition, ordinal)),
        ]),
      );
    };

    it('is the code of the last write, for each partition by itself', async () => {
      expect(await found(daily)).toEqual({});
      await load(sampleOf('v1', daily), '2026-01-02', '2026-01-03', '2026-01-04');
      await load(sampleOf('v2', daily), '2026-01-03');
      await fail(opened.store, await start(sampleOf('v2', daily), ['2026-01-04']), 'orders');
      expect(await found(daily)).toEqual({ v1: ['2026-01-02', '2026-01-04'], v2: ['2026-01-03'] });
    });

    it('follows the definition that is asked with (C5)', async () => {
      await load(sampleOf('v1', daily), '2026-01-02', '2026-01-05');
      expect(await found({ ...daily, start: '01.12.2025', fmt: '%d.%m.%Y' })).toEqual({
        v1: ['02.01.2026', '05.01.2026'],
      });
      expect(await found({ ...daily, start: '2026-01-04' })).toEqual({ v1: ['2026-01-05'] });
      expect(await found({ ...daily, timezone: 'Europe/Berlin' })).toEqual({});
      expect(await found(REGIONS)).toEqual({});
      expect(await found(null)).toEqual({});
    });

    it('knows static keys, pairs and the whole', async () => {
      await load(sampleOf('v1', REGIONS), 'eu');
      expect(await found({ kind: 'static', keys: ['asia', 'eu'] })).toEqual({ v1: ['eu'] });
      await load(sampleOf('v2', DAILY_BY_CATEGORY), 'A|2026-01-02', 'B|2026-01-02');
      expect(await found(DAILY_BY_CATEGORY)).toEqual({ v2: ['A|2026-01-02', 'B|2026-01-02'] });
      const whole = sampleOf('v3');
      await publish(opened.store, whole);
      await succeed(opened.store, await start(whole, []), 'orders');
      expect(await found(null)).toEqual({ v3: [0, 1] });
      expect(await found(REGIONS)).toEqual({ v1: ['eu'] });
    });
  });
}
