import type { PartitionList } from '../../../../src/server/contract/asset.ts';
import type { LaunchRequest } from '../../../../src/server/contract/run.ts';
import type { Choice } from '../../components/choice.ts';
import { plural } from '../../lib/format.ts';
import { cellKey } from '../../lib/partition-key.ts';

export type Mode = 'none' | 'latest' | 'keys' | 'range' | 'missing' | 'failed';
type Part = Pick<LaunchRequest, 'partition' | 'partitions' | 'range'>;

export interface PartitionPlan {
  readonly requests: readonly Part[];
  /** What will be asked for, in words. */
  readonly text: string;
  /** Too scattered for a launch: a backfill takes it. */
  readonly backfill?: 'missing' | 'failed';
}

/** Stretches of more than one partition each become a request of their own, up to this many. */
const MAX_STRETCHES = 25;

export function modesFor(list: PartitionList | undefined): Choice<Mode>[] {
  const modes: Choice<Mode>[] = [{ value: 'latest', text: 'Latest' }];
  const { missing = 0, failed = 0 } = list?.info.counts ?? {};
  if (missing > 0) modes.push({ value: 'missing', text: 'Missing', count: missing });
  if (failed > 0) modes.push({ value: 'failed', text: 'Failed', count: failed });
  modes.push({ value: 'keys', text: 'Pick keys' });
  if (list === undefined || list.matrix === null) modes.push({ value: 'range', text: 'Range' });
  return modes;
}

export function parseKeys(text: string): string[] {
  return [...new Set(text.split(/[\n,]/).map((line) => line.trim()))].filter((line) => line !== '');
}

/** The requests of a choice; empty when nothing is chosen yet. */
export function partitionRequests(
  mode: Mode,
  given: {
    readonly keys: readonly string[];
    readonly range: { readonly start: string; readonly end: string };
    readonly list: PartitionList | undefined;
  },
): PartitionPlan {
  switch (mode) {
    case 'none':
      return { requests: [{}], text: 'Not partitioned: one run' };
    case 'latest':
      return { requests: [{ partition: 'latest' }], text: 'The latest partition' };
    case 'keys': {
      const keys = [...given.keys];
      if (keys.length === 0) return { requests: [], text: 'No key yet' };
      return { requests: [{ partitions: keys }], text: plural(keys.length, 'partition') };
    }
    case 'range': {
      const start = given.range.start.trim();
      const end = given.range.end.trim();
      if (start === '' || end === '') return { requests: [], text: 'Both ends are needed' };
      return { requests: [{ range: { start, end } }], text: `${start} … ${end}` };
    }
    case 'missing':
    case 'failed':
      return withStatus(mode, given.list);
  }
}

function withStatus(status: 'missing' | 'failed', list: PartitionList | undefined): PartitionPlan {
  if (list === undefined) return { requests: [], text: 'Loading the partitions' };
  if (list.matrix !== null) {
    const keys = keysWith(list, status === 'missing' ? '.' : 'f');
    return {
      requests: keys.length === 0 ? [] : [{ partitions: keys }],
      text: `${plural(keys.length, 'partition')} ${status}`,
    };
  }
  const parts = list.ranges.filter((part) => part.status === status);
  const alone = parts.filter(({ from, to }) => from === to).map(({ from_key }) => from_key);
  const stretches = parts.filter(({ from, to }) => from !== to);
  if (stretches.length > MAX_STRETCHES || parts.some(({ from_key }) => from_key === '')) {
    return {
      requests: [],
      text: `${plural(parts.length, 'stretch', 'stretches')} ${parts.length === 1 ? 'is' : 'are'} ${status}: a backfill runs them in order`,
      backfill: status,
    };
  }
  const number = parts.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  return {
    requests: [
      ...(alone.length > 0 ? [{ partitions: alone }] : []),
      ...stretches.map(({ from_key, to_key }) => ({ range: { start: from_key, end: to_key } })),
    ],
    text: `${plural(number, 'partition')} ${status}`,
  };
}

/** Keys of the cells with a letter, of a 2-D set. */
export function keysWith(list: PartitionList, letter: string): string[] {
  const { matrix } = list;
  if (matrix === null) return [];
  return matrix.cells.flatMap((row, r) =>
    row.split('').flatMap((cell, c) => (cell === letter ? [cellKey(matrix, r, c)] : [])),
  );
}
