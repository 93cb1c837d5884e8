import { expect, it } from 'vitest';
import { rangeSubset } from '../../src/partitions/subset/partition-subset.ts';
import type { BackfillGroup } from '../../src/plan/backfill-plan.ts';
import { MOST_RUNS, MOST_RUNS_TOGETHER, splitAutomation } from '../../src/plan/split-automation.ts';
import { DAILY } from '../helpers/sample-definitions.ts';

function group(asset: string, runs: number, needs: readonly number[] = []): BackfillGroup {
  const parts = [{ assets: [asset], subset: rangeSubset(0, runs) }];
  return { definition: DAILY, parts, policy: null, serial: false, needs };
}

function split(...groups: readonly BackfillGroup[]) {
  const { now, backfill } = splitAutomation(groups);
  const shown = (list: readonly BackfillGroup[]) =>
    list.map(({ parts, needs }) => [parts[0]!.assets[0], needs] as const);
  return { now: shown(now), backfill: shown(backfill) };
}

it('launches at once what is little', () => {
  expect(split()).toEqual({ now: [], backfill: [] });
  expect(split(group('a', MOST_RUNS_TOGETHER), group('b', 1))).toEqual({
    now: [
      ['a', []],
      ['b', []],
    ],
    backfill: [],
  });
});

it('hands what is much to a backfill, with all that depends on it, and nothing else', () => {
  expect(
    split(group('a', 1), group('big', MOST_RUNS_TOGETHER), group('c', 1, [1]), group('d', 1, [0])),
  ).toEqual({
    now: [
      ['a', []],
      ['d', [0]],
    ],
    backfill: [
      ['big', []],
      ['c', [0]],
    ],
  });
});

it('counts groups together that are connected by way of others', () => {
  const half = MOST_RUNS_TOGETHER / 2;
  const { now, backfill } = split(group('a', half), group('b', half), group('c', 1, [0, 1]));
  expect([now.length, backfill]).toEqual([
    0,
    [
      ['a', []],
      ['b', []],
      ['c', [0, 1]],
    ],
  ]);
});

it('hands all of it to a backfill when many little things are much', () => {
  const many = Array.from({ length: MOST_RUNS / 100 + 1 }, (_, nth) => group(`a${nth}`, 100));
  expect(split(...many).now).toEqual([]);
  expect(split(...many.slice(1)).backfill).toEqual([]);
});
