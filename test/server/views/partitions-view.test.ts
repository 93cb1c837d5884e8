import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PartitionsDefinition } from '../../../src/partitions/definition/partitions-definition.ts';
import { partitionKeys } from '../../../src/partitions/partition-set.ts';
import { partitionList, partitionsSummary } from '../../../src/server/views/partitions-view.ts';
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

describe('partitions', () => {
  it.each([
    ['time', DAILY],
    ['static', REGIONS],
  ])('of one dimension (%s) are stretches that join to all of them, in order', (_name, definition) => {
    const keys = [...partitionKeys(definition, NOW)];
    fc.assert(
      fc.property(statuses(keys), (rows) => {
        const { ranges, info, matrix } = partitionList(definition, rows.toReversed(), NOW);
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
        const { matrix, info } = partitionList(definition, rows, NOW);
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

  it('leave out what the definition does not have any more, and never count more than there is', () => {
    const rows = [
      { key: '1999-01-01', status: 'materialized' as const },
      { key: '2026-01-01', status: 'materialized' as const },
      { key: 'no date', status: 'failed' as const },
    ];
    expect(partitionList(DAILY, rows, NOW).info.counts).toMatchObject({
      materialized: 1,
      failed: 0,
      missing: 18,
    });
    const summary = partitionsSummary(REGIONS, { materialized: 7, failed: 1, in_progress: 0 }, NOW);
    expect(summary.counts).toEqual({ total: 2, materialized: 1, failed: 1, in_progress: 0, missing: 0 });
  });

  it('of 10,000 hours are a few kilobytes', () => {
    const hourly = { ...DAILY, cron: '0 * * * *', start: '2025-01-01-00:00', fmt: '%Y-%m-%d-%H:%M' };
    const rows = [...partitionKeys(hourly, Date.UTC(2026, 1, 21, 16))].map((key, index) => ({
      key,
      status: index % 500 === 0 ? ('failed' as const) : ('materialized' as const),
    }));
    const list = partitionList(hourly, rows, Date.UTC(2026, 1, 21, 16));
    expect(list.info.counts.total).toBe(10_000);
    expect(JSON.stringify(list).length).toBeLessThan(40_000);
  });
});
