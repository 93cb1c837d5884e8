import { firstTickAtOrAfter } from '../cron.ts';
import type { TimeWindowPartitions } from '../definition/partitions-definition.ts';
import type { TimeWindows } from '../definition/time-window.ts';
import {
  isExcluded,
  keyOfTick,
  ordinalOfWindow,
  timeWindows,
  windowCount,
  windowRanges,
} from '../definition/time-window.ts';
import type { Instant } from '../instant.ts';
import type { PartitionSubset } from '../subset/partition-subset.ts';
import { subsetOfRanges } from '../subset/partition-subset.ts';
import { ordinalAtOrBefore, tickAt } from '../tick-index.ts';
import type { TimeWindowMapping } from './partition-mapping.ts';
import type { NeedBuilder, UpstreamPartitions } from './upstream.ts';
import { createNeed, finishNeed, MOST_NAMED, noteMissing } from './upstream.ts';

/**
 * The upstream windows that overlap the downstream windows, whose ends are moved by the mapping's offsets (whole
 * downstream windows). Missing ones before the upstream's first window are reported only with `startOffset` ≥ 0,
 * those after its last only with `endOffset` ≤ 0: an offset that reaches over an edge is no fault (Dagster).
 */
export function timeUpstream(
  upstream: TimeWindowPartitions,
  downstream: TimeWindowPartitions,
  mapping: TimeWindowMapping,
  subset: PartitionSubset,
  now: Instant,
): UpstreamPartitions {
  const up = timeWindows(upstream);
  const down = timeWindows(downstream);
  const count = windowCount(up, now);
  const need = createNeed();
  const reportEarly = !mapping.allowNonexistentUpstream && mapping.startOffset >= 0;
  const reportLate = !mapping.allowNonexistentUpstream && mapping.endOffset <= 0;
  for (const [first, last] of windowRanges(down, subset)) {
    const start = tickAt(down.index, first + mapping.startOffset);
    const end = tickAt(down.index, last + mapping.endOffset);
    if (!(start < end)) continue;
    const from = ordinalAtOrBefore(up.index, start);
    const to = ordinalAtOrBefore(up.index, end - 1) + 1;
    const keptFrom = Math.max(from, 0);
    const keptTo = Math.min(to, count);
    if (keptFrom < keptTo) need.ranges.push([ordinalOfWindow(up, keptFrom), ordinalOfWindow(up, keptTo)]);
    if (reportEarly && from < 0)
      report(need, up, start, Math.min(end, up.index.first), Math.min(to, 0) - from);
    if (reportLate && to > count) {
      const missingFrom = Math.max(from, count);
      report(need, up, tickAt(up.index, missingFrom), end, to - missingFrom);
    }
  }
  return finishNeed(need);
}

/** The downstream windows that need any of these upstream windows; the inverse of `timeUpstream`. */
export function timeDownstream(
  upstream: TimeWindowPartitions,
  downstream: TimeWindowPartitions,
  mapping: TimeWindowMapping,
  subset: PartitionSubset,
  now: Instant,
): PartitionSubset {
  const up = timeWindows(upstream);
  const down = timeWindows(downstream);
  const count = windowCount(down, now);
  const ranges: [number, number][] = [];
  for (const [first, last] of windowRanges(up, subset)) {
    const from = ordinalAtOrBefore(down.index, tickAt(up.index, first)) - mapping.endOffset;
    const to = ordinalAtOrBefore(down.index, tickAt(up.index, last) - 1) - mapping.startOffset + 1;
    const keptFrom = Math.max(from, 0);
    const keptTo = Math.min(to, count);
    if (keptFrom < keptTo) ranges.push([ordinalOfWindow(down, keptFrom), ordinalOfWindow(down, keptTo)]);
  }
  return subsetOfRanges(ranges);
}

/** Names the windows from the one that holds `start` up to `end`; `count` of them. */
function report(need: NeedBuilder, up: TimeWindows, start: Instant, end: Instant, count: number): void {
  const { cron, timezone } = up.index;
  const before = need.count;
  let window = ordinalAtOrBefore(up.index, start);
  let tick: Instant | null = tickAt(up.index, window);
  for (let named = 0; tick !== null && tick < end && named < MOST_NAMED; named++) {
    if (!isExcluded(up, window)) noteMissing(need, keyOfTick(up, tick));
    window += 1;
    tick = firstTickAtOrAfter(cron, timezone, tick + 1);
  }
  if (count > MOST_NAMED) need.count = before + count;
}
