import type { Definitions, ScheduleDefinition } from '../definitions/definitions.ts';
import type { DueTick } from '../plan/due-ticks.ts';
import { planRun } from '../plan/plan-run.ts';
import type { NewTick } from '../store/store.ts';

/** Priority of scheduled runs; backfills lie below, people's own launches above. */
const PRIORITY = 0;

/**
 * What becomes of a tick that is due: its runs, or why it has none (fault T6: `overlap` is recorded as a decision).
 * @param running unfinished runs of the schedule, oldest first
 */
export function planTick(
  definitions: Definitions,
  { name, config, assets }: ScheduleDefinition,
  tick: DueTick,
  running: readonly string[],
  newId: () => string,
): NewTick {
  const { at } = tick;
  const skipped = (reason: string): NewTick => ({
    schedule: name,
    at,
    status: 'skipped',
    reason,
    plans: [],
  });
  if (!tick.fire) return skipped(tick.reason);
  if (running.length > 0 && config.overlap === 'skip') {
    return skipped(`run ${running[0]} has not ended; overlap is skip`);
  }
  const planned = planRun(
    definitions,
    {
      assets,
      partitions: { kind: 'tick', at },
      fullRefresh: false,
      config: {},
      tags: { schedule: name },
      priority: PRIORITY,
      cause: { kind: 'schedule', schedule: name, tick: at },
    },
    { now: at, newId },
  );
  if (!planned.ok) return { schedule: name, at, status: 'failed', reason: planned.message, plans: [] };
  if (planned.runs.length === 0) return skipped('no partition had ended at this tick');
  if (running.length > 0 && config.overlap === 'queue') {
    const reason = `waits for run ${running.at(-1)}; overlap is queue`;
    const plans = planned.runs.map((plan) => ({ ...plan, waitsFor: running }));
    return { schedule: name, at, status: 'queued', reason, plans };
  }
  return { schedule: name, at, status: 'launched', reason: tick.reason, plans: planned.runs };
}
