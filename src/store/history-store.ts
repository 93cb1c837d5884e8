import type { RunStatus } from '../events/run-state.ts';
import type { Metadata } from '../events/step-event.ts';
import type { Instant } from '../lib/clock.ts';
import type { PipelineState } from '../state/snapshot.ts';
import type { CheckResultRow, MaterializationRow, PartitionStatus, RevisionRow } from './store.ts';

/** A run as it stands beside something that it made. */
export interface RunMarkRow {
  readonly runId: string;
  readonly status: RunStatus;
  readonly createdAt: Instant;
  readonly startedAt: Instant | null;
  readonly endedAt: Instant | null;
}

/** One write of an asset, however many partitions it was of. */
export interface WriteRow {
  readonly eventId: number;
  readonly at: Instant;
  /** Null: of the whole asset, or of several partitions at once. */
  readonly partition: string | null;
  /** Partitions that this event wrote; 1 for the whole of an unpartitioned asset. */
  readonly partitions: number;
  readonly commit: string;
  readonly metadata: Metadata;
  readonly run: RunMarkRow;
}

export interface PartitionFactsRow {
  /** Null: nothing ever happened to it. */
  readonly status: PartitionStatus | null;
  /** Its last write, whatever happened since. */
  readonly written: MaterializationRow | null;
  /** The run that `status` comes from. */
  readonly run: RunMarkRow | null;
}

export interface SchemaChangesRow {
  readonly eventId: number;
  readonly at: Instant;
  readonly runId: string;
  readonly partition: string | null;
  readonly commit: string;
  /** As the tool reported them. */
  readonly changes: readonly unknown[];
}

/** A revision in which a pipeline became what it is there. */
export interface PipelineRevisionRow {
  readonly revision: RevisionRow;
  readonly state: PipelineState;
}

/** What happened to one asset or pipeline over time, for pages that look back. Reads only. */
export interface HistoryStore {
  /** Null: the asset has no such partition, and never had one. */
  partition(assetKey: string, partition: string): Promise<PartitionFactsRow | null>;
  /** The newest writes, newest first; a write of many partitions counts once. */
  writes(assetKey: string, filter: { beforeEventId?: number; limit: number }): Promise<readonly WriteRow[]>;
  /** The last write of each of these partitions; those that were never written are not in the map. */
  writesOf(assetKey: string, partitions: readonly string[]): Promise<ReadonlyMap<string, WriteRow>>;
  /** `rows` of the newest writes of many assets, oldest first; of assets without any nothing. */
  rowTrends(assetKeys: readonly string[], limit: number): Promise<ReadonlyMap<string, readonly number[]>>;
  /** Results of one check, newest first, out of the last runs of its asset that are still in the log. */
  checkResults(
    assetKey: string,
    checkName: string,
    limit: number,
  ): Promise<readonly (CheckResultRow & { readonly eventId: number })[]>;
  /** Writes among the last ones that changed columns or tables, newest first. */
  schemaChanges(assetKey: string, limit: number): Promise<readonly SchemaChangesRow[]>;
  /**
   * The revisions in which a pipeline's folder was not what it was in the one before, newest first; as far back as
   * revisions are kept.
   */
  pipelineRevisions(component: string, pipeline: string): Promise<readonly PipelineRevisionRow[]>;
  /** The pipeline's newest runs by the commit of its folder that they ran, newest first. */
  pipelineRuns(
    component: string,
    pipeline: string,
    limit: number,
  ): Promise<ReadonlyMap<string, readonly RunMarkRow[]>>;
}
