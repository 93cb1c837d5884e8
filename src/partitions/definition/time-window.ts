import type { ParsedCron } from '../cron/local-ticks.ts';
import { lowerBound, nextLocalTick } from '../cron/local-ticks.ts';
import { firstTickAtOrAfter, parseCron, tickSpanAt, ticksBetween } from '../cron.ts';
import type { Instant, TimeWindow } from '../instant.ts';
import type { CompiledFormat } from '../strftime.ts';
import { compileFormat, offsetText } from '../strftime.ts';
import type { PartitionSubset } from '../subset/partition-subset.ts';
import { rangesOf } from '../subset/partition-subset.ts';
import type { TickIndex } from '../tick-index.ts';
import { createTickIndex, ordinalAtOrAfter, ordinalAtOrBefore, tickAt } from '../tick-index.ts';
import { instantOfLocal, isLaterInFold, isZoneName, offsetAt } from '../zone.ts';
import type { TimeWindowPartitions } from './partitions-definition.ts';

/**
 * A time definition made ready to answer: its *windows* are numbered from 0 at the first tick at or after `start`
 * (before it: negative), whether or not they exist at some now. Exclusions are windows too; *ordinals*
 * (`ordinalOfWindow`) number the windows that are left.
 */
export interface TimeWindows {
  readonly definition: TimeWindowPartitions;
  readonly cron: ParsedCron;
  readonly format: CompiledFormat;
  readonly index: TickIndex;
  /** No window ends after it. */
  readonly end: Instant;
  readonly excluded: Exclusions;
}

interface Exclusions {
  readonly crons: readonly string[];
  /** Window numbers, ascending, of all windows that start before `knownTo`. */
  windows: number[];
  knownTo: Instant;
}

const CACHE_SIZE = 2000;
const byObject = new WeakMap<TimeWindowPartitions, TimeWindows>();
const byContent = new Map<string, TimeWindows>();

/**
 * The windows of a definition, from a cache (by object, then by content). Throws a RangeError for a definition that
 * `validatePartitions` refuses.
 */
export function timeWindows(definition: TimeWindowPartitions): TimeWindows {
  let windows = byObject.get(definition);
  if (windows !== undefined) return windows;
  const { start, end, cron, timezone, fmt, endOffset, exclusions } = definition;
  const content = JSON.stringify([start, end, cron, timezone, fmt, endOffset, exclusions]);
  windows = byContent.get(content);
  if (windows === undefined) {
    windows = build(definition);
    if (byContent.size >= CACHE_SIZE) byContent.clear();
    byContent.set(content, windows);
  }
  byObject.set(definition, windows);
  return windows;
}

function build(definition: TimeWindowPartitions): TimeWindows {
  const { timezone } = definition;
  const cron = parseCron(definition.cron);
  if (!cron.ok) throw new RangeError(`bad cron: ${cron.message}`);
  if (!isZoneName(timezone)) throw new RangeError(`unknown time zone "${timezone}"`);
  const format = compileFormat(definition.fmt);
  if (!format.ok) throw new RangeError(format.message);
  const read = (text: string): Instant => {
    const instant = readInstant(format.format, timezone, text);
    if (instant === null) throw new RangeError(`"${text}" does not match fmt "${definition.fmt}"`);
    return instant;
  };
  const first = firstTickAtOrAfter(cron.cron, timezone, read(definition.start));
  if (first === null) throw new RangeError(`"${definition.cron}" never ticks after ${definition.start}`);
  const index = createTickIndex(cron.cron, timezone, first);
  const crons: string[] = [];
  const windows: number[] = [];
  for (const exclusion of definition.exclusions) {
    if (parseCron(exclusion).ok) {
      crons.push(exclusion);
      continue;
    }
    const instant = read(exclusion);
    const window = ordinalAtOrAfter(index, instant);
    if (window >= 0 && tickAt(index, window) === instant) windows.push(window);
  }
  return {
    definition,
    cron: cron.cron,
    format: format.format,
    index,
    end: definition.end === null ? Number.POSITIVE_INFINITY : read(definition.end),
    excluded: { crons, windows: sortedUnique(windows), knownTo: first },
  };
}

/** Local time in `fmt` → instant: the earlier in a fold, the first after it in a gap. Null when it does not match. */
export function readInstant(format: CompiledFormat, timezone: string, text: string): Instant | null {
  const parsed = format.parse(text);
  if (parsed === null) return null;
  if (parsed.offset !== null) return parsed.local - parsed.offset;
  return instantOfLocal(timezone, parsed.local, 'earlier');
}

/**
 * How many partitions there are at `now`: those whose window has ended, plus the end offset (which counts
 * partitions: it steps over excluded windows, as Dagster's does), and none that ends after `end`.
 */
export function countPartitions(windows: TimeWindows, now: Instant): number {
  const { index, definition, end } = windows;
  const { endOffset } = definition;
  if (now < index.first && endOffset <= 0) return 0;
  const count = ordinalOfWindow(windows, ordinalAtOrBefore(index, now)) + endOffset;
  if (count <= 0) return 0;
  if (end === Number.POSITIVE_INFINITY) return count;
  return Math.max(0, Math.min(count, ordinalOfWindow(windows, ordinalAtOrBefore(index, end))));
}

/** The number of the first window from 0 on that has not come into being at `now`. */
export function windowCount(windows: TimeWindows, now: Instant): number {
  const count = countPartitions(windows, now);
  return count === 0 ? 0 : windowOfOrdinal(windows, count - 1) + 1;
}

/** The window with a number; a negative number is a window before the definition's start. */
export function windowAt(windows: TimeWindows, window: number): TimeWindow {
  return { start: tickAt(windows.index, window), end: tickAt(windows.index, window + 1) };
}

/** The number of the window that holds an instant; `endClosed`: that holds it, its end included and its start not. */
export function windowContaining(windows: TimeWindows, instant: Instant, endClosed = false): number {
  if (!endClosed) return ordinalAtOrBefore(windows.index, instant);
  return ordinalAtOrBefore(windows.index, Math.ceil(instant) - 1);
}

/**
 * The key of a window: its start on the wall clock, in `fmt`. With every hour allowed, the second pass through a
 * fold gets its UTC offset appended (Dagster). Where a gap moved a tick so far that its text would be that of the
 * next window too, the key is the skipped local time.
 */
export function keyOfWindowNumber(windows: TimeWindows, window: number): string {
  return keyOfTick(windows, tickAt(windows.index, window));
}

/** The key of the window that starts at a tick. */
export function keyOfTick(windows: TimeWindows, instant: Instant): string {
  const { cron, format, definition } = windows;
  const text = textAt(windows, instant);
  if (cron.everyHour) return text;
  const { segment, gapTick } = tickSpanAt(cron, definition.timezone, instant);
  if (!gapTick || segment.from !== instant) return text;
  const next = firstTickAtOrAfter(cron, definition.timezone, instant + 1);
  if (next === null || textAt(windows, next) !== text) return text;
  return format.format(nextLocalTick(cron, instant + segment.offsetBefore), segment.offsetBefore);
}

function textAt({ cron, format, definition }: TimeWindows, instant: Instant): string {
  const offset = offsetAt(definition.timezone, instant);
  const text = format.format(instant + offset, offset);
  const repeated = cron.everyHour && !format.hasOffset && isLaterInFold(definition.timezone, instant);
  return repeated ? text + offsetText(offset) : text;
}

/**
 * The window whose key a text is; null when it is no window's. As in Dagster, in sets of plain hours (`0 * * * *`) and
 * plain days (`0 0 * * *`) any time in `fmt` stands for the window that starts at or after it, so that the hour which a
 * clock change skips has a window too.
 */
export function windowOfText(windows: TimeWindows, text: string): number | null {
  const window = windowNamed(windows, text);
  if (window === null || !Number.isFinite(window) || keyOfWindowNumber(windows, window) === text)
    return window;
  const { cron, format, index, definition } = windows;
  if (!isPlain(cron) || definition.exclusions.length > 0) return null;
  const parsed = format.parse(text);
  if (parsed === null || format.format(parsed.local, parsed.offset ?? 0) !== text) return null;
  const instant = readInstant(format, definition.timezone, text);
  return instant !== null && instant >= index.first ? window : null;
}

function isPlain({ times, everyHour, daysOfMonth, daysOfWeek, months }: ParsedCron): boolean {
  const everyDay = daysOfMonth.star && daysOfWeek.star && months.length === 12;
  return everyDay && times[0] === 0 && times.length === (everyHour ? 24 : 1);
}

/**
 * The window that a text names as the end of a range: the one whose key it is; failing that, the first that starts at
 * or after the time it gives (Dagster: `2024-01-08` of a set of Sunday weeks means `2024-01-14`). Null when it does not
 * match `fmt`.
 */
export function windowNamed(windows: TimeWindows, text: string): number | null {
  const { index, format, cron, definition } = windows;
  const instant = readInstant(format, definition.timezone, text);
  if (instant !== null) {
    const window = ordinalAtOrAfter(index, instant);
    if (cron.everyHour || keyOfWindowNumber(windows, window) === text) return window;
    return keyOfWindowNumber(windows, window + 1) === text ? window + 1 : window;
  }
  if (!cron.everyHour || format.hasOffset) return null;
  const suffixed = /^(.*)([+-])(\d{2})(\d{2})$/s.exec(text);
  if (suffixed === null) return null;
  const parsed = format.parse(suffixed[1] as string);
  if (parsed === null) return null;
  const size = (Number(suffixed[3]) * 60 + Number(suffixed[4])) * 60_000;
  const exact = parsed.local - (suffixed[2] === '-' ? -size : size);
  const window = ordinalAtOrBefore(index, exact);
  return keyOfWindowNumber(windows, window) === text ? window : null;
}

/** Numbers of the excluded windows, ascending; all those below `windowEnd` are among them. */
export function excludedWindows(windows: TimeWindows, windowEnd: number): readonly number[] {
  const { excluded, index, definition } = windows;
  if (excluded.crons.length === 0 || windowEnd <= 0) return excluded.windows;
  const until = tickAt(index, windowEnd);
  if (until > excluded.knownTo) {
    const found = excluded.windows.slice();
    for (const tick of ticksBetween(excluded.crons, definition.timezone, excluded.knownTo, until)) {
      const window = ordinalAtOrBefore(index, tick);
      if (tickAt(index, window) === tick) found.push(window);
    }
    excluded.windows = sortedUnique(found);
    excluded.knownTo = until;
  }
  return excluded.windows;
}

/** Whether a window is excluded. */
export function isExcluded(windows: TimeWindows, window: number): boolean {
  if (windows.definition.exclusions.length === 0 || window < 0) return false;
  const excluded = excludedWindows(windows, window + 1);
  return excluded[lowerBound(excluded, window)] === window;
}

/** How many of the windows 0 … `window` - 1 are partitions: the ordinal of `window` if it is one itself. */
export function ordinalOfWindow(windows: TimeWindows, window: number): number {
  if (windows.definition.exclusions.length === 0 || window <= 0) return window;
  return window - lowerBound(excludedWindows(windows, window), window);
}

/** The window that an ordinal stands for. */
export function windowOfOrdinal(windows: TimeWindows, ordinal: number): number {
  if (windows.definition.exclusions.length === 0 || ordinal < 0) return ordinal;
  // A fixed point: every excluded window at or below the answer moves it on by one.
  for (let window = ordinal; ; ) {
    const excluded = excludedWindows(windows, window + 1);
    const next = ordinal + lowerBound(excluded, window + 1);
    if (next === window) return window;
    window = next;
  }
}

/** A subset's ranges as window numbers, cut where an excluded window lies between. */
export function* windowRanges(
  windows: TimeWindows,
  subset: PartitionSubset,
): IterableIterator<[number, number]> {
  for (const [from, to] of rangesOf(subset)) {
    let first = windowOfOrdinal(windows, from);
    const last = windowOfOrdinal(windows, to - 1);
    if (last - first !== to - 1 - from) {
      for (let window = first; window <= last; window++) {
        if (!isExcluded(windows, window)) continue;
        if (first < window) yield [first, window];
        first = window + 1;
      }
    }
    yield [first, last + 1];
  }
}

function sortedUnique(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}
