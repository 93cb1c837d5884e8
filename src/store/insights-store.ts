import type { DurationCounts } from '../insights/durations.ts';
import type { DayMeasures } from '../insights/insights-report.ts';
import type { Measures } from '../insights/measures.ts';

/** UTC days since 1970-01-01; `toDay` is not included. */
export interface Days {
  readonly fromDay: number;
  readonly toDay: number;
}

export interface AssetSums {
  readonly assetKey: string;
  readonly measures: Measures;
}

/** What runs did, by asset and day. Kept for good: it outlives the events that it was made from. */
export interface InsightsStore {
  /**
   * Takes in what the log has gained since the last call, a few thousand events at a time, each exactly once. To be called
   * before the sums are read, and before events are pruned.
   * @returns events taken in
   */
  catchUp(): Promise<number>;
  sums(days: Days): Promise<readonly AssetSums[]>;
  /** By day and component, of all assets or of some. */
  byDay(days: Days, assetKeys: readonly string[] | null): Promise<readonly DayMeasures[]>;
  /** How long successful attempts took, by asset key. */
  durations(days: Days): Promise<ReadonlyMap<string, DurationCounts>>;
}
