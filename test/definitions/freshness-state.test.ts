import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freshnessState } from '../../src/definitions/freshness-state.ts';
import type { FreshnessConfig } from '../../src/discovery/pipeline-config.ts';

const HOUR = 3_600;
const policy = (config: Partial<FreshnessConfig>): FreshnessConfig => ({
  lowerBoundDeltaSeconds: 24 * HOUR,
  timezone: 'UTC',
  severity: 'WARN',
  ...config,
});
const at = (text: string): number => Date.parse(text.includes('Z') ? text : `${text}:00Z`);
const show = (instant: number | null): string | null =>
  instant === null ? null : new Date(instant).toISOString().replace(':00.000Z', 'Z');

/** By 9 in the morning of Berlin, from the day before on. */
const BERLIN = policy({
  lowerBoundDeltaSeconds: 30 * HOUR,
  deadlineCron: '0 9 * * *',
  timezone: 'Europe/Berlin',
});

describe('the state of an asset', () => {
  it.each<[string, FreshnessConfig, string | null, string, string, string | null, string | null]>([
    // name, policy, last update, now, state, fresh until, stale since
    ['never materialized', policy({}), null, '2026-01-10T00:00', 'unknown', null, null],
    ['never materialized, past a deadline', BERLIN, null, '2026-01-10T09:00', 'unknown', null, null],
    [
      'at the last moment',
      policy({}),
      '2026-01-09T12:00',
      '2026-01-10T12:00',
      'fresh',
      '2026-01-10T12:00:00.001Z',
      null,
    ],
    [
      'a moment later, with nothing that happened',
      policy({}),
      '2026-01-09T12:00',
      '2026-01-10T12:00:00.001Z',
      'stale',
      null,
      '2026-01-10T12:00:00.001Z',
    ],
    [
      'of an update that a clock put into the future',
      policy({}),
      '2026-01-11T12:00',
      '2026-01-10T12:00',
      'fresh',
      '2026-01-12T12:00:00.001Z',
      null,
    ],
    [
      'before the deadline',
      BERLIN,
      '2026-01-09T03:00',
      '2026-01-10T07:59',
      'fresh',
      '2026-01-11T08:00Z',
      null,
    ],
    [
      'in time for this deadline and not for the next',
      BERLIN,
      '2026-01-09T03:00',
      '2026-01-10T08:00',
      'fresh',
      '2026-01-11T08:00Z',
      null,
    ],
    [
      'one that missed the deadline',
      BERLIN,
      '2026-01-09T01:59',
      '2026-01-10T08:00',
      'stale',
      null,
      '2026-01-10T08:00Z',
    ],
    [
      'one that has long been missed',
      BERLIN,
      '2026-01-01T01:59',
      '2026-01-10T10:00',
      'stale',
      null,
      '2026-01-02T08:00Z',
    ],
    // The clock goes forward on 2026-03-29: 9 in Berlin is 08:00Z before and 07:00Z after it.
    [
      'a deadline after the spring change comes an hour earlier',
      BERLIN,
      '2026-03-28T00:59',
      '2026-03-29T07:00',
      'stale',
      null,
      '2026-03-29T07:00Z',
    ],
    [
      'and 30 hours before it are 30 hours',
      BERLIN,
      '2026-03-28T01:00',
      '2026-03-29T07:00',
      'fresh',
      '2026-03-30T07:00Z',
      null,
    ],
    // And back on 2026-10-25.
    [
      'a deadline after the autumn change comes an hour later',
      BERLIN,
      '2026-10-24T01:59',
      '2026-10-25T07:30',
      'fresh',
      '2026-10-25T08:00Z',
      null,
    ],
    ['at that deadline', BERLIN, '2026-10-24T01:59', '2026-10-25T08:00', 'stale', null, '2026-10-25T08:00Z'],
    // 02:30 does not exist on that day: the deadline moves to 03:00 summer time.
    [
      'a deadline in the gap',
      { ...BERLIN, deadlineCron: '30 2 * * *', lowerBoundDeltaSeconds: HOUR },
      '2026-03-28T23:59',
      '2026-03-29T01:00',
      'stale',
      null,
      '2026-03-29T01:00Z',
    ],
  ])('%s', (_name, config, last, now, state, freshUntil, staleSince) => {
    const found = freshnessState(config, last === null ? null : at(last), at(now));
    expect([found.state, show(found.freshUntil), show(found.staleSince)]).toEqual([
      state,
      freshUntil,
      staleSince,
    ]);
  });

  it('is worded with times of the policy, that are as true tomorrow', () => {
    expect(freshnessState(BERLIN, at('2026-01-09T03:00'), at('2026-01-10T07:00')).message).toBe(
      'last updated 2026-01-09 04:00 Europe/Berlin, fresh until 2026-01-11 09:00 Europe/Berlin',
    );
    expect(freshnessState(BERLIN, at('2026-01-09T01:00'), at('2026-01-10T09:00')).message).toBe(
      'stale since 2026-01-10 09:00 Europe/Berlin: last updated 2026-01-09 02:00 Europe/Berlin',
    );
    expect(freshnessState(BERLIN, null, at('2026-01-10T09:00')).message).toBe('never materialized');
  });

  it('turns stale at the instant that it named, and not before, in every zone and rhythm', () => {
    const START = Date.UTC(2026, 0, 1);
    fc.assert(
      fc.property(
        fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'),
        fc.option(fc.constantFrom('0 9 * * *', '30 2 * * *', '0 * * * *', '15 6 * * 1'), { nil: undefined }),
        fc.integer({ min: 1, max: 3 * 86_400 }),
        fc.integer({ min: 0, max: 365 * 86_400 }),
        (timezone, deadlineCron, lowerBoundDeltaSeconds, seconds) => {
          const config = policy({
            timezone,
            lowerBoundDeltaSeconds,
            ...(deadlineCron === undefined ? {} : { deadlineCron }),
          });
          const last = START + seconds * 1000;
          const { state, freshUntil } = freshnessState(config, last, last);
          expect(state).toBe('fresh');
          expect(freshnessState(config, last, freshUntil! - 1)).toMatchObject({ state: 'fresh', freshUntil });
          expect(freshnessState(config, last, freshUntil!)).toMatchObject({
            state: 'stale',
            staleSince: freshUntil,
          });
        },
      ),
    );
  });
});
