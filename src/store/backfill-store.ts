import type { RunStatus } from '../events/run-state.ts';
import type { Instant } from '../lib/clock.ts';
import type { PartitionSubset } from '../partitions/subset/partition-subset.ts';
import type { BackfillGroup, BackfillItem } from '../plan/backfill-plan.ts';
import type { BackfillRequest } from '../plan/backfill-request.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import type { StepSpec } from '../plan/step-spec.ts';
import type { LaunchRecord } from './store.ts';

export type { BackfillGroup, BackfillItem } from '../plan/backfill-plan.ts';

/** Dagster's words, and `PAUSED`. */
export type BackfillStatus =
  | 'REQUESTED'
  | 'PAUSED'
  | 'CANCELING'
  | 'CANCELED'
  | 'COMPLETED_SUCCESS'
  | 'COMPLETED_FAILED';

export const ENDED_BACKFILL: ReadonlySet<BackfillStatus> = new Set([
  'CANCELED',
  'COMPLETED_SUCCESS',
  'COMPLETED_FAILED',
]);

/** Partitions by what became of them, over all groups. They add up to `total`. */
export interface BackfillCounts {
  readonly total: number;
  readonly materialized: number;
  readonly failed: number;
  readonly in_progress: number;
  readonly canceled: number;
  /** Not run because what it needs failed or is gone. */
  readonly skipped: number;
  readonly not_started: number;
}

export interface BackfillRow {
  readonly backfillId: string;
  readonly status: BackfillStatus;
  readonly request: BackfillRequest;
  /** The backfill that this one retries; null: none. */
  readonly parentId: string | null;
  readonly groups: readonly BackfillGroup[];
  readonly counts: BackfillCounts;
  /** Runs that it is cut into, and how many of them have been submitted or passed over. */
  readonly runs: number;
  readonly submitted: number;
  /** Why it is paused, canceled or failed; '' otherwise. */
  readonly reason: string;
  /** Who paused, resumed or canceled it last; null: nobody. */
  readonly changedBy: string | null;
  /**
   * What the assets were (`backfills/shape-of.ts`) when somebody resumed it although some of them, or some partitions,
   * were gone: while they are so, what is gone is skipped. Null: nobody has agreed to anything.
   */
  readonly agreed: string | null;
  readonly createdAt: Instant;
  readonly endedAt: Instant | null;
}

export interface BackfillRunRow extends BackfillItem {
  /** Null: passed over, see `reason`. */
  readonly runId: string | null;
  readonly status: RunStatus | 'SKIPPED';
  readonly reason: string;
  readonly startedAt: Instant | null;
  readonly endedAt: Instant | null;
}

export interface NewBackfill
  extends Pick<BackfillRow, 'backfillId' | 'request' | 'parentId' | 'groups' | 'runs'> {}

/** Seconds that a successful step took, for how many partitions. */
export interface StepSample {
  readonly stepId: string;
  readonly seconds: number;
  readonly partitions: number;
}

/**
 * Durable backfills. A change of status is one transaction with the event `backfill_changed`. What becomes of its
 * partitions is told by the events of its runs: `launchItem` adds none to `run_enqueued`.
 */
export interface BackfillStore {
  /** Idempotent by `request.idempotencyKey`: the earlier one is returned. */
  create(backfill: NewBackfill): Promise<BackfillRow>;
  get(backfillId: string): Promise<BackfillRow | null>;
  byIdempotencyKey(key: string): Promise<BackfillRow | null>;
  /** Newest first. `cursor`: created before this id. */
  list(filter: {
    readonly statuses?: readonly BackfillStatus[];
    readonly assetKey?: string;
    readonly cursor?: string;
    readonly limit: number;
  }): Promise<readonly BackfillRow[]>;
  /** Oldest first. */
  unfinished(): Promise<readonly BackfillRow[]>;
  /**
   * Exactly once per (backfill, item): launch, item and position in one transaction. Null: the item is recorded already,
   * or the backfill takes no more (paused, canceling, ended).
   */
  launchItem(
    backfillId: string,
    item: BackfillItem,
    plans: readonly RunPlan[],
    specs: (plan: RunPlan) => Readonly<Record<string, StepSpec>>,
  ): Promise<LaunchRecord | null>;
  /** Items that do not run, with the reason: what they need failed, or is gone. */
  skipItems(backfillId: string, items: readonly BackfillItem[], reason: string): Promise<void>;
  /** Moves from one of `from` to `to`; null: it was in none of them. */
  setStatus(
    backfillId: string,
    change: {
      readonly from: readonly BackfillStatus[];
      readonly to: BackfillStatus;
      readonly by: string | null;
      readonly reason: string;
      /** Absent: as it was. */
      readonly agreed?: string;
    },
  ): Promise<BackfillRow | null>;
  /** In order of items. */
  runs(
    backfillId: string,
    filter: { readonly afterItem?: number; readonly statuses?: readonly string[]; readonly limit: number },
  ): Promise<readonly BackfillRunRow[]>;
  /** Runs of it that have not ended: of a run that was retried, the newest. */
  unfinishedRuns(backfillId: string): Promise<readonly string[]>;
  /** Of one asset of it: what became of each of its partitions; subsets of the group's definition. */
  partitions(
    backfillId: string,
    assetKey: string,
  ): Promise<Readonly<Record<Exclude<keyof BackfillCounts, 'total'>, PartitionSubset>> | null>;
  /** The newest successful steps that wrote each asset, at most `limit`: what an estimate stands on. */
  stepSamples(
    assetKeys: readonly string[],
    limit: number,
  ): Promise<ReadonlyMap<string, readonly StepSample[]>>;
}
