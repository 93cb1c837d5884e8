import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MultiPartitions } from '../../src/partitions/definition/partitions-definition.ts';
import { subsetOfOrdinals } from '../../src/partitions/subset/partition-subset.ts';
import { decodeSubset, encodeSubset } from '../../src/partitions/subset/stored-subset.ts';
import { keysOf, subsetOfKeys } from '../../src/partitions/subset/subset-keys.ts';
import { decodeAscending, encodeAscending } from '../../src/partitions/subset/varint.ts';
import { at, time } from './helpers.ts';

const daily = time('0 0 * * *', '2024-01-01', { timezone: 'Europe/Berlin' });
const regions = { kind: 'static', keys: ['eu', 'us', 'ap'] } as const;
const grid: MultiPartitions = { kind: 'multi', dimensions: { date: daily, region: regions } };
const ids = new Map([
  ['eu', 0],
  ['us', 1],
  ['ap', 2],
  ['sa', 3],
]);
const now = at('2024-12-01T00:00Z');

describe('a stored subset', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(daily, regions, grid),
        fc.array(fc.nat({ max: 900 })),
        (definition, numbers) => {
          const subset = subsetOfOrdinals(
            numbers.map((number) => (definition === regions ? number % 3 : number)),
          );
          const stored = encodeSubset(definition, subset, { '': ids, region: ids });
          expect(decodeSubset(definition, stored, { '': ids, region: ids })).toEqual(subset);
        },
      ),
    );
  });

  it('is small', () => {
    const every = subsetOfOrdinals(Array.from({ length: 50_000 }, (_, nth) => nth * 2));
    expect(encodeSubset(time('0 0 * * *', '1800-01-01'), every, {}).length).toBeLessThan(140_000);
    expect(encodeSubset(daily, subsetOfOrdinals([0, 1, 2, 3]), {})).toHaveLength(13);
  });

  it('outlives a changed start, fmt and order of keys', () => {
    const { subset } = subsetOfKeys(grid, ['2024-03-01|us', '2024-03-02|us', '2024-03-02|ap'], now);
    const stored = encodeSubset(grid, subset, { region: ids });
    const changed: MultiPartitions = {
      kind: 'multi',
      dimensions: {
        date: { ...daily, start: '20240302', fmt: '%Y%m%d' },
        region: { kind: 'static', keys: ['sa', 'ap', 'us'] },
      },
    };
    expect([...keysOf(changed, decodeSubset(changed, stored, { region: ids }))]).toEqual([
      '20240302|ap',
      '20240302|us',
    ]);
  });

  it('does not spread over windows that were excluded', () => {
    const workdays = { ...daily, exclusions: ['0 0 * * 0,6'] };
    const { subset } = subsetOfKeys(workdays, ['2024-01-05', '2024-01-08'], now);
    const stored = encodeSubset(workdays, subset, {});
    expect([...keysOf(daily, decodeSubset(daily, stored, {}))]).toEqual(['2024-01-05', '2024-01-08']);
  });

  it('is refused when damaged, and empty for another kind of set', () => {
    expect(() => decodeSubset(daily, 't:60:!', {})).toThrow(RangeError);
    expect(decodeSubset(regions, 't:60:AA', {}).bounds).toEqual([]);
    expect(() => encodeSubset(regions, subsetOfOrdinals([0]), {})).toThrow('static key "eu" has no id');
  });
});

describe('numbers as text', () => {
  it('come back', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -(2 ** 40), max: 2 ** 40 })), (numbers) => {
        const ascending = numbers.sort((a, b) => a - b);
        expect(decodeAscending(encodeAscending(ascending))).toEqual(ascending);
      }),
    );
  });
});
