import type { PartitionsDefinition } from '../../../src/partitions/definition/partitions-definition.ts';
import type { TimeWindow } from '../../../src/partitions/instant.ts';
import {
  firstKey,
  hasKey,
  keyForInstant,
  lastKey,
  nextKey,
  partitionCount,
  partitionKeys,
  previousKey,
  rangeOfKeys,
  splitKey,
  validatePartitions,
  windowOfKey,
} from '../../../src/partitions/partition-set.ts';
import type { Json, Mismatch, OracleCase } from '../oracle-case.ts';
import { Comparison } from '../oracle-case.ts';
import { readDefinition } from '../read-input.ts';

interface Window {
  readonly start: string;
  readonly end: string;
}

interface Range {
  readonly start: string;
  readonly end: string;
  readonly keys?: readonly string[];
  readonly raises?: string;
}

interface Expected {
  readonly count: number;
  readonly plain_definition_count?: number;
  readonly get_num_partitions?: number;
  readonly keys?: readonly string[];
  readonly first?: readonly string[];
  readonly last?: readonly string[];
  readonly first_key?: string | null;
  readonly last_key?: string | null;
  readonly range?: Range;
  readonly range_reversed?: Range;
  readonly has_key?: Readonly<Record<string, boolean>>;
  readonly at?: Readonly<Record<string, { readonly count: number; readonly last_key: string | null }>>;
  readonly windows?: Readonly<Record<string, Window>>;
  readonly next_prev?: Readonly<
    Record<string, { readonly next: string | null; readonly prev_window: Window | null }>
  >;
  readonly key_containing?: Readonly<Record<string, string>>;
  readonly key_containing_end_closed?: Readonly<Record<string, string>>;
  readonly key_parts?: { readonly key: string; readonly by_dimension: Readonly<Record<string, string>> };
}

type Case = OracleCase<Json, Expected> & { readonly input: Json };

/**
 * Keys, windows and lookups of a definition. A quirk: Dagster contradicts itself there, so only the count is asked,
 * and it has to be one of those that Dagster or the plain definition gives.
 */
export function evaluatePartitions({ input, expected, quirk, current_time }: Case): Mismatch[] {
  const comparison = new Comparison();
  const definition = readDefinition(input);
  const now = current_time == null ? 0 : Date.parse(current_time);
  const problems = validatePartitions(definition);
  comparison.equal('valid', expected.valid, problems.length === 0);
  if (!expected.valid || problems.length > 0) return comparison.mismatches;
  const keys = [...partitionKeys(definition, now)];
  comparison.equal('count is the length of the list', keys.length, partitionCount(definition, now));
  if (quirk !== undefined) {
    const counts = [expected.count, expected.plain_definition_count, expected.get_num_partitions];
    comparison.oneOf('count', counts, keys.length);
    return comparison.mismatches;
  }
  comparison.equal('count', expected.count, keys.length);
  if (expected.keys) comparison.equal('keys', expected.keys, keys);
  if (expected.first) comparison.equal('first', expected.first, keys.slice(0, expected.first.length));
  if (expected.last) comparison.equal('last', expected.last, keys.slice(keys.length - expected.last.length));
  if ('first_key' in expected) comparison.equal('first_key', expected.first_key, firstKey(definition, now));
  if ('last_key' in expected) comparison.equal('last_key', expected.last_key, lastKey(definition, now));
  for (const field of ['range', 'range_reversed'] as const) {
    const range = expected[field];
    if (range) compareRange(comparison, field, definition, range);
  }
  for (const [key, there] of Object.entries(expected.has_key ?? {})) {
    comparison.equal(`has_key ${key}`, there, hasKey(definition, key, now));
  }
  for (const [at, answer] of Object.entries(expected.at ?? {})) {
    const then = Date.parse(at);
    const got = { count: partitionCount(definition, then), last_key: lastKey(definition, then) };
    comparison.equal(`at ${at}`, answer, got);
  }
  if (definition.kind === 'time') compareTime(comparison, definition, expected, now);
  if (definition.kind === 'multi' && expected.key_parts) {
    const { key, by_dimension } = expected.key_parts;
    comparison.equal('key_parts', by_dimension, splitKey(definition, key));
  }
  return comparison.mismatches;
}

function compareRange(
  comparison: Comparison,
  field: string,
  definition: PartitionsDefinition,
  expected: Range,
): void {
  // Dagster's range is one of the definition: it does not ask what exists yet.
  const range = rangeOfKeys(definition, expected.start, expected.end, null);
  comparison.equal(`${field} accepted`, expected.raises === undefined, range.ok);
  if (range.ok && expected.keys) comparison.equal(field, expected.keys, [...range.keys()]);
}

function compareTime(
  comparison: Comparison,
  definition: Extract<PartitionsDefinition, { kind: 'time' }>,
  expected: Expected,
  now: number,
): void {
  const bounds = (window: TimeWindow | null): number[] | null =>
    window === null ? null : [window.start, window.end];
  const parsed = (window: Window | null): number[] | null =>
    window === null ? null : [Date.parse(window.start), Date.parse(window.end)];
  for (const [key, window] of Object.entries(expected.windows ?? {})) {
    comparison.equal(`window of ${key}`, parsed(window), bounds(windowOfKey(definition, key)));
  }
  for (const [key, around] of Object.entries(expected.next_prev ?? {})) {
    comparison.equal(`next of ${key}`, around.next, nextKey(definition, key, now));
    const previous = previousKey(definition, key, now);
    const got = previous === null ? null : windowOfKey(definition, previous);
    comparison.equal(`window before ${key}`, parsed(around.prev_window), bounds(got));
  }
  for (const [at, key] of Object.entries(expected.key_containing ?? {})) {
    comparison.equal(`key containing ${at}`, key, keyForInstant(definition, Date.parse(at)));
  }
  for (const [at, key] of Object.entries(expected.key_containing_end_closed ?? {})) {
    const got = keyForInstant(definition, Date.parse(at), { endClosed: true });
    comparison.equal(`key containing ${at}, end closed`, key, got);
  }
}
