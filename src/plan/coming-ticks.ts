import type { ScheduleDefinition } from '../definitions/definitions.ts';
import { nextTick, ticksBetween } from '../partitions/cron.ts';
import type { Instant } from '../partitions/instant.ts';

export interface ComingTick {
  readonly at: Instant;
  readonly schedule: string;
  /** Schedules that tick at the same instant, beside `schedule`. */
  readonly others: number;
}

export interface ComingTicks {
  readonly ticks: readonly ComingTick[];
  /** There are more ticks from here on; null: these are all. */
  readonly until: Instant | null;
}

/** Ticks of some schedules from `from` on and before `to`, the first `limit` of them. */
export function comingTicks(
  schedules: readonly Pick<ScheduleDefinition, 'name' | 'config'>[],
  from: Instant,
  to: Instant,
  limit: number,
): ComingTicks {
  const at = new Map<Instant, { schedule: string; others: number }>();
  let until: Instant | null = null;
  for (const { name, config } of schedules) {
    let number = 0;
    for (const tick of ticksBetween(config.cron, config.timezone, from, to)) {
      if (until !== null && tick >= until) break;
      if (number === limit) {
        until = tick;
        break;
      }
      number += 1;
      const known = at.get(tick);
      if (known === undefined) at.set(tick, { schedule: name, others: 0 });
      else known.others += 1;
    }
  }
  // What lies behind the end of one schedule's list is not known of all.
  const end = until;
  const all = [...at].filter(([tick]) => end === null || tick < end).sort(([a], [b]) => a - b);
  const ticks = all.slice(0, limit).map(([tick, which]) => ({ at: tick, ...which }));
  return { ticks, until: all[limit]?.[0] ?? until };
}

/** The first ticks of all schedules together after `now`, in their order: exactly what starts by itself next. */
export function firstTicks<S extends Pick<ScheduleDefinition, 'name' | 'config'>>(
  schedules: readonly S[],
  now: Instant,
  limit: number,
): { readonly at: Instant; readonly schedule: S }[] {
  const after = (schedule: S, at: Instant): Instant | null =>
    nextTick(schedule.config.cron, schedule.config.timezone, at, { inclusive: false });
  const next = schedules.flatMap((schedule) => {
    const at = after(schedule, now);
    return at === null ? [] : [{ at, schedule }];
  });
  const found: { at: Instant; schedule: S }[] = [];
  while (found.length < limit && next.length > 0) {
    let soonest = 0;
    for (let index = 1; index < next.length; index += 1) {
      if (next[index]!.at < next[soonest]!.at) soonest = index;
    }
    const { at, schedule } = next[soonest]!;
    found.push({ at, schedule });
    const later = after(schedule, at);
    if (later === null) next.splice(soonest, 1);
    else next[soonest] = { at: later, schedule };
  }
  return found;
}
