import { readDurationMs } from '../config/values.ts';
import type { Instant } from '../lib/clock.ts';
import { refusal } from './refusal.ts';

const LONGEST_MS = 366 * 86_400_000;

/** When something that holds for `text` (`2h`) from now on ends; null: never by itself. Throws `REQUEST_INVALID`. */
export function expiryOf(text: string | undefined, now: Instant): Instant | null {
  if (text === undefined || text.trim() === '') return null;
  const duration = readDurationMs(text);
  if (duration === null || duration <= 0 || duration > LONGEST_MS) {
    throw refusal('REQUEST_INVALID', `"${text}" is not a time to hold for`, 'write 30m, 2h or 1d');
  }
  return now + duration;
}
