import { layoutOf } from '../definition/multi.ts';
import type { MultiPartitions } from '../definition/partitions-definition.ts';
import type { PartitionSubset } from './partition-subset.ts';
import { appendRange, countOf, rangesOf, subsetOfRanges, unionOfAll } from './partition-subset.ts';

/** A rectangle of a 2-D set: every cell of some ordinals of the major × some of the minor dimension. */
export interface Cells {
  readonly major: PartitionSubset;
  readonly minor: PartitionSubset;
}

/** The cells of a 2-D subset as rectangles, no two of which overlap or have the same major side. */
export function rectanglesOf(definition: MultiPartitions, subset: PartitionSubset): Cells[] {
  const { stride } = layoutOf(definition);
  const columns = new Map<number, number[]>();
  const add = (minorFrom: number, minorTo: number, majorFrom: number, majorTo: number): void => {
    for (let minor = minorFrom; minor < minorTo; minor++) {
      let bounds = columns.get(minor);
      if (bounds === undefined) {
        bounds = [];
        columns.set(minor, bounds);
      }
      appendRange(bounds, majorFrom, majorTo);
    }
  };
  for (const [from, to] of rangesOf(subset)) {
    const firstRow = Math.floor(from / stride);
    const lastRow = Math.floor((to - 1) / stride);
    const firstColumn = from - firstRow * stride;
    const lastColumn = to - lastRow * stride;
    if (firstRow === lastRow) {
      add(firstColumn, lastColumn, firstRow, firstRow + 1);
      continue;
    }
    // Ascending rows, so that each column's list stays in order.
    add(firstColumn, stride, firstRow, firstRow + 1);
    if (lastRow > firstRow + 1) add(0, stride, firstRow + 1, lastRow);
    add(0, lastColumn, lastRow, lastRow + 1);
  }
  const groups = new Map<string, { major: PartitionSubset; minors: [number, number][] }>();
  for (const [minor, bounds] of columns) {
    const id = bounds.join();
    const group = groups.get(id);
    if (group === undefined) groups.set(id, { major: { bounds }, minors: [[minor, minor + 1]] });
    else group.minors.push([minor, minor + 1]);
  }
  return [...groups.values()].map(({ major, minors }) => ({ major, minor: subsetOfRanges(minors) }));
}

/** The subset that rectangles cover. */
export function subsetOfRectangles(
  definition: MultiPartitions,
  rectangles: readonly Cells[],
): PartitionSubset {
  return unionOfAll(rectangles.map((cells) => product(definition, cells)));
}

function product(definition: MultiPartitions, { major, minor }: Cells): PartitionSubset {
  const { stride } = layoutOf(definition);
  const bounds: number[] = [];
  if (countOf(minor) === stride) {
    for (const [from, to] of rangesOf(major)) bounds.push(from * stride, to * stride);
    return { bounds };
  }
  for (const [from, to] of rangesOf(major)) {
    for (let row = from; row < to; row++) {
      for (const [first, last] of rangesOf(minor))
        appendRange(bounds, row * stride + first, row * stride + last);
    }
  }
  return { bounds };
}
