import type { Generated, Selectable } from 'kysely';

/** Tables of backfills. */
export interface BackfillTables {
  backfill: BackfillTable;
  backfill_asset: BackfillAssetTable;
  backfill_item: BackfillItemTable;
}

interface BackfillTable {
  backfill_no: Generated<number>;
  backfill_id: string;
  idempotency_key: string | null;
  parent_id: string | null;
  status: string;
  request: string;
  /** `backfill-groups.ts`. */
  groups: string;
  /** Partitions; those of the five counts after `submitted`, and the rest that was not started. */
  total: number;
  runs: number;
  /** Items that there are rows of: always the first so many. */
  submitted: number;
  materialized: number;
  failed: number;
  in_progress: number;
  canceled: number;
  skipped: number;
  reason: string;
  changed_by: string | null;
  agreed: string | null;
  created_at: number;
  ended_at: number | null;
}

interface BackfillAssetTable {
  asset_id: number;
  backfill_no: number;
}

interface BackfillItemTable {
  backfill_no: number;
  item: number;
  group_no: number;
  part: number;
  start_key: string | null;
  end_key: string | null;
  partitions: number;
  /** `in_progress`, `materialized`, `failed`, `canceled` or `skipped`. */
  status: string;
  /** Of its partitions, those that all its assets were written of although it failed or was canceled. */
  written: number;
  /** 1: everything was written and it failed all the same (a blocking check), so all of it counts as failed. */
  judged_whole: number;
  /** How many assets its run writes. */
  assets: number;
  /** JSON: assets of the part that were gone when its run was planned; null: none. */
  dropped: string | null;
  /** Its newest run, retries included; null: passed over. */
  run_no: number | null;
  reason: string;
}

export type BackfillTableRow = Selectable<BackfillTable>;
export type BackfillItemRow = Selectable<BackfillItemTable>;
