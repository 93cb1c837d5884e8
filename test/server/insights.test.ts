import { expect, it } from 'vitest';
import type { InsightsReport } from '../../src/server/contract/insights.ts';
import type { AuditList } from '../../src/server/contract/instance.ts';
import type { SamplePipeline } from '../helpers/sample-definitions.ts';
import { surface } from '../helpers/surface.ts';

const SHOP: Record<string, SamplePipeline> = {
  orders: { config: { group: 'sales', owners: ['ada@x.org'] }, assets: { orders: {}, returns: {} } },
  stock: { config: { group: 'branches' }, assets: { stock: {} } },
};

async function used() {
  const service = await surface({ pipelines: SHOP });
  await service.app.inject({ method: 'POST', url: '/api/v1/runs', payload: { selection: '*' } });
  return service;
}

it('sums by group, by owner and by asset, of some or of all', async () => {
  const { app } = await used();
  const read = async (query: string) =>
    (await app.inject({ url: `/api/v1/insights?${query}` })).json<InsightsReport>();
  const names = async (query: string) =>
    (await read(query)).items.map(({ name, assets, now }) => [
      name,
      assets,
      now.materializations,
      now.succeeded,
    ]);
  expect(await names('')).toEqual([
    ['branches', 1, 1, 1],
    ['sales', 2, 2, 2],
  ]);
  expect(await names('by=owner')).toEqual([
    ['(no owner)', 1, 1, 1],
    ['ada@x.org', 2, 2, 2],
  ]);
  expect(await names('by=asset&group=sales')).toEqual([
    ['orders', 1, 1, 1],
    ['returns', 1, 1, 1],
  ]);
  expect(await names(`by=asset&owner=${encodeURIComponent('(no owner)')}`)).toEqual([['stock', 1, 1, 1]]);
  const week = await read('days=7&owner=ada@x.org');
  expect(week).toMatchObject({ from: '2026-01-14', to: '2026-01-20', currency: null });
  expect(week.days.map(({ now }) => now.succeeded)).toEqual([0, 0, 0, 0, 0, 0, 2]);
  expect(week.total.now).toMatchObject({ success_rate: 1, cost: null, mean_delay_seconds: null });
  expect((await app.inject({ url: '/api/v1/insights?days=0' })).statusCode).toBe(400);
});

it('sums what was removed, all together and one by one, its days too', async () => {
  const service = await used();
  const { app } = service;
  await service.publish({ stock: SHOP.stock! });
  const read = async (query: string) =>
    (await app.inject({ url: `/api/v1/insights?${query}` })).json<InsightsReport>();
  const all = await read('');
  expect(all.items.map(({ name, current }) => [name, current])).toEqual([
    ['(removed)', false],
    ['branches', true],
  ]);
  const removed = await read(`by=asset&group=${encodeURIComponent('(removed)')}`);
  expect(removed.items.map(({ name }) => name)).toEqual(['orders', 'returns']);
  expect(removed.total.now.succeeded).toBe(2);
  expect(removed.days.at(-1)?.now.succeeded).toBe(2);
});

it('gives the same as a file', async () => {
  const { app } = await used();
  const answer = await app.inject({ url: '/api/v1/insights.csv?by=asset&days=7' });
  expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
  expect(answer.headers['content-disposition']).toBe('attachment; filename="insights-by-asset-7-days.csv"');
  expect(answer.body.split('\r\n').map((line) => line.split(',')[0])).toEqual([
    'name',
    'orders',
    'returns',
    'stock',
    '',
  ]);
});

it('tells who or what caused what, page by page', async () => {
  const { app } = await used();
  const read = async (query: string) =>
    (await app.inject({ url: `/api/v1/audit?${query}` })).json<AuditList>();
  const all = await read('');
  expect(all.items.map(({ action }) => action)).toEqual(['run.launch', 'revision.apply']);
  const first = await read('limit=1');
  expect(first.items).toEqual(all.items.slice(0, 1));
  const second = await read(`limit=1&cursor=${first.next_cursor}`);
  expect(second).toEqual({ items: all.items.slice(1), next_cursor: null });
  expect((await read('people=true')).items).toHaveLength(1);
  for (const cursor of ['nonsense', Buffer.from('[1]').toString('base64url')]) {
    expect((await app.inject({ url: `/api/v1/audit?cursor=${cursor}` })).statusCode).toBe(400);
  }
});
