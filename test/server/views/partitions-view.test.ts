import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PartitionsDefinition } from '../../../src/partitions/definition/partitions-definition.ts';
import { keyToOrdinal, partitionKeys } from '../../../src/partitions/partition-set.ts';
import type { StateOf } from '../../../src/server/views/partition-grid.ts';
import {
  partitionList,
  partitionRanges,
  partitionsInfo,
  partitionsSummary,
} from '../../../src/server/views/partitions-view.ts';
import type { PartitionStatus } from '../../../src/store/store.ts';
import { DAILY, DAILY_BY_CATEGORY, REGIONS, WEEKLY } from '../../helpers/sample-definitions.ts';

const NOW = Date.UTC(2026, 0, 20, 12);
const STATUSES: readonly PartitionStatus[] = ['materialized', 'failed', 'in_progress'];

const statuses = (keys: readonly string[]) =>
  fc
    .array(fc.constantFrom<PartitionStatus | null>(null, ...STATUSES), {
      minLength: keys.length,
      maxLength: keys.length,
    })
    .map((chosen) =>
      keys.flatMap((key, index) => (chosen[index] == null ? [] : [{ key, status: chosen[index] }])),
    );

/** As the store gives them. */
function statesOf(
  definition: PartitionsDefinition,
  rows: readonly { readonly key: string; readonly status: PartitionStatus }[],
): StateOf {
  const known = new Map(rows.map(({ key, status }) => [keyToOrdinal(definition, key), status]));
  return (ordinal) => known.get(ordinal) ?? 'missing';
}

/** What the API's description says of `states`. */
function unpacked(states: string, total: number): string[] {
  const bytes = Buffer.from(states, 'base64');
  const names = ['missing', 'materialized', 'failed', 'in_progress'];
  return Array.from({ length: total }, (_, at) => names[(bytes[at >> 2]! >> ((at & 3) * 2)) & 3]!);
}

describe('partitions', () => {
  it.each([
    ['time', DAILY],
    ['static', REGIONS],
  ])('of one dimension (%s) are stretches that join to all of them, in order', (_name, definition) => {
    const keys = [...partitionKeys(definition, NOW)];
    fc.assert(
      fc.property(statuses(keys), (rows) => {
        const { ranges, info, matrix } = partitionList(definition, statesOf(definition, rows), NOW);
        const known = new Map(rows.map((row) => [row.key, row.status as string]));
        const spelled = ranges.flatMap(({ from, to, status }) =>
          Array.from({ length: to - from + 1 }, (_, index) => [keys[from + index], status]),
        );
        expect(spelled).toEqual(keys.map((key) => [key, known.get(key) ?? 'missing']));
        for (const [index, range] of ranges.entries()) {
          expect([range.from_key, range.to_key]).toEqual([keys[range.from], keys[range.to]]);
          if (index > 0) expect(ranges[index - 1]?.status).not.toBe(range.status);
        }
        const { total, missing, ...some } = info.counts;
        expect(total).toBe(keys.length);
        expect(missing + some.materialized + some.failed + some.in_progress).toBe(total);
        expect(matrix).toBeNull();
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['time and static', DAILY_BY_CATEGORY],
    ['static and time', { kind: 'multi', dimensions: { a: REGIONS, b: DAILY } } as PartitionsDefinition],
    ['two times', { kind: 'multi', dimensions: { a: WEEKLY, b: DAILY } } as PartitionsDefinition],
    [
      'two statics',
      {
        kind: 'multi',
        dimensions: { a: REGIONS, b: { kind: 'static', keys: ['x', 'y', 'z'] } },
      } as PartitionsDefinition,
    ],
  ])('of two dimensions (%s) are a matrix with each cell in its place', (_name, definition) => {
    const keys = [...partitionKeys(definition, NOW)];
    const letters = { materialized: 'm', failed: 'f', in_progress: 'i' };
    fc.assert(
      fc.property(statuses(keys), (rows) => {
        const { matrix, info } = partitionList(definition, statesOf(definition, rows), NOW);
        const known = new Map(rows.map((row) => [row.key, letters[row.status]]));
        const rowFirst = info.dimensions[0]?.name === matrix!.rows.name;
        for (const [y, row] of matrix!.rows.keys.entries()) {
          for (const [x, column] of matrix!.columns.keys.entries()) {
            const key = rowFirst ? `${row}|${column}` : `${column}|${row}`;
            expect(matrix!.cells[y]?.[x]).toBe(known.get(key) ?? '.');
          }
        }
        expect(info.counts.total).toBe(keys.length);
      }),
      { numRuns: 10 },
    );
  });

  it('leave out what does not exist yet, and never count more than there is', () => {
    const rows = [
      { key: '2026-01-19', status: 'materialized' as const },
      { key: '2026-01-20', status: 'materialized' as const },
    ];
    const info = partitionsInfo(DAILY, statesOf(DAILY, rows), NOW);
    expect(info.counts).toEqual({ total: 19, materialized: 1, failed: 0, in_progress: 0, missing: 18 });
    const summary = partitionsSummary(REGIONS, { materialized: 7, failed: 1, in_progress: 0 }, NOW);
    expect(summary.counts).toEqual({ total: 2, materialized: 1, failed: 1, in_progress: 0, missing: 0 });
  });

  const list = { kind: 'static', keys: Array.from({ length: 100_000 }, (_, at) => `key_${at}`) } as const;
  const hours = { ...DAILY, cron: '0 * * * *', start: '2014-08-24-20:00', fmt: '%Y-%m-%d-%H:%M' };
  const cells: PartitionsDefinition = {
    kind: 'multi',
    dimensions: {
      day: { ...DAILY, start: '2023-04-26' } as never,
      shop: { kind: 'static', keys: list.keys.slice(0, 100) },
    },
  };
  it.each<[string, PartitionsDefinition]>([
    ['hours', hours],
    ['keys', list],
    ['cells', cells],
  ])('of 100,000 %s of random status are less than 100 kB, and nothing is lost', (_name, definition) => {
    // A multiplicative generator: the same statuses in each run.
    let seed = 1;
    const statusAt = [...partitionKeys(definition, NOW)].map((key) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return { key, status: (['missing', ...STATUSES] as const)[seed % 4]! };
    });
    const rows = statusAt.flatMap(({ key, status }) => (status === 'missing' ? [] : [{ key, status }]));
    const stateOf = statesOf(definition, rows);
    const shown = partitionList(definition, stateOf, NOW);
    const { total } = shown.info.counts;
    expect(total).toBe(100_000);
    expect(JSON.stringify(shown).length).toBeLessThan(100_000);
    const states = unpacked(shown.states!, total);
    const { matrix } = shown;
    const wanted = new Map(statusAt.map(({ key, status }) => [key, status as string]));
    if (matrix === null) expect(states).toEqual([...wanted.values()]);
    else {
      const keys = matrix.rows.keys.flatMap((shop) => matrix.columns.keys.map((day) => `${day}|${shop}`));
      expect(states).toEqual(keys.map((key) => wanted.get(key)));
    }
    const failed = partitionRanges(definition, stateOf, NOW, { state: 'failed', limit: 3 });
    const places = states.flatMap((state, at) => (state === 'failed' ? [at] : []));
    expect(failed.items[0]?.to).toBe(places.at(-1));
    expect(failed.items.every(({ from_key }) => wanted.get(from_key) === 'failed')).toBe(true);
    expect(failed.more).toBeGreaterThan(10_000);
  });

  it('give the stretch that holds a place, whole', () => {
    const rows = ['2026-01-03', '2026-01-04', '2026-01-05'].map((key) => ({
      key,
      status: 'failed' as const,
    }));
    const at = (place: number) =>
      partitionRanges(DAILY, statesOf(DAILY, rows), NOW, { before: place + 1, limit: 1 }).items[0];
    const failed = { from: 2, to: 4, from_key: '2026-01-03', to_key: '2026-01-05', status: 'failed' };
    for (const place of [2, 3, 4]) expect(at(place)).toEqual(failed);
    expect(at(1)).toMatchObject({ from: 0, to: 1, status: 'missing' });
    expect(at(18)).toMatchObject({ from: 5, to: 18, to_key: '2026-01-19' });
  });

  it('of 10,000 hours are a few kilobytes', () => {
    const hourly = { ...DAILY, cron: '0 * * * *', start: '2025-01-01-00:00', fmt: '%Y-%m-%d-%H:%M' };
    const now = Date.UTC(2026, 1, 21, 16);
    const rows = [...partitionKeys(hourly, now)].map((key, index) => ({
      key,
      status: index % 500 === 0 ? ('failed' as const) : ('materialized' as const),
    }));
    const shown = partitionList(hourly, statesOf(hourly, rows), now);
    expect(shown.info.counts.total).toBe(10_000);
    expect(shown.states).toBeNull();
    expect(JSON.stringify(shown).length).toBeLessThan(40_000);
  });
});
