import { evaluateFreshness, validateFreshness } from '../../../src/definitions/freshness.ts';
import type { Mismatch, OracleCase } from '../oracle-case.ts';
import { Comparison, isoOf } from '../oracle-case.ts';

interface Input {
  readonly updates: readonly (string | { readonly at: string })[];
  readonly now: string;
  readonly lower_bound_delta_seconds: number;
  readonly deadline_cron: string | null;
  readonly timezone: string;
}

interface Expected {
  readonly passed: boolean;
  readonly last_updated?: string | null;
  readonly lower_bound: string;
  readonly fresh_until?: string;
  readonly latest_cron_tick?: string;
}

type Case = OracleCase<Input, Expected> & { readonly input: Input };

/** Freshness by last update. A quirk: only the deadline is asked, as durations are elapsed time here. */
export function evaluateFreshnessCase({ input, expected, quirk }: Case): Mismatch[] {
  const comparison = new Comparison();
  const policy = {
    lowerBoundDelta: input.lower_bound_delta_seconds,
    timezone: input.timezone,
    ...(input.deadline_cron === null ? {} : { deadlineCron: input.deadline_cron }),
  };
  const valid = validateFreshness(policy) === null;
  comparison.equal('valid', expected.valid, valid);
  if (!valid || !expected.valid) return comparison.mismatches;
  const updates = input.updates.map((update) => Date.parse(typeof update === 'string' ? update : update.at));
  const last = updates.length === 0 ? null : Math.max(...updates);
  const found = evaluateFreshness(policy, last, Date.parse(input.now));
  const iso = (at: number | null): string | undefined => (at === null ? undefined : isoOf(at));
  comparison.equal('latest_cron_tick', expected.latest_cron_tick, iso(found.deadline));
  if (quirk !== undefined) return comparison.mismatches;
  comparison.equal('passed', expected.passed, found.fresh);
  comparison.equal('last_updated', expected.last_updated ?? undefined, iso(found.lastUpdate));
  comparison.equal('lower_bound', expected.lower_bound, iso(found.lowerBound));
  comparison.equal('fresh_until', expected.fresh_until, iso(found.freshUntil));
  return comparison.mismatches;
}
