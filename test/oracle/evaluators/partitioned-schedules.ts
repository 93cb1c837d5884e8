import { partitionsOfTick, scheduleCronOf } from '../../../src/partitions/schedule-of-partitions.ts';
import type { Json, Mismatch, OracleCase } from '../oracle-case.ts';
import { Comparison } from '../oracle-case.ts';
import { readDefinition } from '../read-input.ts';

interface Input {
  readonly partitions: Json;
  readonly overrides: {
    readonly cron_schedule?: string | null;
    readonly minute_of_hour?: number | null;
    readonly hour_of_day?: number | null;
    readonly day_of_week?: number | null;
    readonly day_of_month?: number | null;
  };
}

interface Expected {
  readonly cron_schedule: string;
  readonly timezone: string;
  readonly ticks: Readonly<Record<string, { readonly partition_keys: readonly string[] }>>;
}

type Case = OracleCase<Input, Expected> & { readonly input: Input };

/** The cron that follows from partitions and overrides, and the keys of its ticks. */
export function evaluatePartitionedSchedules({ input, expected }: Case): Mismatch[] {
  const comparison = new Comparison();
  const definition = readDefinition(input.partitions);
  const { cron_schedule, minute_of_hour, hour_of_day, day_of_week, day_of_month } = input.overrides;
  const derived = scheduleCronOf(definition, {
    ...(cron_schedule == null ? {} : { cron: cron_schedule }),
    ...(minute_of_hour == null ? {} : { minuteOfHour: minute_of_hour }),
    ...(hour_of_day == null ? {} : { hourOfDay: hour_of_day }),
    ...(day_of_week == null ? {} : { dayOfWeek: day_of_week }),
    ...(day_of_month == null ? {} : { dayOfMonth: day_of_month }),
  });
  comparison.equal('valid', expected.valid, derived.ok);
  if (!derived.ok || !expected.valid) return comparison.mismatches;
  comparison.equal('cron_schedule', expected.cron_schedule, derived.cron);
  comparison.equal('timezone', expected.timezone, derived.timezone);
  for (const [tick, answer] of Object.entries(expected.ticks)) {
    const got = partitionsOfTick(definition, Date.parse(tick));
    comparison.sameSet(`partitions at ${tick}`, answer.partition_keys, got);
  }
  return comparison.mismatches;
}
