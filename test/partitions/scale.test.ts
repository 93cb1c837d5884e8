import { describe, expect, it } from 'vitest';
import { nextTick } from '../../src/partitions/cron.ts';
import { overlapping } from '../../src/partitions/mapping/default-mapping.ts';
import { downstreamOf, upstreamOf } from '../../src/partitions/mapping/map-partitions.ts';
import {
  keyToOrdinal,
  ordinalToKey,
  partitionCount,
  windowOfKey,
} from '../../src/partitions/partition-set.ts';
import { allPartitions } from '../../src/partitions/subset/subset-keys.ts';
import { at, time } from './helpers.ts';

/** Limits are some ten times what an idle machine takes, so that they fail for a wrong method, not for a busy machine. */
function within(milliseconds: number, work: () => void): void {
  const began = performance.now();
  work();
  expect(performance.now() - began).toBeLessThan(milliseconds);
}

const now = at('2026-06-01T00:30Z');

describe('at scale', () => {
  it('10,000 schedules in 400 zones find their next tick', () => {
    const zones = Intl.supportedValuesOf('timeZone');
    within(3000, () => {
      for (let nth = 0; nth < 10_000; nth++) {
        const cron = `${nth % 60} ${nth % 24} * * ${nth % 3 === 0 ? '*' : nth % 7}`;
        nextTick(cron, zones[nth % zones.length] as string, now);
      }
    });
  });

  it('1,000 sets of 100,000 hourly partitions are counted and looked up', () => {
    within(5000, () => {
      for (let nth = 0; nth < 1000; nth++) {
        const day = new Date(at('2015-01-01T00:00Z') + nth * 3_600_000).toISOString();
        const definition = time('0 * * * *', `${day.slice(0, 10)}-${day.slice(11, 16)}`, {
          timezone: 'America/New_York',
          fmt: '%Y-%m-%d-%H:%M',
        });
        const count = partitionCount(definition, now);
        expect(count).toBeGreaterThan(98_000);
        const key = ordinalToKey(definition, count >> 1) as string;
        expect(keyToOrdinal(definition, key)).toBe(count >> 1);
        expect(windowOfKey(definition, key)).not.toBeNull();
      }
    });
  });

  it('100,000 hours map to days and back as ranges', () => {
    const hours = time('0 * * * *', '2015-01-01-00:00', { fmt: '%Y-%m-%d-%H:%M' });
    const days = time('0 0 * * *', '2015-01-01');
    within(200, () => {
      const all = allPartitions(days, now);
      for (let nth = 0; nth < 200; nth++) {
        expect(upstreamOf(hours, days, overlapping, all, now).subset.bounds).toHaveLength(2);
        expect(downstreamOf(hours, days, overlapping, allPartitions(hours, now), now)).toEqual(all);
      }
    });
  });
});
