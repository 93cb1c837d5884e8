/** Where a service can die on the way from a tick that is due to its run, in this order. */
export const TICK_CRASH_POINTS = [
  /** Schedules seen first, or changed, have their cursors. */
  'tick.cursors_set',
  /** Its runs are planned; nothing is stored. */
  'tick.planned',
  /** In the transaction, before anything is written. */
  'tick.in_transaction',
  /** In the transaction: the runs are written, the tick is not. */
  'tick.runs_inserted',
  /** In the transaction: all of it is written and not committed. */
  'tick.tick_inserted',
  /** Committed; nobody has looked at the run. */
  'tick.recorded',
  /** The engine was told of the run. */
  'tick.run_woken',
] as const;

export type TickCrashPoint = (typeof TICK_CRASH_POINTS)[number];
