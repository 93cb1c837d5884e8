import { Temporal } from '../lib/temporal.ts';
import { DAY } from './civil.ts';
import type { Instant } from './instant.ts';

/**
 * A stretch of time in which a zone keeps one UTC offset, seen from the wall clock:
 * local milliseconds = instant + offset.
 */
export interface ZoneSegment {
  /** First instant of the stretch, as far back as was needed. */
  readonly from: Instant;
  /** First instant after it; Infinity after the last change. */
  readonly to: Instant;
  readonly offset: number;
  /** Offset that held just before `from`. Less than `offset`: clocks jumped forward there, local time was skipped. */
  readonly offsetBefore: number;
  /** Offset that holds from `to` on. Less than `offset`: the last stretch of local time comes once more after `to`. */
  readonly offsetAfter: number;
}

/** Transitions known so far, contiguous; grows to both sides as instants are asked for. */
interface ZoneTable {
  readonly name: string;
  /**
   * Everything from here on is known. The first segment starts here whether or not the zone changes here: asking
   * Temporal for the change *before* an instant costs ten times as much as for the one after.
   */
  knownFrom: Instant;
  segments: ZoneSegment[];
  /** Index of the last answer: most questions come in order. */
  last: number;
}

/** How far before an instant the table must reach: farther than any gap or fold. */
const MARGIN = 3 * DAY;
const FIRST_REACH = 30 * DAY;
const FURTHER_REACH = 400 * DAY;

const tables = new Map<string, ZoneTable>();

/**
 * Whether `timezone` is an IANA zone name that this runtime's time zone data knows (`UTC` and the old links
 * such as `US/Eastern` included). Bare offsets (`+02:00`) and lower case are not names.
 */
export function isZoneName(timezone: string): boolean {
  if (tables.has(timezone)) return true;
  if (!/^[A-Z][A-Za-z0-9_+/-]*$/.test(timezone)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timezone);
    return true;
  } catch {
    return false;
  }
}

/** The zone's name after links are followed, as far as the runtime follows them (`Etc/UTC` → `UTC`). */
export function canonicalZone(timezone: string): string {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: timezone }).resolvedOptions().timeZone;
  } catch {
    return timezone;
  }
}

/**
 * The segment that holds an instant. Throws a RangeError for a name that `isZoneName` refuses.
 * The rules come from the runtime's time zone data, through Temporal's `getTimeZoneTransition`.
 */
export function segmentAt(timezone: string, instant: Instant): ZoneSegment {
  let table = tables.get(timezone);
  if (table === undefined) {
    const knownFrom = instant - FIRST_REACH;
    const first = segmentFrom(timezone, knownFrom, rawOffset(timezone, knownFrom), null);
    table = { name: timezone, knownFrom, segments: [first], last: 0 };
    tables.set(timezone, table);
  }
  const hit = table.segments[table.last] as ZoneSegment;
  if (instant >= hit.from && instant < hit.to && instant - MARGIN >= table.knownFrom) return hit;
  grow(table, instant);
  let low = 0;
  let high = table.segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((table.segments[middle] as ZoneSegment).from <= instant) low = middle;
    else high = middle - 1;
  }
  table.last = low;
  return table.segments[low] as ZoneSegment;
}

/** UTC offset in milliseconds at an instant. */
export function offsetAt(timezone: string, instant: Instant): number {
  return segmentAt(timezone, instant).offset;
}

/**
 * The instant at which a wall clock shows `local` (local milliseconds). In a gap: the first instant after it.
 * In a fold: the earlier of the two, or the later with `fold: 'later'`.
 */
export function instantOfLocal(timezone: string, local: number, fold: 'earlier' | 'later'): Instant {
  // No offset exceeds 26 hours, so the segment in force then is at most a few steps ahead.
  let segment = segmentAt(timezone, local - 2 * DAY);
  for (;;) {
    const start = segment.from + segment.offset;
    if (local < start) return segment.from;
    const end = segment.to + segment.offset;
    if (local < end) {
      const repeats = local >= segment.to + segment.offsetAfter;
      return repeats && fold === 'later' ? local - segment.offsetAfter : local - segment.offset;
    }
    segment = segmentAt(timezone, segment.to);
  }
}

/** Whether the wall clock at this instant shows a time that it has shown before (the later hour of a fold). */
export function isLaterInFold(timezone: string, instant: Instant): boolean {
  const segment = segmentAt(timezone, instant);
  return instant + segment.offset < segment.from + segment.offsetBefore;
}

function grow(table: ZoneTable, instant: Instant): void {
  if (instant - MARGIN < table.knownFrom) {
    const knownFrom = instant - FURTHER_REACH;
    const known = table.segments[0] as ZoneSegment;
    const earlier = [segmentFrom(table.name, knownFrom, rawOffset(table.name, knownFrom), null)];
    for (let last = earlier[0] as ZoneSegment; last.to < known.to; ) {
      last = segmentFrom(table.name, last.to, last.offsetAfter, last.offset);
      earlier.push(last);
    }
    table.segments = [...earlier, ...table.segments.slice(1)];
    table.knownFrom = knownFrom;
  }
  for (let last = table.segments.at(-1) as ZoneSegment; instant >= last.to; ) {
    last = segmentFrom(table.name, last.to, last.offsetAfter, last.offset);
    table.segments.push(last);
  }
}

function segmentFrom(
  timezone: string,
  from: Instant,
  offset: number,
  offsetBefore: number | null,
): ZoneSegment {
  const to = nextChange(timezone, from);
  const offsetAfter = Number.isFinite(to) ? rawOffset(timezone, to) : offset;
  return { from, to, offset, offsetBefore: offsetBefore ?? offset, offsetAfter };
}

function nextChange(timezone: string, instant: Instant): Instant {
  const change = zoned(timezone, instant).getTimeZoneTransition('next');
  return change === null ? Number.POSITIVE_INFINITY : change.epochMilliseconds;
}

function rawOffset(timezone: string, instant: Instant): number {
  return zoned(timezone, instant).offsetNanoseconds / 1e6;
}

function zoned(timezone: string, instant: Instant): InstanceType<typeof Temporal.ZonedDateTime> {
  return Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timezone);
}
