import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  PartitionsDefinition,
  StaticPartitions,
  TimeWindowPartitions,
} from '../../../src/partitions/definition/partitions-definition.ts';
import { ordinalToKey } from '../../../src/partitions/partition-set.ts';
import {
  kindOfParts,
  labelOf,
  P_KIND,
  partKinds,
  partsOf,
} from '../../../src/store/kysely-store/partition-identity.ts';

const DAILY: TimeWindowPartitions = {
  kind: 'time',
  start: '2024-01-01',
  end: null,
  cron: '0 0 * * *',
  timezone: 'America/New_York',
  fmt: '%Y-%m-%d',
  endOffset: 0,
  exclusions: [],
};
const HOURLY: TimeWindowPartitions = {
  ...DAILY,
  start: '2024-01-01-00:00',
  cron: '0 * * * *',
  fmt: '%Y-%m-%d-%H:%M',
};
const REGIONS: StaticPartitions = { kind: 'static', keys: ['us', 'eu'] };
const CROSS: PartitionsDefinition = { kind: 'multi', dimensions: { day: DAILY, area: REGIONS } };

describe('identity of a partition', () => {
  it.each<[string, PartitionsDefinition, string, number, unknown]>([
    [
      'the start of a window',
      DAILY,
      '2024-07-01',
      P_KIND.time,
      [{ kind: 'time', epochSeconds: Date.UTC(2024, 6, 1, 4) / 1000 }],
    ],
    [
      'the first pass through a fold',
      HOURLY,
      '2024-11-03-01:00',
      P_KIND.time,
      [{ kind: 'time', epochSeconds: Date.UTC(2024, 10, 3, 5) / 1000 }],
    ],
    [
      'the second pass',
      HOURLY,
      '2024-11-03-01:00-0500',
      P_KIND.time,
      [{ kind: 'time', epochSeconds: Date.UTC(2024, 10, 3, 6) / 1000 }],
    ],
    ['a static key', REGIONS, 'eu', P_KIND.static, [{ kind: 'static', key: 'eu' }]],
    [
      'a tuple in the order of the dimension names',
      CROSS,
      'eu|2024-07-01',
      P_KIND.staticTime,
      [
        { kind: 'static', key: 'eu' },
        { kind: 'time', epochSeconds: Date.UTC(2024, 6, 1, 4) / 1000 },
      ],
    ],
    [
      'a window before the start, which was one once',
      DAILY,
      '2023-12-31',
      P_KIND.time,
      [{ kind: 'time', epochSeconds: Date.UTC(2023, 11, 31, 5) / 1000 }],
    ],
  ])('is %s', (_, definition, text, kind, parts) => {
    expect(partsOf(definition, text)).toEqual(parts);
    expect(kindOfParts(partsOf(definition, text)!)).toBe(kind);
    expect(partKinds(kind)).toEqual(partsOf(definition, text)!.map((part) => part.kind));
  });

  it.each<[PartitionsDefinition, string]>([
    [REGIONS, 'mars'],
    [DAILY, 'yesterday'],
    [CROSS, 'eu'],
    [CROSS, 'mars|2024-07-01'],
  ])('is not there for a text that means nothing', (definition, text) => {
    expect(partsOf(definition, text)).toBeNull();
  });

  it('has no label where the definition has no such partition', () => {
    const old = partsOf(DAILY, '2023-12-31')!;
    expect(labelOf(DAILY, old)).toBeNull();
    expect(labelOf({ ...DAILY, end: '2024-02-01' }, partsOf(DAILY, '2024-03-01')!)).toBeNull();
    expect(labelOf({ ...DAILY, exclusions: ['2024-07-04'] }, partsOf(DAILY, '2024-07-04')!)).toBeNull();
    expect(labelOf({ ...DAILY, cron: '0 0 * * 1' }, partsOf(DAILY, '2024-07-02')!)).toBeNull();
    expect(labelOf(REGIONS, partsOf(DAILY, '2024-07-02')!)).toBeNull();
    expect(labelOf(DAILY, partsOf(CROSS, 'eu|2024-07-02')!)).toBeNull();
  });

  it('goes from text to parts and back', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<PartitionsDefinition>(DAILY, HOURLY, REGIONS, CROSS),
        fc.nat(20_000),
        (definition, nth) => {
          const key = ordinalToKey(definition, definition.kind === 'static' ? nth % 2 : nth);
          const parts = partsOf(definition, key!)!;
          expect(labelOf(definition, parts)).toBe(key);
        },
      ),
    );
  });

  it('does not move with start, fmt, dimension order or key order', () => {
    fc.assert(
      fc.property(fc.nat(3000), fc.integer({ min: 2015, max: 2024 }), (nth, year) => {
        const key = ordinalToKey(DAILY, nth)!;
        const parts = partsOf(DAILY, key)!;
        const earlier = { ...DAILY, start: `${year}-01-01` };
        expect(partsOf(earlier, key)).toEqual(parts);
        const [y, m, d] = key.split('-');
        const other = { ...DAILY, start: `01.01.${year}`, fmt: '%d.%m.%Y' };
        expect(labelOf(other, parts)).toBe(`${d}.${m}.${y}`);
        expect(partsOf(other, `${d}.${m}.${y}`)).toEqual(parts);
        const turned: PartitionsDefinition = {
          kind: 'multi',
          dimensions: { area: { ...REGIONS, keys: ['eu', 'asia', 'us'] }, day: DAILY },
        };
        expect(partsOf(turned, `us|${key}`)).toEqual(partsOf(CROSS, `us|${key}`));
      }),
    );
  });
});
