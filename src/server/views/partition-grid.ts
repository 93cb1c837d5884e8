import { dimensionsOf, layoutOf } from '../../partitions/definition/multi.ts';
import type {
  MultiPartitions,
  PartitionsDefinition,
} from '../../partitions/definition/partitions-definition.ts';
import { ordinalToKey, partitionCount } from '../../partitions/partition-set.ts';
import { type PartitionSubset, rangesOf } from '../../partitions/subset/partition-subset.ts';
import type { PartitionSubsets } from '../../store/store.ts';
import { PartitionState } from '../contract/asset.ts';

/** Codes of `PartitionGrid.states`, in two bits each. */
export const STATES = [
  'missing',
  'materialized',
  'failed',
  'in_progress',
] as const satisfies PartitionState[];
const MATERIALIZED = STATES.indexOf('materialized');
const FAILED = STATES.indexOf('failed');
const IN_PROGRESS = STATES.indexOf('in_progress');

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

/** What exists at `now`: in progress wins over failed, failed over materialized. */
export function partitionGrid(
  definition: PartitionsDefinition,
  subsets: PartitionSubsets,
  now: number,
): PartitionGrid {
  const grid = definition.kind === 'multi' ? matrixOf(definition, now) : lineOf(definition, now);
  const paint = (subset: PartitionSubset, code: number): void => {
    for (const [from, to] of rangesOf(subset)) grid.fill(from, to, code);
  };
  paint(subsets.materialized, MATERIALIZED);
  paint(subsets.failed, FAILED);
  paint(subsets.inProgress, IN_PROGRESS);
  return grid;
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

interface Canvas extends PartitionGrid {
  /** Ordinals `from` … `to` - 1, those that exist. */
  fill(from: number, to: number, code: number): void;
}

function lineOf(definition: Exclude<PartitionsDefinition, MultiPartitions>, now: number): Canvas {
  const states = new Uint8Array(partitionCount(definition, now));
  return {
    states,
    width: Math.max(1, states.length),
    rows: null,
    columns: null,
    keyAt: (place) => ordinalToKey(definition, place) as string,
    fill: (from, to, code) => void states.fill(code, from, to),
  };
}

function matrixOf(definition: MultiPartitions, now: number): Canvas {
  const [first, second] = dimensionsOf(definition);
  const timeFirst = first.definition.kind === 'time' && second.definition.kind === 'static';
  const [down, across] = timeFirst ? [second, first] : [first, second];
  const side = ({ name, definition: own }: typeof first): Side => ({
    name,
    count: partitionCount(own, now),
    keyAt: (position) => ordinalToKey(own, position) as string,
  });
  const [rows, columns] = [side(down), side(across)];
  const { major, stride } = layoutOf(definition);
  const isRowMajor = major.name === down.name;
  const states = new Uint8Array(rows.count * columns.count);
  const width = Math.max(1, columns.count);
  return {
    states,
    width,
    rows,
    columns,
    keyAt(place) {
      const row = rows.keyAt(Math.floor(place / width));
      const column = columns.keyAt(place % width);
      return down === first ? `${row}|${column}` : `${column}|${row}`;
    },
    fill(from, to, code) {
      for (let ordinal = from; ordinal < to; ordinal++) {
        const high = Math.floor(ordinal / stride);
        const low = ordinal - high * stride;
        const [row, column] = isRowMajor ? [high, low] : [low, high];
        if (row < rows.count && column < columns.count) states[row * width + column] = code;
      }
    },
  };
}
