import type { Definitions, ScheduleDefinition } from '../../definitions/definitions.ts';
import { mustParseCron, nextTick, ticksBetween } from '../../partitions/cron.ts';
import type { Instant } from '../../partitions/instant.ts';
import { createTickIndex, ordinalAtOrBefore } from '../../partitions/tick-index.ts';
import type { TickForecast } from '../revision-plan.ts';
import { type ScheduleOverride, scheduleStatus } from '../schedule-status.ts';
import { pairPipelines, renamedSchedules } from './moves.ts';

/** Ticks that are listed of each side. */
const LISTED = 5;

type Side = TickForecast['before'];
type OverrideOf = (schedule: string) => ScheduleOverride | null;
type Ticks = Pick<Side, 'count' | 'first'>;

/**
 * What each schedule would fire from `from` on and before `to`, on both sides, of those schedules whose ticks differ.
 * A stopped schedule fires nothing. Sorted by name.
 * @param overrideOf what a person set over `default_status`, by the schedule's name before; null: nothing
 */
export function tickForecast(
  before: Definitions,
  after: Definitions,
  from: Instant,
  to: Instant,
  overrideOf: OverrideOf = () => null,
): TickForecast[] {
  // Many schedules tick alike: what one cron does is counted once.
  const known = new Map<string, Ticks>();
  const forecasts: TickForecast[] = [];
  for (const [was, now] of pairsOf(before, after)) {
    // It stays with a schedule that is renamed.
    const override = overrideOf((was ?? now)!.name);
    const [old, fresh] = [running(was, override, from), running(now, override, from)];
    if (old === null && fresh === null) continue;
    if (old !== null && fresh !== null && haveSameTicks(old, fresh, from, to)) continue;
    const side = (one: ScheduleDefinition | null): Side => ({
      ...(one === null ? { count: 0, first: [] } : ticksOf(one, from, to, known)),
      timezone: (one ?? fresh ?? old)!.config.timezone,
    });
    const [a, b] = [side(old), side(fresh)];
    forecasts.push({ schedule: (now ?? was)!.name, before: a, after: b, note: noteOf(old, fresh, b, to) });
  }
  return forecasts.sort((a, b) => (a.schedule < b.schedule ? -1 : 1));
}

type Pair = readonly [ScheduleDefinition | undefined, ScheduleDefinition | undefined];

function* pairsOf(before: Definitions, after: Definitions): IterableIterator<Pair> {
  const names = renamedSchedules(pairPipelines(before, after));
  const left = new Map(before.schedules);
  for (const now of after.schedules.values()) {
    const earlier = left.has(now.name) ? now.name : (names.get(now.name) ?? now.name);
    const was = left.get(earlier);
    left.delete(earlier);
    if (was?.config !== now.config) yield [was, now];
  }
  for (const was of left.values()) yield [was, undefined];
}

function running(
  schedule: ScheduleDefinition | undefined,
  override: ScheduleOverride | null,
  now: Instant,
): ScheduleDefinition | null {
  if (schedule === undefined) return null;
  return scheduleStatus(schedule, override, now) === 'RUNNING' ? schedule : null;
}

/** `@daily` and `0 0 * * *` are one; so are two zones that have one clock in these days. */
function haveSameTicks(a: ScheduleDefinition, b: ScheduleDefinition, from: Instant, to: Instant): boolean {
  const [old, now] = [a.config, b.config];
  const zone = old.timezone === now.timezone;
  if (zone && old.cron.length === now.cron.length && old.cron.every((cron, at) => cron === now.cron[at]))
    return true;
  const [left, right] = [a, b].map(({ config }) => ticksBetween(config.cron, config.timezone, from, to));
  for (;;) {
    const [x, y] = [left!.next(), right!.next()];
    if (x.done === true && y.done === true) break;
    if (x.value !== y.value) return false;
  }
  return nextTick(old.cron, old.timezone, to) === nextTick(now.cron, now.timezone, to);
}

function ticksOf(
  { config }: ScheduleDefinition,
  from: Instant,
  to: Instant,
  known: Map<string, Ticks>,
): Ticks {
  const { cron, timezone } = config;
  const key = JSON.stringify([timezone, ...cron]);
  let ticks = known.get(key);
  if (ticks === undefined) {
    ticks = { count: countOf(cron, timezone, from, to), first: firstOf(cron, timezone, from, to) };
    known.set(key, ticks);
  }
  return ticks;
}

/** Of one cron without listing its ticks: a minute's cron has 10,080 of them in a week. */
function countOf(cron: readonly string[], timezone: string, from: Instant, to: Instant): number {
  const first = nextTick(cron, timezone, from);
  if (first === null || first >= to) return 0;
  if (cron.length === 1)
    return ordinalAtOrBefore(createTickIndex(mustParseCron(cron[0]!), timezone, first), to - 1) + 1;
  let count = 0;
  for (const _ of ticksBetween(cron, timezone, from, to)) count += 1;
  return count;
}

/** Without a tick in these days the next one after them, so that a yearly schedule shows when it fires. */
function firstOf(cron: readonly string[], timezone: string, from: Instant, to: Instant): Instant[] {
  const first: Instant[] = [];
  for (const tick of ticksBetween(cron, timezone, from, to)) {
    if (first.push(tick) === LISTED) break;
  }
  const later = first.length === 0 ? nextTick(cron, timezone, to) : null;
  return later === null ? first : [later];
}

function noteOf(
  old: ScheduleDefinition | null,
  now: ScheduleDefinition | null,
  after: Side,
  to: Instant,
): string {
  if (now === null) return 'stops';
  if (after.first.length === 0) return 'never fires';
  if (after.count === 0 && (after.first[0] ?? 0) >= to) return 'not in these days';
  if (old === null) return 'starts';
  const sameCron = old.config.cron.join() === now.config.cron.join();
  return sameCron && old.config.timezone !== now.config.timezone ? 'time zone' : '';
}
