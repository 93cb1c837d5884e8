import { describe, expect, it } from 'vitest';
import type { Timeline, UpcomingTicks } from '../../src/server/contract/timeline.ts';
import type { SamplePipeline } from '../helpers/sample-definitions.ts';
import { NOW, surface } from '../helpers/surface.ts';

const HOURLY = {
  cron: ['0 * * * *'],
  timezone: 'UTC',
  defaultStatus: 'RUNNING',
  catchUp: 'latest',
  overlap: 'skip',
  jitterSeconds: 0,
} as const;
const SHOP: Record<string, SamplePipeline> = {
  orders: { config: { group: 'sales', schedule: HOURLY }, assets: { orders: {}, returns: {} } },
  stock: { config: { group: 'branches' }, assets: { stock: {} } },
};

describe('the timeline', () => {
  it('has a lane for each group, what ran, what will run and what was applied', async () => {
    const { app } = await surface({ pipelines: SHOP });
    await app.inject({ method: 'POST', url: '/api/v1/runs', payload: { selection: '*' } });
    const answer = (await app.inject({ url: '/api/v1/timeline?range=6h' })).json<Timeline>();
    expect(answer.lanes.map(({ kind, name, assets, runs }) => [kind, name, assets, runs])).toEqual([
      ['group', 'branches', 1, 1],
      ['group', 'sales', 2, 1],
    ]);
    expect(answer.lanes[1]!.bars).toMatchObject([{ status: 'succeeded', assets: 2 }]);
    expect(answer.lanes[1]!.ticks.map(({ at }) => at)).toEqual([
      '2026-01-20T13:00:00.000Z',
      '2026-01-20T14:00:00.000Z',
    ]);
    expect(answer.marks).toMatchObject([
      { kind: 'sync', commit: 'c'.repeat(40), at: new Date(NOW).toISOString() },
    ]);
  });

  it('opens a group, alone or among the others', async () => {
    const { app } = await surface({ pipelines: SHOP });
    const names = async (query: string) =>
      (await app.inject({ url: `/api/v1/timeline?${query}` })).json<Timeline>().lanes.map(({ name }) => name);
    expect(await names('open=sales')).toEqual(['branches', 'sales', 'orders', 'returns']);
    expect(await names('group=sales')).toEqual(['sales', 'orders', 'returns']);
    expect(await names('group=none')).toEqual([]);
  });

  it('keeps the history of what was removed from the repository', async () => {
    const service = await surface({ pipelines: SHOP });
    const { app } = service;
    await app.inject({ method: 'POST', url: '/api/v1/runs', payload: { selection: 'stock' } });
    await service.publish({ orders: SHOP['orders']! });
    const { lanes } = (await app.inject({ url: '/api/v1/timeline' })).json<Timeline>();
    expect(lanes.map(({ kind, runs }) => [kind, runs])).toEqual([
      ['group', 0],
      ['removed', 1],
    ]);
  });

  it.each([
    ['from=2026-01-20T12:00:00.000Z', 400],
    ['from=2026-01-20T12:00:00.000Z&to=2026-01-20T11:00:00.000Z', 400],
    ['from=2020-01-20T12:00:00.000Z&to=2026-01-20T11:00:00.000Z', 400],
    ['range=1y', 400],
    ['from=2026-01-20T11:00:00.000Z&to=2026-01-20T12:00:00.000Z', 200],
  ])('answers %s with %i', async (query, status) => {
    const { app } = await surface({ pipelines: SHOP });
    expect((await app.inject({ url: `/api/v1/timeline?${query}` })).statusCode).toBe(status);
  });

  it('lists what starts by itself next, and nothing that is stopped', async () => {
    const { app } = await surface({ pipelines: SHOP });
    const next = async () =>
      (await app.inject({ url: '/api/v1/upcoming-ticks?limit=2' })).json<UpcomingTicks>();
    expect((await next()).items).toEqual([
      {
        at: '2026-01-20T13:00:00.000Z',
        schedule: 'orders_schedule',
        pipeline: 'orders',
        asset_keys: ['orders', 'returns'],
      },
      expect.objectContaining({ at: '2026-01-20T14:00:00.000Z' }),
    ]);
    await app.inject({ method: 'POST', url: '/api/v1/schedules/orders_schedule/stop', payload: {} });
    expect((await next()).items).toEqual([]);
  });
});
