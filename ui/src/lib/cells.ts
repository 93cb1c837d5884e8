import type { PartitionState } from '../../../src/server/contract/asset.ts';
import type { Tone } from './status.ts';

/** What a grid of partitions shows: a letter a cell, a string a row. */
export interface Grid {
  readonly rows: { readonly name: string; readonly keys: readonly string[] };
  readonly columns: { readonly name: string; readonly keys: readonly string[] };
  readonly cells: readonly string[];
}

/** A rectangle of cells; from the cell where it began to the one where it ends. */
export interface Area {
  readonly row: number;
  readonly column: number;
  readonly toRow: number;
  readonly toColumn: number;
}

/** How a cell looks: tone, mark, word. */
export type Look = readonly [Tone | 'none', string, string];

const LOOKS: Readonly<Record<string, Look>> = {
  m: ['ok', '✓', 'materialized'],
  f: ['bad', '✗', 'failed'],
  i: ['run', '◔', 'in progress'],
  '.': ['idle', '·', 'missing'],
  // Of a backfill.
  c: ['wait', '⊘', 'canceled'],
  s: ['warn', '–', 'skipped'],
  n: ['idle', '…', 'to do'],
  '-': ['none', '', 'none'],
};
const LETTERS: Readonly<Record<PartitionState, string>> = {
  materialized: 'm',
  failed: 'f',
  in_progress: 'i',
  missing: '.',
};
/** Of two partitions in one cell the one that somebody has to see. */
const WORST_FIRST = 'fi.m-';

export function lookOf(letter: string | undefined): Look {
  return LOOKS[letter ?? '-'] ?? (LOOKS['-'] as Look);
}

export function letterOf(state: PartitionState): string {
  return LETTERS[state] ?? '.';
}

export function worse(a: string, b: string): string {
  return WORST_FIRST.indexOf(a) <= WORST_FIRST.indexOf(b) ? a : b;
}

export function isIn(area: Area, row: number, column: number): boolean {
  const [top, bottom] = ordered(area.row, area.toRow);
  const [left, right] = ordered(area.column, area.toColumn);
  return row >= top && row <= bottom && column >= left && column <= right;
}

/** Cells of a rectangle, and how many of them hold one of these letters. */
export function countIn(
  cells: readonly string[],
  area: Area,
  letters: string,
): { total: number; found: number } {
  const [top, bottom] = ordered(area.row, area.toRow);
  const [left, right] = ordered(area.column, area.toColumn);
  let total = 0;
  let found = 0;
  for (const line of cells.slice(top, bottom + 1)) {
    for (const letter of line.slice(left, right + 1)) {
      total += 1;
      if (letters.includes(letter)) found += 1;
    }
  }
  return { total, found };
}

export function ordered(a: number, b: number): readonly [number, number] {
  return a <= b ? [a, b] : [b, a];
}
