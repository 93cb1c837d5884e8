import { expect, it } from 'vitest';
import { cursorPoints } from '../../ui/src/pages/pipeline/cursor-points.ts';

function load(minute: number, cursor: unknown, rows: number | null = 5) {
  return {
    event_id: minute,
    at: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString(),
    run_id: `run-${minute}`,
    step_key: 'dlt_shop',
    partition: null,
    metadata: { ...(cursor === undefined ? {} : { cursor }), ...(rows === null ? {} : { rows }) },
  } as unknown as Parameters<typeof cursorPoints>[0][number];
}

it('puts the values of each cursor in the order of time, numbers and times with a height', () => {
  const points = cursorPoints([
    load(3, { 'orders.updated_at': '2024-01-03T00:00:00Z', 'items.id': 30, 'names.name': 'carla' }),
    load(2, { 'orders.updated_at': '2024-01-02', 'items.id': '20', 'names.name': null }),
    load(1, undefined),
  ]);
  expect([...points.keys()]).toEqual(['orders.updated_at', 'items.id', 'names.name']);
  expect(points.get('orders.updated_at')?.map(({ runId, height }) => [runId, height])).toEqual([
    ['run-2', Date.UTC(2024, 0, 2)],
    ['run-3', Date.UTC(2024, 0, 3)],
  ]);
  expect(points.get('items.id')?.map(({ height }) => height)).toEqual([20, 30]);
  expect(points.get('names.name')?.map(({ value, height }) => [value, height])).toEqual([['carla', null]]);
});

it.each([[null], ['2024'], [[1]], [{}]])('passes over a cursor that is %j', (cursor) => {
  expect(cursorPoints([load(1, cursor)]).size).toBe(0);
});
