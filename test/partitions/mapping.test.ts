import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  MultiPartitions,
  PartitionsDefinition,
} from '../../src/partitions/definition/partitions-definition.ts';
import { defaultMapping } from '../../src/partitions/mapping/default-mapping.ts';
import { downstreamOf, unpartitioned, upstreamOf } from '../../src/partitions/mapping/map-partitions.ts';
import type { PartitionMapping } from '../../src/partitions/mapping/partition-mapping.ts';
import { validateMapping } from '../../src/partitions/mapping/validate-mapping.ts';
import { has, ordinalsOf, rangeSubset } from '../../src/partitions/subset/partition-subset.ts';
import { allPartitions, keysOf, subsetOfKeys } from '../../src/partitions/subset/subset-keys.ts';
import { at, time } from './helpers.ts';

const now = at('2024-03-20T12:00Z');
const daily = time('0 0 * * *', '2024-01-01');
const weekly = time('0 0 * * 0', '2024-01-01');
const monthly = time('0 0 1 * *', '2024-01-01');
const hourly = time('0 * * * *', '2024-02-01-00:00', { fmt: '%Y-%m-%d-%H:%M' });
const regions = { kind: 'static', keys: ['eu', 'us'] } as const;

function grid(date: typeof daily): MultiPartitions {
  return { kind: 'multi', dimensions: { date, region: regions } };
}

function up(
  upstream: PartitionsDefinition,
  downstream: PartitionsDefinition,
  key: string,
  named?: PartitionMapping,
): string[] {
  const mapping = named ?? defaultMapping(upstream, downstream);
  const { subset } = subsetOfKeys(downstream, [key], now);
  return [...keysOf(upstream, upstreamOf(upstream, downstream, mapping, subset, now).subset)];
}

describe('the default mapping', () => {
  it('goes by overlapping windows between time sets', () => {
    expect(up(daily, weekly, '2024-01-07')).toHaveLength(7);
    expect(up(weekly, monthly, '2024-02-01')).toEqual([
      '2024-01-28',
      '2024-02-04',
      '2024-02-11',
      '2024-02-18',
      '2024-02-25',
    ]);
    expect(up(hourly, daily, '2024-02-29')).toHaveLength(24);
  });

  it('maps 2-D days to 2-D weeks per dimension, where Dagster compares texts', () => {
    expect(up(grid(daily), grid(weekly), '2024-01-07|us')).toEqual(
      ['07', '08', '09', '10', '11', '12', '13'].map((day) => `2024-01-${day}|us`),
    );
  });

  it('is everything for an asset without partitions', () => {
    const { subset } = upstreamOf(daily, null, defaultMapping(daily, null), unpartitioned, now);
    expect(subset).toEqual(allPartitions(daily, now));
    expect(downstreamOf(daily, null, { kind: 'all' }, rangeSubset(3, 4), now)).toEqual(unpartitioned);
  });
});

describe('the last mapping', () => {
  it('reads the newest partition, and only that touches what is downstream', () => {
    expect(up(daily, regions, 'eu', { kind: 'last' })).toEqual(['2024-03-19']);
    const last = subsetOfKeys(daily, ['2024-03-19'], now).subset;
    expect(downstreamOf(daily, regions, { kind: 'last' }, last, now)).toEqual(allPartitions(regions, now));
    expect(downstreamOf(daily, regions, { kind: 'last' }, rangeSubset(0, 5), now).bounds).toEqual([]);
  });
});

describe('missing upstream partitions', () => {
  const need = (startOffset: number, endOffset: number, allow = false) =>
    upstreamOf(
      { ...daily, start: '2024-02-01', end: '2024-03-01' },
      daily,
      { kind: 'time_window', startOffset, endOffset, allowNonexistentUpstream: allow },
      allPartitions(daily, now),
      now,
    );

  it('are counted, and some of them named', () => {
    const { nonexistentCount, nonexistentKeys, subset } = need(0, 0);
    expect(nonexistentCount).toBe(31 + 19);
    expect(nonexistentKeys).toHaveLength(50);
    expect(subset.bounds).toEqual([0, 29]);
  });

  it('are not reported where an offset reaches over the edge, or where they may be missing', () => {
    expect(need(-1, 0).nonexistentCount).toBe(19);
    expect(need(0, 1).nonexistentCount).toBe(31);
    expect(need(0, 0, true).nonexistentCount).toBe(0);
  });
});

describe('validateMapping', () => {
  it.each<[string, PartitionsDefinition, PartitionsDefinition, PartitionMapping, string]>([
    [
      'zones',
      daily,
      { ...daily, timezone: 'Asia/Tokyo' },
      defaultMapping(daily, daily),
      'the time zones differ: UTC and Asia/Tokyo',
    ],
    [
      'kinds',
      daily,
      regions,
      { kind: 'identity' },
      'time partitions and static partitions have no keys in common',
    ],
    [
      'keys',
      regions,
      regions,
      { kind: 'static', map: { eu: ['us', 'xx'] } },
      'the downstream has no partition "xx"',
    ],
    [
      'dimension',
      grid(daily),
      grid(daily),
      { kind: 'multi', dimensions: { day: { dimension: 'date', mapping: { kind: 'all' } } } },
      'the upstream has no dimension "day"',
    ],
    [
      'choice',
      { kind: 'multi', dimensions: { a: regions, b: regions } },
      regions,
      { kind: 'multi_to_single' },
      'no dimension fits, or more than one does',
    ],
  ])('names a fault of %s', (_, upstream, downstream, mapping, message) => {
    expect(validateMapping(upstream, downstream, mapping).map((problem) => problem.message)).toContain(
      message,
    );
  });

  it('follows links of zones', () => {
    expect(validateMapping(daily, { ...daily, timezone: 'Etc/UTC' }, defaultMapping(daily, daily))).toEqual(
      [],
    );
  });
});

describe('downstream', () => {
  it('is the inverse of upstream', () => {
    const sets = [
      daily,
      weekly,
      monthly,
      hourly,
      { ...daily, exclusions: ['0 0 * * 1'] },
      time('30 3 * * 3', '2024-01-10'),
    ];
    const property = fc.property(
      fc.constantFrom(...sets),
      fc.constantFrom(...sets),
      fc.integer({ min: -2, max: 1 }),
      fc.integer({ min: 0, max: 2 }),
      fc.nat(),
      (upstream, downstream, startOffset, width, pick) => {
        const mapping: PartitionMapping = {
          kind: 'time_window',
          startOffset,
          endOffset: startOffset + width,
          allowNonexistentUpstream: false,
        };
        const existing = [...ordinalsOf(allPartitions(upstream, now))];
        const one = existing[pick % existing.length] as number;
        const reached = downstreamOf(upstream, downstream, mapping, rangeSubset(one, one + 1), now);
        for (const ordinal of ordinalsOf(allPartitions(downstream, now))) {
          const needed = upstreamOf(
            upstream,
            downstream,
            mapping,
            rangeSubset(ordinal, ordinal + 1),
            now,
          ).subset;
          expect(has(needed, one)).toBe(has(reached, ordinal));
        }
      },
    );
    fc.assert(property, { numRuns: 40 });
  });
});
