import { layoutOf } from '../../partitions/definition/multi.ts';
import type {
  MultiPartitions,
  PartitionsDefinition,
} from '../../partitions/definition/partitions-definition.ts';
import { dimensionsOf, ordinalToKey } from '../../partitions/partition-set.ts';
import {
  countOf,
  ordinalsOf,
  type PartitionSubset,
  rangesOf,
} from '../../partitions/subset/partition-subset.ts';
import {
  type BackfillCounts,
  BackfillPartitionState,
  type BackfillPartitions,
} from '../contract/backfill.ts';

type States = Readonly<Record<BackfillPartitionState, PartitionSubset>>;

const LETTERS = {
  materialized: 'm',
  failed: 'f',
  in_progress: 'i',
  canceled: 'c',
  skipped: 's',
  not_started: 'n',
} as const satisfies Record<BackfillPartitionState, string>;
const NOT_OF_IT = '-';

/**
 * What has become of the partitions of one asset of a backfill: stretches, or for two dimensions the rows and columns
 * that the backfill touches.
 * @param definition null: the asset is not partitioned
 */
export function backfillPartitions(
  assetKey: string,
  definition: PartitionsDefinition | null,
  states: States,
): BackfillPartitions {
  const is1d = definition !== null && definition.kind !== 'multi';
  return {
    asset_key: assetKey,
    counts: countsOf(states),
    ranges: is1d ? rangesIn(definition, states) : [],
    matrix: definition?.kind === 'multi' ? matrixIn(definition, states) : null,
  };
}

function countsOf(states: States): BackfillCounts {
  const counts = { total: 0 } as BackfillCounts;
  for (const state of BackfillPartitionState.options) {
    counts[state] = countOf(states[state]);
    counts.total += counts[state];
  }
  return counts;
}

function rangesIn(definition: PartitionsDefinition, states: States): BackfillPartitions['ranges'] {
  return BackfillPartitionState.options
    .flatMap((status) => [...rangesOf(states[status])].map(([from, end]) => ({ from, to: end - 1, status })))
    .sort((a, b) => a.from - b.from)
    .map((range) => ({
      ...range,
      from_key: ordinalToKey(definition, range.from) ?? '',
      to_key: ordinalToKey(definition, range.to) ?? '',
    }));
}

function matrixIn(definition: MultiPartitions, states: States): BackfillPartitions['matrix'] {
  const { major, minor, stride } = layoutOf(definition);
  const [first, second] = dimensionsOf(definition);
  const timeFirst = first.definition.kind === 'time' && second.definition.kind === 'static';
  const across = timeFirst ? first : second;
  const acrossIsMajor = across.name === major.name;
  const cells = BackfillPartitionState.options.flatMap((state) =>
    [...ordinalsOf(states[state])].map((ordinal) => {
      const [high, low] = [Math.floor(ordinal / stride), ordinal % stride];
      return { row: acrossIsMajor ? low : high, column: acrossIsMajor ? high : low, letter: LETTERS[state] };
    }),
  );
  const rows = placesOf(cells.map(({ row }) => row));
  const columns = placesOf(cells.map(({ column }) => column));
  const lines = [...rows.keys()].map(() => Array.from(columns, () => NOT_OF_IT));
  for (const { row, column, letter } of cells) lines[rows.get(row)!]![columns.get(column)!] = letter;
  const [down, right] = acrossIsMajor ? [minor, major] : [major, minor];
  const keys = (side: typeof down, places: ReadonlyMap<number, number>): string[] =>
    [...places.keys()].map((ordinal) => ordinalToKey(side.definition, ordinal) ?? '');
  return {
    rows: { name: down.name, keys: keys(down, rows) },
    columns: { name: right.name, keys: keys(right, columns) },
    cells: lines.map((line) => line.join('')),
  };
}

/** Ordinal → its place among those that occur, in order. */
function placesOf(ordinals: readonly number[]): Map<number, number> {
  return new Map([...new Set(ordinals)].sort((a, b) => a - b).map((ordinal, place) => [ordinal, place]));
}
