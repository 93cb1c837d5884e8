import { dimensionsOf, layoutOf } from '../../partitions/definition/multi.ts';
import type {
  MultiPartitions,
  PartitionsDefinition,
} from '../../partitions/definition/partitions-definition.ts';
import { ordinalToKey, partitionCount } from '../../partitions/partition-set.ts';
import type { PartitionState } from '../contract/asset.ts';

/** Codes of `PartitionGrid.states`, in two bits each. */
export const STATES = [
  'missing',
  'materialized',
  'failed',
  'in_progress',
] as const satisfies PartitionState[];
const CODES: Readonly<Record<PartitionState, number>> = {
  missing: 0,
  materialized: 1,
  failed: 2,
  in_progress: 3,
};

/** State of a partition by its ordinal. */
export type StateOf = (ordinal: number) => PartitionState;

/** One side of a matrix, in order. */
interface Side {
  readonly name: string;
  readonly count: number;
  keyAt(position: number): string;
}

/**
 * Every partition that exists, as a code in its place: of one dimension in the order of keys, of two row by row with
 * time across.
 */
export interface PartitionGrid {
  readonly states: Uint8Array;
  /** Partitions in a row; of one dimension all of them. */
  readonly width: number;
  readonly rows: Side | null;
  readonly columns: Side | null;
  keyAt(place: number): string;
}

/** A stretch of places within a row that have one state; `to` is its last place. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly state: PartitionState;
}

/** What exists at `now`. */
export function partitionGrid(
  definition: PartitionsDefinition,
  stateOf: StateOf,
  now: number,
): PartitionGrid {
  return definition.kind === 'multi' ? matrixOf(definition, stateOf, now) : lineOf(definition, stateOf, now);
}

/** The stretches of a grid from place 0 on, none over the end of a row. Lazy. */
export function* stretchesOf({ states, width }: PartitionGrid): IterableIterator<Stretch> {
  for (let from = 0; from < states.length; ) {
    const rowEnd = (Math.floor(from / width) + 1) * width;
    let end = from + 1;
    while (end < rowEnd && states[end] === states[from]) end += 1;
    yield { from, to: end - 1, state: STATES[states[from] as number] as PartitionState };
    from = end;
  }
}

/** The stretches from the last to the first; `before`: only those that begin before this place. Lazy. */
export function* stretchesBackwards(
  { states, width }: PartitionGrid,
  before = Number.POSITIVE_INFINITY,
): IterableIterator<Stretch> {
  for (let to = Math.min(before, states.length) - 1; to >= 0; ) {
    const rowStart = Math.floor(to / width) * width;
    let from = to;
    while (from > rowStart && states[from - 1] === states[to]) from -= 1;
    // The first of them may go on at `before` and after it.
    let last = to;
    while (last + 1 < Math.min(rowStart + width, states.length) && states[last + 1] === states[to]) last += 1;
    yield { from, to: last, state: STATES[states[to] as number] as PartitionState };
    to = from - 1;
  }
}

/** Four places in a byte, the first in its lowest bits; base64. */
export function packedStates(states: Uint8Array): string {
  const bytes = new Uint8Array(Math.ceil(states.length / 4));
  for (let place = 0; place < states.length; place++) {
    bytes[place >> 2] = (bytes[place >> 2] as number) | ((states[place] as number) << ((place & 3) * 2));
  }
  return Buffer.from(bytes).toString('base64');
}

function lineOf(
  definition: Exclude<PartitionsDefinition, MultiPartitions>,
  stateOf: StateOf,
  now: number,
): PartitionGrid {
  const states = new Uint8Array(partitionCount(definition, now));
  for (let ordinal = 0; ordinal < states.length; ordinal++) states[ordinal] = CODES[stateOf(ordinal)];
  return {
    states,
    width: Math.max(1, states.length),
    rows: null,
    columns: null,
    keyAt: (place) => ordinalToKey(definition, place) as string,
  };
}

/** The two sides of a matrix, time across; null: one dimension has none. */
export function partitionSides(
  definition: PartitionsDefinition,
  now: number,
): { rows: Side; columns: Side; keyOf: (row: string, column: string) => string } | null {
  if (definition.kind !== 'multi') return null;
  const [first, second] = dimensionsOf(definition);
  const timeFirst = first.definition.kind === 'time' && second.definition.kind === 'static';
  const [down, across] = timeFirst ? [second, first] : [first, second];
  const side = ({ name, definition: own }: typeof first): Side => ({
    name,
    count: partitionCount(own, now),
    keyAt: (position) => ordinalToKey(own, position) as string,
  });
  return {
    rows: side(down),
    columns: side(across),
    keyOf: (row, column) => (down === first ? `${row}|${column}` : `${column}|${row}`),
  };
}

function matrixOf(definition: MultiPartitions, stateOf: StateOf, now: number): PartitionGrid {
  const { rows, columns, keyOf } = partitionSides(definition, now) as NonNullable<
    ReturnType<typeof partitionSides>
  >;
  const { major, stride } = layoutOf(definition);
  const isRowMajor = major.name === rows.name;
  const [highs, lows] = isRowMajor ? [rows.count, columns.count] : [columns.count, rows.count];
  const states = new Uint8Array(rows.count * columns.count);
  const width = Math.max(1, columns.count);
  // In the order of ordinals, which is how the store keeps them.
  for (let high = 0; high < highs; high++) {
    for (let low = 0; low < lows; low++) {
      const place = isRowMajor ? high * width + low : low * width + high;
      states[place] = CODES[stateOf(high * stride + low)];
    }
  }
  return {
    states,
    width,
    rows,
    columns,
    keyAt: (place) => keyOf(rows.keyAt(Math.floor(place / width)), columns.keyAt(place % width)),
  };
}
