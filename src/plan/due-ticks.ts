import type { ScheduleConfig } from '../discovery/pipeline-config.ts';
import { nextTick, ticksBetween } from '../partitions/cron.ts';

/** How many missed ticks `catch_up: all` fires at once; what is older is shown as missing. */
export const CATCH_UP_LIMIT = 5;
/** A tick that is not older than this is on time: `catch_up: none` fires it. */
const ON_TIME_MS = 60_000;
/** Skipped ticks that are recorded one by one; the oldest of them tells how many lie before it. */
const SKIPPED_LIMIT = 20;
/** How the reason of a tick begins that nobody was there to fire. */
const MISSED = 'missed';

export interface DueTick {
  readonly at: number;
  readonly fire: boolean;
  /** Why it is not fired, or why it is late; '' for a tick on time. */
  readonly reason: string;
}

/**
 * What to do with the ticks after `cursor` and up to `now`, oldest first. Ticks at or before the cursor are over, whatever
 * the clock says: a clock that went back fires nothing twice. Fault T3: exact counts per policy, capped, visible.
 */
export function dueTicks(
  config: ScheduleConfig,
  name: string,
  cursor: number,
  now: number,
): readonly DueTick[] {
  const due: number[] = [];
  let older = 0;
  for (const at of ticksBetween(config.cron, config.timezone, cursor + 1, now + 1)) {
    if (at + jitterOf(config, name, at) > now) break;
    due.push(at);
    if (due.length > CATCH_UP_LIMIT + SKIPPED_LIMIT) {
      due.shift();
      older += 1;
    }
  }
  const newest = due.at(-1);
  if (newest === undefined) return [];
  const fired = due.slice(due.length - firedCount(config, newest, now, due.length));
  const skipped = due.slice(0, due.length - fired.length);
  const tooMany = skipped.length > SKIPPED_LIMIT ? skipped.length - SKIPPED_LIMIT : 0;
  const shown = skipped.slice(tooMany);
  return [
    ...shown.map((at, index) => ({
      at,
      fire: false,
      reason: skipReason(config, index === 0 ? older + tooMany : 0),
    })),
    ...fired.map((at) => ({
      at,
      fire: true,
      reason: now - at > ON_TIME_MS ? `caught up ${lateness(now - at)} late` : '',
    })),
  ];
}

/** The first instant after `cursor` at which `dueTicks` has something to say; null if the schedule never fires again. */
export function nextDue(config: ScheduleConfig, name: string, cursor: number): number | null {
  const at = nextTick(config.cron, config.timezone, cursor + 1);
  return at === null ? null : at + jitterOf(config, name, at);
}

function firedCount(config: ScheduleConfig, newest: number, now: number, count: number): number {
  if (config.catchUp === 'all') return Math.min(count, CATCH_UP_LIMIT);
  if (config.catchUp === 'latest') return 1;
  return now - newest <= ON_TIME_MS + config.jitterSeconds * 1000 ? 1 : 0;
}

/** Of a skipped tick: nobody was there when it was due, and it is not caught up. */
export function wasMissed(reason: string): boolean {
  return reason.startsWith(MISSED);
}

function skipReason(config: ScheduleConfig, before: number): string {
  const more = before === 0 ? '' : `; ${before} earlier ticks were missed too`;
  const why =
    config.catchUp === 'all'
      ? `${MISSED}, and older than the ${CATCH_UP_LIMIT} ticks that are caught up; its partitions are missing: elt backfill <selection> --missing`
      : `${MISSED}; catch_up is ${config.catchUp}`;
  return why + more;
}

function lateness(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** Deterministic spread of one tick within `jitter`, so that a restart finds the same instant (FNV-1a of name and tick). */
function jitterOf(config: ScheduleConfig, name: string, at: number): number {
  if (config.jitterSeconds === 0) return 0;
  let hash = 0x811c9dc5;
  for (const char of `${name}@${at}`) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193) >>> 0;
  return (hash % (config.jitterSeconds + 1)) * 1000;
}
