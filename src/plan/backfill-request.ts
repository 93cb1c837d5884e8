import type { AssetKey } from '../definitions/definitions.ts';
import type { Cause } from './run-plan.ts';

/**
 * What a backfill covers (Dagster's words). Keys and ranges are of the partitions definition of the selection's *root*
 * assets (those without a selected upstream); what lies downstream with another definition gets what they map to.
 */
export type BackfillPartitions =
  | { readonly kind: 'range'; readonly start: string; readonly end: string }
  | { readonly kind: 'keys'; readonly keys: readonly string[] }
  | { readonly kind: 'all' }
  /** What automation asked for, of each asset its own: the backfill's groups have it. */
  | { readonly kind: 'requested'; readonly count: number };

export interface BackfillRequest {
  readonly assets: readonly AssetKey[];
  readonly partitions: BackfillPartitions;
  /**
   * Of those, only what each asset lacks: `missing` never written, `failed` whose last attempt failed,
   * `missing_or_failed` both. Absent: all of them, written ones again.
   */
  readonly only?: 'missing' | 'failed' | 'missing_or_failed';
  /** True: one run per contiguous range. False: one per partition. Absent: as the assets' `backfill_policy` says. */
  readonly singleRun?: boolean;
  /** Runs of this backfill at once; absent: only the instance's limits. */
  readonly maxConcurrent?: number;
  /** `desc`: newest partitions first. Absent: oldest first. */
  readonly order?: 'asc' | 'desc';
  readonly fullRefresh: boolean;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tags: Readonly<Record<string, string>>;
  /** Who asked. */
  readonly cause: Extract<Cause, { readonly kind: 'cli' | 'page' | 'api' | 'automation' }>;
  /** Two requests with one key are one backfill. */
  readonly idempotencyKey?: string;
}
