import { Temporal } from '../lib/temporal.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import type { TimeWindow } from '../partitions/instant.ts';
import { dimensionsOf, rangeOfKeys, splitKey, windowOfKey } from '../partitions/partition-set.ts';
import type { StepSpec } from '../plan/step-spec.ts';

export interface StepPartition {
  readonly key: string;
  /** Dimension → key of a 2-D partition. */
  readonly dimensions: Readonly<Record<string, string>>;
  /** null: the key has no time in it. */
  readonly window: TimeWindow | null;
}

export interface StepPartitions {
  /** In the definition's order; empty: the step is not partitioned. */
  readonly each: readonly StepPartition[];
  /** The selection as one stretch of time [start, end), if it is one: a key or a range of a time definition. */
  readonly span: TimeWindow | null;
}

/**
 * Every partition of a step, with its own window. A spec spells out at most 1,000 keys of a range; the definition knows
 * the others.
 * @param now epoch milliseconds
 */
export function partitionsOfStep(spec: StepSpec, now: number): StepPartitions {
  const definition = definitionOf(spec);
  const selection = spec.partitions;
  if (selection.kind === 'none') return { each: [], span: null };
  const keys = keysOf(spec, definition, now);
  const isTime = definition === undefined ? keys.length === 1 : definition.kind === 'time';
  return {
    each: keys.map((key) => describe(spec, definition, key, keys.length === 1)),
    span: isTime && selection.kind !== 'keys' ? spec.window : null,
  };
}

/** `2026-01-05T00:00:00+00:00`: the form that every supported Python reads. */
export function isoInstant(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 19)}+00:00`;
}

export function isoWindow(
  window: TimeWindow | null,
): { readonly start: string; readonly end: string } | null {
  return window === null ? null : { start: isoInstant(window.start), end: isoInstant(window.end) };
}

/**
 * What a step is run for, one after the other: all of it at once where that is one stretch of time (or not partitioned, or
 * one key), else each partition by itself.
 * @param now epoch milliseconds
 */
export function portionsOfStep(spec: StepSpec, now: number): readonly StepPortion[] {
  const { each, span } = partitionsOfStep(spec, now);
  if (each.length > 1 && span === null) return each;
  const [only] = each;
  if (each.length === 1 && only !== undefined) return [only];
  return [{ key: null, dimensions: {}, window: span }];
}

export interface StepPortion extends Omit<StepPartition, 'key'> {
  /** null: all of the step's partitions. */
  readonly key: string | null;
}

/** The variables of one partition (`interfaces.md` §3), for a process that works on several of them in turn. */
export function portionVariables(portion: StepPortion, timezone: string): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  if (portion.key !== null) variables.ELT_PARTITION_KEY = portion.key;
  for (const [dimension, key] of Object.entries(portion.dimensions)) {
    variables[`ELT_PARTITION_KEY_${dimension.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`] = key;
  }
  if (portion.window !== null) {
    variables.ELT_PARTITION_START = zonedText(portion.window.start, timezone);
    variables.ELT_PARTITION_END = zonedText(portion.window.end, timezone);
  }
  return variables;
}

/** With the zone's offset, so that the date in it is the partition's date. */
function zonedText(instant: number, timezone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(instant)
    .toZonedDateTimeISO(timezone)
    .toString({ timeZoneName: 'never', smallestUnit: 'second' });
}

/** Assets of a step share one definition: an asset's own (under any of its names), that of a dbt asset set, or the folder's. */
function definitionOf(spec: StepSpec): PartitionsDefinition | undefined {
  // A step of which only checks are left writes nothing any more.
  const { key, resource } = spec.assets[0] ?? spec.written?.[0] ?? {};
  const own = [key, resource, key?.slice(key.lastIndexOf('/') + 1)].map((name) =>
    name === undefined ? undefined : spec.config.assets[name]?.partitions,
  );
  const candidates = [
    ...own,
    ...(spec.config.dbt?.assetSets ?? []).map((set) => set.partitions),
    spec.config.partitions,
  ].filter((definition) => definition !== undefined && definition !== null);
  return candidates.find((definition) => fits(definition, spec)) ?? candidates[0];
}

/** Whether the selection's keys are of this definition: sets of different rhythm can have the same keys, with other windows. */
function fits(definition: PartitionsDefinition, spec: StepSpec): boolean {
  const { partitions, window } = spec;
  if (partitions.kind === 'none') return false;
  const ends =
    partitions.kind === 'range'
      ? [partitions.start, partitions.end]
      : partitions.kind === 'key'
        ? [partitions.key]
        : partitions.keys;
  const windows = ends.map((key) => partWindow(definition, key));
  if (windows.some((found) => found === 'none')) return false;
  const times = windows.filter((found) => found !== null && found !== 'none');
  if (times.length === 0) return window === null;
  return (
    Math.min(...times.map(({ start }) => start)) === window?.start &&
    Math.max(...times.map(({ end }) => end)) === window.end
  );
}

/** The window of a key; null for a key without time, `none` for a text that is no key of the definition. */
function partWindow(definition: PartitionsDefinition, key: string): TimeWindow | null | 'none' {
  if (definition.kind === 'time') return windowOfKey(definition, key) ?? 'none';
  if (definition.kind === 'static') return definition.keys.includes(key) ? null : 'none';
  const parts = splitKey(definition, key);
  if (parts === null) return 'none';
  let window: TimeWindow | null = null;
  for (const { name, definition: side } of dimensionsOf(definition)) {
    const found = partWindow(side, parts[name] ?? '');
    if (found === 'none') return found;
    window ??= found;
  }
  return window;
}

function keysOf(
  spec: StepSpec,
  definition: PartitionsDefinition | undefined,
  now: number,
): readonly string[] {
  const selection = spec.partitions;
  if (selection.kind === 'key') return [selection.key];
  if (selection.kind === 'keys') return selection.keys;
  if (selection.kind === 'range' && definition !== undefined) {
    // A planned partition exists, whatever this machine's clock says.
    const range = rangeOfKeys(
      definition,
      selection.start,
      selection.end,
      Math.max(now, spec.window?.end ?? 0),
    );
    if (range.ok) return [...range.keys()];
  }
  return spec.partitionKeys;
}

function describe(
  spec: StepSpec,
  definition: PartitionsDefinition | undefined,
  key: string,
  isOnly: boolean,
): StepPartition {
  if (isOnly) return { key, dimensions: spec.partitionDimensions, window: spec.window };
  const window = definition === undefined ? null : partWindow(definition, key);
  return {
    key,
    dimensions: (definition?.kind === 'multi' ? splitKey(definition, key) : null) ?? {},
    window: window === 'none' ? null : window,
  };
}
