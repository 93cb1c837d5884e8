import type { Instant } from '../instant.ts';
import { layoutOf } from './multi.ts';
import type { MultiPartitions, PartitionsDefinition } from './partitions-definition.ts';
import { staticPositions } from './static.ts';
import {
  countPartitions,
  isExcluded,
  keyOfWindowNumber,
  ordinalOfWindow,
  timeWindows,
  windowOfOrdinal,
  windowOfText,
} from './time-window.ts';

/**
 * How many partitions exist at `now`. For a set of two time dimensions that is fewer than the highest ordinal + 1
 * (`layoutOf`); everywhere else the ordinals are 0 … count - 1.
 */
export function partitionCount(definition: PartitionsDefinition, now: Instant): number {
  if (definition.kind === 'static') return definition.keys.length;
  if (definition.kind === 'time') {
    return countPartitions(timeWindows(definition), now);
  }
  const { major, minor } = layoutOf(definition);
  return partitionCount(major.definition, now) * partitionCount(minor.definition, now);
}

/** The key with an ordinal, whether or not it exists at some now; null when no partition has this ordinal. */
export function ordinalToKey(definition: PartitionsDefinition, ordinal: number): string | null {
  if (ordinal < 0) return null;
  if (definition.kind === 'static') return definition.keys[ordinal] ?? null;
  if (definition.kind === 'time') {
    const windows = timeWindows(definition);
    return keyOfWindowNumber(windows, windowOfOrdinal(windows, ordinal));
  }
  const { major, minor, stride, swapped } = layoutOf(definition);
  const majorKey = ordinalToKey(major.definition, Math.floor(ordinal / stride));
  const minorKey = ordinalToKey(minor.definition, ordinal % stride);
  if (majorKey === null || minorKey === null) return null;
  return swapped ? `${minorKey}|${majorKey}` : `${majorKey}|${minorKey}`;
}

/**
 * The ordinal of the partition whose key a text is (`windowOfText`), whether or not it exists yet; null when it is no
 * key: unknown static key, not in `fmt`, between two windows' starts, before `start`, excluded.
 */
export function keyToOrdinal(definition: PartitionsDefinition, key: string): number | null {
  if (definition.kind === 'static') return staticPositions(definition).get(key) ?? null;
  if (definition.kind === 'time') {
    const windows = timeWindows(definition);
    const window = windowOfText(windows, key);
    if (window === null || window < 0 || isExcluded(windows, window)) return null;
    return ordinalOfWindow(windows, window);
  }
  return multiKeyToOrdinal(definition, key);
}

function multiKeyToOrdinal(definition: MultiPartitions, key: string): number | null {
  const parts = key.split('|');
  if (parts.length !== 2) return null;
  const { major, minor, stride, swapped } = layoutOf(definition);
  const majorOrdinal = keyToOrdinal(major.definition, parts[swapped ? 1 : 0] as string);
  const minorOrdinal = keyToOrdinal(minor.definition, parts[swapped ? 0 : 1] as string);
  return majorOrdinal === null || minorOrdinal === null ? null : majorOrdinal * stride + minorOrdinal;
}

/** Whether the partition with an ordinal exists at `now`. */
export function ordinalExists(definition: PartitionsDefinition, ordinal: number, now: Instant): boolean {
  if (ordinal < 0) return false;
  if (definition.kind !== 'multi') return ordinal < partitionCount(definition, now);
  const { major, minor, stride } = layoutOf(definition);
  return (
    ordinalExists(major.definition, Math.floor(ordinal / stride), now) &&
    ordinalExists(minor.definition, ordinal % stride, now)
  );
}
