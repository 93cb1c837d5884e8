import { keyToOrdinal, ordinalExists, ordinalToKey, partitionCount } from './definition/key-order.ts';
import { dimensionsOf, layoutOf } from './definition/multi.ts';
import type {
  PartitionsDefinition,
  StaticPartitions,
  TimeWindowPartitions,
} from './definition/partitions-definition.ts';
import {
  isExcluded,
  keyOfWindowNumber,
  ordinalOfWindow,
  timeWindows,
  windowAt,
  windowContaining,
  windowNamed,
  windowOfText,
} from './definition/time-window.ts';
import type { Instant, TimeWindow } from './instant.ts';
import { subsetOfRectangles } from './subset/cells.ts';
import type { PartitionSubset } from './subset/partition-subset.ts';
import { rangeSubset } from './subset/partition-subset.ts';
import { ordinalAtOrAfter, ordinalAtOrBefore, tickAt } from './tick-index.ts';

// What others ask of a definition is all to be had from this file.
export { defaultFmt } from './definition/default-fmt.ts';
export { keyToOrdinal, ordinalExists, ordinalToKey, partitionCount } from './definition/key-order.ts';
export { dimensionsOf, joinKey, splitKey } from './definition/multi.ts';
export { validatePartitions } from './definition/validate.ts';

/**
 * Every key that exists at `now`, in order. Of a 2-D set the dimension first by name is the outer loop.
 * Lazy: take `partitionCount` and ordinals where a number or a range will do.
 */
export function* partitionKeys(definition: PartitionsDefinition, now: Instant): IterableIterator<string> {
  if (definition.kind === 'multi') {
    const [first, second] = dimensionsOf(definition);
    for (const outer of partitionKeys(first.definition, now)) {
      for (const inner of partitionKeys(second.definition, now)) yield `${outer}|${inner}`;
    }
    return;
  }
  const count = partitionCount(definition, now);
  for (let ordinal = 0; ordinal < count; ordinal++) yield ordinalToKey(definition, ordinal) as string;
}

/** Whether a text is the key of a partition that exists at `now`; `windowOfText` has the rule for time sets. */
export function hasKey(definition: PartitionsDefinition, key: string, now: Instant): boolean {
  const ordinal = keyToOrdinal(definition, key);
  return ordinal !== null && ordinalExists(definition, ordinal, now);
}

/** The key proper of the partition whose key a text is taken for (`hasKey`); null when none exists at `now`. */
export function resolveKey(definition: PartitionsDefinition, text: string, now: Instant): string | null {
  const ordinal = keyToOrdinal(definition, text);
  if (ordinal === null || !ordinalExists(definition, ordinal, now)) return null;
  return ordinalToKey(definition, ordinal);
}

/** The first key in order, null when none exists. */
export function firstKey(definition: PartitionsDefinition, now: Instant): string | null {
  return endKey(definition, now, () => 0);
}

/** The last key in order: the newest of a time set. */
export function lastKey(definition: PartitionsDefinition, now: Instant): string | null {
  return endKey(definition, now, (count) => count - 1);
}

function endKey(
  definition: PartitionsDefinition,
  now: Instant,
  pick: (count: number) => number,
): string | null {
  if (definition.kind !== 'multi') {
    const count = partitionCount(definition, now);
    return count === 0 ? null : ordinalToKey(definition, pick(count));
  }
  const [first, second] = dimensionsOf(definition).map((one) => endKey(one.definition, now, pick));
  return first == null || second == null ? null : `${first}|${second}`;
}

/** The key after one, in order, that exists at `now`; of a 2-D set null (it has no single order). */
export function nextKey(
  definition: TimeWindowPartitions | StaticPartitions,
  key: string,
  now: Instant,
): string | null {
  return neighbour(definition, key, now, 1);
}

/** The key before one. */
export function previousKey(
  definition: TimeWindowPartitions | StaticPartitions,
  key: string,
  now: Instant,
): string | null {
  return neighbour(definition, key, now, -1);
}

function neighbour(
  definition: TimeWindowPartitions | StaticPartitions,
  key: string,
  now: Instant,
  step: number,
): string | null {
  const ordinal = keyToOrdinal(definition, key);
  if (ordinal === null || !ordinalExists(definition, ordinal + step, now)) return null;
  return ordinalToKey(definition, ordinal + step);
}

/** The window that a key names, whether or not it exists yet; null when it names no partition of the set. */
export function windowOfKey(definition: TimeWindowPartitions, key: string): TimeWindow | null {
  const windows = timeWindows(definition);
  const window = windowOfText(windows, key);
  if (window === null || window < 0 || isExcluded(windows, window)) return null;
  const found = windowAt(windows, window);
  return found.end > windows.end ? null : found;
}

/** The key of the window that starts at `start`; null when no window of the set does. */
export function keyOfWindow(definition: TimeWindowPartitions, start: Instant): string | null {
  const ordinal = ordinalOfWindowStart(definition, start);
  return ordinal === null ? null : ordinalToKey(definition, ordinal);
}

/** The ordinal of the window that starts at `start`, the stored identity of a time partition. */
export function ordinalOfWindowStart(definition: TimeWindowPartitions, start: Instant): number | null {
  const windows = timeWindows(definition);
  const window = ordinalAtOrAfter(windows.index, start);
  if (window < 0 || tickAt(windows.index, window) !== start || isExcluded(windows, window)) return null;
  return ordinalOfWindow(windows, window);
}

/** The key of the partition whose window holds an instant (its start included), if it exists at `now`. */
export function keyContaining(
  definition: TimeWindowPartitions,
  instant: Instant,
  now: Instant,
): string | null {
  const windows = timeWindows(definition);
  const window = ordinalAtOrBefore(windows.index, instant);
  if (window < 0 || isExcluded(windows, window)) return null;
  const ordinal = ordinalOfWindow(windows, window);
  return ordinalExists(definition, ordinal, now) ? keyOfWindowNumber(windows, window) : null;
}

/**
 * The key that the window around an instant has or would have: nothing is asked about existence, so that stamps before
 * `start` have one too. `endClosed`: a window holds its end and not its start.
 */
export function keyForInstant(
  definition: TimeWindowPartitions,
  instant: Instant,
  options: { readonly endClosed?: boolean } = {},
): string {
  const windows = timeWindows(definition);
  return keyOfWindowNumber(windows, windowContaining(windows, instant, options.endClosed ?? false));
}

/** A range of keys, both ends included, or why there is none. */
export type KeyRange =
  | {
      readonly ok: true;
      readonly keys: () => IterableIterator<string>;
      /** The same as ordinals. */
      readonly subset: () => PartitionSubset;
      readonly note?: string;
    }
  | { readonly ok: false; readonly message: string };

/**
 * The keys from one to another. Of a 2-D set: from-to in each dimension by itself, so a rectangle (Dagster). In a time
 * set an end need not be a key: it means the window that starts at or after it.
 *
 * A range that runs backwards is empty and says so. Refused: an end that names no partition, lies before `start` or
 * after `end`, or has not come into being at `now`; with `null` for now, what is still to come counts too.
 */
export function rangeOfKeys(
  definition: PartitionsDefinition,
  start: string,
  end: string,
  now: Instant | null,
): KeyRange {
  const sides =
    definition.kind === 'multi' ? dimensionsOf(definition).map((one) => one.definition) : [definition];
  const starts = sides.length === 1 ? [start] : start.split('|');
  const ends = sides.length === 1 ? [end] : end.split('|');
  for (const [parts, text] of [
    [starts, start],
    [ends, end],
  ] as const) {
    if (parts.length !== sides.length) return { ok: false, message: absence(definition, text, now) };
  }
  const spans: Span[] = [];
  for (const [index, side] of sides.entries()) {
    const [from, to] = [starts[index] as string, ends[index] as string];
    const [first, last] = [rangeEnd(side, from, now), rangeEnd(side, to, now)];
    if (first === null) return { ok: false, message: absence(side, from, now) };
    if (last === null) return { ok: false, message: absence(side, to, now) };
    spans.push({ side, from: first, to: last });
  }
  const reversed = spans.some(({ from, to }) => from > to);
  const [outer, inner] = spans as [Span, Span | undefined];
  const keys = (): IterableIterator<string> => (inner === undefined ? spanKeys(outer) : cells(outer, inner));
  const subset = (): PartitionSubset => subsetOfSpans(definition, spans);
  return reversed
    ? { ok: true, keys, subset, note: `the range is empty: "${start}" comes after "${end}"` }
    : { ok: true, keys, subset };
}

function subsetOfSpans(definition: PartitionsDefinition, spans: readonly Span[]): PartitionSubset {
  const sides = spans.map(({ from, to }) => rangeSubset(from, to + 1));
  const [first, second] = sides as [PartitionSubset, PartitionSubset | undefined];
  if (definition.kind !== 'multi' || second === undefined) return first;
  const { swapped } = layoutOf(definition);
  return subsetOfRectangles(definition, [
    swapped ? { major: second, minor: first } : { major: first, minor: second },
  ]);
}

/** The ordinal that an end of a range means, null when there is none. */
function rangeEnd(side: PartitionsDefinition, text: string, now: Instant | null): number | null {
  if (side.kind !== 'time') return keyToOrdinal(side, text);
  const windows = timeWindows(side);
  const window = windowNamed(windows, text);
  if (window === null || window < 0 || windowAt(windows, window).end > windows.end) return null;
  const ordinal = ordinalOfWindow(windows, window);
  return now === null || ordinal < partitionCount(side, now) ? ordinal : null;
}

/** The keys from one to another as a list; empty where `rangeOfKeys` has a message. */
export function keysInRange(
  definition: PartitionsDefinition,
  start: string,
  end: string,
  now: Instant,
): string[] {
  const range = rangeOfKeys(definition, start, end, now);
  return range.ok ? [...range.keys()] : [];
}

interface Span {
  readonly side: PartitionsDefinition;
  readonly from: number;
  readonly to: number;
}

function* spanKeys({ side, from, to }: Span): IterableIterator<string> {
  for (let ordinal = from; ordinal <= to; ordinal++) yield ordinalToKey(side, ordinal) as string;
}

function* cells(outer: Span, inner: Span): IterableIterator<string> {
  for (const first of spanKeys(outer)) {
    for (const second of spanKeys(inner)) yield `${first}|${second}`;
  }
}

/** Why a text names no partition, existing at `now` or (null) at all. */
export function absence(definition: PartitionsDefinition, key: string, now: Instant | null): string {
  if (definition.kind === 'multi' && key.split('|').length !== 2) {
    const names = dimensionsOf(definition).map(({ name }) => `<${name}>`);
    return `"${key}" is not a key of two parts, ${names.join('|')}`;
  }
  if (definition.kind === 'time' && windowNamed(timeWindows(definition), key) === null) {
    return `"${key}" does not match fmt "${definition.fmt}"`;
  }
  if (now === null) return `there is no partition "${key}"`;
  const first = firstKey(definition, now);
  const known =
    first === null ? 'no partition exists yet' : `they go from "${first}" to "${lastKey(definition, now)}"`;
  return `there is no partition "${key}"; ${known}`;
}
