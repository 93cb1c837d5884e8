import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import type { PartitionSubset } from '../partitions/subset/partition-subset.ts';

/**
 * Assets that run together: one partitions definition (null: unpartitioned, one run). The parts' subsets do not overlap:
 * with `only: missing` a partition can lack one asset of the group and have the others.
 */
export interface BackfillGroup {
  readonly definition: PartitionsDefinition | null;
  readonly parts: readonly BackfillPart[];
  /** Null: one run per partition. */
  readonly policy:
    | { readonly type: 'single_run' }
    | { readonly type: 'multi_run'; readonly maxPartitionsPerRun: number }
    | null;
  /** A partition needs an earlier one of the same group (a dependency on the day before): strictly one after the other. */
  readonly serial: boolean;
  /** Positions of groups that have to be done first. */
  readonly needs: readonly number[];
}

export interface BackfillPart {
  readonly assets: readonly string[];
  /** `unpartitioned` without a definition. */
  readonly subset: PartitionSubset;
}

/** One run of a backfill, numbered from 0 in the order of submission. */
export interface BackfillItem {
  readonly item: number;
  readonly group: number;
  readonly part: number;
  /** Null: unpartitioned. */
  readonly start: string | null;
  readonly end: string | null;
  readonly partitions: number;
}
