import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import { absence, hasKey, keysInRange, lastKey } from '../partitions/partition-set.ts';
import { partitionsOfTick } from '../partitions/schedule-of-partitions.ts';
import type { RunRequest } from './run-plan.ts';

export type KeysResult =
  | { readonly ok: true; readonly keys: readonly string[] }
  | {
      readonly ok: false;
      readonly code: 'PARTITION_NEEDED' | 'PARTITION_UNKNOWN';
      readonly message: string;
      readonly hint?: string;
    };

/** The partition keys of one definition that a request means. */
export function requestedKeys(
  partitions: PartitionsDefinition,
  request: RunRequest['partitions'],
  now: number,
): KeysResult {
  switch (request.kind) {
    case 'none':
      return {
        ok: false,
        code: 'PARTITION_NEEDED',
        message: 'the selection is partitioned and no partition was given',
        hint: 'add --partition latest or --partition <key>; for many partitions: elt backfill <selection> --from <first> --to <last>',
      };
    case 'latest':
      return nonEmpty(latestKeys(partitions, now), 'no partition exists yet');
    case 'tick':
      return { ok: true, keys: partitionsOfTick(partitions, request.at) };
    case 'keys': {
      const unknown = request.keys.find((key) => !hasKey(partitions, key, now));
      if (unknown !== undefined) return unknownKey(partitions, unknown, now);
      return { ok: true, keys: request.keys };
    }
    case 'range': {
      for (const end of [request.start, request.end]) {
        if (!hasKey(partitions, end, now)) return unknownKey(partitions, end, now);
      }
      return nonEmpty(
        keysInRange(partitions, request.start, request.end, now),
        `the range ${request.start}...${request.end} is empty: its end comes before its start`,
      );
    }
  }
}

/** Newest time key; every static key; newest time key × every static key. */
function latestKeys(partitions: PartitionsDefinition, now: number): readonly string[] {
  if (partitions.kind === 'static') return partitions.keys;
  if (partitions.kind === 'multi') return partitionsOfTick(partitions, now);
  const last = lastKey(partitions, now);
  return last === null ? [] : [last];
}

function nonEmpty(keys: readonly string[], message: string): KeysResult {
  return keys.length > 0 ? { ok: true, keys } : { ok: false, code: 'PARTITION_UNKNOWN', message };
}

function unknownKey(partitions: PartitionsDefinition, key: string, now: number): KeysResult {
  return { ok: false, code: 'PARTITION_UNKNOWN', message: absence(partitions, key, now) };
}
