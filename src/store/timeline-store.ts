import type { Instant } from '../lib/clock.ts';
import type { Cause, PartitionSelection } from '../plan/run-plan.ts';

/** What runs did in a stretch of time, lane by lane. */
export interface TimelineStore {
  /**
   * One answer a lane, in the order asked: few runs one by one, many as columns of counts, so that the answer is as large
   * as what can be drawn, however many runs there were. In it is every run that existed in the window, also those that
   * began before it. Long windows are read in pieces, between which other work goes on.
   */
  activity(query: TimelineQuery): Promise<readonly LaneActivity[]>;
}

export interface TimelineQuery {
  readonly from: Instant;
  /** Exclusive. */
  readonly to: Instant;
  /** Into how many columns the window is cut where runs are only counted. */
  readonly columns: number;
  /** Up to so many runs of a lane are told one by one. */
  readonly mostBars: number;
  readonly lanes: readonly TimelineLane[];
  /** Adds a lane of all assets that are in none: what was removed from the repository keeps its history. */
  readonly withRest: boolean;
}

export interface TimelineLane {
  readonly assetKeys: readonly string[];
  /**
   * `runs`: a run counts once however many of the assets it has, by its own state and times. `steps`: by the step that
   * writes the asset, for a lane of one asset: in a failed run it can have succeeded.
   */
  readonly by: 'runs' | 'steps';
}

export type TimelineStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'canceled' | 'skipped';

export interface TimelineBar {
  readonly runId: string;
  readonly status: TimelineStatus;
  readonly createdAt: Instant;
  /** Null: it has not begun, or never did. */
  readonly startedAt: Instant | null;
  readonly endedAt: Instant | null;
  /** Assets of the lane that the run has. */
  readonly assets: number;
  readonly cause: Cause;
  readonly partitions: PartitionSelection;
}

export interface TimelineColumn {
  /** From 0; a run stands in the column that it began in. */
  readonly at: number;
  readonly counts: Readonly<Partial<Record<TimelineStatus, number>>>;
}

export interface LaneActivity {
  readonly runs: number;
  readonly failed: number;
  /** Oldest first; null: more than `mostBars`, see `columns`. */
  readonly bars: readonly TimelineBar[] | null;
  /** Those that are not empty; null: see `bars`. */
  readonly columns: readonly TimelineColumn[] | null;
}
