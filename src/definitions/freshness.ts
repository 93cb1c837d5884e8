import { nextTick, parseCron, previousTick } from '../partitions/cron.ts';
import type { Instant } from '../partitions/instant.ts';

/** An asset is to have been updated lately (Dagster's `build_last_update_freshness_checks`). */
export interface FreshnessPolicy {
  /** Seconds. How old the newest update may be, counted back from now, or from the latest deadline. */
  readonly lowerBoundDelta: number;
  /** By each tick of it the asset must be fresh. Absent = at any time. */
  readonly deadlineCron?: string;
  readonly timezone?: string;
}

/** What a freshness check found. */
export interface Freshness {
  readonly fresh: boolean;
  /** Fresh = the newest update is at or after this instant. */
  readonly lowerBound: Instant;
  readonly lastUpdate: Instant | null;
  /** The latest deadline at or before now; null without a deadline cron. */
  readonly deadline: Instant | null;
  /** When what is fresh now stops being so if nothing comes; null when it is not fresh. */
  readonly freshUntil: Instant | null;
}

/** What is wrong with a policy; null = it can be used. */
export function validateFreshness(policy: FreshnessPolicy): string | null {
  if (policy.deadlineCron === undefined) return null;
  const cron = parseCron(policy.deadlineCron);
  return cron.ok ? null : cron.message;
}

/**
 * Whether the newest of an asset's updates is new enough at `now`. Durations are elapsed time: one hour before a
 * deadline is 3,600 seconds before it across a clock change too, where Dagster subtracts on the wall clock.
 */
export function evaluateFreshness(
  policy: FreshnessPolicy,
  lastUpdate: Instant | null,
  now: Instant,
): Freshness {
  const delta = policy.lowerBoundDelta * 1000;
  const cron = policy.deadlineCron;
  const timezone = policy.timezone ?? 'UTC';
  const deadline = cron === undefined ? null : previousTick(cron, timezone, now);
  const lowerBound = (deadline ?? now) - delta;
  const fresh = lastUpdate !== null && lastUpdate >= lowerBound;
  let freshUntil: Instant | null = null;
  if (fresh) {
    freshUntil =
      cron === undefined ? lastUpdate + delta : nextTick(cron, timezone, now, { inclusive: false });
  }
  return { fresh, lowerBound, lastUpdate, deadline, freshUntil };
}
