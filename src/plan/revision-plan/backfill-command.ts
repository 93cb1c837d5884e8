import { layoutOf } from '../../partitions/definition/multi.ts';
import type { PartitionsDefinition } from '../../partitions/definition/partitions-definition.ts';
import { ordinalToKey } from '../../partitions/partition-set.ts';
import { rectanglesOf } from '../../partitions/subset/cells.ts';
import type { PartitionSubset } from '../../partitions/subset/partition-subset.ts';
import { isEmpty, rangesOf } from '../../partitions/subset/partition-subset.ts';

/** Ranges that one line of commands names; more are covered by one range from the first to the last. */
const MOST_RANGES = 10;

/**
 * The command that loads just these partitions: of an unpartitioned asset `elt materialize`, of one range (of a 2-D set
 * one rectangle) `--from … --to …`, of everything that is missing anyway `--missing`, of several ranges one after the other.
 * Null: there is nothing to load.
 * @param isAllMissing whether they are exactly what the asset lacks
 */
export function backfillCommand(
  asset: string,
  definition: PartitionsDefinition | null,
  wanted: PartitionSubset,
  isAllMissing: boolean,
): string | null {
  if (isEmpty(wanted)) return null;
  if (definition === null) return `elt materialize ${quoted(asset)}`;
  const ranges: string[] = [];
  for (const { start, end } of keyRanges(definition, wanted)) {
    ranges.push(`--from ${quoted(start)} --to ${quoted(end)}`);
    if (ranges.length > MOST_RANGES) break;
  }
  const command = `elt backfill ${quoted(asset)}`;
  if (ranges.length > 1 && isAllMissing) return `${command} --missing`;
  if (ranges.length > MOST_RANGES) return `${command} ${wholeRange(definition, wanted)}`;
  return ranges.map((range) => `${command} ${range}`).join(' && ');
}

interface KeyRange {
  readonly start: string;
  readonly end: string;
}

/** Ranges as `--from` and `--to` mean them: of a 2-D set from-to in each dimension by itself. */
function* keyRanges(definition: PartitionsDefinition, subset: PartitionSubset): IterableIterator<KeyRange> {
  const key = (ordinal: number): string => ordinalToKey(definition, ordinal) as string;
  if (definition.kind !== 'multi') {
    for (const [from, to] of rangesOf(subset)) yield { start: key(from), end: key(to - 1) };
    return;
  }
  const { stride } = layoutOf(definition);
  for (const { major, minor } of rectanglesOf(definition, subset)) {
    for (const [from, to] of rangesOf(major)) {
      for (const [first, last] of rangesOf(minor))
        yield { start: key(from * stride + first), end: key((to - 1) * stride + last - 1) };
    }
  }
}

/** One range that holds all of them, and what lies between. */
function wholeRange(definition: PartitionsDefinition, subset: PartitionSubset): string {
  const { bounds } = subset;
  const [low, high] = [bounds[0] as number, (bounds.at(-1) as number) - 1];
  const key = (ordinal: number): string => quoted(ordinalToKey(definition, ordinal) as string);
  if (definition.kind !== 'multi') return `--from ${key(low)} --to ${key(high)}`;
  const { stride } = layoutOf(definition);
  let [first, last] = [stride, 0];
  for (const { minor } of rectanglesOf(definition, subset)) {
    first = Math.min(first, minor.bounds[0] as number);
    last = Math.max(last, (minor.bounds.at(-1) as number) - 1);
  }
  const [from, to] = [Math.floor(low / stride), Math.floor(high / stride)];
  return `--from ${key(from * stride + first)} --to ${key(to * stride + last)}`;
}

/** For a POSIX shell, as it is where nothing in it is special. */
function quoted(text: string): string {
  return /^[\w@%+:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
