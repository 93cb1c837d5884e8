import { keyToOrdinal, ordinalExists, ordinalToKey, partitionCount } from '../definition/key-order.ts';
import { dimensionsOf, layoutOf } from '../definition/multi.ts';
import type { MultiPartitions, PartitionsDefinition } from '../definition/partitions-definition.ts';
import type { Instant } from '../instant.ts';
import { rectanglesOf, subsetOfRectangles } from './cells.ts';
import type { PartitionSubset } from './partition-subset.ts';
import { ordinalsOf, rangeSubset, rangesOf, subsetOfOrdinals } from './partition-subset.ts';

/** Keys from one to another, both included; of a 2-D set all of them share one part. */
export interface KeySpan {
  readonly start: string;
  readonly end: string;
  readonly count: number;
}

/** Every partition that exists at `now`. */
export function allPartitions(definition: PartitionsDefinition, now: Instant): PartitionSubset {
  if (definition.kind !== 'multi') return rangeSubset(0, partitionCount(definition, now));
  const { major, minor } = layoutOf(definition);
  const sides = { major: allPartitions(major.definition, now), minor: allPartitions(minor.definition, now) };
  return subsetOfRectangles(definition, [sides]);
}

/** The partitions that texts name, and the texts that name none existing at `now`. */
export function subsetOfKeys(
  definition: PartitionsDefinition,
  keys: Iterable<string>,
  now: Instant,
): { readonly subset: PartitionSubset; readonly unknown: readonly string[] } {
  const ordinals: number[] = [];
  const unknown: string[] = [];
  for (const key of keys) {
    const ordinal = keyToOrdinal(definition, key);
    if (ordinal !== null && ordinalExists(definition, ordinal, now)) ordinals.push(ordinal);
    else unknown.push(key);
  }
  return { subset: subsetOfOrdinals(ordinals), unknown };
}

/** The keys of a subset by ordinal: oldest first where there is time. Lazy. */
export function* keysOf(definition: PartitionsDefinition, subset: PartitionSubset): IterableIterator<string> {
  for (const ordinal of ordinalsOf(subset)) {
    const key = ordinalToKey(definition, ordinal);
    if (key !== null) yield key;
  }
}

/**
 * A subset as spans of consecutive keys. Of a 2-D set the spans run along one dimension for each key of the other:
 * for each key of the dimension of which fewer keys occur; when equal, of the one second by name (Dagster).
 */
export function* spansOf(
  definition: PartitionsDefinition,
  subset: PartitionSubset,
): IterableIterator<KeySpan> {
  if (definition.kind === 'multi') {
    yield* multiSpans(definition, subset);
    return;
  }
  for (const [from, to] of rangesOf(subset)) {
    const start = ordinalToKey(definition, from) as string;
    const end = ordinalToKey(definition, to - 1) as string;
    yield { start, end, count: to - from };
  }
}

function* multiSpans(definition: MultiPartitions, subset: PartitionSubset): IterableIterator<KeySpan> {
  const rows = rowsOf(definition, subset);
  const along = definition.dimensions[rows.along];
  if (along === undefined) return;
  for (const [key, line] of rows.lines) {
    const join = (part: string): string => (rows.alongFirst ? `${part}|${key}` : `${key}|${part}`);
    for (const { start, end, count } of spansOf(along, line))
      yield { start: join(start), end: join(end), count };
  }
}

interface Rows {
  /** The dimension along which spans run. */
  readonly along: string;
  readonly alongFirst: boolean;
  /** Key of the other dimension → ordinals along. */
  readonly lines: ReadonlyMap<string, PartitionSubset>;
}

function rowsOf(definition: MultiPartitions, subset: PartitionSubset): Rows {
  const [first, second] = dimensionsOf(definition);
  const { major } = layoutOf(definition);
  const rectangles = rectanglesOf(definition, subset).map((cells) =>
    major.name === first.name
      ? { first: cells.major, second: cells.minor }
      : { first: cells.minor, second: cells.major },
  );
  const distinct = (side: 'first' | 'second'): number =>
    new Set(rectangles.flatMap((cells) => [...ordinalsOf(cells[side])])).size;
  const groupByFirst = distinct('first') < distinct('second');
  const group = groupByFirst ? 'first' : 'second';
  const run = groupByFirst ? 'second' : 'first';
  const collected = new Map<number, number[]>();
  for (const cells of rectangles) {
    for (const ordinal of ordinalsOf(cells[group])) {
      const list = collected.get(ordinal) ?? [];
      list.push(...ordinalsOf(cells[run]));
      collected.set(ordinal, list);
    }
  }
  const grouped = groupByFirst ? first : second;
  const lines = new Map<string, PartitionSubset>();
  for (const ordinal of [...collected.keys()].sort((a, b) => a - b)) {
    const key = ordinalToKey(grouped.definition, ordinal) as string;
    lines.set(key, subsetOfOrdinals(collected.get(ordinal) ?? []));
  }
  return { along: (groupByFirst ? second : first).name, alongFirst: !groupByFirst, lines };
}
