import type {
  PartitionsDefinition,
  StaticPartitions,
  TimeWindowPartitions,
} from '../partitions/definition/partitions-definition.ts';
import {
  dimensionsOf,
  hasKey,
  joinKey,
  keyOfWindow,
  rangeOfKeys,
  splitKey,
  windowOfKey,
} from '../partitions/partition-set.ts';

export type TranslatedKeys =
  | { readonly ok: true; readonly keys: readonly string[] }
  | { readonly ok: false; readonly missing: string };

/**
 * Keys of one definition as another one calls the same partitions: the same window of time, the same static key, in each
 * dimension. `missing`: the first that is none of its partitions, or does not exist at `now`.
 */
export function translateKeys(
  from: PartitionsDefinition,
  to: PartitionsDefinition,
  range: { readonly start: string; readonly end: string },
  now: number,
): TranslatedKeys {
  const spelled = rangeOfKeys(from, range.start, range.end, null);
  const keys: string[] = [];
  for (const key of spelled.ok ? spelled.keys() : []) {
    const translated = translateKey(from, to, key);
    if (translated === null || !hasKey(to, translated, now)) return { ok: false, missing: key };
    keys.push(translated);
  }
  return keys.length === 0 ? { ok: false, missing: range.start } : { ok: true, keys };
}

function translateKey(from: PartitionsDefinition, to: PartitionsDefinition, key: string): string | null {
  if (from.kind !== 'multi' || to.kind !== 'multi') {
    return from.kind === 'multi' || to.kind === 'multi' ? null : translatePart(from, to, key);
  }
  const parts = splitKey(from, key) ?? {};
  const translated: Record<string, string> = {};
  for (const { name, definition } of dimensionsOf(from)) {
    const other = to.dimensions[name];
    const part = other === undefined ? null : translatePart(definition, other, parts[name] ?? '');
    if (part === null) return null;
    translated[name] = part;
  }
  return joinKey(to, translated);
}

function translatePart(
  from: TimeWindowPartitions | StaticPartitions,
  to: TimeWindowPartitions | StaticPartitions,
  key: string,
): string | null {
  if (from.kind === 'static' || to.kind === 'static') {
    return from.kind === to.kind && to.kind === 'static' && to.keys.includes(key) ? key : null;
  }
  const window = windowOfKey(from, key);
  const translated = window === null ? null : keyOfWindow(to, window.start);
  if (window === null || translated === null) return null;
  // A week that starts on this day is not this day.
  return windowOfKey(to, translated)?.end === window.end ? translated : null;
}
