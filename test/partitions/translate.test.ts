import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  PartitionsDefinition,
  TimeWindowPartitions,
} from '../../src/partitions/definition/partitions-definition.ts';
import { ordinalToKey, partitionCount } from '../../src/partitions/partition-set.ts';
import type { PartitionSubset } from '../../src/partitions/subset/partition-subset.ts';
import {
  countOf,
  intersectionOf,
  ordinalsOf,
  rangeSubset,
} from '../../src/partitions/subset/partition-subset.ts';
import { allPartitions } from '../../src/partitions/subset/subset-keys.ts';
import { translateSubset } from '../../src/partitions/subset/translate.ts';
import { DAILY, DAILY_BY_CATEGORY, REGIONS, WEEKLY } from '../helpers/sample-definitions.ts';

const NOW = Date.UTC(2026, 0, 20, 12);
const daily = DAILY as TimeWindowPartitions;
const HOURLY: PartitionsDefinition = {
  ...daily,
  start: '2026-01-01-00:00',
  cron: '0 * * * *',
  fmt: '%Y-%m-%d-%H:%M',
};

function keys(definition: PartitionsDefinition, subset: PartitionSubset): string[] {
  return [...ordinalsOf(subset)].map((ordinal) => ordinalToKey(definition, ordinal) as string);
}

function summary(definition: PartitionsDefinition, subset: PartitionSubset): string {
  const all = keys(definition, subset);
  return all.length === 0
    ? 'none'
    : all.length < 4
      ? all.join(' ')
      : `${all[0]}…${all.at(-1)} (${all.length})`;
}

function changed(more: Partial<TimeWindowPartitions>): PartitionsDefinition {
  return { ...daily, ...more };
}

describe('partitions under a changed definition', () => {
  // On 2026-01-20 at noon: days 01 … 19.
  it.each<[string, PartitionsDefinition, PartitionsDefinition, string, string, string]>([
    ['the same', DAILY, DAILY, '2026-01-01…2026-01-19 (19)', 'none', 'none'],
    [
      'an earlier start',
      DAILY,
      changed({ start: '2025-12-01' }),
      '2026-01-01…2026-01-19 (19)',
      'none',
      'none',
    ],
    [
      'a later start',
      DAILY,
      changed({ start: '2026-01-04' }),
      '2026-01-04…2026-01-19 (16)',
      'none',
      '2026-01-01 2026-01-02 2026-01-03',
    ],
    [
      'an end',
      DAILY,
      changed({ end: '2026-01-18' }),
      '2026-01-01…2026-01-17 (17)',
      'none',
      '2026-01-18 2026-01-19',
    ],
    [
      'another fmt',
      DAILY,
      changed({ fmt: '%d.%m.%Y', start: '01.01.2026' }),
      '01.01.2026…19.01.2026 (19)',
      'none',
      'none',
    ],
    [
      'Sundays left out',
      DAILY,
      changed({ exclusions: ['0 0 * * 0'] }),
      '2026-01-01…2026-01-19 (16)',
      'none',
      '2026-01-04 2026-01-11 2026-01-18',
    ],
    [
      'Sundays taken in',
      changed({ exclusions: ['0 0 * * 0'] }),
      DAILY,
      '2026-01-01…2026-01-19 (16)',
      'none',
      'none',
    ],
    [
      'another zone',
      DAILY,
      changed({ timezone: 'Europe/Berlin' }),
      'none',
      'none',
      '2026-01-01…2026-01-19 (19)',
    ],
    [
      'days to weeks',
      DAILY,
      WEEKLY,
      '2026-01-05 2026-01-12 2026-01-19',
      '2026-01-05 2026-01-12 2026-01-19',
      '2026-01-01…2026-01-18 (16)',
    ],
    [
      'days to hours',
      DAILY,
      HOURLY,
      '2026-01-01-00:00…2026-01-19-00:00 (19)',
      '2026-01-01-00:00…2026-01-19-00:00 (19)',
      'none',
    ],
    [
      'an alias of the cron',
      DAILY,
      changed({ cron: '@daily' }),
      '2026-01-01…2026-01-19 (19)',
      'none',
      'none',
    ],
    ['days to regions', DAILY, REGIONS, 'none', 'none', '2026-01-01…2026-01-19 (19)'],
    ['regions to days', REGIONS, DAILY, 'none', 'none', 'us eu'],
    [
      'keys in another order',
      REGIONS,
      { kind: 'static', keys: ['eu', 'asia', 'us'] },
      'eu us',
      'none',
      'none',
    ],
    ['a key removed', REGIONS, { kind: 'static', keys: ['eu'] }, 'eu', 'none', 'us'],
    ['days to days by category', DAILY, DAILY_BY_CATEGORY, 'none', 'none', '2026-01-01…2026-01-19 (19)'],
  ])('%s', (_, from, to, kept, reshaped, gone) => {
    const result = translateSubset(from, to, allPartitions(from, NOW));
    expect(summary(to, result.kept)).toBe(kept);
    expect(summary(to, result.reshaped)).toBe(reshaped);
    expect(summary(from, result.gone)).toBe(gone);
  });

  it('of two dimensions each by itself', () => {
    const to: PartitionsDefinition = {
      kind: 'multi',
      dimensions: {
        date: changed({ start: '2026-01-18' }) as TimeWindowPartitions,
        category: { kind: 'static', keys: ['C', 'B'] },
      },
    };
    const result = translateSubset(DAILY_BY_CATEGORY, to, allPartitions(DAILY_BY_CATEGORY, NOW));
    expect(keys(to, result.kept)).toEqual(['B|2026-01-18', 'B|2026-01-19']);
    expect(countOf(result.gone)).toBe(2 * 19 - 2);
  });

  it('knows the whole of what has no partitions', () => {
    const whole = rangeSubset(0, 1);
    expect(translateSubset(null, null, whole).kept).toEqual(whole);
    expect(translateSubset(null, DAILY, whole)).toMatchObject({ kept: { bounds: [] }, gone: whole });
    expect(countOf(translateSubset(DAILY, null, allPartitions(DAILY, NOW)).gone)).toBe(19);
  });

  it('loses nothing and invents nothing, and goes back to where it came from', () => {
    const crons = ['0 0 * * *', '0 * * * *', '30 2 * * *', '0 0 * * 1', '0 0 1 * *'];
    const definition = fc.record({
      start: fc.integer({ min: 1, max: 28 }),
      cron: fc.constantFrom(...crons),
      timezone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York'),
      sundays: fc.boolean(),
    });
    const make = ({
      start,
      cron,
      timezone,
      sundays,
    }: {
      start: number;
      cron: string;
      timezone: string;
      sundays: boolean;
    }): PartitionsDefinition => ({
      kind: 'time',
      start: `2025-10-${String(start).padStart(2, '0')} 00:00`,
      end: null,
      cron,
      timezone,
      fmt: '%Y-%m-%d %H:%M',
      endOffset: 0,
      exclusions: sundays ? ['0 0 * * 0'] : [],
    });
    fc.assert(
      fc.property(definition, definition, fc.nat(40), fc.nat(40), (a, b, low, size) => {
        const [from, to] = [make(a), make(b)];
        const subset = rangeSubset(low, Math.min(partitionCount(from, NOW), low + size));
        const { kept, reshaped, gone } = translateSubset(from, to, subset);
        expect(countOf(kept) + countOf(gone)).toBe(countOf(subset));
        expect(intersectionOf(kept, reshaped)).toEqual(reshaped);
        const back = translateSubset(to, from, kept);
        expect(back.gone.bounds).toEqual([]);
        expect(countOf(back.kept)).toBe(countOf(kept));
        expect(intersectionOf(back.kept, subset)).toEqual(back.kept);
      }),
      { numRuns: 200 },
    );
  });

  it('takes no time for 100,000 hours', () => {
    const hours: PartitionsDefinition = {
      ...daily,
      start: '2014-08-01-00:00',
      cron: '0 * * * *',
      fmt: '%Y-%m-%d-%H:%M',
    };
    const all = allPartitions(hours, NOW);
    expect(countOf(all)).toBeGreaterThan(100_000);
    const at = performance.now();
    const same = translateSubset(hours, { ...hours, start: '2010-01-01-00:00' }, all);
    const sameMs = performance.now() - at;
    const other = translateSubset(hours, { ...daily, start: '2014-08-01' }, all);
    const otherMs = performance.now() - at - sameMs;
    expect(countOf(same.kept)).toBe(countOf(all));
    expect(countOf(other.kept)).toBe(Math.ceil(countOf(all) / 24));
    expect(sameMs).toBeLessThan(50);
    expect(otherMs).toBeLessThan(1500);
  });
});
