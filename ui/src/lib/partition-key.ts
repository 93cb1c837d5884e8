import type { PartitionList } from '../../../src/server/contract/asset.ts';

type Matrix = NonNullable<PartitionList['matrix']>;

/** The text of a 2-D key: the parts in the order of their dimensions' names, joined by `|` (Dagster's rule). */
export function cellKey(matrix: Matrix, row: number, column: number): string {
  const rowPart = matrix.rows.keys[row] ?? '';
  const columnPart = matrix.columns.keys[column] ?? '';
  return matrix.rows.name < matrix.columns.name ? `${rowPart}|${columnPart}` : `${columnPart}|${rowPart}`;
}
