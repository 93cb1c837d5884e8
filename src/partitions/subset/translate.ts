import { mustParseCron } from '../cron.ts';
import { dimensionsOf, layoutOf } from '../definition/multi.ts';
import type {
  MultiPartitions,
  PartitionsDefinition,
  StaticPartitions,
  TimeWindowPartitions,
} from '../definition/partitions-definition.ts';
import { staticPositions } from '../definition/static.ts';
import {
  isExcluded,
  ordinalOfWindow,
  type TimeWindows,
  timeWindows,
  windowRanges,
} from '../definition/time-window.ts';
import { ordinalAtOrAfter, ordinalAtOrBefore, tickAt } from '../tick-index.ts';
import { type Cells, rectanglesOf, subsetOfRectangles } from './cells.ts';
import type { PartitionSubset } from './partition-subset.ts';
import {
  emptySubset,
  isEmpty,
  minus,
  ordinalsOf,
  subsetOfOrdinals,
  subsetOfRanges,
} from './partition-subset.ts';

/** What becomes of partitions when their definition changes. */
export interface Translation {
  /** Those that go on, as ordinals of the new definition. */
  readonly kept: PartitionSubset;
  /** Of these the ones whose window is another than before, although it starts at the same instant. */
  readonly reshaped: PartitionSubset;
  /** Those that the new definition does not have, as ordinals of the old one. */
  readonly gone: PartitionSubset;
}

/**
 * The partitions of one definition as those of another. A partition is the start of its window, its static key or a pair of
 * these, as the store keeps it: `fmt`, `start` and the order of keys may change without a partition becoming another one.
 * Null is the definition of what has no partitions: its whole is the ordinal 0. The cost follows the number of ranges, and
 * the number of windows only where the cron or the zone is another.
 */
export function translateSubset(
  from: PartitionsDefinition | null,
  to: PartitionsDefinition | null,
  subset: PartitionSubset,
): Translation {
  if (from === null || to === null) {
    return from === to ? { kept: subset, reshaped: emptySubset, gone: emptySubset } : allGone(subset);
  }
  if (from.kind === 'multi' && to.kind === 'multi') return translateCells(from, to, subset);
  if (from.kind === 'multi' || to.kind === 'multi') return allGone(subset);
  return translateSide(from, to, subset);
}

type Side = TimeWindowPartitions | StaticPartitions;

function translateSide(from: Side, to: Side, subset: PartitionSubset): Translation {
  if (isEmpty(subset)) return allGone(subset);
  if (from.kind === 'time' && to.kind === 'time') {
    const same =
      from.timezone === to.timezone &&
      mustParseCron(from.cron).expression === mustParseCron(to.cron).expression;
    return same ? shift(from, to, subset) : translateWindows(from, to, subset);
  }
  if (from.kind === 'static' && to.kind === 'static') return translateKeys(from, to, subset);
  return allGone(subset);
}

function allGone(subset: PartitionSubset): Translation {
  return { kept: emptySubset, reshaped: emptySubset, gone: subset };
}

/** Both tick alike: window n of one is window n + offset of the other. */
function shift(from: TimeWindowPartitions, to: TimeWindowPartitions, subset: PartitionSubset): Translation {
  const [old, now] = [timeWindows(from), timeWindows(to)];
  const offset = ordinalAtOrAfter(now.index, tickAt(old.index, 0));
  const kept = moved(old, now, offset, subset);
  return { kept, reshaped: emptySubset, gone: minus(subset, moved(now, old, -offset, kept)) };
}

function moved(from: TimeWindows, to: TimeWindows, offset: number, subset: PartitionSubset): PartitionSubset {
  const end = windowsOf(to);
  const ranges: [number, number][] = [];
  for (const [first, last] of windowRanges(from, subset)) {
    const [low, high] = [Math.max(0, first + offset), Math.min(end, last + offset)];
    if (low < high) ranges.push([ordinalOfWindow(to, low), ordinalOfWindow(to, high)]);
  }
  return subsetOfRanges(ranges);
}

/** How many windows lie before a definition's `end`. */
function windowsOf({ index, end }: TimeWindows): number {
  return end === Number.POSITIVE_INFINITY ? end : Math.max(0, ordinalAtOrBefore(index, end));
}

function translateWindows(
  from: TimeWindowPartitions,
  to: TimeWindowPartitions,
  subset: PartitionSubset,
): Translation {
  const [old, now] = [timeWindows(from), timeWindows(to)];
  const end = windowsOf(now);
  const kept: number[] = [];
  const reshaped: number[] = [];
  const stayed: number[] = [];
  for (const [first, last] of windowRanges(old, subset)) {
    let window = Math.max(0, ordinalAtOrAfter(now.index, tickAt(old.index, first)));
    let start = tickAt(now.index, window);
    for (let each = first; each < last; each++) {
      const instant = tickAt(old.index, each);
      while (start < instant) {
        // Walk where the two go side by side, jump where the new one is finer.
        const next = tickAt(now.index, window + 1);
        window = next < instant ? Math.max(window + 1, ordinalAtOrAfter(now.index, instant)) : window + 1;
        start = tickAt(now.index, window);
      }
      if (start !== instant || window >= end || isExcluded(now, window)) continue;
      const ordinal = ordinalOfWindow(now, window);
      kept.push(ordinal);
      stayed.push(ordinalOfWindow(old, each));
      if (tickAt(now.index, window + 1) !== tickAt(old.index, each + 1)) reshaped.push(ordinal);
    }
  }
  return {
    kept: subsetOfOrdinals(kept),
    reshaped: subsetOfOrdinals(reshaped),
    gone: minus(subset, subsetOfOrdinals(stayed)),
  };
}

function translateKeys(from: StaticPartitions, to: StaticPartitions, subset: PartitionSubset): Translation {
  const positions = staticPositions(to);
  const kept: number[] = [];
  const gone: number[] = [];
  for (const ordinal of ordinalsOf(subset)) {
    const position = positions.get(from.keys[ordinal] ?? '');
    if (position === undefined) gone.push(ordinal);
    else kept.push(position);
  }
  return { kept: subsetOfOrdinals(kept), reshaped: emptySubset, gone: subsetOfOrdinals(gone) };
}

/** Rectangle by rectangle; parts belong together by the order of their dimensions' names, as in a key. */
function translateCells(from: MultiPartitions, to: MultiPartitions, subset: PartitionSubset): Translation {
  const olds = dimensionsOf(from).map((one) => one.definition) as [Side, Side];
  const news = dimensionsOf(to).map((one) => one.definition) as [Side, Side];
  const kept: Cells[] = [];
  const reshaped: Cells[] = [];
  const stayed: Cells[] = [];
  for (const rectangle of rectanglesOf(from, subset)) {
    const [first, second] = inNameOrder(from, rectangle);
    const [a, b] = [translateSide(olds[0], news[0], first), translateSide(olds[1], news[1], second)];
    const cells = (x: PartitionSubset, y: PartitionSubset): Cells => fromNameOrder(to, x, y);
    kept.push(cells(a.kept, b.kept));
    reshaped.push(cells(a.reshaped, b.kept), cells(a.kept, b.reshaped));
    stayed.push(fromNameOrder(from, minus(first, a.gone), minus(second, b.gone)));
  }
  return {
    kept: subsetOfRectangles(to, kept),
    reshaped: subsetOfRectangles(to, reshaped),
    gone: minus(subset, subsetOfRectangles(from, stayed)),
  };
}

function inNameOrder(
  definition: MultiPartitions,
  { major, minor }: Cells,
): readonly [PartitionSubset, PartitionSubset] {
  return layoutOf(definition).swapped ? [minor, major] : [major, minor];
}

function fromNameOrder(definition: MultiPartitions, first: PartitionSubset, second: PartitionSubset): Cells {
  return layoutOf(definition).swapped ? { major: second, minor: first } : { major: first, minor: second };
}
