import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type {
  AssetDefinition,
  Calendar,
  CheckResults,
  PartitionDetail,
  PipelineHistory,
  Plots,
  SchemaChanges,
  Trends,
} from '../../src/server/contract/history.ts';
import {
  DAILY,
  DAILY_BY_CATEGORY,
  type SamplePipeline,
  sampleSnapshot,
} from '../helpers/sample-definitions.ts';
import { settleBackfills } from '../helpers/settle-backfills.ts';
import { NOW, type StepScript, type Surface, surface } from '../helpers/surface.ts';

const SHOP: Record<string, SamplePipeline> = {
  orders: { config: { partitions: DAILY }, assets: { orders: {} } },
  matrix: { config: { partitions: DAILY_BY_CATEGORY }, assets: { matrix: {} } },
  stock: { assets: { 'shop/stock': {} } },
};

async function get<T>(app: Surface['app'], url: string): Promise<T> {
  const response = await app.inject({ url: `/api/v1${url}` });
  expect(response.statusCode, response.body).toBe(200);
  return response.json<T>();
}

async function run(engine: Surface['engine'], asset: string, keys?: string[]): Promise<void> {
  await engine.submit({
    assets: [asset],
    partitions: keys === undefined ? { kind: 'none' } : { kind: 'keys', keys },
    fullRefresh: false,
    config: {},
    tags: {},
    priority: 0,
    cause: { kind: 'cli', user: 'ada' },
  });
}

/** Each run has ten rows more than the one before. */
function growing(key: string): () => StepScript {
  let turn = 0;
  return () => {
    turn += 1;
    return {
      events: [
        {
          type: 'materialization',
          asset_key: key,
          metadata: { rows: turn * 10, seconds: 1.5, tool: 'x' },
        },
      ],
    };
  };
}

const FAILS: StepScript = {
  result: {
    type: 'step_failed',
    seconds: 1,
    error: { code: 'STEP_FAILED', message: 'no', failureClass: 'user' },
    finishedAssets: [],
    failedBlockingChecks: [],
  },
};

describe('plots', () => {
  it('by time: the last writes oldest first, page by page, with numbers alone', async () => {
    const { app, engine } = await surface({ pipelines: SHOP, step: growing('shop/stock') });
    for (let turn = 0; turn < 5; turn += 1) await run(engine, 'shop/stock');
    const plots = await get<Plots>(app, '/assets/shop%2Fstock/plots?limit=3');
    expect(plots.points.map(({ values }) => values['rows'])).toEqual([30, 40, 50]);
    expect(plots.names).toEqual(['rows', 'seconds']);
    expect(plots.points[0]).toMatchObject({ partition: null, partitions: 1, commit: 'c'.repeat(40) });
    expect(plots.points.every(({ run_seconds: seconds }) => seconds !== null)).toBe(true);
    const older = await get<Plots>(app, `/assets/shop%2Fstock/plots?limit=3&before=${plots.before}`);
    expect(older.points.map(({ values }) => values['rows'])).toEqual([10, 20]);
    expect(older.before).toBeNull();
    const trends = await get<Trends>(app, '/asset-trends?keys=orders,shop%2Fstock,nothing');
    expect(trends.items).toEqual([{ key: 'shop/stock', rows: [10, 20, 30, 40, 50] }]);
  });

  it('by partition: each place, with a gap where nothing was written; of two dimensions a row', async () => {
    const { app, engine } = await surface({ pipelines: SHOP });
    await run(engine, 'orders', ['2026-01-17', '2026-01-19']);
    await run(engine, 'orders', ['2026-01-17']);
    const plots = await get<Plots>(app, '/assets/orders/plots?by=partition&limit=3');
    expect(plots.points.map(({ partition, values }) => [partition, values['rows'] ?? null])).toEqual([
      ['2026-01-17', 3],
      ['2026-01-18', null],
      ['2026-01-19', 3],
    ]);
    expect(plots).toMatchObject({ before: 16, rows: [], row: null });

    await run(engine, 'matrix', ['B|2026-01-19']);
    const first = await get<Plots>(app, '/assets/matrix/plots?by=partition&limit=2');
    expect(first).toMatchObject({ rows: ['A', 'B'], row: 'A', names: [] });
    const row = await get<Plots>(app, '/assets/matrix/plots?by=partition&limit=2&row=B');
    expect(row.points.map(({ partition, run_id: id }) => [partition, id === null])).toEqual([
      ['B|2026-01-18', true],
      ['B|2026-01-19', false],
    ]);
    const refused = await app.inject({ url: '/api/v1/assets/matrix/plots?by=partition&row=C' });
    expect(refused.json()).toMatchObject({ code: 'PARTITION_UNKNOWN' });
  });

  it('counts a write of many partitions once', async () => {
    const service = await surface({ pipelines: SHOP, step: growing('orders') });
    const { app } = service;
    const range = { start: '2026-01-01', end: '2026-01-10' };
    const made = await app.inject({
      method: 'POST',
      url: '/api/v1/backfills',
      payload: { asset_keys: ['orders'], partitions: { range }, single_run: true },
    });
    expect(made.statusCode, made.body).toBe(202);
    await settleBackfills(service);
    const plots = await get<Plots>(app, '/assets/orders/plots');
    expect(plots.points.map(({ partitions, partition }) => [partitions, partition])).toEqual([[10, null]]);
  });
});

it('tells of a partition what was written last and which run its state comes from', async () => {
  let fails = false;
  const { app, engine } = await surface({ pipelines: SHOP, step: () => (fails ? FAILS : {}) });
  await run(engine, 'orders', ['2026-01-02']);
  const url = '/assets/orders/partition?key=2026-01-02';
  const good = await get<PartitionDetail>(app, url);
  expect(good).toMatchObject({ key: '2026-01-02', status: 'materialized', run: { status: 'SUCCESS' } });
  expect(good.materialization).toMatchObject({ partition: '2026-01-02', metadata: { rows: 3 } });
  fails = true;
  await run(engine, 'orders', ['2026-01-02']);
  const failed = await get<PartitionDetail>(app, url);
  expect(failed).toMatchObject({ status: 'failed', run: { status: 'FAILURE' } });
  expect(failed.materialization?.run_id).toBe(good.run?.run_id);
  expect(await get(app, '/assets/orders/partition?key=2026-01-03')).toEqual({
    key: '2026-01-03',
    status: 'missing',
    materialization: null,
    run: null,
  });
  for (const [asset, key] of [
    ['orders', '2030-01-01'],
    ['orders', 'nonsense'],
    ['shop%2Fstock', 'x'],
  ]) {
    const refused = await app.inject({ url: `/api/v1/assets/${asset}/partition?key=${key}` });
    expect(refused.json()).toMatchObject({ code: 'PARTITION_UNKNOWN' });
  }
});

it('lays time partitions on a calendar', async () => {
  const { app } = await surface({ pipelines: SHOP });
  expect(await get<Calendar>(app, '/assets/orders/partitions/calendar')).toEqual({
    unit: 'day',
    timezone: 'UTC',
    total: 19,
    from: 0,
    stretches: [{ from: 0, count: 19, start: '2026-01-01T00:00' }],
  });
  const refused = await app.inject({ url: '/api/v1/assets/matrix/partitions/calendar' });
  expect(refused.json()).toMatchObject({ code: 'PARTITION_UNKNOWN' });
});

it('keeps the results of a check, and the changes of a schema, run by run', async () => {
  let turn = 0;
  const { app, engine } = await surface({
    pipelines: SHOP,
    step: () => {
      turn += 1;
      const changes = turn === 2 ? [{ change: 'column_added', column: 'voucher', type: 'text' }] : [];
      return {
        events: [
          {
            type: 'materialization',
            asset_key: 'shop/stock',
            metadata: { rows: 1, schema_changes: changes },
          },
          {
            type: 'check',
            asset_key: 'shop/stock',
            check_name: 'has_rows',
            passed: turn !== 2,
            severity: 'ERROR',
            metadata: { rows: turn },
          },
          {
            type: 'check',
            asset_key: 'shop/stock',
            check_name: 'other',
            passed: true,
            severity: 'WARN',
            metadata: {},
          },
        ],
      };
    },
  });
  for (let count = 0; count < 3; count += 1) await run(engine, 'shop/stock');
  const url = '/assets/shop%2Fstock';
  const { items } = await get<CheckResults>(app, `${url}/checks/has_rows/results`);
  expect(items.map(({ passed, metadata }) => [passed, metadata['rows']])).toEqual([
    [true, 3],
    [false, 2],
    [true, 1],
  ]);
  expect((await get<CheckResults>(app, `${url}/checks/has_rows/results?limit=1`)).items).toHaveLength(1);
  const changes = await get<SchemaChanges>(app, `${url}/schema-changes`);
  expect(changes.items.map(({ changes: one }) => one)).toEqual([
    [{ change: 'column_added', column: 'voucher', type: 'text' }],
  ]);
});

it('shows where each setting of a definition is written', async () => {
  const file = 'pipelines/python/orders/dagster.yaml';
  const { app } = await surface({
    pipelines: SHOP,
    files: { [file]: 'group: default\npartitions:\n  enabled: true\n' },
  });
  const definition = await get<z.infer<typeof AssetDefinition>>(app, '/assets/orders/definition');
  expect(definition).toMatchObject({
    file,
    line_url: `https://github.com/shop/pipelines/blob/${'c'.repeat(40)}/${file}#L{line}`,
    fields: expect.arrayContaining([{ path: 'group', value: 'default', line: 1 }]),
  });
});

it('shows no password that a definition holds', async () => {
  const file = 'pipelines/python/orders/dagster.yaml';
  const { app } = await surface({
    pipelines: {
      orders: {
        config: { env: { DB_PASSWORD: 'hunter22', REGION: 'north', URL: '${DB_URL}' } },
        assets: { orders: {} },
      },
    },
    files: {
      [file]: 'env:\n  DB_PASSWORD: hunter22\n  REGION: north\n  URL: ${DB_URL}\n# http://u:sesame@db\n',
    },
  });
  const answer = await app.inject({ url: '/api/v1/assets/orders/definition' });
  expect(answer.json<z.infer<typeof AssetDefinition>>().text).toBe(
    'env:\n  DB_PASSWORD: ***\n  REGION: north\n  URL: ${DB_URL}\n# http://u:***@db\n',
  );
  expect(answer.body).not.toMatch(/hunter22|sesame/);
});

it('tells which commits changed a pipeline, what each changed, and which runs were made on it', async () => {
  const service = await surface({ pipelines: SHOP });
  const { app, engine, store } = service;
  await run(engine, 'shop/stock');
  const sample = (group: string, commit: string) => {
    const snapshot = sampleSnapshot({ ...SHOP, stock: { config: { group }, assets: { 'shop/stock': {} } } });
    const pipelines = snapshot.pipelines.map((one) =>
      one.name === 'stock' ? { ...one, code: { ...one.code, commit } } : one,
    );
    return { pipelines, repo: { ...snapshot.repo, commit, message: `Move to ${group}` } };
  };
  await service.publish(SHOP, sample('shelves', 'd'.repeat(40)));
  // Another pipeline's change is none of its own.
  const other = sample('shelves', 'd'.repeat(40));
  await service.publish(SHOP, { ...other, repo: { ...other.repo, commit: 'e'.repeat(40) } });
  await run(engine, 'shop/stock');
  await run(engine, 'shop/stock');

  const { items } = await get<PipelineHistory>(app, '/components/main/pipelines/stock/history');
  expect(
    items.map(({ commit, fields, first, run_count: count, runs, revision }) => [
      commit[0],
      revision.message,
      fields.map(({ field, from, to }) => [field, from, to]),
      first,
      count,
      runs.length,
    ]),
  ).toEqual([
    ['d', 'Move to shelves', [['group', 'default', 'shelves']], false, 2, 2],
    ['c', 'First', [], true, 1, 1],
  ]);
  expect(items[1]?.runs[0]).toMatchObject({ status: 'SUCCESS' });
  const missing = await app.inject({ url: '/api/v1/components/main/pipelines/nothing/history' });
  expect(missing.statusCode).toBe(404);

  // Fifty revisions of a thousand folders: a page is not waited for.
  const many = Object.fromEntries(
    Array.from({ length: 1000 }, (_, index) => [`p${index}`, { assets: { [`a${index}`]: {} } }]),
  );
  const large = sampleSnapshot(many);
  for (let turn = 0; turn < 50; turn += 1) {
    await store.components.applyRevision(
      { ...large, repo: { ...large.repo, message: `Turn ${turn}`, committedAt: NOW + turn } },
      { trigger: { kind: 'poll' }, startedAt: NOW, summary: { added: 0, changed: 0, removed: 0 } },
    );
  }
  const started = performance.now();
  const rows = await store.history.pipelineRevisions('main', 'p500');
  const took = performance.now() - started;
  console.log(`history of one of 1,000 pipelines: ${took.toFixed(1)} ms`);
  expect(rows).toHaveLength(1);
  expect(took).toBeLessThan(500);
});
