import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  defaultFmt,
  firstKey,
  hasKey,
  keyContaining,
  keyOfWindow,
  keysInRange,
  keyToOrdinal,
  lastKey,
  nextKey,
  ordinalOfWindowStart,
  ordinalToKey,
  partitionCount,
  partitionKeys,
  previousKey,
  rangeOfKeys,
  resolveKey,
  windowOfKey,
} from '../../src/partitions/partition-set.ts';
import { at, time } from './helpers.ts';

const daily = time('0 0 * * *', '2024-01-01');
const hourly = time('0 * * * *', '2024-11-02-00:00', { timezone: 'America/New_York', fmt: '%Y-%m-%d-%H:%M' });

describe('a daily set', () => {
  it('has the days that have ended', () => {
    expect(partitionCount(daily, at('2024-01-01T23:59:59Z'))).toBe(0);
    expect(partitionCount(daily, at('2024-01-02T00:00:00Z'))).toBe(1);
    expect(lastKey(daily, at('2024-02-15T08:00Z'))).toBe('2024-02-14');
  });

  it('moves its end by the end offset', () => {
    const now = at('2024-01-10T05:00Z');
    expect(lastKey({ ...daily, endOffset: 1 }, now)).toBe('2024-01-10');
    expect(lastKey({ ...daily, endOffset: -2 }, now)).toBe('2024-01-07');
    expect(partitionCount({ ...daily, endOffset: 3 }, at('2023-12-31T05:00Z'))).toBe(2);
    expect(partitionCount({ ...daily, endOffset: 3 }, at('2020-01-01T00:00Z'))).toBe(0);
  });

  it('stops at its end, whatever the offset', () => {
    const ended = { ...daily, end: '2024-01-05', endOffset: 1 };
    expect([...partitionKeys(ended, at('2024-03-01T00:00Z'))]).toEqual([
      '2024-01-01',
      '2024-01-02',
      '2024-01-03',
      '2024-01-04',
    ]);
  });

  it('starts at the next tick', () => {
    const weekly = time('0 0 * * 0', '2024-01-01');
    expect(firstKey(weekly, at('2024-02-01T00:00Z'))).toBe('2024-01-07');
  });

  it('takes only keys for keys', () => {
    const now = at('2024-02-01T00:00Z');
    const weekly = time('0 0 * * 0', '2024-01-01');
    expect(hasKey(weekly, '2024-01-14', now)).toBe(true);
    expect(hasKey(weekly, '2024-01-08', now)).toBe(false);
    for (const text of ['2023-12-31', '2024-02-01', '2024-02-30', '2024-1-8', '']) {
      expect(hasKey(daily, text, now), text).toBe(false);
    }
  });

  it('has a key for a skipped hour, as Dagster has', () => {
    const hours = time('0 * * * *', '2024-03-09-00:00', {
      timezone: 'America/New_York',
      fmt: '%Y-%m-%d-%H:%M',
    });
    const now = at('2024-03-11T00:00Z');
    expect(resolveKey(hours, '2024-03-10-02:00', now)).toBe('2024-03-10-03:00');
    expect(resolveKey(hours, '2024-03-08-23:30', now)).toBeNull();
    expect(resolveKey({ ...hours, cron: '30 * * * *' }, '2024-03-10-02:00', now)).toBeNull();
  });

  it('knows what lies around a key', () => {
    const now = at('2024-01-04T00:00Z');
    expect([previousKey(daily, '2024-01-01', now), nextKey(daily, '2024-01-01', now)]).toEqual([
      null,
      '2024-01-02',
    ]);
    expect(nextKey(daily, '2024-01-03', now)).toBeNull();
    expect(keyContaining(daily, at('2024-01-02T13:00Z'), now)).toBe('2024-01-02');
    expect(keyContaining(daily, at('2023-12-02T13:00Z'), now)).toBeNull();
    expect(keyOfWindow(daily, at('2024-01-02T00:00Z'))).toBe('2024-01-02');
    expect(keyOfWindow(daily, at('2024-01-02T01:00Z'))).toBeNull();
  });
});

describe('clock changes', () => {
  it('give the second hour of a fold its offset', () => {
    const now = at('2024-11-04T00:00Z');
    expect(keysInRange(hourly, '2024-11-03-00:00', '2024-11-03-02:00', now)).toEqual([
      '2024-11-03-00:00',
      '2024-11-03-01:00',
      '2024-11-03-01:00-0500',
      '2024-11-03-02:00',
    ]);
    expect(hasKey(hourly, '2024-11-03-01:00-0400', now)).toBe(false);
    expect(windowOfKey(hourly, '2024-11-03-01:00-0500')?.start).toBe(at('2024-11-03T06:00Z'));
  });

  it('give a day of 23 hours', () => {
    const days = time('0 0 * * *', '2024-03-01', { timezone: 'America/New_York' });
    expect(windowOfKey(days, '2024-03-10')).toEqual({
      start: at('2024-03-10T05:00Z'),
      end: at('2024-03-11T04:00Z'),
    });
  });

  it('name a day that the calendar skipped by its own date', () => {
    const days = time('30 1 * * *', '2011-12-29', { timezone: 'Pacific/Apia' });
    const now = at('2012-01-01T12:00Z');
    expect([...partitionKeys(days, now)]).toEqual(['2011-12-29', '2011-12-30', '2011-12-31', '2012-01-01']);
    expect(windowOfKey(days, '2011-12-30')).toEqual({
      start: at('2011-12-30T10:00Z'),
      end: at('2011-12-30T11:30Z'),
    });
    expect(windowOfKey(days, '2011-12-31')?.start).toBe(at('2011-12-30T11:30Z'));
  });
});

describe('exclusions', () => {
  const workdays = time('0 0 * * *', '2024-01-01', { exclusions: ['0 0 * * 0,6', '2024-01-03'] });
  const now = at('2024-01-10T00:00Z');

  it('leave windows out and number the rest', () => {
    expect([...partitionKeys(workdays, now)]).toEqual([
      '2024-01-01',
      '2024-01-02',
      '2024-01-04',
      '2024-01-05',
      '2024-01-08',
      '2024-01-09',
    ]);
    expect(keyToOrdinal(workdays, '2024-01-08')).toBe(4);
    expect(keyToOrdinal(workdays, '2024-01-06')).toBeNull();
    expect(windowOfKey(workdays, '2024-01-05')?.end).toBe(at('2024-01-06T00:00Z'));
    expect(nextKey(workdays, '2024-01-05', now)).toBe('2024-01-08');
  });

  it('are stepped over by the end offset', () => {
    const saturday = at('2024-01-06T12:00Z');
    expect(lastKey({ ...workdays, endOffset: 1 }, saturday)).toBe('2024-01-08');
    expect(lastKey({ ...workdays, endOffset: -1 }, saturday)).toBe('2024-01-04');
    expect(partitionCount({ ...workdays, endOffset: 5, end: '2024-01-09' }, saturday)).toBe(5);
  });
});

describe('rangeOfKeys', () => {
  const now = at('2024-02-01T00:00Z');

  it.each([
    [
      '2023-12-30',
      '2024-01-02',
      'there is no partition "2023-12-30"; they go from "2024-01-01" to "2024-01-31"',
    ],
    [
      '2024-01-30',
      '2024-02-02',
      'there is no partition "2024-02-02"; they go from "2024-01-01" to "2024-01-31"',
    ],
    ['2024-01-30', '2024-01-32', '"2024-01-32" does not match fmt "%Y-%m-%d"'],
  ])('refuses %s to %s', (start, end, message) => {
    expect(rangeOfKeys(daily, start, end, now)).toEqual({ ok: false, message });
  });

  it('takes a time for the window that starts at or after it', () => {
    const weekly = time('0 0 * * 0', '2024-01-01');
    expect(keysInRange(weekly, '2024-01-08', '2024-01-20', now)).toEqual(['2024-01-14', '2024-01-21']);
  });

  it('goes on to what is still to come only when asked', () => {
    const range = rangeOfKeys({ ...daily, end: '2024-03-01' }, '2024-01-30', '2024-02-02', null);
    expect(range.ok && [...range.keys()]).toEqual(['2024-01-30', '2024-01-31', '2024-02-01', '2024-02-02']);
    expect(rangeOfKeys({ ...daily, end: '2024-03-01' }, '2024-01-30', '2024-03-01', null).ok).toBe(false);
  });

  it('is empty backwards, and says so', () => {
    const range = rangeOfKeys(daily, '2024-01-09', '2024-01-02', now);
    expect(range).toMatchObject({
      ok: true,
      note: 'the range is empty: "2024-01-09" comes after "2024-01-02"',
    });
  });
});

describe('defaultFmt', () => {
  it.each([
    ['0 * * * *', '%Y-%m-%d-%H:%M'],
    ['*/15 9-17 * * 1-5', '%Y-%m-%d-%H:%M'],
    ['0 0 * * *', '%Y-%m-%d'],
    ['15 6 * * 0', '%Y-%m-%d'],
    ['0 0 1 * *', '%Y-%m-%d'],
  ])('of %s is %s', (cron, fmt) => {
    expect(defaultFmt(cron)).toBe(fmt);
  });
});

describe('ordinals', () => {
  it('and keys lead to one another', () => {
    const definitions = [
      daily,
      hourly,
      time('0 0 1 * *', '2024-01', { fmt: '%Y-%m' }),
      time('30 2 * * 1-5', '01.03.2020', {
        fmt: '%d.%m.%Y',
        timezone: 'Europe/Berlin',
        exclusions: ['30 2 1 * *'],
      }),
      time('*/20 1-3 * * *', '20240101T0000', { fmt: '%Y%m%dT%H%M', timezone: 'Australia/Lord_Howe' }),
    ];
    fc.assert(
      fc.property(fc.constantFrom(...definitions), fc.nat({ max: 40_000 }), (definition, ordinal) => {
        const key = ordinalToKey(definition, ordinal) as string;
        expect(keyToOrdinal(definition, key)).toBe(ordinal);
        const window = windowOfKey(definition, key);
        expect(keyOfWindow(definition, window?.start ?? 0)).toBe(key);
        expect(ordinalOfWindowStart(definition, window?.start ?? 0)).toBe(ordinal);
      }),
      { numRuns: 500 },
    );
  });
});
