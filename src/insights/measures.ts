import type { CostRates } from '../definitions/cost-rates.ts';

/** What was done in some days, summed. */
export interface Measures {
  /** Materializations; of several partitions at once counts as one. */
  readonly materializations: number;
  /** Written, as the tools say; 0 where they say nothing. */
  readonly rows: number;
  readonly bytes: number;
  /** In which processes of steps ran, failed attempts included; a step of several assets is shared among them. */
  readonly seconds: number;
  /** How steps ended for good, for each of their assets. */
  readonly succeeded: number;
  readonly failed: number;
  readonly canceled: number;
  /** Attempts beyond the first. */
  readonly retries: number;
  /** Runs of schedules that began, for each of their assets, and how long after their ticks: the sum and the longest, in seconds. */
  readonly scheduled: number;
  readonly delay: number;
  readonly longestDelay: number;
}

export const NOTHING: Measures = {
  materializations: 0,
  rows: 0,
  bytes: 0,
  seconds: 0,
  succeeded: 0,
  failed: 0,
  canceled: 0,
  retries: 0,
  scheduled: 0,
  delay: 0,
  longestDelay: 0,
};

export function plus(a: Measures, b: Measures): Measures {
  return {
    materializations: a.materializations + b.materializations,
    rows: a.rows + b.rows,
    bytes: a.bytes + b.bytes,
    seconds: a.seconds + b.seconds,
    succeeded: a.succeeded + b.succeeded,
    failed: a.failed + b.failed,
    canceled: a.canceled + b.canceled,
    retries: a.retries + b.retries,
    scheduled: a.scheduled + b.scheduled,
    delay: a.delay + b.delay,
    longestDelay: Math.max(a.longestDelay, b.longestDelay),
  };
}

/** Of the steps that ended by themselves, the share that succeeded; null of none. */
export function successRate({ succeeded, failed }: Measures): number | null {
  return succeeded + failed === 0 ? null : succeeded / (succeeded + failed);
}

/** Null: no rates are set. */
export function costOf({ seconds, bytes, rows }: Measures, rates: CostRates | null): number | null {
  if (rates === null) return null;
  return (
    (seconds / 3600) * rates.computeHour + (bytes / 1e9) * rates.gigabyte + (rows / 1e6) * rates.millionRows
  );
}
