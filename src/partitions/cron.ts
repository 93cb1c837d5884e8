/**
 * Crons: parsing, and the instants at which they tick in a time zone.
 *
 * Written by hand rather than on croner: croner (like every npm cron library) maps zones itself and goes wrong
 * at clock changes, has no `L5`, no wrap ranges and other rules for `?` and `W`, and walks minute by minute where a
 * month's ticks are one bit mask here. That mask also counts ticks without listing them (`tick-index.ts`), which
 * 100,000 partitions of 1,000 assets need. Every tick is held against `test/oracle`.
 *
 * Clock changes (Dagster's documented rule, <https://docs.dagster.io/guides/automate/schedules>): with every hour
 * allowed, a tick is every instant whose wall clock matches: none in a gap, both in a fold. Otherwise each matching
 * wall clock time ticks once: in a gap at the first instant after it, in a fold at the later of the two.
 */
import {
  CronFault,
  parseDaysOfMonth,
  parseDaysOfWeek,
  parseHours,
  parseMinutes,
  parseMonths,
} from './cron/fields.ts';
import type { ParsedCron } from './cron/local-ticks.ts';
import { nextLocalTick, previousLocalTick } from './cron/local-ticks.ts';
import type { Instant } from './instant.ts';
import type { ZoneSegment } from './zone.ts';
import { isZoneName, segmentAt } from './zone.ts';

/** A parsed cron, or why it cannot be used, in words for the person who wrote it. */
export type CronResult =
  | { readonly ok: true; readonly cron: ParsedCron }
  | { readonly ok: false; readonly message: string; readonly hint?: string };

/** `inclusive` (the default): the instant itself counts. */
export interface TickOptions {
  readonly inclusive?: boolean;
}

const ALIASES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const CACHE_SIZE = 5000;
const cache = new Map<string, CronResult>();

/**
 * Parses five fields or an alias (`@daily`, any case). Never throws. Refused: six fields, `?`, `W`, `5L`, full names,
 * `H` and `R` (they would tick at other times on another machine), and crons that can never tick (31 February).
 */
export function parseCron(expression: string): CronResult {
  const known = cache.get(expression);
  if (known !== undefined) return known;
  const result = parse(expression);
  if (cache.size >= CACHE_SIZE) cache.clear();
  cache.set(expression, result);
  return result;
}

/** The first tick at or after `at`, of one cron or of the union of several. `null` = there is none. */
export function nextTick(
  cron: string | readonly string[],
  timezone: string,
  at: Instant,
  options: TickOptions = {},
): Instant | null {
  const from = options.inclusive === false ? Math.floor(at) + 1 : at;
  let first: Instant | null = null;
  for (const one of parsedAll(cron)) {
    const tick = firstTickAtOrAfter(one, timezone, from);
    if (tick !== null && (first === null || tick < first)) first = tick;
  }
  return first;
}

/** The last tick at or before `at`. `null` = there is none. */
export function previousTick(
  cron: string | readonly string[],
  timezone: string,
  at: Instant,
  options: TickOptions = {},
): Instant | null {
  const from = options.inclusive === false ? Math.ceil(at) - 1 : at;
  let last: Instant | null = null;
  for (const one of parsedAll(cron)) {
    const tick = lastTickAtOrBefore(one, timezone, from);
    if (tick !== null && (last === null || tick > last)) last = tick;
  }
  return last;
}

/** Every tick with `from` ≤ tick < `to`, ascending, equal instants once. Lazy. */
export function* ticksBetween(
  cron: string | readonly string[],
  timezone: string,
  from: Instant,
  to: Instant,
): IterableIterator<Instant> {
  let tick = nextTick(cron, timezone, from);
  while (tick !== null && tick < to) {
    yield tick;
    tick = nextTick(cron, timezone, tick, { inclusive: false });
  }
}

/** Whether `timezone` is an IANA name that this runtime knows. */
export function isValidTimezone(timezone: string): boolean {
  return isZoneName(timezone);
}

/** A segment as a cron sees it: the local times that tick in it, and whether its first instant ticks for a gap. */
export interface TickSpan {
  readonly segment: ZoneSegment;
  /** Local milliseconds, half-open. */
  readonly localFrom: number;
  readonly localTo: number;
  /** The first instant after a gap ticks in place of one or more local times that were skipped. */
  readonly gapTick: boolean;
}

/** How a cron ticks within the segment of its zone that holds an instant. */
export function tickSpanAt(cron: ParsedCron, timezone: string, instant: Instant): TickSpan {
  const segment = segmentAt(timezone, instant);
  const { from, to, offset, offsetBefore, offsetAfter } = segment;
  if (cron.everyHour) {
    return { segment, localFrom: from + offset, localTo: to + offset, gapTick: false };
  }
  const gapStart = from + offsetBefore;
  // A local time at the gap's very end ticks there by itself, so it is counted once.
  const gapTick =
    offset > offsetBefore &&
    nextLocalTick(cron, gapStart) < from + offset &&
    nextLocalTick(cron, from + offset) !== from + offset;
  return {
    segment,
    localFrom: from + offset,
    localTo: to + Math.min(offset, offsetAfter),
    gapTick,
  };
}

/** The first tick of one parsed cron at or after an instant. */
export function firstTickAtOrAfter(cron: ParsedCron, timezone: string, at: Instant): Instant | null {
  let from = at;
  for (;;) {
    const span = tickSpanAt(cron, timezone, from);
    const { segment } = span;
    if (span.gapTick && from <= segment.from) return segment.from;
    const local = nextLocalTick(cron, Math.max(from + segment.offset, span.localFrom));
    if (Number.isNaN(local)) return null;
    if (local < span.localTo) return local - segment.offset;
    if (segment.to === Number.POSITIVE_INFINITY) return null;
    from = segment.to;
  }
}

/** The last tick of one parsed cron at or before an instant. */
export function lastTickAtOrBefore(cron: ParsedCron, timezone: string, at: Instant): Instant | null {
  let to = at;
  for (;;) {
    const span = tickSpanAt(cron, timezone, to);
    const { segment } = span;
    const local = previousLocalTick(cron, Math.min(to + segment.offset, span.localTo - 1));
    if (Number.isNaN(local)) return null;
    if (local >= span.localFrom) return local - segment.offset;
    if (span.gapTick) return segment.from;
    to = segment.from - 1;
  }
}

/** Parses a cron that is known to be good; throws a RangeError otherwise. */
export function mustParseCron(expression: string): ParsedCron {
  const result = parseCron(expression);
  if (!result.ok) throw new RangeError(`bad cron: ${result.message}`);
  return result.cron;
}

function parsedAll(cron: string | readonly string[]): ParsedCron[] {
  return typeof cron === 'string' ? [mustParseCron(cron)] : cron.map(mustParseCron);
}

function parse(expression: string): CronResult {
  try {
    return { ok: true, cron: parseFields(expression) };
  } catch (error) {
    if (!(error instanceof CronFault)) throw error;
    const { message, hint } = error;
    return hint === undefined ? { ok: false, message } : { ok: false, message, hint };
  }
}

function parseFields(written: string): ParsedCron {
  const expression = written.trim().split(/\s+/).join(' ');
  if (expression === '') throw new CronFault('the cron is empty', 'For every day at midnight: "0 0 * * *".');
  const alias = ALIASES[expression.toLowerCase()];
  if (alias === undefined && expression.startsWith('@')) {
    throw new CronFault(
      `"${expression}" is not known`,
      `Known are ${Object.keys(ALIASES).join(', ')}; otherwise write five fields.`,
    );
  }
  const fields = (alias ?? expression).split(' ');
  if (fields.length !== 5) {
    throw new CronFault(
      `"${expression}" has ${fields.length} ${fields.length === 1 ? 'field' : 'fields'}, 5 are needed`,
      'They are: minute, hour, day of month, month, day of week.',
    );
  }
  const [minuteText, hourText, dayText, monthText, weekdayText] = fields as [
    string,
    string,
    string,
    string,
    string,
  ];
  const minutes = parseMinutes(minuteText).values;
  const hours = parseHours(hourText).values;
  const daysOfMonth = parseDaysOfMonth(dayText);
  const months = parseMonths(monthText).values;
  const daysOfWeek = parseDaysOfWeek(weekdayText);
  if (daysOfWeek.star && !daysOfMonth.star && !daysOfMonth.last) {
    const possible = months.some((month) =>
      daysOfMonth.values.some((day) => day <= (LONGEST_MONTHS[month - 1] as number)),
    );
    if (!possible) {
      throw new CronFault(
        `"${expression}" never ticks: no such day in these months`,
        'The last day of a month is "L".',
      );
    }
  }
  return {
    expression,
    times: hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute)),
    everyHour: hours.length === 24,
    months,
    daysOfMonth,
    daysOfWeek,
  };
}
