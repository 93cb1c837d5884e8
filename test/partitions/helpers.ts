import type { TimeWindowPartitions } from '../../src/partitions/definition/partitions-definition.ts';

/** A time definition in few words. */
export function time(
  cron: string,
  start: string,
  more: Partial<Omit<TimeWindowPartitions, 'kind' | 'cron' | 'start'>> = {},
): TimeWindowPartitions {
  return {
    kind: 'time',
    start,
    end: null,
    cron,
    timezone: 'UTC',
    fmt: '%Y-%m-%d',
    endOffset: 0,
    exclusions: [],
    ...more,
  };
}

/** The instant of an ISO text. */
export function at(iso: string): number {
  return Date.parse(iso);
}
