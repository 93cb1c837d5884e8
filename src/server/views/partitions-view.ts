import type {
  MultiPartitions,
  PartitionsDefinition,
  StaticPartitions,
  TimeWindowPartitions,
} from '../../partitions/definition/partitions-definition.ts';
import {
  dimensionsOf,
  firstKey,
  keyToOrdinal,
  lastKey,
  ordinalExists,
  ordinalToKey,
  partitionCount,
  partitionKeys,
} from '../../partitions/partition-set.ts';
import type { PartitionStatus } from '../../store/store.ts';
import type { PartitionCounts, PartitionList, PartitionState, PartitionsInfo } from '../contract/asset.ts';

/** A partition with a status; what has none is missing. */
export interface PartitionRow {
  readonly key: string;
  readonly status: PartitionStatus;
}

/** Name of the only dimension of a definition that has one. */
const SINGLE = 'partition';
const LETTERS = { materialized: 'm', failed: 'f', in_progress: 'i' } as const satisfies Record<
  PartitionStatus,
  string
>;

/**
 * Counts by the projection's own numbers: cheap enough for lists. Partitions that an older definition had may be among
 * them, so no status exceeds the total.
 */
export function partitionsSummary(
  definition: PartitionsDefinition,
  counts: Readonly<Record<PartitionStatus, number>>,
  now: number,
): PartitionsInfo {
  const total = partitionCount(definition, now);
  const inProgress = Math.min(counts.in_progress, total);
  const failed = Math.min(counts.failed, total - inProgress);
  const materialized = Math.min(counts.materialized, total - inProgress - failed);
  const missing = total - inProgress - failed - materialized;
  return infoOf(definition, { total, materialized, failed, in_progress: inProgress, missing }, now);
}

/** Every partition that exists at `now`, in order: stretches of one status, or for two dimensions a matrix. */
export function partitionList(
  definition: PartitionsDefinition,
  rows: readonly PartitionRow[],
  now: number,
): PartitionList {
  if (definition.kind === 'multi') return matrixList(definition, rows, now);
  const total = partitionCount(definition, now);
  const known = rows
    .map((row) => ({ ordinal: keyToOrdinal(definition, row.key), status: row.status }))
    .filter((row) => row.ordinal !== null && row.ordinal < total) as {
    ordinal: number;
    status: PartitionStatus;
  }[];
  known.sort((a, b) => a.ordinal - b.ordinal);
  const runs: { from: number; to: number; status: PartitionState }[] = [];
  let next = 0;
  for (const { ordinal, status } of known) {
    extend(runs, next, ordinal - 1, 'missing');
    extend(runs, ordinal, ordinal, status);
    next = ordinal + 1;
  }
  extend(runs, next, total - 1, 'missing');
  return {
    info: infoOf(definition, countsOf(known, total), now),
    ranges: runs.map((run) => ({
      ...run,
      from_key: ordinalToKey(definition, run.from)!,
      to_key: ordinalToKey(definition, run.to)!,
    })),
    matrix: null,
  };
}

function extend(
  runs: { from: number; to: number; status: PartitionState }[],
  from: number,
  to: number,
  status: PartitionState,
): void {
  if (to < from) return;
  const last = runs.at(-1);
  if (last?.status === status && last.to === from - 1) last.to = to;
  else runs.push({ from, to, status });
}

function matrixList(definition: MultiPartitions, rows: readonly PartitionRow[], now: number): PartitionList {
  const [first, second] = dimensionsOf(definition);
  const timeFirst = first.definition.kind === 'time' && second.definition.kind === 'static';
  const [down, across] = timeFirst ? [second, first] : [first, second];
  const downKeys = [...partitionKeys(down.definition, now)];
  const acrossKeys = [...partitionKeys(across.definition, now)];
  const downIndex = new Map(downKeys.map((key, index) => [key, index]));
  const acrossIndex = new Map(acrossKeys.map((key, index) => [key, index]));
  const cells = downKeys.map(() => acrossKeys.map(() => '.'));
  const known: { status: PartitionStatus }[] = [];
  for (const { key, status } of rows) {
    const ordinal = keyToOrdinal(definition, key);
    if (ordinal === null || !ordinalExists(definition, ordinal, now)) continue;
    const parts = ordinalToKey(definition, ordinal)!.split('|') as [string, string];
    const line = cells[downIndex.get(parts[timeFirst ? 1 : 0]) ?? -1];
    const column = acrossIndex.get(parts[timeFirst ? 0 : 1]);
    if (line === undefined || column === undefined) continue;
    line[column] = LETTERS[status];
    known.push({ status });
  }
  return {
    info: infoOf(definition, countsOf(known, downKeys.length * acrossKeys.length), now),
    ranges: [],
    matrix: {
      rows: { name: down.name, keys: downKeys },
      columns: { name: across.name, keys: acrossKeys },
      cells: cells.map((line) => line.join('')),
    },
  };
}

function countsOf(rows: readonly { status: PartitionStatus }[], total: number): PartitionCounts {
  const counts = { materialized: 0, failed: 0, in_progress: 0 };
  for (const { status } of rows) counts[status] += 1;
  return { total, ...counts, missing: total - rows.length };
}

function infoOf(definition: PartitionsDefinition, counts: PartitionCounts, now: number): PartitionsInfo {
  const dimensions = definition.kind === 'multi' ? dimensionsOf(definition) : [{ name: SINGLE, definition }];
  return {
    type: definition.kind,
    dimensions: dimensions.map(({ name, definition: one }) => dimensionInfo(name, one)),
    first_key: firstKey(definition, now),
    last_key: lastKey(definition, now),
    counts,
  };
}

function dimensionInfo(
  name: string,
  definition: TimeWindowPartitions | StaticPartitions,
): PartitionsInfo['dimensions'][number] {
  const none = { cron_schedule: null, timezone: null, fmt: null, start: null, end: null, keys: null };
  if (definition.kind === 'static') return { ...none, name, type: 'static', keys: [...definition.keys] };
  const { cron, timezone, fmt, start, end } = definition;
  return { ...none, name, type: 'time', cron_schedule: cron, timezone, fmt, start, end };
}
