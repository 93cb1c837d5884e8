/** What a revision changes, pipeline by pipeline. */
export interface SnapshotDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly { readonly pipeline: string; readonly fields: readonly FieldChange[] }[];
}

export interface FieldChange {
  /** Dotted: `schedule.cron`. */
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}
