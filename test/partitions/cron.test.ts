import { describe, expect, it } from 'vitest';
import {
  isValidTimezone,
  nextTick,
  parseCron,
  previousTick,
  ticksBetween,
} from '../../src/partitions/cron.ts';
import { at } from './helpers.ts';

function ticks(cron: string | string[], timezone: string, from: string, count: number): string[] {
  const found: string[] = [];
  for (const tick of ticksBetween(cron, timezone, at(from), Number.POSITIVE_INFINITY)) {
    if (found.push(new Date(tick).toISOString().slice(0, 16)) === count) break;
  }
  return found;
}

describe('parseCron', () => {
  it.each([
    ['', 'the cron is empty'],
    ['0 0 * *', '"0 0 * *" has 4 fields, 5 are needed'],
    ['0 0 0 * * *', '"0 0 0 * * *" has 6 fields, 5 are needed'],
    ['0 0 ? * *', '"?" is not known in day of month'],
    ['0 0 1W * *', '"1w": nearest weekday (W) is not known'],
    ['0 0 * * 5L', '"5l" is not a valid day of week'],
    ['0 0 * * sunday', '"sunday" is not a valid day of week'],
    ['60 * * * *', '60 is not a valid minute'],
    ['*/0 * * * *', '"*/0": a step of 0 never moves on'],
    ['1,,2 * * * *', 'the minute field has an empty element'],
    ['0 0 31 2 *', '"0 0 31 2 *" never ticks: no such day in these months'],
    ['0 0 31 4,6 *', '"0 0 31 4,6 *" never ticks: no such day in these months'],
    ['0 0 * * 1#6', '"1#6": a month has at most five of one weekday'],
    ['0 0 * * 1,2#1', '"1,2#1" mixes plain weekdays with "#" or "L"'],
    ['@reboot', '"@reboot" is not known'],
    ['H * * * *', '"h" is not a valid minute'],
    ['-5 * * * *', '"-5" is not a valid minute'],
    ['1-5-7 * * * *', '"1-5-7" is not a valid minute'],
  ])('refuses %j', (cron, message) => {
    expect(parseCron(cron)).toMatchObject({ ok: false, message });
  });

  it('hints at what to write instead', () => {
    expect(parseCron('0 0 * * 5L')).toMatchObject({ hint: 'The last one of a weekday is "L5".' });
    expect(parseCron('0 0 * * sunday')).toMatchObject({ hint: 'Names have three letters: "sun".' });
  });

  it.each([
    '@DAILY',
    '0 22-2 * * 5-1',
    '0 0 1,L * *',
    '0 0 * * 1#2',
    '0 0 * * L5',
    '007 5 * jan-mar MON',
    '\t0 0 * * *  ',
  ])('takes %j', (cron) => {
    expect(parseCron(cron).ok).toBe(true);
  });

  it('takes 0-0 for what it says: not every minute', () => {
    expect(ticks('0-0 * * * *', 'UTC', '2024-01-01T00:01Z', 2)).toEqual([
      '2024-01-01T01:00',
      '2024-01-01T02:00',
    ]);
  });
});

describe('ticks', () => {
  it.each([
    [
      'skip a gap with every hour',
      '30 * * * *',
      '2024-03-10T06:00Z',
      ['2024-03-10T06:30', '2024-03-10T07:30'],
    ],
    [
      'come twice in a fold with every hour',
      '30 * * * *',
      '2024-11-03T05:00Z',
      ['2024-11-03T05:30', '2024-11-03T06:30'],
    ],
    ['move out of a gap', '30 2 * * *', '2024-03-10T00:00Z', ['2024-03-10T07:00', '2024-03-11T06:30']],
    ['come later in a fold', '30 1 * * *', '2024-11-03T04:00Z', ['2024-11-03T06:30', '2024-11-04T06:30']],
    [
      'meet once at the end of a gap',
      '0,30 2,3 * * *',
      '2024-03-10T00:00Z',
      ['2024-03-10T07:00', '2024-03-10T07:30'],
    ],
    [
      'take all 24 hours for every hour',
      '0 0-23 * * *',
      '2024-11-03T05:00Z',
      ['2024-11-03T05:00', '2024-11-03T06:00'],
    ],
  ])('%s', (_, cron, from, expected) => {
    expect(ticks(cron, 'America/New_York', from, expected.length)).toEqual(expected);
  });

  it.each([
    ['0 0 * * 1/2', ['2024-01-01', '2024-01-03', '2024-01-05', '2024-01-08']],
    ['0 0 * * 5-1/2', ['2024-01-05', '2024-01-07', '2024-01-12', '2024-01-14']],
    ['0 0 * * mon-tue#2', ['2024-01-08', '2024-01-09', '2024-02-12', '2024-02-13']],
    ['0 0 30-L * *', ['2024-01-30', '2024-01-31', '2024-03-30', '2024-03-31']],
    ['0 0 L 2 *', ['2024-02-29', '2025-02-28', '2026-02-28', '2027-02-28']],
  ])('of %s', (cron, days) => {
    expect(ticks(cron, 'UTC', '2024-01-01T00:00Z', 4)).toEqual(days.map((day) => `${day}T00:00`));
  });

  it('OR day of month and day of week unless one is exactly *', () => {
    expect(ticks('0 0 13 * 5', 'UTC', '2024-09-01T00:00Z', 3)).toEqual([
      '2024-09-06T00:00',
      '2024-09-13T00:00',
      '2024-09-20T00:00',
    ]);
    expect(ticks('0 0 */2 * 1', 'UTC', '2024-01-07T00:00Z', 3)).toEqual([
      '2024-01-07T00:00',
      '2024-01-08T00:00',
      '2024-01-09T00:00',
    ]);
  });

  it('find every leap day, over 2100 too', () => {
    expect(ticks('0 0 29 2 *', 'UTC', '2092-03-01T00:00Z', 3)).toEqual([
      '2096-02-29T00:00',
      '2104-02-29T00:00',
      '2108-02-29T00:00',
    ]);
  });

  it('of several crons are their union, equal instants once', () => {
    expect(ticks(['30 2 * * *', '0 3 * * *'], 'America/New_York', '2024-03-10T00:00Z', 2)).toEqual([
      '2024-03-10T07:00',
      '2024-03-11T06:30',
    ]);
  });

  it('include the instant itself unless told otherwise', () => {
    const midnight = at('2024-07-01T00:00Z');
    expect(nextTick('@daily', 'UTC', midnight)).toBe(midnight);
    expect(previousTick('@daily', 'UTC', midnight)).toBe(midnight);
    expect(nextTick('@daily', 'UTC', midnight, { inclusive: false })).toBe(at('2024-07-02T00:00Z'));
    expect(previousTick('@daily', 'UTC', midnight, { inclusive: false })).toBe(at('2024-06-30T00:00Z'));
    expect(nextTick('@daily', 'UTC', midnight + 0.5)).toBe(at('2024-07-02T00:00Z'));
  });

  it('do not depend on the order in which instants are asked', () => {
    const zone = 'Europe/Paris';
    const late = nextTick('30 2 * * *', zone, at('2031-03-30T00:00Z'));
    const early = nextTick('30 2 * * *', zone, at('1996-03-31T00:00Z'));
    expect([late, early]).toEqual([at('2031-03-30T01:00Z'), at('1996-03-31T01:00Z')]);
    expect(previousTick('30 2 * * *', zone, at('1980-04-06T12:00Z'))).toBe(at('1980-04-06T01:00Z'));
  });
});

describe('isValidTimezone', () => {
  it.each(['UTC', 'Etc/UTC', 'US/Eastern', 'Europe/Berlin', 'Etc/GMT+5'])('knows %s', (name) => {
    expect(isValidTimezone(name)).toBe(true);
  });

  it.each(['', 'utc', '+02:00', 'Mars/Olympus', 'Europe/Berlin ', 'local'])('refuses %j', (name) => {
    expect(isValidTimezone(name)).toBe(false);
  });
});
