/**
 * A set of partitions of one definition, as ranges of ordinals (`definition/key-order.ts`). The cost of every
 * operation follows the number of ranges, never the number of partitions.
 *
 * `bounds` is flat: `[lo0, hi0, lo1, hi1, …]`, each pair half-open, ascending, no two pairs touching.
 * Equal sets have equal bounds.
 */
export interface PartitionSubset {
  readonly bounds: readonly number[];
}

/** The subset with nothing in it. */
export const emptySubset: PartitionSubset = { bounds: [] };

/** The ordinals `from` … `to` - 1. */
export function rangeSubset(from: number, to: number): PartitionSubset {
  return from < to ? { bounds: [from, to] } : emptySubset;
}

/** Any ordinals, in any order, repeated or not. */
export function subsetOfOrdinals(ordinals: Iterable<number>): PartitionSubset {
  const sorted = Float64Array.from(ordinals).sort();
  const bounds: number[] = [];
  for (const ordinal of sorted) appendRange(bounds, ordinal, ordinal + 1);
  return { bounds };
}

/** Any ranges `[from, to)`, in any order, overlapping or not. */
export function subsetOfRanges(ranges: Iterable<readonly [number, number]>): PartitionSubset {
  const sorted = [...ranges].filter(([from, to]) => from < to).sort((a, b) => a[0] - b[0]);
  const bounds: number[] = [];
  for (const [from, to] of sorted) appendRange(bounds, from, to);
  return { bounds };
}

/** Adds a range that begins no earlier than the last one did. */
export function appendRange(bounds: number[], from: number, to: number): void {
  const last = bounds.length - 1;
  if (last >= 0 && from <= (bounds[last] as number)) {
    if (to > (bounds[last] as number)) bounds[last] = to;
  } else {
    bounds.push(from, to);
  }
}

/** What is in either. */
export function unionOf(a: PartitionSubset, b: PartitionSubset): PartitionSubset {
  if (a.bounds.length === 0) return b;
  if (b.bounds.length === 0) return a;
  return combine(a, b, (inA, inB) => inA || inB);
}

/** What is in any of them. */
export function unionOfAll(subsets: Iterable<PartitionSubset>): PartitionSubset {
  return subsetOfRanges([...subsets].flatMap((subset) => [...rangesOf(subset)]));
}

/** What is in both. */
export function intersectionOf(a: PartitionSubset, b: PartitionSubset): PartitionSubset {
  return combine(a, b, (inA, inB) => inA && inB);
}

/** What is in `a` and not in `b`. */
export function minus(a: PartitionSubset, b: PartitionSubset): PartitionSubset {
  if (b.bounds.length === 0) return a;
  return combine(a, b, (inA, inB) => inA && !inB);
}

/** How many partitions there are. */
export function countOf({ bounds }: PartitionSubset): number {
  let count = 0;
  for (let at = 0; at < bounds.length; at += 2) count += (bounds[at + 1] as number) - (bounds[at] as number);
  return count;
}

export function isEmpty({ bounds }: PartitionSubset): boolean {
  return bounds.length === 0;
}

export function isEqual(a: PartitionSubset, b: PartitionSubset): boolean {
  return a.bounds.length === b.bounds.length && a.bounds.every((bound, at) => bound === b.bounds[at]);
}

/** Whether an ordinal is in the subset. */
export function has({ bounds }: PartitionSubset, ordinal: number): boolean {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bounds[middle] as number) <= ordinal) low = middle + 1;
    else high = middle;
  }
  return low % 2 === 1;
}

/** The ordinals, ascending. Lazy. */
export function* ordinalsOf({ bounds }: PartitionSubset): IterableIterator<number> {
  for (let at = 0; at < bounds.length; at += 2) {
    for (let ordinal = bounds[at] as number; ordinal < (bounds[at + 1] as number); ordinal++) yield ordinal;
  }
}

/** The ranges `[from, to)`, ascending. Lazy. */
export function* rangesOf({ bounds }: PartitionSubset): IterableIterator<[number, number]> {
  for (let at = 0; at < bounds.length; at += 2) yield [bounds[at] as number, bounds[at + 1] as number];
}

/** Walks both lists of bounds at once; membership changes at each bound. */
function combine(
  a: PartitionSubset,
  b: PartitionSubset,
  keep: (inA: boolean, inB: boolean) => boolean,
): PartitionSubset {
  const bounds: number[] = [];
  let atA = 0;
  let atB = 0;
  let kept = false;
  while (atA < a.bounds.length || atB < b.bounds.length) {
    const nextA = a.bounds[atA] ?? Number.POSITIVE_INFINITY;
    const nextB = b.bounds[atB] ?? Number.POSITIVE_INFINITY;
    const here = Math.min(nextA, nextB);
    if (nextA === here) atA += 1;
    if (nextB === here) atB += 1;
    const now = keep(atA % 2 === 1, atB % 2 === 1);
    if (now !== kept) bounds.push(here);
    kept = now;
  }
  return { bounds };
}
