import { describe, expect, it } from 'vitest';
import { groupIntoRuns, runsOfBackfill } from '../../src/partitions/backfill-runs.ts';
import type { MultiPartitions } from '../../src/partitions/definition/partitions-definition.ts';
import { partitionsOfTick, scheduleCronOf } from '../../src/partitions/schedule-of-partitions.ts';
import { allPartitions } from '../../src/partitions/subset/subset-keys.ts';
import { at, time } from './helpers.ts';

const daily = time('0 0 * * *', '2024-01-01');
const regions = { kind: 'static', keys: ['eu', 'us'] } as const;
const grid: MultiPartitions = { kind: 'multi', dimensions: { date: daily, region: regions } };
const now = at('2024-01-10T12:00Z');

describe('runs of a backfill', () => {
  it('are cut lazily from ranges', () => {
    const years = time('0 0 * * *', '1800-01-01');
    const all = allPartitions(years, now);
    const runs = runsOfBackfill(years, all, { type: 'multi_run', maxPartitionsPerRun: 1000 });
    expect(runs.next().value).toEqual({ start: '1800-01-01', end: '1802-09-27', count: 1000 });
    expect([...runsOfBackfill(years, all, { type: 'single_run' })]).toHaveLength(1);
  });

  it('keep holes out of a run', () => {
    const keys = ['2024-01-05', '2024-01-01', '2024-01-02'];
    expect(groupIntoRuns(daily, keys, { type: 'single_run' }, now).map((run) => run.keys)).toEqual([
      ['2024-01-01', '2024-01-02'],
      ['2024-01-05'],
    ]);
    expect(groupIntoRuns(daily, keys, null, now)).toHaveLength(3);
  });
});

describe('partitions of a tick', () => {
  it.each([
    ['the newest of a time set', daily, ['2024-01-09']],
    ['every one of a static set', regions, ['eu', 'us']],
    ['the newest time with every static key', grid, ['2024-01-09|eu', '2024-01-09|us']],
  ])('are %s', (_, definition, keys) => {
    expect(partitionsOfTick(definition, at('2024-01-10T00:00Z'))).toEqual(keys);
  });

  it('are none before the first window has ended', () => {
    expect(partitionsOfTick(daily, at('2024-01-01T23:00Z'))).toEqual([]);
    expect(partitionsOfTick(grid, at('2024-01-01T23:00Z'))).toEqual([]);
  });
});

describe('the cron of a partitioned schedule', () => {
  it.each([
    ['0 0 * * 0', { dayOfWeek: 1, hourOfDay: 3 }, '0 3 * * 1'],
    ['@daily', { hourOfDay: 4, minuteOfHour: 15 }, '15 4 * * *'],
    ['0 * * * *', { minuteOfHour: 5 }, '5 * * * *'],
    ['0 0 1 * *', { dayOfMonth: 3 }, '0 0 3 * *'],
    ['*/15 * * * *', {}, '*/15 * * * *'],
  ])('moves %s by %j', (cron, overrides, expected) => {
    expect(scheduleCronOf({ ...daily, cron }, overrides)).toMatchObject({ ok: true, cron: expected });
  });

  it.each([
    ['0 0 * * *', { dayOfWeek: 1 }, 'day of week fits only weekly partitions'],
    ['0 * * * *', { hourOfDay: 1 }, 'hour of day fits only daily, weekly and monthly partitions'],
    ['*/15 * * * *', { minuteOfHour: 5 }, 'cannot be moved'],
    ['0 0 * * *', { hourOfDay: 25 }, '25 is not a valid hour'],
    ['0 0 * * *', { cron: '0 1 * * *' }, 'partitions with time bring their own cron'],
  ])('of %s refuses %j', (cron, overrides, message) => {
    const result = scheduleCronOf({ ...daily, cron }, overrides);
    expect(result.ok ? '' : result.message).toContain(message);
  });

  it('has to be given for a set without time', () => {
    expect(scheduleCronOf(regions, {}).ok).toBe(false);
    expect(scheduleCronOf(regions, { cron: '0 6 * * *' })).toEqual({
      ok: true,
      cron: '0 6 * * *',
      timezone: 'UTC',
    });
  });
});
