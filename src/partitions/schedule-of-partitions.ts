import { parseCron } from './cron.ts';
import { partitionCount } from './definition/key-order.ts';
import { layoutOf } from './definition/multi.ts';
import type { PartitionsDefinition, TimeWindowPartitions } from './definition/partitions-definition.ts';
import type { Instant } from './instant.ts';
import { subsetOfRectangles } from './subset/cells.ts';
import type { PartitionSubset } from './subset/partition-subset.ts';
import { rangeSubset } from './subset/partition-subset.ts';
import { allPartitions, keysOf } from './subset/subset-keys.ts';

/**
 * The partitions that a schedule's tick asks for: of a time set the newest whose window ended at or before the tick
 * (moved by `endOffset`), of a static set every one, of a 2-D set the newest time × every static key.
 * Empty before the first window has ended. Not the Python original's rule, which passes no key.
 */
export function subsetOfTick(definition: PartitionsDefinition, tick: Instant): PartitionSubset {
  if (definition.kind === 'static') return allPartitions(definition, tick);
  if (definition.kind === 'time') return newest(definition, tick);
  const { major, minor } = layoutOf(definition);
  if (major.definition.kind === 'static') return allPartitions(definition, tick);
  const inner =
    minor.definition.kind === 'time' ? newest(minor.definition, tick) : allPartitions(minor.definition, tick);
  return subsetOfRectangles(definition, [{ major: newest(major.definition, tick), minor: inner }]);
}

/** The keys of `subsetOfTick`. */
export function partitionsOfTick(definition: PartitionsDefinition, tick: Instant): string[] {
  return [...keysOf(definition, subsetOfTick(definition, tick))];
}

function newest(definition: TimeWindowPartitions, tick: Instant): PartitionSubset {
  const count = partitionCount(definition, tick);
  return rangeSubset(Math.max(0, count - 1), count);
}

/** Where in its period a schedule derived from partitions ticks; what is left out stays as the partitions have it. */
export interface ScheduleOverrides {
  /** For sets without time, which have no cron of their own, and only for them. */
  readonly cron?: string;
  readonly minuteOfHour?: number;
  readonly hourOfDay?: number;
  /** 0 = Sunday. For weekly partitions. */
  readonly dayOfWeek?: number;
  /** For monthly partitions. */
  readonly dayOfMonth?: number;
}

/** The cron of a schedule, or why it cannot be had. */
export type ScheduleCron =
  | { readonly ok: true; readonly cron: string; readonly timezone: string }
  | { readonly ok: false; readonly message: string };

/**
 * The cron that follows from a set's own cron and overrides (Dagster's `build_schedule_from_partitioned_job`).
 * Refused: a set without time, a cron that is neither hourly, daily, weekly nor monthly together with overrides,
 * and overrides that do not fit the period (`dayOfWeek` of daily partitions).
 */
export function scheduleCronOf(definition: PartitionsDefinition, overrides: ScheduleOverrides): ScheduleCron {
  const time = timeSide(definition);
  if (time === null) return writtenCron(overrides);
  if (overrides.cron !== undefined) {
    return { ok: false, message: 'partitions with time bring their own cron: move its times instead' };
  }
  const { cron, timezone } = time;
  const given = Object.values(overrides).some((value) => value !== undefined);
  if (!given) return { ok: true, cron, timezone };
  const parsed = parseCron(cron);
  if (!parsed.ok) return { ok: false, message: parsed.message };
  const fields = parsed.cron.expression.startsWith('@') ? null : parsed.cron.expression.split(' ');
  const numeric = (text: string | undefined): boolean => /^\d+$/.test(text ?? '');
  const [minute, hour, day, month, weekday] = fields ?? aliasFields(parsed.cron.expression);
  const hourly = numeric(minute) && hour === '*' && day === '*' && month === '*' && weekday === '*';
  const fixed = numeric(minute) && numeric(hour) && month === '*';
  const daily = fixed && day === '*' && weekday === '*';
  const weekly = fixed && day === '*' && numeric(weekday);
  const monthly = fixed && numeric(day) && weekday === '*';
  if (!hourly && !daily && !weekly && !monthly) {
    return {
      ok: false,
      message: `the times of "${cron}" cannot be moved: write the schedule's cron in full`,
    };
  }
  const refuse = (name: string, period: string): ScheduleCron => ({
    ok: false,
    message: `${name} fits only ${period} partitions`,
  });
  if (overrides.dayOfWeek !== undefined && !weekly) return refuse('day of week', 'weekly');
  if (overrides.dayOfMonth !== undefined && !monthly) return refuse('day of month', 'monthly');
  if (overrides.hourOfDay !== undefined && hourly) return refuse('hour of day', 'daily, weekly and monthly');
  const moved = [
    overrides.minuteOfHour ?? minute,
    overrides.hourOfDay ?? hour,
    overrides.dayOfMonth ?? day,
    month,
    overrides.dayOfWeek ?? weekday,
  ].join(' ');
  const check = parseCron(moved);
  return check.ok ? { ok: true, cron: moved, timezone } : { ok: false, message: check.message };
}

function writtenCron({ cron }: ScheduleOverrides): ScheduleCron {
  if (cron === undefined) return { ok: false, message: 'partitions without time need a cron of their own' };
  const parsed = parseCron(cron);
  return parsed.ok ? { ok: true, cron, timezone: 'UTC' } : { ok: false, message: parsed.message };
}

function aliasFields(alias: string): string[] {
  const parsed = parseCron(alias);
  if (!parsed.ok) return [];
  const { times, everyHour, daysOfMonth, daysOfWeek, months } = parsed.cron;
  const minute = (times[0] ?? 0) % 60;
  const star = (field: { star: boolean; values: readonly number[] }): string =>
    field.star ? '*' : field.values.join(',');
  return [
    String(minute),
    everyHour ? '*' : String(Math.floor((times[0] ?? 0) / 60)),
    star(daysOfMonth),
    months.length === 12 ? '*' : months.join(','),
    star(daysOfWeek),
  ];
}

function timeSide(definition: PartitionsDefinition): TimeWindowPartitions | null {
  if (definition.kind === 'time') return definition;
  if (definition.kind === 'static') return null;
  const times = Object.values(definition.dimensions).filter((one) => one.kind === 'time');
  return times.length === 1 ? (times[0] as TimeWindowPartitions) : null;
}
