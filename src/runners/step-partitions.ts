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

/** Assets of a step share one definition: that of the first one, which may override the folder's. */
function definitionOf(spec: StepSpec): PartitionsDefinition | undefined {
  const { resource } = spec.assets[0] ?? {};
  const own = resource === undefined ? undefined : spec.config.assets[resource]?.partitions;
  return own ?? spec.config.partitions;
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
  if (definition?.kind === 'time') return { key, dimensions: {}, window: windowOfKey(definition, key) };
  if (definition?.kind !== 'multi') return { key, dimensions: {}, window: null };
  const parts = splitKey(definition, key) ?? {};
  let window: TimeWindow | null = null;
  for (const { name, definition: side } of dimensionsOf(definition)) {
    const part = parts[name];
    if (side.kind === 'time' && part !== undefined) window = windowOfKey(side, part);
  }
  return { key, dimensions: parts, window };
}
