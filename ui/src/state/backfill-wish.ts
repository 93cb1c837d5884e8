import type { AssetSummary } from '../../../src/server/contract/asset.ts';

/** What somebody wants to backfill: the dialog asks for the rest. */
export interface BackfillWish {
  readonly assets: readonly AssetSummary[];
  /** Chosen beforehand, on a strip or a matrix; of two dimensions the corners of a rectangle. */
  readonly range?: { readonly start: string; readonly end: string };
  /** Places of `range` among the partitions, where it has them: drawn on the dialog's strip. */
  readonly span?: { readonly from: number; readonly to: number };
  readonly only?: readonly ('missing' | 'failed')[];
}
