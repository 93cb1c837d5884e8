import type { AssetKey } from '../definitions/definitions.ts';
import type { Instant } from '../partitions/instant.ts';
import type { PartitionSubset } from '../partitions/subset/partition-subset.ts';
import type { EntityKey } from './automation-graph.ts';

/**
 * What happened, as of one moment: all that an evaluation sees of the world. Subsets are of the asset's present
 * definition (`unpartitioned` for one without partitions). Every answer is as of `eventId`: a view that reads a store
 * reads it in one transaction, or what commits between two questions would be seen by one and missed by the next.
 */
export interface AutomationView {
  /** The time of the evaluation, by the clock that stamps events. */
  readonly now: Instant;
  /** The newest event that the view knows. */
  readonly eventId: number;
  /** The newest event that touched anything below of an asset or its checks; 0 = none ever did. Cheap. */
  changedAt(asset: AssetKey): number;
  asset(asset: AssetKey): AssetView;
  check(asset: AssetKey, name: string): CheckView;
  /** Whether a run was planned to write an asset, or to run a check. */
  runTargets(runId: string, entity: EntityKey): boolean;
}

export interface AssetView {
  /** Partitions that were ever written, and not wiped since. */
  readonly materialized: PartitionSubset;
  /** Planned by a run that has not ended and has not written them yet. */
  readonly inProgress: PartitionSubset;
  /** The last run that planned them failed without writing them. */
  readonly executionFailed: PartitionSubset;
  /** Part of a backfill that has not ended, and not written by it yet. */
  readonly backfillInProgress: PartitionSubset;
  /** The last write of each partition that was written after an event, in any order. */
  writesSince(eventId: number): readonly AssetWrite[];
}

export interface AssetWrite {
  readonly partitions: PartitionSubset;
  readonly eventId: number;
  readonly at: Instant;
  /** Null: reported from outside any run. */
  readonly runId: string | null;
  readonly codeVersion: string | null;
  /** False: the data is known to be the same as before. */
  readonly dataChanged: boolean;
}

/**
 * A check's results on the newest write of what it checks. A result that an older write earned is none at all. Subsets
 * are of the asset's definition where the check runs per partition, else `unpartitioned`.
 */
export interface CheckView {
  readonly partitioned: boolean;
  readonly passed: PartitionSubset;
  /** Whatever the severity. */
  readonly failed: PartitionSubset;
  readonly inProgress: PartitionSubset;
  /** Its run ended without a result. */
  readonly executionFailed: PartitionSubset;
  /** Results recorded after an event. */
  resultsSince(eventId: number): readonly CheckResult[];
}

export interface CheckResult {
  readonly partitions: PartitionSubset;
  readonly eventId: number;
  readonly at: Instant;
  readonly runId: string | null;
}
