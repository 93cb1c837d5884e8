import { describe, expect, it } from 'vitest';
import type { ScheduleConfig } from '../../src/discovery/pipeline-config.ts';
import { dueTicks, nextDue } from '../../src/plan/due-ticks.ts';

const HOURLY: ScheduleConfig = {
  cron: ['0 * * * *'],
  timezone: 'UTC',
  defaultStatus: 'RUNNING',
  catchUp: 'all',
  overlap: 'queue',
  jitterSeconds: 0,
};
const T0 = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

function fired(config: ScheduleConfig, cursor: number, now: number): number[] {
  return dueTicks(config, 's', cursor, now)
    .filter((tick) => tick.fire)
    .map((tick) => (tick.at - T0) / HOUR);
}

describe('dueTicks', () => {
  it('fires a tick at its instant, not before, and not again after the cursor has passed it', () => {
    expect(fired(HOURLY, T0, T0 + HOUR - 1)).toEqual([]);
    expect(fired(HOURLY, T0, T0 + HOUR)).toEqual([1]);
    expect(fired(HOURLY, T0 + HOUR, T0 + HOUR + 5)).toEqual([]);
  });

  it('T2: a clock that went back fires nothing', () => {
    expect(fired(HOURLY, T0 + 5 * HOUR, T0 + HOUR)).toEqual([]);
  });

  it.each([
    ['all', 3, [1, 2, 3]],
    ['all', 9, [5, 6, 7, 8, 9]],
    ['latest', 9, [9]],
    ['none', 9, [9]],
  ] as const)('T3: catch_up %s after %i ticks', (catchUp, hours, expected) => {
    expect(fired({ ...HOURLY, catchUp }, T0, T0 + hours * HOUR)).toEqual(expected);
  });

  it('T3: catch_up none leaves out what is late', () => {
    const ticks = dueTicks({ ...HOURLY, catchUp: 'none' }, 's', T0, T0 + 2.5 * HOUR);
    expect(ticks.map((tick) => tick.fire)).toEqual([false, false]);
    expect(ticks[0]!.reason).toBe('missed; catch_up is none');
  });

  it('records what was skipped, the oldest first, and counts what lies before', () => {
    const ticks = dueTicks({ ...HOURLY, catchUp: 'latest' }, 's', T0, T0 + 100 * HOUR);
    expect(ticks).toHaveLength(21);
    expect(ticks[0]).toMatchObject({
      fire: false,
      reason: 'missed; catch_up is latest; 79 earlier ticks were missed too',
    });
    expect(ticks.at(-1)).toMatchObject({ at: T0 + 100 * HOUR, fire: true });
    expect(ticks.map((tick) => tick.at)).toEqual(ticks.map((tick) => tick.at).toSorted((a, b) => a - b));
  });

  it('spreads ticks within jitter, each always by the same amount', () => {
    const config = { ...HOURLY, jitterSeconds: 600 };
    const due = Array.from(
      { length: 50 },
      (_, index) => nextDue(config, `schedule_${index}`, T0)! - T0 - HOUR,
    );
    expect(due.every((delay) => delay >= 0 && delay <= 600_000)).toBe(true);
    expect(new Set(due).size).toBeGreaterThan(30);
    const at = nextDue(config, 'schedule_1', T0)!;
    expect(dueTicks(config, 'schedule_1', T0, at - 1)).toEqual([]);
    expect(dueTicks(config, 'schedule_1', T0, at).map((tick) => tick.at)).toEqual([T0 + HOUR]);
  });
});
