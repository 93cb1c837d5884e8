import type { Instant } from '../partitions/instant.ts';
import type { PartitionSubset } from '../partitions/subset/partition-subset.ts';
import {
  emptySubset,
  intersectionOf,
  isEmpty,
  minus,
  unionOf,
  unionOfAll,
} from '../partitions/subset/partition-subset.ts';

/** A point in the order of things: an instant, and within it the event's number in the log. */
export interface Moment {
  readonly at: Instant;
  readonly eventId: number;
}

/** When partitions became true. One partition may stand in several: its latest moment counts. */
export interface Stamp extends Moment {
  readonly partitions: PartitionSubset;
  /** A cron tick, new code: only a run that was requested after it will do. */
  readonly needsOwnRun?: true;
  /** Of a request: until when the run that it asked for is taken to see what its parents write. */
  readonly seesUntil?: Moment;
}

/** Before a, after b: negative, positive, or 0. */
export function compareMoments(a: Moment, b: Moment): number {
  return a.at - b.at || a.eventId - b.eventId;
}

/** When the partitions of a result became true, as far as they have a moment. */
export interface When {
  readonly stamps: readonly Stamp[];
  /** True by a state that nobody knows the beginning of. */
  readonly timeless: PartitionSubset;
}

/**
 * Of partitions for which both a trigger and a reset came between two evaluations, those whose trigger came later; at one
 * moment the reset wins. A state without a moment is older than any reset as a trigger, and newer than any trigger as a
 * reset: what stays true triggers again at the next evaluation, so nothing is lost by that.
 */
export function triggeredAfterReset(both: PartitionSubset, trigger: When, reset: When): PartitionSubset {
  const open = minus(both, reset.timeless);
  const own = trigger.stamps.filter(({ needsOwnRun }) => needsOwnRun === true);
  const rest = trigger.stamps.filter(({ needsOwnRun }) => needsOwnRun !== true);
  const seen = reset.stamps.map((stamp) => ({ ...stamp, ...stamp.seesUntil }));
  return unionOf(later(open, own, reset.stamps), later(open, rest, seen));
}

function later(
  among: PartitionSubset,
  triggers: readonly Stamp[],
  resets: readonly Stamp[],
): PartitionSubset {
  let open = among;
  let found = emptySubset;
  const newestFirst = [
    ...triggers.map((stamp) => ({ stamp, triggers: true })),
    ...resets.map((stamp) => ({ stamp, triggers: false })),
  ].sort((a, b) => compareMoments(b.stamp, a.stamp) || Number(a.triggers) - Number(b.triggers));
  for (const one of newestFirst) {
    if (isEmpty(open)) break;
    if (one.triggers) found = unionOf(found, intersectionOf(open, one.stamp.partitions));
    open = minus(open, one.stamp.partitions);
  }
  return found;
}

/** What any of some stamps holds. */
export function stamped(stamps: readonly Stamp[]): PartitionSubset {
  return unionOfAll(stamps.map(({ partitions }) => partitions));
}

/** Stamps cut down to some partitions. */
export function stampsWithin(stamps: readonly Stamp[], within: PartitionSubset): Stamp[] {
  return stamps
    .map((stamp) => ({ ...stamp, partitions: intersectionOf(stamp.partitions, within) }))
    .filter(({ partitions }) => !isEmpty(partitions));
}
