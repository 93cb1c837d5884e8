import type { FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { AssetDefinition } from '../../src/server/contract/history.ts';
import type { AuditList } from '../../src/server/contract/instance.ts';
import type {
  LaunchResponse,
  RunDetail,
  RunEventList,
  RunList,
  RunLogs,
} from '../../src/server/contract/run.ts';
import { DAILY, type SamplePipeline, samplePipeline } from '../helpers/sample-definitions.ts';
import { surface } from '../helpers/surface.ts';

const SHOP: Record<string, SamplePipeline> = {
  orders: { tool: 'dlt', assets: { dlt_orders: {} } },
  report: { config: { deps: [{ asset: 'dlt_orders' }] }, assets: { report: {} } },
  daily: { config: { partitions: DAILY }, assets: { daily: {} } },
  off: { config: { enabled: false }, assets: { off: {} } },
};
const FAILED = {
  type: 'step_failed',
  seconds: 2,
  error: {
    code: 'STEP_FAILED',
    message: 'HTTP 429',
    failureClass: 'user',
    file: 'main.py',
    line: 7,
    exitCode: 1,
  },
  finishedAssets: [],
  failedBlockingChecks: [],
} as const;

async function launch(app: FastifyInstance, payload: object, headers: Record<string, string> = {}) {
  const response = await app.inject({ method: 'POST', url: '/api/v1/runs', payload, headers });
  expect(response.statusCode, response.body).toBe(202);
  return response.json<LaunchResponse>();
}

async function get<T>(app: FastifyInstance, url: string): Promise<T> {
  const response = await app.inject({ url });
  expect(response.statusCode, response.body).toBe(200);
  return response.json<T>();
}

describe('the code of a run', () => {
  it('is that of its plan, and is told from what a run of today would run', async () => {
    const service = await surface({
      pipelines: SHOP,
      files: { 'pipelines/python/report/dagster.yaml': 'deps: [dlt_orders]\ngroup: reports\n' },
    });
    const { app } = service;
    const [runId] = (await launch(app, { selection: '+report' })).run_ids;
    const latest = async () =>
      (await get<RunDetail>(app, `/api/v1/runs/${runId}`)).steps_list.map((step) => [
        step.pipeline,
        step.latest?.changed ?? 'gone',
      ]);
    expect(await latest()).toEqual([
      ['orders', false],
      ['report', false],
    ]);
    const report = samplePipeline('report', SHOP['report']!);
    const changed = { ...report, code: { ...report.code, contentDigest: 'another' } };
    await service.publish({}, { pipelines: [changed] });
    expect(await latest()).toEqual([
      ['orders', 'gone'],
      ['report', true],
    ]);
    const steps = `/api/v1/runs/${runId}/steps`;
    const definition = await get<AssetDefinition>(app, `${steps}/report/definition`);
    expect(definition).toMatchObject({
      file: 'pipelines/python/report/dagster.yaml',
      commit: 'c'.repeat(40),
      line_url: `https://github.com/shop/pipelines/blob/${'c'.repeat(40)}/pipelines/python/report/dagster.yaml#L{line}`,
    });
    expect((await app.inject({ url: `${steps}/none/definition` })).statusCode).toBe(404);
    expect((await app.inject({ url: '/api/v1/runs/none/steps/report/definition' })).statusCode).toBe(404);
  });
});

describe('launching', () => {
  it('launches a selection, without the disabled assets, and says so', async () => {
    const { app } = await surface({ pipelines: SHOP });
    const launched = await launch(app, { selection: '*', partition: 'latest' }, { 'x-elt-actor': 'cli:ada' });
    expect(launched.skipped_disabled).toEqual(['off']);
    const { items } = await get<z.infer<typeof RunList>>(app, `/api/v1/runs?launch_id=${launched.launch_id}`);
    expect(items.map((run) => run.status)).toEqual(items.map(() => 'SUCCESS'));
    expect(items.flatMap((run) => run.asset_keys).sort()).toEqual(['daily', 'dlt_orders', 'report']);
    expect(items[0]?.cause).toMatchObject({ kind: 'cli', text: 'ada on the command line' });
    const audit = await get<z.infer<typeof AuditList>>(app, '/api/v1/audit');
    expect(audit.items[0]).toMatchObject({
      actor: 'cli:ada',
      action: 'run.launch',
      target: launched.launch_id,
    });
  });

  it.each([
    [{ selection: 'dlt_order' }, 404, 'SELECTION_EMPTY', 'did you mean dlt_orders?'],
    [{ selection: '(' }, 422, 'SELECTION_INVALID', null],
    [{ selection: 'daily' }, 422, 'PARTITION_NEEDED', expect.stringContaining('--partition latest')],
    [{ selection: 'daily', partition: '2030-01-01' }, 422, 'PARTITION_UNKNOWN', null],
    [{ selection: 'dlt_orders', partition: '2026-01-01' }, 422, 'PARTITION_UNKNOWN', expect.any(String)],
    [{ selection: 'off' }, 409, 'PIPELINE_DISABLED', expect.stringContaining('enabled: true')],
    [
      { selection: 'daily', partition: 'latest', range: { start: 'a', end: 'b' } },
      400,
      'REQUEST_INVALID',
      null,
    ],
    [{}, 400, 'REQUEST_INVALID', null],
    [{ selection: 'daily', partitions: 'x' }, 400, 'REQUEST_INVALID', null],
  ])('refuses %j', async (payload, status, code, hint) => {
    const { app, store } = await surface({ pipelines: SHOP });
    const response = await app.inject({ method: 'POST', url: '/api/v1/runs', payload });
    expect(response.statusCode, response.body).toBe(status);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.json()).toMatchObject({ code, hint, status });
    expect(await store.runs.list({ limit: 1 })).toEqual([]);
  });

  it('makes one launch of two requests with one idempotency key', async () => {
    const { app, store } = await surface({ pipelines: SHOP });
    const request = { selection: 'dlt_orders', idempotency_key: 'click-1' };
    const [first, second] = await Promise.all([launch(app, request), launch(app, request)]);
    expect(second).toEqual(first);
    expect(await store.runs.list({ limit: 10 })).toHaveLength(1);
    expect(await store.operations.auditLog({ limit: 10 })).toHaveLength(1);
  });
});

describe('a run', () => {
  it('shows steps, materializations, the error with a link, and what waits for what', async () => {
    const { app } = await surface({
      pipelines: SHOP,
      step: (spec) => (spec.pipeline === 'orders' ? { lines: ['hello', 'bye'], result: FAILED } : {}),
    });
    const { run_ids: ids } = await launch(app, { selection: '+report' });
    const run = await get<RunDetail>(app, `/api/v1/runs/${ids[0]}`);
    expect(run).toMatchObject({ status: 'FAILURE', steps: { total: 2, failed: 1, succeeded: 0 } });
    expect(run.error).toMatchObject({
      message: 'HTTP 429',
      url: `https://github.com/shop/pipelines/blob/${'c'.repeat(40)}/pipelines/dlt/orders/main.py#L7`,
    });
    expect(run.steps_list.map((step) => [step.status, step.needs.length])).toEqual([
      ['failed', 0],
      ['skipped', 1],
    ]);
    const logs = await get<RunLogs>(app, `/api/v1/runs/${ids[0]}/logs`);
    expect(logs).toMatchObject({ attempt: 1, complete: true, next_line: 3 });
    expect(logs.lines.map((line) => line.text)).toEqual(['hello', 'bye']);
    const tail = await get<RunLogs>(app, `/api/v1/runs/${ids[0]}/logs?tail=1`);
    expect(tail.lines.map((line) => line.line)).toEqual([2]);
    const events = await get<z.infer<typeof RunEventList>>(app, `/api/v1/runs/${ids[0]}/events`);
    expect(events.items.map((event) => event.type)).toContain('step_failed');
    const failed = events.items.find((event) => event.type === 'step_failed');
    expect(failed?.payload['error']).toMatchObject({ failure_class: 'user', exit_code: 1 });
  });

  it('is cancelled while a step runs, and retried', async () => {
    let hold = true;
    const { app, engine } = await surface({ pipelines: SHOP, step: () => ({ lines: ['on it'], hold }) });
    const { run_ids: ids } = await launch(app, { selection: '+report' });
    const running = await get<RunDetail>(app, `/api/v1/runs/${ids[0]}`);
    expect(running.status).toBe('STARTED');
    expect(running.steps_list.map((step) => step.waiting_for)).toEqual([
      null,
      expect.stringMatching(/^step /),
    ]);

    const cancel = await app.inject({ method: 'POST', url: `/api/v1/runs/${ids[0]}/cancel` });
    expect(cancel.statusCode).toBe(202);
    await engine.finished(ids[0]!);
    expect((await get<RunDetail>(app, `/api/v1/runs/${ids[0]}`)).status).toBe('CANCELED');
    const again = await app.inject({ method: 'POST', url: `/api/v1/runs/${ids[0]}/cancel` });
    expect([again.statusCode, again.json<{ code: string }>().code]).toEqual([409, 'RUN_NOT_CANCELABLE']);

    hold = false;
    const retry = await app.inject({
      method: 'POST',
      url: `/api/v1/runs/${ids[0]}/retry`,
      payload: { from_failure: true },
    });
    expect(retry.statusCode, retry.body).toBe(202);
    const [retried] = retry.json<LaunchResponse>().run_ids;
    const run = await get<RunDetail>(app, `/api/v1/runs/${retried}`);
    expect(run).toMatchObject({ status: 'SUCCESS', cause: { kind: 'retry', run_id: ids[0] } });
  });

  it.each(['', '/events', '/logs'])('answers 404 for an unknown one: %s', async (path) => {
    const { app } = await surface();
    const response = await app.inject({ url: `/api/v1/runs/nope${path}` });
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([404, 'RUN_NOT_FOUND']);
  });

  it('filters lists and gives pages', async () => {
    const { app } = await surface({ pipelines: SHOP });
    for (const selection of ['dlt_orders', 'report', 'dlt_orders']) await launch(app, { selection });
    const assets = async (query: string) =>
      (await get<z.infer<typeof RunList>>(app, `/api/v1/runs?${query}`)).items.map(
        (run) => run.asset_keys[0],
      );
    expect(await assets('')).toEqual(['dlt_orders', 'report', 'dlt_orders']);
    expect(await assets('asset=report')).toEqual(['report']);
    expect(await assets('status=FAILURE,QUEUED')).toEqual([]);
    expect(await assets('status=success')).toHaveLength(3);
    const first = await get<z.infer<typeof RunList>>(app, '/api/v1/runs?limit=2');
    expect(await assets(`limit=2&cursor=${first.next_cursor}`)).toEqual(['dlt_orders']);
    const wrong = await app.inject({ url: '/api/v1/runs?status=DONE' });
    expect(wrong.json()).toMatchObject({ code: 'REQUEST_INVALID', hint: expect.stringContaining('SUCCESS') });
  });
});
