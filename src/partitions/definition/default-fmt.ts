import { parseCron } from '../cron.ts';

/**
 * The key format that Dagster's `daily_`, `hourly_`, `weekly_` and `monthly_` definitions use, chosen by what a cron
 * needs: several windows in a day → `%Y-%m-%d-%H:%M`, otherwise `%Y-%m-%d` (weeks and months too). A cron that
 * cannot be parsed gets the daily one.
 */
export function defaultFmt(cron: string): string {
  const parsed = parseCron(cron);
  return parsed.ok && parsed.cron.times.length > 1 ? '%Y-%m-%d-%H:%M' : '%Y-%m-%d';
}
