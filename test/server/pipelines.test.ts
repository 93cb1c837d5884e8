import type { FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import type {
  DltDrop,
  DltPipeline,
  DltPipelineDetail,
  DltStateResponse,
} from '../../src/server/contract/dlt-state.ts';
import type { LaunchResponse, RunDetail, RunSummary } from '../../src/server/contract/run.ts';
import type { SamplePipeline } from '../helpers/sample-definitions.ts';
import { type StepScript, surface } from '../helpers/surface.ts';

const PATH = '/api/v1/pipelines';
const SHOP: Record<string, SamplePipeline> = {
  dlt_orders: {
    tool: 'dlt',
    assets: {
      'dlt_orders/orders': { resource: 'orders' },
      'dlt_orders/customers': { resource: 'customers' },
    },
  },
  dlt_whole: { tool: 'dlt', assets: { dlt_whole: {} } },
  report: { assets: { report: {} } },
};

/** A folder with two sources. */
const DECLARED: Record<string, SamplePipeline> = {
  dlt_declared: {
    tool: 'dlt',
    config: {
      dlt: {
        script: 'pipeline.py',
        sources: ['crm', 'web'].map((name) => ({
          name,
          sourceModule: name,
          sourceName: name,
          sourceArgs: {},
          datasetName: `raw_${name}`,
        })),
        sourceArgs: {},
        resources: [],
        assetPer: 'pipeline',
        incremental: {},
      },
    },
    assets: { 'dlt_declared/crm': { resource: 'crm' }, 'dlt_declared/web': { resource: 'web' } },
  },
};

function other(payload: Record<string, unknown>) {
  return { type: 'other' as const, payload };
}

const FACTS = {
  name: 'shop',
  destination: { name: 'duckdb', type: 'duckdb' },
  dataset: 'raw',
  has_local_state: true,
  stored_in_destination: true,
  state_from: 'destination',
  state_version: 3,
  schemas: [{ name: 'shop', version: 2, version_hash: 'abc', is_default: true }],
  resources: [
    {
      name: 'orders',
      source: 'shop',
      cursors: [{ path: 'updated_at', initial_value: '2024-01-01', last_value: '2024-01-10' }],
      rows: 10,
      tables: ['orders'],
      write_disposition: 'append',
    },
  ],
  pending: [],
  loads: [{ load_id: '17.5', at: null, schema: 'shop', ok: true }],
  trace: null,
  unfinished_drop: null,
  warnings: [],
};
const TABLE = {
  name: 'orders',
  schema: 'shop',
  resource: 'orders',
  parent: null,
  write_disposition: 'append',
  columns: [{ name: 'id', type: 'bigint', nullable: false, primary_key: true }],
  rows: 10,
};
const DROPPED = {
  pipeline: 'shop',
  destination: 'duckdb',
  dataset: 'raw',
  resources: ['orders'],
  tables: [{ name: 'orders', resource: 'orders', rows: 10, nested: false }],
  cursors: [{ resource: 'orders', path: 'updated_at', last_value: '2024-01-10' }],
  pending: [],
};

/** What the Python side reports of each operation. */
function reports(home: () => string) {
  return (spec: {
    operation?: { action: string } | undefined;
    assets: readonly { key: string }[];
  }): StepScript => {
    const facts = { ...FACTS, working_dir: `${home()}/state/main/dlt_orders/dlt/pipelines/shop` };
    switch (spec.operation?.action) {
      case 'read':
        return {
          events: [
            other({ type: 'dlt_state', pipeline: 'shop', of: ['shop'], dlt_version: '1.31.0', facts }),
            other({ type: 'dlt_state_tables', pipeline: 'shop', tables: [TABLE] }),
            other({
              type: 'dlt_state_tables',
              pipeline: 'shop',
              tables: [{ ...TABLE, name: 'orders__items' }],
            }),
            other({ type: 'dlt_state_json', pipeline: 'shop', state: { sources: {} } }),
          ],
        };
      case 'preview':
        return { events: [other({ type: 'dlt_drop_preview', pipelines: [DROPPED] })] };
      case 'drop':
        return { events: [other({ type: 'dlt_dropped', finished_for: null, pipelines: [DROPPED] })] };
      default:
        return {
          events: spec.assets.map(({ key }) => ({
            type: 'materialization' as const,
            asset_key: key,
            metadata: {
              rows: 10,
              destination: 'duckdb',
              dataset: 'raw',
              ...(key.endsWith('/orders') ? { cursor: { updated_at: '2024-01-10' } } : {}),
              ...(key === 'dlt_whole'
                ? { cursor: { 'a.at': 5 }, tables: { a: {}, b: {}, a__items: {} } }
                : {}),
            },
          })),
        };
    }
  };
}

async function shop(pipelines = SHOP) {
  let home = '';
  const service = await surface({ pipelines, step: reports(() => home) });
  home = service.settings.home;
  return service;
}

async function get<T>(app: FastifyInstance, url: string): Promise<T> {
  const response = await app.inject({ url });
  expect(response.statusCode, response.body).toBe(200);
  return response.json<T>();
}

async function post(app: FastifyInstance, url: string, payload?: object) {
  const response = await app.inject({
    method: 'POST',
    url,
    ...(payload === undefined ? {} : { payload }),
    headers: { 'x-elt-actor': 'cli:ada' },
  });
  expect(response.statusCode, response.body).toBe(202);
  return response.json<LaunchResponse>();
}

describe('dlt pipelines', () => {
  it('are listed with what their loads reported last, by the store alone', async () => {
    const { app } = await shop();
    await post(app, '/api/v1/runs', { selection: '*' });
    const { items } = await get<{ items: DltPipeline[] }>(app, PATH);
    expect(items.map(({ pipeline }) => pipeline)).toEqual(['dlt_orders', 'dlt_whole']);
    expect(items[0]).toMatchObject({
      component: 'main',
      resources: ['customers', 'orders'],
      destination: 'duckdb',
      dataset: 'raw',
    });
    expect(items[0]!.assets.map(({ key, rows, cursor }) => [key, rows, cursor])).toEqual([
      ['dlt_orders/customers', 10, null],
      ['dlt_orders/orders', 10, { updated_at: '2024-01-10' }],
    ]);
    expect(items[1]).toMatchObject({ resources: ['a', 'b'] });
    const { items: runs } = await get<{ items: unknown[] }>(app, '/api/v1/runs');
    expect(runs).toHaveLength(1);
  });

  it('come in pages, and by any name that people have for one', async () => {
    const { app } = await shop();
    const first = await get<{ items: DltPipeline[]; next_cursor: string }>(app, `${PATH}?limit=1`);
    const second = await get<{ items: DltPipeline[] }>(app, `${PATH}?limit=1&cursor=${first.next_cursor}`);
    expect([first.items[0]?.pipeline, second.items[0]?.pipeline]).toEqual(['dlt_orders', 'dlt_whole']);
    const named = await get<{ items: DltPipeline[] }>(app, `${PATH}?name=main/dlt_whole`);
    expect(named.items.map(({ pipeline }) => pipeline)).toEqual(['dlt_whole']);
    const unknown = await app.inject({ url: `${PATH}?name=dlt_hole` });
    expect(unknown.statusCode).toBe(404);
    expect(unknown.json()).toMatchObject({ code: 'PIPELINE_NOT_FOUND', hint: 'did you mean dlt_whole?' });
  });
});

describe('the state of a dlt pipeline', () => {
  it('is null until somebody read it, then what that run reported, put together again', async () => {
    const { app, settings } = await shop();
    const url = `${PATH}/main/dlt_orders/state`;
    expect(await get(app, url)).toEqual({ report: null, reading: null });
    const { run_ids: ids } = await post(app, url, { rows: true });
    const { report, reading } = await get<DltStateResponse>(app, url);
    expect(reading).toBeNull();
    expect(report).toMatchObject({ run_id: ids[0], dlt_version: '1.31.0', commit: 'c'.repeat(40) });
    const [pipeline] = report!.pipelines;
    expect(pipeline!.tables.map(({ name }) => name)).toEqual(['orders', 'orders__items']);
    expect(pipeline!.state).toEqual({ sources: {} });
    expect(pipeline!.working_dir).toBe('$ELT_HOME/state/main/dlt_orders/dlt/pipelines/shop');
    expect(JSON.stringify(report)).not.toContain(settings.home);
    const run = await get<RunDetail>(app, `/api/v1/runs/${ids[0]}`);
    expect(run).toMatchObject({ job_name: 'state of dlt_orders', asset_keys: [], materializations: [] });
  });

  it('is read once for those who ask while it is being read', async () => {
    const { app } = await surface({ pipelines: SHOP, step: () => ({ hold: true }) });
    const url = `${PATH}/main/dlt_orders/state`;
    const [first] = (await post(app, url)).run_ids;
    expect((await get<DltStateResponse>(app, url)).reading).toBe(first);
    expect((await post(app, url)).run_ids).toEqual([first]);
    // Without rows it is another question.
    expect((await post(app, url, { rows: false })).run_ids).not.toEqual([first]);
  });

  it('is refused for what is no dlt pipeline of the component', async () => {
    const { app } = await shop();
    for (const [url, status, code] of [
      [`${PATH}/main/report/state`, 400, 'REQUEST_INVALID'],
      [`${PATH}/main/nothing/state`, 404, 'PIPELINE_NOT_FOUND'],
      [`${PATH}/other/dlt_orders/state`, 404, 'PIPELINE_NOT_FOUND'],
      [`${PATH}/main/dlt_orders/drops/none`, 404, 'RUN_NOT_FOUND'],
    ] as const) {
      const response = await app.inject({ url });
      expect(response.json(), url).toMatchObject({ status, code });
    }
  });
});

describe('a drop', () => {
  it('is a run that says what went, is in the audit log, and leaves materializations as history', async () => {
    const { app, store } = await shop();
    await post(app, '/api/v1/runs', { selection: 'dlt_orders' });
    const [runId] = (await post(app, `${PATH}/main/dlt_orders/drop`, { resources: ['orders'] })).run_ids;
    const drop = await get<DltDrop>(app, `${PATH}/main/dlt_orders/drops/${runId}`);
    expect(drop).toMatchObject({
      status: 'SUCCESS',
      dry_run: false,
      resources: ['orders'],
      dropped: [DROPPED],
    });
    const detail = await get<DltPipelineDetail>(app, `${PATH}/main/dlt_orders`);
    expect(detail.drops.map(({ run_id: id }) => id)).toEqual([runId]);
    expect(detail.drops[0]?.cause.text).toBe('ada on the command line');
    expect(await store.operations.auditLog({ target: 'main/dlt_orders', limit: 10 })).toMatchObject([
      { actor: 'cli:ada', action: 'dlt_state.drop', details: { resources: ['orders'], run_ids: [runId] } },
    ]);
    const [status] = await store.assets.status(['dlt_orders/orders']);
    expect(status?.latest?.metadata['rows']).toBe(10);
    // A drop is no load of the asset: it is in no strip of its runs, whatever becomes of it.
    const runs = await get<{ items: unknown[] }>(app, '/api/v1/runs?asset=dlt_orders%2Forders');
    expect(runs.items).toHaveLength(1);
  });

  it('is only looked up with dry_run: nothing in the audit log, nothing among the drops', async () => {
    const { app, store } = await shop();
    const [runId] = (await post(app, `${PATH}/main/dlt_orders/drop`, { dry_run: true })).run_ids;
    const drop = await get<DltDrop>(app, `${PATH}/main/dlt_orders/drops/${runId}`);
    expect(drop).toMatchObject({ dry_run: true, resources: null, dropped: [DROPPED] });
    expect((await get<DltPipelineDetail>(app, `${PATH}/main/dlt_orders`)).drops).toEqual([]);
    expect(await store.operations.auditLog({ target: 'main/dlt_orders', limit: 10 })).toEqual([]);
  });

  it('never runs beside a load of the pipeline, and can be taken back while it waits', async () => {
    const { app, engine } = await surface({
      pipelines: SHOP,
      step: (spec) => ({ hold: spec.operation === undefined }),
    });
    const [load] = (await post(app, '/api/v1/runs', { selection: 'dlt_orders' })).run_ids;
    const [first] = (await post(app, `${PATH}/main/dlt_orders/drop`)).run_ids;
    const [second] = (await post(app, `${PATH}/main/dlt_orders/drop`)).run_ids;
    const waiting = await get<RunDetail>(app, `/api/v1/runs/${first}`);
    expect(waiting.status).toBe('QUEUED');
    expect(waiting.steps_list[0]?.waiting_for).toMatch(/a free slot of pool .*dlt_orders/);
    await post(app, `/api/v1/runs/${first}/cancel`);
    await engine.finished(first!);
    await post(app, `/api/v1/runs/${load}/cancel`);
    await engine.finished(load!);
    engine.wake(second!);
    await engine.finished(second!);
    const { items } = await get<{ items: RunSummary[] }>(app, '/api/v1/runs');
    expect(items.map(({ status, job_name: name }) => `${name} ${status}`)).toEqual([
      'drop dlt_orders SUCCESS',
      'drop dlt_orders CANCELED',
      'dlt_orders_job CANCELED',
    ]);
  });
});

describe('a launch by source', () => {
  it('takes all assets of the pipeline, and a level of its output that is stored with the run', async () => {
    const { app } = await shop();
    const launch = await post(app, '/api/v1/runs', {
      source: 'dlt_orders',
      log_level: 'DEBUG',
      full_refresh: true,
    });
    const run = await get<RunDetail>(app, `/api/v1/runs/${launch.run_ids[0]}`);
    expect(run.asset_keys.toSorted()).toEqual(['dlt_orders/customers', 'dlt_orders/orders']);
    expect(run.config).toEqual({ log_level: 'DEBUG' });
  });

  it('takes one of several sources of a folder by its name', async () => {
    const { app } = await shop(DECLARED);
    const launch = await post(app, '/api/v1/runs', { source: 'web' });
    const run = await get<RunDetail>(app, `/api/v1/runs/${launch.run_ids[0]}`);
    expect(run.asset_keys).toEqual(['dlt_declared/web']);
  });

  it('is refused where it can mean nothing, or not one thing', async () => {
    const { app } = await shop();
    for (const [payload, status, code] of [
      [{ source: 'dlt_ordrs' }, 404, 'PIPELINE_NOT_FOUND'],
      [{ source: 'report' }, 400, 'REQUEST_INVALID'],
      [{ source: 'dlt_orders', selection: '*' }, 400, 'REQUEST_INVALID'],
      [{}, 400, 'REQUEST_INVALID'],
      [{ selection: '*', config: { log_level: 'loud' } }, 400, 'REQUEST_INVALID'],
      [{ selection: '*', log_level: 'LOUD' }, 400, 'REQUEST_INVALID'],
    ] as const) {
      const response = await app.inject({ method: 'POST', url: '/api/v1/runs', payload });
      expect(response.json(), JSON.stringify(payload)).toMatchObject({ status, code });
    }
  });
});
