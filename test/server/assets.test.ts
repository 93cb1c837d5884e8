import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type {
  AssetDetail,
  AssetList,
  Lineage,
  PartitionList,
  PartitionRanges,
} from '../../src/server/contract/asset.ts';
import { DAILY, DAILY_BY_CATEGORY, type SamplePipeline } from '../helpers/sample-definitions.ts';
import { surface } from '../helpers/surface.ts';

const SHOP: Record<string, SamplePipeline> = {
  dlt_orders: {
    tool: 'dlt',
    config: {
      group: 'raw',
      owners: ['ada@shop.example'],
      partitions: DAILY,
      schedule: {
        cron: ['0 2 * * *'],
        timezone: 'Europe/Berlin',
        defaultStatus: 'RUNNING',
        catchUp: 'latest',
        overlap: 'skip',
        jitterSeconds: 0,
      },
    },
    assets: { dlt_orders: {} },
  },
  shop_models: {
    tool: 'dbt',
    config: { group: 'marts' },
    assets: { 'marts/revenue': { deps: ['dlt_orders', 'crm_export'] } },
  },
  matrix: { config: { partitions: DAILY_BY_CATEGORY }, assets: { matrix: {} } },
  old: { config: { enabled: false }, assets: { old: {} } },
};

async function get<T>(app: Awaited<ReturnType<typeof surface>>['app'], url: string): Promise<T> {
  const response = await app.inject({ url });
  expect(response.statusCode, response.body).toBe(200);
  return response.json<T>();
}

describe('assets', () => {
  it('lists all with their state, in the order of keys', async () => {
    const { app } = await surface({ pipelines: SHOP });
    const { items } = await get<z.infer<typeof AssetList>>(app, '/api/v1/assets');
    expect(items.map((item) => [item.key, item.kind, item.group, item.state, item.enabled])).toEqual([
      ['crm_export', 'external', 'external', 'never', true],
      ['dlt_orders', 'materializable', 'raw', 'never', true],
      ['marts/revenue', 'materializable', 'marts', 'never', true],
      ['matrix', 'materializable', 'default', 'never', true],
      ['old', 'materializable', 'default', 'never', false],
    ]);
    const orders = items[1]!;
    expect(orders.schedule).toEqual({
      name: 'dlt_orders_schedule',
      cron_schedule: ['0 2 * * *'],
      timezone: 'Europe/Berlin',
      status: 'RUNNING',
      next_tick: '2026-01-21T01:00:00.000Z',
    });
    expect(orders.partitions?.counts).toEqual({
      total: 19,
      materialized: 0,
      failed: 0,
      in_progress: 0,
      missing: 19,
    });
    expect(orders.code?.url).toBe(
      `https://github.com/shop/pipelines/tree/${'c'.repeat(40)}/pipelines/dlt/dlt_orders`,
    );
  });

  it('says what runs left of an asset: state, latest, strip, partitions', async () => {
    const { app, engine } = await surface({
      pipelines: SHOP,
      step: (spec) =>
        spec.partitionKeys[0] === '2026-01-02'
          ? {
              result: {
                type: 'step_failed',
                seconds: 1,
                error: { code: 'STEP_FAILED', message: 'HTTP 429', failureClass: 'user' },
                finishedAssets: [],
                failedBlockingChecks: [],
              },
            }
          : {},
    });
    const launch = { fullRefresh: false, config: {}, tags: {}, priority: 0 } as const;
    await engine.submit({
      ...launch,
      assets: ['dlt_orders'],
      partitions: { kind: 'keys', keys: ['2026-01-01', '2026-01-02', '2026-01-04'] },
      cause: { kind: 'cli', user: 'ada' },
    });
    const detail = await get<AssetDetail>(app, '/api/v1/assets/dlt_orders');
    expect(detail.partitions?.counts).toMatchObject({ total: 19, materialized: 2, failed: 1, missing: 16 });
    expect(detail.state).toBe('partly');
    expect(detail.latest).toMatchObject({ partition: '2026-01-04', rows: 3, commit: 'c'.repeat(40) });
    expect(detail.recent_runs.map((run) => run.status)).toEqual(['SUCCESS', 'FAILURE', 'SUCCESS']);

    const { ranges } = await get<PartitionList>(app, '/api/v1/assets/dlt_orders/partitions');
    expect(ranges.map((range) => [range.from, range.to, range.from_key, range.to_key, range.status])).toEqual(
      [
        [0, 0, '2026-01-01', '2026-01-01', 'materialized'],
        [1, 1, '2026-01-02', '2026-01-02', 'failed'],
        [2, 2, '2026-01-03', '2026-01-03', 'missing'],
        [3, 3, '2026-01-04', '2026-01-04', 'materialized'],
        [4, 18, '2026-01-05', '2026-01-19', 'missing'],
      ],
    );
  });

  it('shows two dimensions as a matrix with time across', async () => {
    const { app, engine } = await surface({ pipelines: SHOP });
    await engine.submit({
      assets: ['matrix'],
      partitions: { kind: 'keys', keys: ['B|2026-01-03'] },
      fullRefresh: false,
      config: {},
      tags: {},
      priority: 0,
      cause: { kind: 'cli', user: 'ada' },
    });
    const { ranges, matrix, info } = await get<PartitionList>(app, '/api/v1/assets/matrix/partitions');
    expect(ranges).toEqual([]);
    expect(matrix?.rows).toEqual({ name: 'category', keys: ['A', 'B'] });
    expect(matrix?.columns.name).toBe('date');
    expect(matrix?.cells).toEqual(['...................', '..m................']);
    expect(info.counts).toMatchObject({ total: 38, materialized: 1, missing: 37 });
  });

  it('leaves long lists of keys out, and gives stretches with their keys on demand', async () => {
    const keys = Array.from({ length: 1200 }, (_, nth) => `shop_${String(nth).padStart(4, '0')}`);
    const pipelines = {
      shops: { assets: { shops: {} }, config: { partitions: { kind: 'static', keys } as const } },
    };
    const { app, engine } = await surface({ pipelines });
    const some = keys.filter((_, nth) => nth % 2 === 0 && nth < 1100);
    const runs = await engine.submit({
      assets: ['shops'],
      partitions: { kind: 'keys', keys: some.slice(0, 3).concat(some.slice(-1)) },
      fullRefresh: false,
      config: {},
      tags: {},
      priority: 0,
      cause: { kind: 'cli', user: 'ada' },
    });
    expect(runs.runIds).toHaveLength(4);
    const url = '/api/v1/assets/shops/partitions';
    const list = await get<PartitionList>(app, url);
    expect(list.states).toBeNull();
    expect(list.info.dimensions[0]?.keys).toBeNull();
    const ranges = await get<PartitionRanges>(app, `${url}/ranges?status=materialized&limit=2`);
    expect(ranges).toEqual({
      items: [
        { from: 1098, to: 1098, from_key: 'shop_1098', to_key: 'shop_1098', status: 'materialized' },
        { from: 4, to: 4, from_key: 'shop_0004', to_key: 'shop_0004', status: 'materialized' },
      ],
      more: 2,
    });
    const around = await get<PartitionRanges>(app, `${url}/ranges?before=501&limit=1`);
    expect(around.items).toEqual([
      { from: 5, to: 1097, from_key: 'shop_0005', to_key: 'shop_1097', status: 'missing' },
    ]);
    const refused = await app.inject({ url: `${url}/ranges?limit=100000` });
    expect(refused.statusCode).toBe(400);
  });

  it('takes a key with a slash as one segment, and names the nearest key for a wrong one', async () => {
    const { app } = await surface({ pipelines: SHOP });
    const detail = await get<AssetDetail>(app, '/api/v1/assets/marts%2Frevenue');
    expect(detail).toMatchObject({
      key: 'marts/revenue',
      deps: ['crm_export', 'dlt_orders'],
      downstream: [],
    });
    const missing = await app.inject({ url: '/api/v1/assets/dlt_order' });
    expect(missing.statusCode).toBe(404);
    expect(missing.headers['content-type']).toContain('application/problem+json');
    expect(missing.json()).toMatchObject({
      code: 'ASSET_NOT_FOUND',
      status: 404,
      hint: 'did you mean dlt_orders?',
    });
  });

  it('gives pages with a cursor and filters', async () => {
    const { app } = await surface({ pipelines: SHOP });
    const keys: string[] = [];
    let url: string | null = '/api/v1/assets?limit=2';
    while (url !== null) {
      const page: z.infer<typeof AssetList> = await get(app, url);
      keys.push(...page.items.map((item) => item.key));
      url = page.next_cursor === null ? null : `/api/v1/assets?limit=2&cursor=${page.next_cursor}`;
    }
    expect(keys).toEqual(['crm_export', 'dlt_orders', 'marts/revenue', 'matrix', 'old']);
    for (const [query, expected] of [
      ['q=REV', ['marts/revenue']],
      ['group=raw', ['dlt_orders']],
      [`selection=${encodeURIComponent('dlt_orders+')}`, ['dlt_orders', 'marts/revenue']],
      ['selection=nothing_here', []],
    ] as const) {
      const page = await get<z.infer<typeof AssetList>>(app, `/api/v1/assets?${query}`);
      expect(page.items.map((item) => item.key)).toEqual(expected);
    }
    const wrong = await app.inject({ url: '/api/v1/assets?cursor=xx' });
    expect(wrong.json()).toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('draws the lineage with edges between what is shown', async () => {
    const { app } = await surface({ pipelines: SHOP });
    const lineage = await get<Lineage>(app, '/api/v1/lineage');
    expect(lineage.edges).toEqual([
      { from: 'crm_export', to: 'marts/revenue' },
      { from: 'dlt_orders', to: 'marts/revenue' },
    ]);
    const part = await get<Lineage>(app, '/api/v1/lineage?selection=marts/revenue');
    expect(part.nodes).toHaveLength(1);
    expect(part.edges).toEqual([]);
  });

  it('answers 304 to a list that did not change, and anew when an event or the minute came', async () => {
    const service = await surface({ pipelines: SHOP });
    const { app, clock } = service;
    const first = await app.inject({ url: '/api/v1/assets' });
    const headers = { 'if-none-match': String(first.headers.etag) };
    const second = await app.inject({ url: '/api/v1/assets', headers });
    expect([second.statusCode, second.body]).toEqual([304, '']);
    clock.advance(60_000);
    expect((await app.inject({ url: '/api/v1/assets', headers })).statusCode).toBe(200);
    clock.advance(-60_000);
    expect((await app.inject({ url: '/api/v1/assets', headers })).statusCode).toBe(304);
    await service.publish(SHOP);
    expect((await app.inject({ url: '/api/v1/assets', headers })).statusCode).toBe(200);
  });
});
