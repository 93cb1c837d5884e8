import type { CronTickPassed } from '../../definitions/automation-condition/condition.ts';
import { previousTick } from '../../partitions/cron.ts';
import { dimensionsOf, layoutOf } from '../../partitions/definition/multi.ts';
import type {
  PartitionsDefinition,
  TimeWindowPartitions,
} from '../../partitions/definition/partitions-definition.ts';
import {
  ordinalOfWindow,
  timeWindows,
  windowAt,
  windowCount,
} from '../../partitions/definition/time-window.ts';
import type { Instant } from '../../partitions/instant.ts';
import { subsetOfRectangles } from '../../partitions/subset/cells.ts';
import type { PartitionSubset } from '../../partitions/subset/partition-subset.ts';
import { emptySubset, rangeSubset } from '../../partitions/subset/partition-subset.ts';
import { ordinalAtOrAfter } from '../../partitions/tick-index.ts';
import { instantOfLocal, offsetAt } from '../../partitions/zone.ts';
import type { RootScope, Scope } from '../evaluation.ts';
import { everyPartition } from '../evaluation.ts';

/** The newest tick after the previous evaluation, up to and with this one; null at the first. A tick passes once. */
export function tickPassed({ cursor, scope }: RootScope, { cron, timezone }: CronTickPassed): Instant | null {
  if (cursor === null) return null;
  const tick = previousTick(cron, timezone, scope.view.now);
  return tick !== null && tick > cursor.at ? tick : null;
}

/** Everything where there is no time; of two time dimensions the newest of both. */
export function latestWindows(
  scope: Scope,
  partitions: PartitionsDefinition | null,
  lookbackSeconds: number | undefined,
): PartitionSubset {
  if (partitions === null || partitions.kind === 'static') return everyPartition(scope, partitions);
  const { now } = scope.view;
  if (partitions.kind === 'time') return latestOf(partitions, lookbackSeconds, now);
  const side = (name: string): PartitionSubset => {
    const own = partitions.dimensions[name];
    if (own === undefined || own.kind === 'static') return everyPartition(scope, own ?? null);
    return latestOf(own, lookbackSeconds, now);
  };
  if (dimensionsOf(partitions).every(({ definition }) => definition.kind === 'static')) {
    return everyPartition(scope, partitions);
  }
  const { major, minor } = layoutOf(partitions);
  return subsetOfRectangles(partitions, [{ major: side(major.name), minor: side(minor.name) }]);
}

/**
 * The newest window, and with a lookback those that start at most so long before its end, on the wall clock: two days
 * are the last two daily windows across a clock change too.
 */
function latestOf(
  definition: TimeWindowPartitions,
  lookbackSeconds: number | undefined,
  now: Instant,
): PartitionSubset {
  const windows = timeWindows(definition);
  const count = windowCount(windows, now);
  if (count === 0) return emptySubset;
  const end = ordinalOfWindow(windows, count);
  const newest = ordinalOfWindow(windows, count - 1);
  if (lookbackSeconds === undefined) return rangeSubset(newest, end);
  const { timezone } = definition;
  const close = windowAt(windows, count - 1).end;
  const local = close + offsetAt(timezone, close) - lookbackSeconds * 1000;
  const from = ordinalAtOrAfter(windows.index, instantOfLocal(timezone, local, 'earlier'));
  return rangeSubset(Math.min(newest, ordinalOfWindow(windows, Math.max(0, from))), end);
}
