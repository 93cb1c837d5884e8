import type { Instant } from '../lib/clock.ts';

const FIRST_MS = 10_000;
const LONGEST_MS = 3_600_000;
/** What could not be told for a day is of no use any more. */
const GIVE_UP_AFTER_MS = 86_400_000;
/** A receiver may ask for patience, not for silence. */
const LONGEST_RETRY_AFTER_MS = 6 * 3_600_000;

/**
 * When a failed delivery is tried again; null: it is given up.
 * @param attempts so far, at least 1
 * @param chance from 0 to 1: deliveries that failed together are not tried together again
 */
export function nextAttemptAt(
  delivery: { readonly createdAt: Instant; readonly attempts: number },
  now: Instant,
  retryAfterMs: number | null,
  chance: number,
): Instant | null {
  const wait = Math.min(FIRST_MS * 2 ** Math.min(delivery.attempts - 1, 20), LONGEST_MS);
  const spread = wait * (0.75 + chance * 0.5);
  const asked = Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS);
  const at = now + Math.round(Math.max(spread, asked));
  return at - delivery.createdAt > GIVE_UP_AFTER_MS ? null : at;
}
