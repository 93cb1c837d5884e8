import type { BackfillRequest } from '../plan/backfill-request.ts';
import type { BackfillRow } from '../store/backfill-store.ts';

/** What a backfill would do: the dry run, and the dialog's numbers. */
export interface BackfillPreview {
  /** One per asset, in dependency order. */
  readonly assets: readonly {
    readonly key: string;
    /** Partitions that it would write; 1 for an unpartitioned asset. */
    readonly partitions: number;
    /** Of those, written already: they are written again. */
    readonly alreadyMaterialized: number;
    readonly firstKey: string | null;
    readonly lastKey: string | null;
  }[];
  readonly runs: number;
  readonly partitions: number;
  /** The first runs in the order in which they are submitted, at most `PREVIEW_RUNS`. */
  readonly firstRuns: readonly {
    readonly assets: readonly string[];
    readonly start: string | null;
    readonly end: string | null;
    readonly partitions: number;
  }[];
  /** From the history of these assets; null: nothing like it ever ran. */
  readonly expected: {
    /** Sum over all runs. */
    readonly runSeconds: number;
    /** On the wall, with the concurrency that it gets. */
    readonly seconds: number;
    /** Materializations that the estimate stands on. */
    readonly samples: number;
  } | null;
  /** Anything that a person should know before: `the range is empty: …`, assets left out because they are disabled. */
  readonly notes: readonly string[];
}

/**
 * Backfills as daemons and surface see them. Errors are `OperationalError`s of the catalogue (`BACKFILL_NOT_FOUND`,
 * `BACKFILL_ENDED`, `PARTITION_UNKNOWN`, `SELECTION_EMPTY`, …).
 */
export interface BackfillEngine {
  preview(request: BackfillRequest): Promise<BackfillPreview>;
  /** Durable when it resolves. A backfill of nothing is refused (`BACKFILL_EMPTY`) with the reason. */
  create(request: BackfillRequest): Promise<BackfillRow>;
  /** No new run is submitted; those under way end. */
  pause(backfillId: string, by: string): Promise<BackfillRow>;
  resume(backfillId: string, by: string): Promise<BackfillRow>;
  /** No new run is submitted, those under way are canceled; `CANCELED` when the last has ended. */
  cancel(backfillId: string, by: string): Promise<BackfillRow>;
  /** A new backfill, of an ended one's partitions that failed, were canceled or never ran; names it as its parent. */
  retryFailed(backfillId: string, by: BackfillRequest['cause']): Promise<BackfillRow>;
  /** One look at every unfinished backfill; idempotent. */
  advance(): Promise<{ readonly submitted: number; readonly ended: number }>;
  /** Told when `advance` has something to do: a backfill was created, resumed, canceled, or one of its runs ended. */
  onNews(listener: () => void): () => void;
}
