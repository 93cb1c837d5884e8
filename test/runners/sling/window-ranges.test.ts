import { expect, it } from 'vitest';
import { windowRanges } from '../../../src/runners/sling/window-ranges.ts';

const window = (start: string, end: string) => ({ start: Date.parse(start), end: Date.parse(end) });

it.each([
  [
    'a day',
    'UTC',
    window('2026-01-03T00:00:00Z', '2026-01-04T00:00:00Z'),
    {
      timestamp: '2026-01-03 00:00:00,2026-01-03 23:59:59.999999',
      timestamptz: '2026-01-03 00:00:00+00:00,2026-01-03 23:59:59.999999+00:00',
      date: '2026-01-03,2026-01-03',
      yyyymmdd: '20260103,20260103',
      epoch_seconds: '1767398400,1767484799',
      epoch_milliseconds: '1767398400000,1767484799999',
    },
  ],
  [
    'a day of 23 hours: instants are UTC, dates are those of the zone',
    'Europe/Berlin',
    window('2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z'),
    {
      timestamp: '2026-03-28 23:00:00,2026-03-29 21:59:59.999999',
      timestamptz: '2026-03-28 23:00:00+00:00,2026-03-29 21:59:59.999999+00:00',
      date: '2026-03-29,2026-03-29',
      yyyymmdd: '20260329,20260329',
      epoch_seconds: '1774738800,1774821599',
      epoch_milliseconds: '1774738800000,1774821599999',
    },
  ],
  [
    'a month over the end of a year',
    'UTC',
    window('2025-12-01T00:00:00Z', '2026-01-01T00:00:00Z'),
    expect.objectContaining({ date: '2025-12-01,2025-12-31', yyyymmdd: '20251201,20251231' }),
  ],
  [
    'an hour, which has no dates',
    'UTC',
    window('2026-01-03T05:00:00Z', '2026-01-03T06:00:00Z'),
    {
      timestamp: '2026-01-03 05:00:00,2026-01-03 05:59:59.999999',
      timestamptz: '2026-01-03 05:00:00+00:00,2026-01-03 05:59:59.999999+00:00',
      epoch_seconds: '1767416400,1767419999',
      epoch_milliseconds: '1767416400000,1767419999999',
    },
  ],
])('%s', (_, timezone, given, ranges) => {
  expect(windowRanges(given, timezone)).toEqual(ranges);
});
