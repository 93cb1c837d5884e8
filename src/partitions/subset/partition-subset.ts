/**
 * A set of partitions of one definition, as ranges of ordinals (`definition/ordinal.ts`). The cost of every
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
