/** Tables of migration `0006-partition-status`. */
export interface PartitionStatusTables {
  partition_snapshot: PartitionSnapshotTable;
}

/**
 * What an asset's partitions were at an event, so that status is read without its 100,000 rows: newer changes are added
 * from `asset_partition` by `changed_by`. A cache: it can be dropped at any time.
 */
interface PartitionSnapshotTable {
  asset_id: number;
  /** Digest of the definition by whose ordinals `body` counts. */
  definition: string;
  event_id: number;
  /** See `partition-snapshot.ts`. */
  body: string;
}
