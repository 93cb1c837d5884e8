import type { AssetSummary, PartitionList, PartitionsInfo } from '../../../../src/server/contract/asset.ts';
import type { BackfillRequest } from '../../../../src/server/contract/backfill.ts';
import type { BackfillWish } from '../../state/backfill-wish.ts';
import { parseKeys } from '../assets/launch-plan.ts';

/** Which partitions: by what became of them, or by their keys. */
export type Which = 'latest' | 'all' | 'failed' | 'missing' | 'lacking' | 'range' | 'keys';

/** What the dialog holds, as it was typed. */
export interface BackfillForm {
  readonly which: Which;
  /** Ends of the range: one text, or one a dimension in the order of a key's parts. */
  readonly start: readonly string[];
  readonly end: readonly string[];
  readonly keys: string;
  /** Of a range and of keys: only what is so. */
  readonly missing: boolean;
  readonly failed: boolean;
  readonly runs: 'policy' | 'each' | 'single';
  readonly maxConcurrent: string;
  readonly newestFirst: boolean;
  readonly fullRefresh: boolean;
}

/** A place in the keys where something changes is what somebody most likely means; so many are suggested. */
const MOST_SUGGESTIONS = 400;

/** The harmless default: only what is missing or failed. */
export function formOf(wish: BackfillWish, dimensions: number): BackfillForm {
  const only = wish.only ?? ['missing', 'failed'];
  const parts = (key: string): string[] => (dimensions === 2 ? key.split('|') : [key]);
  return {
    which: wish.range === undefined ? presetOf(only) : 'range',
    start: wish.range === undefined ? Array.from({ length: dimensions }, () => '') : parts(wish.range.start),
    end: wish.range === undefined ? Array.from({ length: dimensions }, () => '') : parts(wish.range.end),
    keys: '',
    missing: only.includes('missing'),
    failed: only.includes('failed'),
    runs: 'policy',
    maxConcurrent: '',
    newestFirst: false,
    fullRefresh: false,
  };
}

function presetOf(only: NonNullable<BackfillWish['only']>): Which {
  if (only.length === 2) return 'lacking';
  return only[0] ?? 'all';
}

/** The request, or what it still lacks in words. */
export function requestOf(
  form: BackfillForm,
  assetKeys: readonly string[],
  info: PartitionsInfo | null,
): BackfillRequest | string {
  const partitions = partitionsOf(form, info);
  if (typeof partitions === 'string') return partitions;
  const most = form.maxConcurrent.trim();
  if (most !== '' && !/^[1-9]\d{0,2}$/.test(most)) return 'Runs at once is a number from 1 to 999';
  const only = onlyOf(form);
  return {
    asset_keys: [...assetKeys],
    partitions,
    ...(only === null ? {} : { only }),
    ...(form.runs === 'policy' ? {} : { single_run: form.runs === 'single' }),
    ...(most === '' ? {} : { max_concurrent: Number(most) }),
    ...(form.newestFirst ? { order: 'desc' as const } : {}),
    ...(form.fullRefresh ? { full_refresh: true } : {}),
  };
}

function partitionsOf(
  form: BackfillForm,
  info: PartitionsInfo | null,
): NonNullable<BackfillRequest['partitions']> | string {
  switch (form.which) {
    case 'latest': {
      const range = latestRange(info);
      return range === null ? 'No partition exists yet' : { range };
    }
    case 'all':
    case 'failed':
    case 'missing':
    case 'lacking':
      return { all: true };
    case 'keys': {
      const keys = parseKeys(form.keys);
      return keys.length === 0 ? 'No key yet' : { keys };
    }
    case 'range': {
      const [start, end] = [form.start, form.end].map((parts) => parts.map((part) => part.trim()));
      if ([...start!, ...end!].some((part) => part === '')) return 'Both ends are needed';
      return { range: { start: start!.join('|'), end: end!.join('|') } };
    }
  }
}

/** The newest partition; of two dimensions the newest of each key. Null: nothing of it is time, or none exists. */
export function latestRange(info: PartitionsInfo | null): { start: string; end: string } | null {
  if (info === null || info.first_key === null || info.last_key === null) return null;
  const time = info.dimensions.findLastIndex(({ type }) => type === 'time');
  if (time === -1) return null;
  if (info.dimensions.length === 1) return { start: info.last_key, end: info.last_key };
  const last = info.last_key.split('|');
  const start = info.first_key.split('|').with(time, last[time] ?? '');
  return { start: start.join('|'), end: info.last_key };
}

type Only = NonNullable<BackfillRequest['only']>;

function onlyOf({ which, missing, failed }: BackfillForm): Only | null {
  switch (which) {
    case 'latest':
    case 'all':
      return null;
    case 'failed':
    case 'missing':
      return which;
    case 'lacking':
      return 'missing_or_failed';
    case 'range':
    case 'keys':
      if (missing) return failed ? 'missing_or_failed' : 'missing';
      return failed ? 'failed' : null;
  }
}

/** Letters of the cells that it takes, of those that are in the range. */
export function lettersOf(form: BackfillForm): string {
  const only = onlyOf(form);
  if (only === null) return 'mfi.';
  return only === 'missing_or_failed' ? '.f' : only === 'failed' ? 'f' : '.';
}

/** Keys to offer for the ends of a range, a list a dimension. */
export function suggestionsOf(list: PartitionList | undefined): string[][] {
  if (list === undefined) return [[]];
  const { matrix, info, ranges } = list;
  if (matrix !== null) {
    const sides = new Map([matrix.rows, matrix.columns].map(({ name, keys }) => [name, keys]));
    return info.dimensions.map(({ name }) => (sides.get(name) ?? []).slice(-MOST_SUGGESTIONS));
  }
  const [only] = info.dimensions;
  if (only?.keys != null) return [only.keys.slice(0, MOST_SUGGESTIONS)];
  const places = ranges.slice(-MOST_SUGGESTIONS / 2).flatMap(({ from_key, to_key }) => [from_key, to_key]);
  const ends = [info.first_key, ...places, info.last_key];
  return [[...new Set(ends.filter((key) => key !== null && key !== ''))] as string[]];
}

/** The asset whose partitions a range is written in: one with no chosen partitioned asset right above it. */
export function rootOf(assets: readonly AssetSummary[]): AssetSummary | undefined {
  const partitioned = assets.filter(({ partitions }) => partitions !== null);
  const keys = new Set(partitioned.map(({ key }) => key));
  return (
    partitioned.find(({ key, deps }) => !deps.some((dep) => dep !== key && keys.has(dep))) ?? partitioned[0]
  );
}
