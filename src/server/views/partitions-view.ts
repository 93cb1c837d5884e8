import type {
  PartitionsDefinition,
  StaticPartitions,
  TimeWindowPartitions,
} from '../../partitions/definition/partitions-definition.ts';
import { dimensionsOf, firstKey, lastKey, partitionCount } from '../../partitions/partition-set.ts';
import type { PartitionStatus } from '../../store/store.ts';
import type {
  PartitionCounts,
  PartitionList,
  PartitionRanges,
  PartitionRun,
  PartitionState,
  PartitionsInfo,
} from '../contract/asset.ts';
import {
  type PartitionGrid,
  packedStates,
  partitionGrid,
  STATES,
  type StateOf,
  type Stretch,
  stretchesBackwards,
  stretchesOf,
} from './partition-grid.ts';

/** Name of the only dimension of a definition that has one. */
const SINGLE = 'partition';
const LETTERS = { missing: '.', materialized: 'm', failed: 'f', in_progress: 'i' } as const satisfies Record<
  PartitionState,
  string
>;
/** More stretches than this are two bits a partition instead: 100,000 stretches would be ten megabytes. */
export const MOST_RANGES = 500;
/** More cells than this are two bits each instead of a letter. */
export const MOST_CELLS = 10_000;
/** More static keys than this are left out of an asset's own facts. */
const MOST_KEYS = 1_000;

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

/** Counts of exactly the partitions that exist at `now`. */
export function partitionsInfo(
  definition: PartitionsDefinition,
  stateOf: StateOf,
  now: number,
): PartitionsInfo {
  return infoOf(definition, countsOf(partitionGrid(definition, stateOf, now).states), now);
}

/** Every partition that exists at `now`: at most some 50 kB for 100,000 of them, whatever their states. */
export function partitionList(
  definition: PartitionsDefinition,
  stateOf: StateOf,
  now: number,
): PartitionList {
  const grid = partitionGrid(definition, stateOf, now);
  const info = infoOf(definition, countsOf(grid.states), now);
  const { rows, columns } = grid;
  if (rows === null || columns === null) {
    const stretches = atMost(MOST_RANGES, stretchesOf(grid));
    return {
      info,
      ranges: stretches?.map((stretch) => rangeOf(grid, stretch)) ?? [],
      matrix: null,
      states: stretches === null ? packedStates(grid.states) : null,
    };
  }
  const isSmall = grid.states.length <= MOST_CELLS;
  return {
    info,
    ranges: [],
    matrix: {
      rows: { name: rows.name, keys: keysOf(rows) },
      columns: { name: columns.name, keys: keysOf(columns) },
      cells: isSmall ? lettersOf(grid) : [],
    },
    states: isSmall ? null : packedStates(grid.states),
  };
}

/** Stretches from the last place to the first, of one state or of all. */
export function partitionRanges(
  definition: PartitionsDefinition,
  stateOf: StateOf,
  now: number,
  filter: {
    readonly state?: PartitionState | undefined;
    readonly before?: number | undefined;
    readonly limit: number;
  },
): PartitionRanges {
  const grid = partitionGrid(definition, stateOf, now);
  const items: PartitionRun[] = [];
  let more = 0;
  for (const stretch of stretchesBackwards(grid, filter.before)) {
    if (filter.state !== undefined && stretch.state !== filter.state) continue;
    if (items.length < filter.limit) items.push(rangeOf(grid, stretch));
    else more += 1;
  }
  return { items, more };
}

function rangeOf(grid: PartitionGrid, { from, to, state }: Stretch): PartitionRun {
  return { from, to, from_key: grid.keyAt(from), to_key: grid.keyAt(to), status: state };
}

function keysOf(side: NonNullable<PartitionGrid['rows']>): string[] {
  return Array.from({ length: side.count }, (_, position) => side.keyAt(position));
}

function lettersOf({ states, width, rows }: PartitionGrid): string[] {
  const letters = STATES.map((state) => LETTERS[state]);
  return Array.from({ length: rows?.count ?? 0 }, (_, row) =>
    Array.from(states.subarray(row * width, (row + 1) * width), (code) => letters[code]).join(''),
  );
}

/** All of them, or null if there are more. */
function atMost<T>(limit: number, all: Iterable<T>): T[] | null {
  const taken: T[] = [];
  for (const one of all) {
    if (taken.length === limit) return null;
    taken.push(one);
  }
  return taken;
}

function countsOf(states: Uint8Array): PartitionCounts {
  const numbers = STATES.map(() => 0);
  for (const code of states) numbers[code] = (numbers[code] as number) + 1;
  const [missing, materialized, failed, inProgress] = numbers as [number, number, number, number];
  return { total: states.length, materialized, failed, in_progress: inProgress, missing };
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
  if (definition.kind === 'static') {
    const keys = definition.keys.length > MOST_KEYS ? null : [...definition.keys];
    return { ...none, name, type: 'static', keys };
  }
  const { cron, timezone, fmt, start, end } = definition;
  return { ...none, name, type: 'time', cron_schedule: cron, timezone, fmt, start, end };
}
