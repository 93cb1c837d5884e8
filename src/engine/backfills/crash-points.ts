/** Places in the life of a backfill at which a test lets the service die. */
export const BACKFILL_CRASH_POINTS = [
  /** It is stored, nobody was told. */
  'backfill_created',
  /** Its next run is planned, not stored. */
  'item_planned',
  /** In the transaction that stores launch, run and item. */
  'item_in_transaction',
  /** The run is stored, the engine does not know of it. */
  'item_launched',
  /** The engine knows of it. */
  'item_started',
  /** What needs a failed partition is passed over. */
  'items_skipped',
  /** It is stored that it is paused, goes on or is to be canceled; nothing was done about it. */
  'backfill_changed',
  /** One of its runs was asked to stop, others not yet. */
  'run_canceled',
  /** Its end is stored. */
  'backfill_ended',
] as const;

export type BackfillCrashPoint = (typeof BACKFILL_CRASH_POINTS)[number];
