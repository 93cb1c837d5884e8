import type { DurationCounts } from '../insights/durations.ts';
import type { Measures } from '../insights/measures.ts';

/** UTC days since 1970-01-01; `toDay` is not included. */
export interface Days {
  readonly fromDay: number;
  readonly toDay: number;
}

/** What runs did, by asset and day. Kept for good: it outlives the events that it was made from. */
export interface InsightsStore {
  /**
   * Takes in what the log has gained since the last call, a few thousand events at a time, each exactly once. To be called
   * before the sums are read, and before events are pruned.
   * @returns events that something was counted of
   */
  catchUp(): Promise<number>;
  /** By asset key; those that did nothing are not in it. */
  sums(days: Days): Promise<ReadonlyMap<string, Measures>>;
  /** Of these assets together, by day; days on which nothing was done are not in it. */
  byDay(days: Days, assetKeys: readonly string[]): Promise<ReadonlyMap<number, Measures>>;
  /** How long successful attempts took, by asset key. */
  durations(days: Days): Promise<ReadonlyMap<string, DurationCounts>>;
}
