import type { FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { readEvents } from '../../src/cli/server-sent-events.ts';
import type {
  Backfill,
  BackfillDetail,
  BackfillList,
  BackfillPartitions,
  BackfillPreview,
  BackfillRunList,
} from '../../src/server/contract/backfill.ts';
import type { AuditList, StreamChange } from '../../src/server/contract/instance.ts';
import type { RunList } from '../../src/server/contract/run.ts';
import { DAILY, DAILY_BY_CATEGORY, type SamplePipeline } from '../helpers/sample-definitions.ts';
import { seen, settleBackfills } from '../helpers/settle-backfills.ts';
import { surface } from '../helpers/surface.ts';

/** It is 2026-01-20: the days go from 1 to 19. */
const SHOP: Record<string, SamplePipeline> = {
  daily: { config: { partitions: DAILY }, assets: { daily: {} } },
  report: {
    config: { partitions: DAILY, deps: [{ asset: 'daily' }] },
    assets: { report: {} },
  },
  tills: { config: { partitions: DAILY_BY_CATEGORY }, assets: { tills: {} } },
  plain: { assets: { plain: {} } },
};
const FAILED = {
  type: 'step_failed',
  seconds: 1,
  error: { code: 'STEP_FAILED', message: 'HTTP 429', failureClass: 'user' },
  finishedAssets: [],
  failedBlockingChecks: [],
} as const;
const DAYS = { range: { start: '2026-01-01', end: '2026-01-03' } };

async function post<T>(
  app: FastifyInstance,
  path: string,
  payload: object = {},
  headers: Record<string, string> = {},
): Promise<{ status: number; body: T }> {
  const response = await app.inject({ method: 'POST', url: `/api/v1${path}`, payload, headers });
  return { status: response.statusCode, body: response.json<T>() };
}

async function get<T>(app: FastifyInstance, path: string): Promise<T> {
  const response = await app.inject({ url: `/api/v1${path}` });
  expect(response.statusCode, response.body).toBe(200);
  return response.json<T>();
}

describe('a backfill', () => {
  it('says what it would do, and does nothing', async () => {
    const { app, store } = await surface({ pipelines: SHOP });
    const { status, body } = await post<BackfillPreview>(app, '/backfills', {
      selection: 'daily+',
      partitions: DAYS,
      dry_run: true,
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      partitions: 3,
      expected: null,
      assets: [
        { key: 'daily', partitions: 3, already_materialized: 0, first_key: '2026-01-01' },
        { key: 'report', partitions: 3, last_key: '2026-01-03' },
      ],
    });
    expect(body.first_runs[0]?.partitions).toEqual({ kind: 'key', key: '2026-01-01' });
    expect(await store.backfills.list({ limit: 1 })).toEqual([]);
    expect(await store.runs.list({ limit: 1 })).toEqual([]);
    expect(await store.operations.auditLog({ limit: 1 })).toEqual([]);
  });

  it('runs every partition once, tells the stream, and is in the audit log', async () => {
    const service = await surface({ pipelines: SHOP });
    const { app, store } = service;
    const asked = { asset_keys: ['daily'], partitions: DAYS, max_concurrent: 2, idempotency_key: 'click' };
    const { status, body: made } = await post<BackfillDetail>(app, '/backfills', asked, {
      'x-elt-actor': 'cli:ada',
    });
    expect([status, made.status, made.runs, made.counts.total]).toEqual([202, 'REQUESTED', 3, 3]);
    expect(made.partitions).toEqual({ kind: 'range', start: '2026-01-01', end: '2026-01-03' });
    const path = `/backfills/${made.backfill_id}`;

    await settleBackfills(service);
    const ended = await get<BackfillDetail>(app, path);
    expect(ended).toMatchObject({
      status: 'COMPLETED_SUCCESS',
      counts: { total: 3, materialized: 3, not_started: 0 },
      cause: { kind: 'cli', text: 'ada on the command line' },
      submitted: 3,
    });
    const again = await post<BackfillDetail>(app, '/backfills', asked);
    expect(again.body.backfill_id).toBe(made.backfill_id);
    const twins = { asset_keys: ['daily'], partitions: { all: true }, idempotency_key: 'double click' };
    const [one, two] = await Promise.all([1, 2].map(() => post<BackfillDetail>(app, '/backfills', twins)));
    expect(one!.body.backfill_id).toBe(two!.body.backfill_id);
    expect(
      (await get<z.infer<typeof AuditList>>(app, `/audit?target=${one!.body.backfill_id}`)).items,
    ).toHaveLength(1);

    const runs = await get<z.infer<typeof BackfillRunList>>(app, `${path}/runs`);
    expect(runs.items.map(({ status: one, partitions }) => [one, partitions])).toEqual(
      [1, 2, 3].map((day) => ['SUCCESS', { kind: 'key', key: `2026-01-0${day}` }]),
    );
    const listed = await get<z.infer<typeof RunList>>(app, `/runs?backfill_id=${made.backfill_id}`);
    expect(listed.items.map(({ cause }) => cause.backfill_id)).toEqual([1, 2, 3].map(() => made.backfill_id));
    const audit = await get<z.infer<typeof AuditList>>(app, `/audit?target=${made.backfill_id}`);
    expect(audit.items).toMatchObject([{ actor: 'cli:ada', action: 'backfill.create' }]);

    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as { port: number };
    const abort = new AbortController();
    const stream = await fetch(`http://127.0.0.1:${port}/api/v1/events?after=0`, { signal: abort.signal });
    const seen: string[] = [];
    const last = await store.lastEventId();
    for await (const { event, data } of readEvents(stream.body!)) {
      if (event !== 'change') continue;
      const change = JSON.parse(data) as StreamChange;
      if (change.backfill_id === made.backfill_id) seen.push(change.type);
      if (change.event_id === last) break;
    }
    abort.abort();
    expect(seen[0]).toBe('backfill_changed');
    expect(seen.filter((type) => type === 'run_succeeded')).toHaveLength(3);
  });

  it('takes only what is missing or failed, and shows 2-D partitions as a matrix', async () => {
    let fails = true;
    const service = await surface({
      pipelines: SHOP,
      step: (spec) => (fails && spec.partitionKeys[0]?.startsWith('A|2026-01-02') ? { result: FAILED } : {}),
    });
    const { app } = service;
    const rectangle = { range: { start: 'A|2026-01-01', end: 'B|2026-01-02' } };
    const { body: first } = await post<BackfillDetail>(app, '/backfills', {
      selection: 'tills',
      partitions: rectangle,
      single_run: false,
    });
    await settleBackfills(service);
    const path = `/backfills/${first.backfill_id}`;
    expect(await get<BackfillDetail>(app, path)).toMatchObject({
      status: 'COMPLETED_FAILED',
      counts: { total: 4, materialized: 3, failed: 1 },
    });
    const states = await get<BackfillPartitions>(app, `${path}/partitions/tills`);
    expect(states).toMatchObject({ ranges: [], counts: { total: 4, failed: 1 } });
    expect(states.matrix).toEqual({
      rows: { name: 'category', keys: ['A', 'B'] },
      columns: { name: 'date', keys: ['2026-01-01', '2026-01-02'] },
      cells: ['mf', 'mm'],
    });
    const failed = await get<z.infer<typeof BackfillRunList>>(app, `${path}/runs?status=failure`);
    expect(failed.items.map(({ partitions }) => partitions)).toEqual([{ kind: 'key', key: 'A|2026-01-02' }]);

    fails = false;
    const { status, body: retried } = await post<BackfillDetail>(app, `${path}/retry`);
    expect([status, retried.parent_id, retried.counts.total]).toEqual([202, first.backfill_id, 1]);
    await settleBackfills(service);
    expect((await get<Backfill>(app, `/backfills/${retried.backfill_id}`)).status).toBe('COMPLETED_SUCCESS');
    const { body: nothing } = await post<{ code: string }>(app, '/backfills', {
      selection: 'tills',
      partitions: rectangle,
      only: 'missing_or_failed',
    });
    expect(nothing.code).toBe('BACKFILL_EMPTY');
  });

  it('shows stretches of one dimension, what it leaves out as gaps', async () => {
    const service = await surface({ pipelines: SHOP });
    const { app } = service;
    const { body } = await post<BackfillDetail>(app, '/backfills', {
      selection: 'daily',
      partitions: { keys: ['2026-01-01', '2026-01-02', '2026-01-05'] },
    });
    const path = `/backfills/${body.backfill_id}/partitions/daily`;
    const before = await get<BackfillPartitions>(app, path);
    expect(before.ranges).toEqual([
      { from: 0, to: 1, from_key: '2026-01-01', to_key: '2026-01-02', status: 'not_started' },
      { from: 4, to: 4, from_key: '2026-01-05', to_key: '2026-01-05', status: 'not_started' },
    ]);
    await settleBackfills(service);
    expect((await get<BackfillPartitions>(app, path)).ranges.map(({ status }) => status)).toEqual([
      'materialized',
      'materialized',
    ]);
  });

  it('is paused, resumed and canceled, each said once in the audit log', async () => {
    const service = await surface({ pipelines: SHOP, step: () => ({ hold: true }) });
    const { app, backfills, store } = service;
    const { body } = await post<BackfillDetail>(app, '/backfills', {
      selection: 'daily',
      partitions: { all: true },
      max_concurrent: 1,
    });
    const path = `/backfills/${body.backfill_id}`;
    await backfills.advance();
    await seen(store, (event) => event.type === 'step_started');
    const paused = await post<Backfill>(app, `${path}/pause`);
    expect([paused.status, paused.body.status, paused.body.changed_by]).toEqual([200, 'PAUSED', 'api']);
    await post(app, `${path}/pause`);
    expect((await post<Backfill>(app, `${path}/resume`)).body.status).toBe('REQUESTED');
    expect((await post<Backfill>(app, `${path}/cancel`)).body.status).toBe('CANCELING');
    await settleBackfills(service);
    expect(await get<Backfill>(app, path)).toMatchObject({
      status: 'CANCELED',
      counts: { total: 19, canceled: expect.any(Number), materialized: 0 },
      expected_end: null,
    });
    const audit = await get<z.infer<typeof AuditList>>(app, `/audit?target=${body.backfill_id}`);
    expect(audit.items.map(({ action }) => action)).toEqual([
      'backfill.cancel',
      'backfill.resume',
      'backfill.pause',
      'backfill.create',
    ]);
    const late = await post<{ code: string }>(app, `${path}/pause`);
    expect([late.status, late.body.code]).toEqual([409, 'BACKFILL_ENDED']);
  });

  it('expects its end by the pace of its newest runs, and says so in lists by status and asset', async () => {
    const service = await surface({
      pipelines: SHOP,
      step: ({ partitionKeys }) => ({ hold: partitionKeys[0] === '2026-01-03' }),
    });
    const { app, backfills, clock, store } = service;
    const { body } = await post<BackfillDetail>(app, '/backfills', {
      selection: 'daily',
      partitions: { all: true },
      max_concurrent: 1,
    });
    for (let round = 1; round <= 3; round += 1) {
      await backfills.advance();
      await seen(store, (_, runs) => runs.started === round && runs.ended === Math.min(round, 2));
      clock.advance(60_000);
    }
    const { items } = await get<z.infer<typeof BackfillList>>(
      app,
      '/backfills?status=requested,paused&asset=daily',
    );
    expect(items.map(({ backfill_id: id }) => id)).toEqual([body.backfill_id]);
    expect(items[0]?.counts).toMatchObject({ materialized: 2, in_progress: 1 });
    const left = Date.parse(items[0]?.expected_end ?? '') - clock.now();
    expect(left).toBeGreaterThan(0);
    expect((await get<z.infer<typeof BackfillList>>(app, '/backfills?asset=tills')).items).toEqual([]);
    expect((await get<z.infer<typeof BackfillList>>(app, '/backfills?status=canceled')).items).toEqual([]);
  });
});

it.each([
  [{ selection: 'dayly', partitions: DAYS }, 404, 'SELECTION_EMPTY', 'did you mean daily?'],
  [{ asset_keys: ['dayly'], partitions: DAYS }, 404, 'ASSET_NOT_FOUND', 'did you mean daily?'],
  [{ selection: '(', partitions: DAYS }, 422, 'SELECTION_INVALID', null],
  [{ partitions: DAYS }, 400, 'REQUEST_INVALID', null],
  [{ selection: 'daily', asset_keys: ['daily'], partitions: DAYS }, 400, 'REQUEST_INVALID', null],
  [{ selection: 'daily' }, 400, 'REQUEST_INVALID', expect.stringContaining('partitions.range')],
  [{ selection: 'daily', partitions: { ...DAYS, all: true } }, 400, 'REQUEST_INVALID', null],
  [{ selection: 'daily', partitions: DAYS, max_concurrent: 0 }, 400, 'REQUEST_INVALID', null],
  [{ selection: 'daily', partitions: { keys: ['2030-01-01'] } }, 422, 'PARTITION_UNKNOWN', null],
  [
    { selection: 'plain', partitions: DAYS },
    422,
    'PARTITION_UNKNOWN',
    expect.stringContaining('materialize'),
  ],
  [
    { selection: 'daily', partitions: { range: { start: '2026-01-03', end: '2026-01-01' } } },
    422,
    'BACKFILL_EMPTY',
    null,
  ],
])('refuses %j with its code and a hint', async (payload, status, code, hint) => {
  const { app, store } = await surface({ pipelines: SHOP });
  const answer = await post<{ code: string; hint: string | null }>(app, '/backfills', payload);
  expect([answer.status, answer.body.code, answer.body.hint]).toEqual([status, code, hint]);
  expect(await store.backfills.list({ limit: 1 })).toEqual([]);
});

it.each([
  ['GET', '', 404, 'BACKFILL_NOT_FOUND'],
  ['GET', '/runs', 404, 'BACKFILL_NOT_FOUND'],
  ['GET', '/partitions/daily', 404, 'BACKFILL_NOT_FOUND'],
  ['POST', '/pause', 404, 'BACKFILL_NOT_FOUND'],
  ['POST', '/retry', 404, 'BACKFILL_NOT_FOUND'],
] as const)('%s %s of a backfill that is not there', async (method, path, status, code) => {
  const { app } = await surface({ pipelines: SHOP });
  const response = await app.inject({ method, url: `/api/v1/backfills/0198${path}` });
  expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([status, code]);
});

it('names the keys of places among the partitions', async () => {
  const { app } = await surface({ pipelines: SHOP });
  expect(await get(app, '/assets/daily/partition-keys?at=0,18')).toEqual({
    items: [
      { ordinal: 0, key: '2026-01-01' },
      { ordinal: 18, key: '2026-01-19' },
    ],
  });
  for (const [path, code] of [
    ['/assets/daily/partition-keys?at=19', 'PARTITION_UNKNOWN'],
    ['/assets/daily/partition-keys?at=x', 'REQUEST_INVALID'],
    ['/assets/tills/partition-keys?at=0', 'REQUEST_INVALID'],
    ['/assets/plain/partition-keys?at=0', 'PARTITION_UNKNOWN'],
  ]) {
    expect((await app.inject({ url: `/api/v1${path}` })).json()).toMatchObject({ code });
  }
});
