import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  MultiPartitions,
  StaticPartitions,
  TimeWindowPartitions,
} from '../../src/partitions/definition/partitions-definition.ts';
import { joinKey, splitKey } from '../../src/partitions/partition-set.ts';
import { rectanglesOf, subsetOfRectangles } from '../../src/partitions/subset/cells.ts';
import type { PartitionSubset } from '../../src/partitions/subset/partition-subset.ts';
import {
  countOf,
  has,
  intersectionOf,
  isEmpty,
  isEqual,
  minus,
  ordinalsOf,
  rangeSubset,
  rangesOf,
  subsetOfOrdinals,
  subsetOfRanges,
  unionOf,
  unionOfAll,
} from '../../src/partitions/subset/partition-subset.ts';
import { allPartitions, keysOf, spansOf, subsetOfKeys } from '../../src/partitions/subset/subset-keys.ts';
import { at, time } from './helpers.ts';

const ordinals = fc.array(fc.nat({ max: 60 }), { maxLength: 60 });

function listed(subset: PartitionSubset): number[] {
  return [...ordinalsOf(subset)];
}

describe('subsets', () => {
  it('behave like sets of numbers', () => {
    fc.assert(
      fc.property(ordinals, ordinals, (left, right) => {
        const [a, b] = [subsetOfOrdinals(left), subsetOfOrdinals(right)];
        const [setA, setB] = [new Set(left), new Set(right)];
        const sorted = (set: Set<number>): number[] => [...set].sort((x, y) => x - y);
        expect(listed(a)).toEqual(sorted(setA));
        expect(listed(unionOf(a, b))).toEqual(sorted(setA.union(setB)));
        expect(listed(intersectionOf(a, b))).toEqual(sorted(setA.intersection(setB)));
        expect(listed(minus(a, b))).toEqual(sorted(setA.difference(setB)));
        expect(countOf(a)).toBe(setA.size);
        for (let ordinal = -1; ordinal < 62; ordinal++) expect(has(a, ordinal)).toBe(setA.has(ordinal));
      }),
    );
  });

  it('have one form each', () => {
    fc.assert(
      fc.property(ordinals, ordinals, (left, right) => {
        const [a, b] = [subsetOfOrdinals(left), subsetOfOrdinals(right)];
        expect(unionOf(a, b)).toEqual(subsetOfOrdinals([...left, ...right]));
        expect(unionOfAll([a, b])).toEqual(unionOf(a, b));
        expect(isEqual(unionOf(minus(a, b), intersectionOf(a, b)), a)).toBe(true);
        expect(subsetOfRanges([...rangesOf(a)])).toEqual(a);
      }),
    );
  });

  it('merge ranges that touch', () => {
    expect(unionOf(rangeSubset(0, 5), rangeSubset(5, 9)).bounds).toEqual([0, 9]);
    expect(isEmpty(rangeSubset(3, 3))).toBe(true);
  });
});

const grid: MultiPartitions = {
  kind: 'multi',
  dimensions: { date: time('0 0 * * *', '2024-01-01'), category: { kind: 'static', keys: ['A', 'B', 'C'] } },
};
const now = at('2024-01-06T00:00Z');

describe('2-D keys', () => {
  it('join their parts in the order of the names, capitals first', () => {
    const parts = { date: '2024-01-01', category: 'A' };
    expect(joinKey(grid, parts)).toBe('A|2024-01-01');
    expect(splitKey(grid, 'A|2024-01-01')).toEqual(parts);
    expect(splitKey(grid, 'A|2024|01')).toBeNull();
    const { date, category } = grid.dimensions as { date: TimeWindowPartitions; category: StaticPartitions };
    const capital: MultiPartitions = { kind: 'multi', dimensions: { category, Date: date } };
    expect(joinKey(capital, { Date: '2024-01-01', category: 'A' })).toBe('2024-01-01|A');
    expect(() => joinKey(grid, { date: '2024-01-01' })).toThrow('no key for dimension "category"');
  });
});

describe('2-D subsets', () => {
  it('are numbered by time first, so that time may pass', () => {
    const { subset } = subsetOfKeys(grid, ['A|2024-01-01', 'C|2024-01-01', 'B|2024-01-02'], now);
    expect(listed(subset)).toEqual([0, 2, 4]);
    expect(allPartitions(grid, now).bounds).toEqual([0, 15]);
  });

  it('fall into rectangles that cover them', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 14 })), (cells) => {
        const subset = subsetOfOrdinals(cells);
        const rectangles = rectanglesOf(grid, subset);
        expect(subsetOfRectangles(grid, rectangles)).toEqual(subset);
        const sizes = rectangles.map(({ major, minor }) => countOf(major) * countOf(minor));
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(countOf(subset));
      }),
    );
  });

  it('run along the dimension with more keys', () => {
    const { subset, unknown } = subsetOfKeys(
      grid,
      ['A|2024-01-01', 'A|2024-01-02', 'B|2024-01-05', 'D|2024-01-01'],
      now,
    );
    expect(unknown).toEqual(['D|2024-01-01']);
    expect([...spansOf(grid, subset)]).toEqual([
      { start: 'A|2024-01-01', end: 'A|2024-01-02', count: 2 },
      { start: 'B|2024-01-05', end: 'B|2024-01-05', count: 1 },
    ]);
  });

  it('may have two time dimensions, whose ordinals have holes', () => {
    const twice: MultiPartitions = {
      kind: 'multi',
      dimensions: { a: time('0 0 * * *', '2024-01-01'), b: time('0 0 * * *', '2024-01-03') },
    };
    const all = allPartitions(twice, now);
    expect(countOf(all)).toBe(15);
    const keys = [...keysOf(twice, all)];
    expect(keys.at(-1)).toBe('2024-01-05|2024-01-05');
    expect(subsetOfKeys(twice, keys, now).subset).toEqual(all);
  });
});
