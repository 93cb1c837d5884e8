import { expect, it } from 'vitest';
import type { z } from 'zod';
import type { FreshnessConfig } from '../../src/discovery/pipeline-config.ts';
import type { AssetDetail, AssetList } from '../../src/server/contract/asset.ts';
import { runCli } from '../helpers/run-cli.ts';
import type { SamplePipeline } from '../helpers/sample-definitions.ts';
import { type Surface, surface } from '../helpers/surface.ts';

const HOUR = 3_600_000;
const POLICY: FreshnessConfig = { lowerBoundDeltaSeconds: 3_600, timezone: 'UTC', severity: 'ERROR' };
const SHOP: Record<string, SamplePipeline> = {
  orders: { config: { freshness: POLICY }, assets: { orders: {} } },
  rates: {
    config: { freshness: { ...POLICY, deadlineCron: '0 13 * * *', severity: 'WARN' } },
    assets: { rates: {} },
  },
  never: { config: { freshness: POLICY }, assets: { never: {} } },
  off: { config: { freshness: POLICY, enabled: false }, assets: { off: {} } },
  plain: { assets: { plain: {} } },
};

async function world(): Promise<
  Surface & { states: (query?: string) => Promise<Record<string, string | null>> }
> {
  const service = await surface({ pipelines: SHOP });
  await service.engine.submit({
    assets: ['orders', 'rates', 'plain'],
    partitions: { kind: 'none' },
    fullRefresh: false,
    config: {},
    tags: {},
    priority: 0,
    cause: { kind: 'cli', user: 'ada' },
  });
  return {
    ...service,
    states: async (query = '') => {
      const response = await service.app.inject({ url: `/api/v1/assets${query}` });
      expect(response.statusCode, response.body).toBe(200);
      const { items } = response.json<z.infer<typeof AssetList>>();
      return Object.fromEntries(items.map(({ key, freshness }) => [key, freshness?.state ?? null]));
    },
  };
}

it('is computed from policy, newest materialization and clock, whether a daemon runs or not', async () => {
  const { states, clock, app } = await world();
  expect(await states()).toEqual({
    never: 'unknown',
    off: null,
    orders: 'fresh',
    plain: null,
    rates: 'fresh',
  });
  clock.advance(HOUR + 1);
  expect(await states()).toMatchObject({ orders: 'stale', rates: 'fresh' });
  expect(await states('?freshness=stale')).toEqual({ orders: 'stale' });
  const detail = (await app.inject({ url: '/api/v1/assets/orders' })).json<AssetDetail>();
  expect(detail.freshness).toEqual({
    state: 'stale',
    severity: 'ERROR',
    last_update: '2026-01-20T12:00:00.000Z',
    deadline: null,
    fresh_until: null,
    stale_since: '2026-01-20T13:00:00.001Z',
    message: 'stale since 2026-01-20 13:00 UTC: last updated 2026-01-20 12:00 UTC',
    lower_bound_delta_seconds: 3_600,
    deadline_cron: null,
    timezone: 'UTC',
  });
});

it('is in the metrics: how many there are, and which are stale', async () => {
  const { app, clock } = await world();
  clock.advance(HOUR + 1);
  const lines = (await app.inject({ url: '/metrics' })).body.split('\n');
  expect(lines.filter((line) => /^elt_asset(s_by_freshness|_stale)/.test(line))).toEqual([
    'elt_assets_by_freshness{state="fresh"} 1',
    'elt_assets_by_freshness{state="stale"} 1',
    'elt_assets_by_freshness{state="unknown"} 1',
    'elt_asset_stale{asset="orders",severity="ERROR"} 1',
  ]);
});

it('is told by elt show and elt status', async () => {
  const { app, clock } = await world();
  clock.advance(30 * HOUR);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as { port: number };
  const elt = (...args: string[]) => runCli(args, { env: { ELT_URL: `http://127.0.0.1:${port}` } });
  const [show, status, json] = await Promise.all([
    elt('show', 'rates'),
    elt('status'),
    elt('status', '--json'),
  ]);
  expect(show.stdout).toMatch(
    /freshness +✗ stale \(WARN\) · stale since 2026-01-21 13:00 UTC: last updated 2026-01-20 12:00 UTC/,
  );
  expect(status.stdout.split('\n').filter((line) => line.includes('stale'))).toEqual([
    '✗ orders: stale since 2026-01-20 13:00 UTC: last updated 2026-01-20 12:00 UTC',
    '! rates: stale since 2026-01-21 13:00 UTC: last updated 2026-01-20 12:00 UTC',
  ]);
  expect(
    (JSON.parse(json.stdout) as { stale_assets: { key: string }[] }).stale_assets.map(({ key }) => key),
  ).toEqual(['orders', 'rates']);
});
