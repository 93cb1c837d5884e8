import { layoutOf } from '../definition/multi.ts';
import type {
  MultiPartitions,
  PartitionsDefinition,
  StaticPartitions,
  TimeWindowPartitions,
} from '../definition/partitions-definition.ts';
import { ordinalOfWindow, timeWindows, windowRanges } from '../definition/time-window.ts';
import { ordinalAtOrAfter, tickAt } from '../tick-index.ts';
import type { Cells } from './cells.ts';
import { rectanglesOf, subsetOfRectangles } from './cells.ts';
import type { PartitionSubset } from './partition-subset.ts';
import { emptySubset, ordinalsOf, subsetOfOrdinals, subsetOfRanges } from './partition-subset.ts';
import { decodeAscending, encodeAscending } from './varint.ts';

/**
 * The ids that the store's append-only dictionary gives to static keys, per dimension name; of a 1-D static set under
 * the name `''`.
 */
export type StaticIds = Readonly<Record<string, ReadonlyMap<string, number>>>;

/**
 * Text for the store. Time partitions are kept as stretches of time (window starts, in seconds), static ones by their
 * dictionary id, so that a changed `start`, `fmt`, cron or key order moves nothing. A few bytes per range:
 * `t:<unit>:<bounds>`, `s:<ids>`, `m:<major>*<minor>;…`.
 *
 * Throws a RangeError for a static key that has no id.
 */
export function encodeSubset(
  definition: PartitionsDefinition,
  subset: PartitionSubset,
  ids: StaticIds,
): string {
  if (definition.kind === 'time') return encodeTime(definition, subset);
  if (definition.kind === 'static') return encodeStatic(definition, subset, ids['']);
  const { major, minor } = layoutOf(definition);
  const part = (name: string, side: PartitionSubset): string => {
    const own = definition.dimensions[name] as TimeWindowPartitions | StaticPartitions;
    return own.kind === 'time' ? encodeTime(own, side) : encodeStatic(own, side, ids[name]);
  };
  const cells = rectanglesOf(definition, subset).map(
    (one) => `${part(major.name, one.major)}*${part(minor.name, one.minor)}`,
  );
  return `m:${cells.join(';')}`;
}

/**
 * The subset that a stored text means under a definition, which may have changed since: windows count that start
 * within a stored stretch, and keys that still are there. A text of another kind of set (time became static) is empty.
 * Throws a RangeError for a text that is damaged.
 */
export function decodeSubset(
  definition: PartitionsDefinition,
  text: string,
  ids: StaticIds,
): PartitionSubset {
  const kind = text[0];
  if (definition.kind === 'time') return kind === 't' ? decodeTime(definition, text) : emptySubset;
  if (definition.kind === 'static')
    return kind === 's' ? decodeStatic(definition, text, ids['']) : emptySubset;
  return kind === 'm' ? decodeMulti(definition, text, ids) : emptySubset;
}

function encodeTime(definition: TimeWindowPartitions, subset: PartitionSubset): string {
  const windows = timeWindows(definition);
  const seconds: number[] = [];
  for (const [from, to] of windowRanges(windows, subset)) {
    seconds.push(tickAt(windows.index, from) / 1000, tickAt(windows.index, to) / 1000);
  }
  const unit = seconds.reduce(greatestCommonDivisor, 0) || 1;
  return `t:${unit}:${encodeAscending(seconds.map((second) => second / unit))}`;
}

function decodeTime(definition: TimeWindowPartitions, text: string): PartitionSubset {
  const [, unitText, bounds = ''] = text.split(':');
  const unit = Number(unitText);
  if (!(unit > 0)) throw new RangeError('a stored subset has no unit');
  const windows = timeWindows(definition);
  const instants = decodeAscending(bounds).map((value) => value * unit * 1000);
  const ranges: [number, number][] = [];
  for (let at = 0; at + 1 < instants.length; at += 2) {
    const from = Math.max(0, ordinalAtOrAfter(windows.index, instants[at] as number));
    const to = Math.max(0, ordinalAtOrAfter(windows.index, instants[at + 1] as number));
    ranges.push([ordinalOfWindow(windows, from), ordinalOfWindow(windows, to)]);
  }
  return subsetOfRanges(ranges);
}

function encodeStatic(
  definition: StaticPartitions,
  subset: PartitionSubset,
  ids: ReadonlyMap<string, number> | undefined,
): string {
  const stored: number[] = [];
  for (const ordinal of ordinalsOf(subset)) {
    const key = definition.keys[ordinal];
    const id = key === undefined ? undefined : ids?.get(key);
    if (id === undefined) throw new RangeError(`static key "${key}" has no id`);
    stored.push(id);
  }
  return `s:${encodeAscending(subsetOfOrdinals(stored).bounds)}`;
}

function decodeStatic(
  definition: StaticPartitions,
  text: string,
  ids: ReadonlyMap<string, number> | undefined,
): PartitionSubset {
  const bounds = decodeAscending(text.slice(2));
  const stored = new Set(ordinalsOf({ bounds }));
  const ordinals: number[] = [];
  for (const [ordinal, key] of definition.keys.entries()) {
    const id = ids?.get(key);
    if (id !== undefined && stored.has(id)) ordinals.push(ordinal);
  }
  return subsetOfOrdinals(ordinals);
}

function decodeMulti(definition: MultiPartitions, text: string, ids: StaticIds): PartitionSubset {
  const { major, minor } = layoutOf(definition);
  const side = (name: string, part: string): PartitionSubset => {
    const own = definition.dimensions[name] as TimeWindowPartitions | StaticPartitions;
    if (own.kind === 'time') return part.startsWith('t') ? decodeTime(own, part) : emptySubset;
    return part.startsWith('s') ? decodeStatic(own, part, ids[name]) : emptySubset;
  };
  const cells: Cells[] = [];
  for (const one of text.slice(2).split(';')) {
    const [majorText, minorText] = one.split('*');
    if (majorText === undefined || minorText === undefined) continue;
    cells.push({ major: side(major.name, majorText), minor: side(minor.name, minorText) });
  }
  return subsetOfRectangles(definition, cells);
}

function greatestCommonDivisor(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}
