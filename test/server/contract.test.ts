import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AlertsConfig } from '../../src/definitions/alerts.ts';
import { InsightsMeasures, InsightsQuery } from '../../src/server/contract/insights.ts';
import { openapiDocument } from '../../src/server/openapi-document.ts';
import { DAILY, type SamplePipeline, sampleSnapshot } from '../helpers/sample-definitions.ts';
import { ROOT, type Surface, surface } from '../helpers/surface.ts';

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, unknown>> }>>>
  >;
}

const SHOP: Record<string, SamplePipeline> = {
  orders: {
    tool: 'dlt',
    held: true,
    config: {
      partitions: DAILY,
      retryPolicy: { maxRetries: 3, delay: 60, backoff: 'EXPONENTIAL', jitter: 'FULL' },
      freshness: { lowerBoundDeltaSeconds: 3600, timezone: 'UTC', severity: 'WARN' },
      automation: { condition: 'eager' },
      metadata: [{ key: 'runbook', value: 'https://example.com', type: 'url' }],
      checks: [
        { name: 'has_rows', type: 'row_count', blocking: true, severity: 'ERROR', settings: { min: 1 } },
      ],
      schedule: {
        cron: ['0 2 * * *'],
        timezone: 'UTC',
        defaultStatus: 'RUNNING',
        catchUp: 'all',
        overlap: 'queue',
        jitterSeconds: 0,
      },
    },
    assets: { dlt_orders: { deps: ['crm'], columns: [{ name: 'id', type: 'bigint' }] } },
  },
};

const SOURCE = { file: 'dagster.yaml', line: 3, column: 5 };
/** Its variable is not set: a test fails without asking anybody. */
const ALERTS: AlertsConfig = {
  channels: [{ type: 'slack', name: 'team', url: '${ELT_ALERT_NOWHERE}', source: SOURCE }],
  rules: [
    {
      name: 'failures',
      on: ['run_failure'],
      select: null,
      channels: ['team'],
      severity: 'WARN',
      enabled: true,
      mute: null,
      repeatAfterSeconds: null,
      groupWaitSeconds: 30,
      source: SOURCE,
    },
  ],
};

/** A service in which something of every kind has happened. */
async function busy(): Promise<Surface & { runId: string; backfillId: string; evaluationId: string }> {
  const service = await surface({
    pipelines: SHOP,
    settings: { webhookSecret: 'secret' },
    files: { 'pipelines/dlt/orders/dagster.yaml': 'a: 1\nb: 2\nc: 3\n' },
    snapshot: {
      instance: sampleSnapshot({}, { alerts: ALERTS }).instance,
      diagnostics: [
        {
          code: 'CONFIG_UNKNOWN_KEY',
          severity: 'error',
          message: '"shedule" is not known',
          file: 'pipelines/dlt/orders/dagster.yaml',
          line: 2,
          column: 1,
          hint: 'did you mean "schedule"?',
          path: 'shedule',
          pipeline: 'orders',
        },
      ],
    },
    step: () => ({
      lines: ['loading'],
      events: [
        {
          type: 'materialization',
          asset_key: 'dlt_orders',
          metadata: { rows: 7, tables: ['orders'], cursor: null },
        },
        {
          type: 'check',
          asset_key: 'dlt_orders',
          check_name: 'has_rows',
          passed: false,
          severity: 'WARN',
          metadata: { rows: 7 },
        },
        { type: 'progress', stage: 'extract', rows: 7 },
      ],
    }),
  });
  const launch = await service.app.inject({
    method: 'POST',
    url: '/api/v1/runs',
    payload: { selection: 'dlt_orders', partition: 'latest' },
  });
  const runId = launch.json<{ run_ids: string[] }>().run_ids[0]!;
  const backfill = await service.app.inject({
    method: 'POST',
    url: '/api/v1/backfills',
    payload: { selection: 'dlt_orders', partitions: { keys: ['2026-01-02', '2026-01-04'] } },
  });
  const backfillId = backfill.json<{ backfill_id: string }>().backfill_id;
  await service.backfills.advance();
  await service.store.schedules.setCursors([
    { schedule: 'orders_schedule', cursor: 0, configDigest: 'digest' },
  ]);
  await service.store.operations.heartbeat('scheduler', 'failed', 'a reason');
  await service.publish(SHOP, { instance: sampleSnapshot({}, { alerts: ALERTS }).instance });
  await service.automation.look();
  const [evaluation] = await service.store.automation.evaluations({ limit: 1 });
  return { ...service, runId, backfillId, evaluationId: evaluation!.evaluationId };
}

/** One request for each route of the document; the schema of the answer is held by the serializer, or it is a 500. */
function requestsOf({
  runId,
  backfillId,
  evaluationId,
}: Awaited<ReturnType<typeof busy>>): Readonly<Record<string, readonly [string, object?]>> {
  return {
    'get /healthz': ['/healthz'],
    'get /readyz': ['/readyz'],
    'get /metrics': ['/metrics'],
    'post /webhooks/github': ['/webhooks/github', {}],
    'post /webhook': ['/webhook', {}],
    'get /api/v1/assets': ['/api/v1/assets'],
    'get /api/v1/assets/{key}': ['/api/v1/assets/dlt_orders'],
    'get /api/v1/assets/{key}/explanation': ['/api/v1/assets/dlt_orders/explanation?partition=2026-01-02'],
    'get /api/v1/automation/assets': ['/api/v1/automation/assets'],
    'get /api/v1/automation/evaluations': ['/api/v1/automation/evaluations?asset=dlt_orders'],
    'get /api/v1/automation/evaluations/{id}': [
      `/api/v1/automation/evaluations/${encodeURIComponent(evaluationId)}`,
    ],
    'get /api/v1/assets/{key}/partitions': ['/api/v1/assets/dlt_orders/partitions'],
    'get /api/v1/assets/{key}/partitions/ranges': ['/api/v1/assets/dlt_orders/partitions/ranges?limit=3'],
    'get /api/v1/assets/{key}/partition-keys': ['/api/v1/assets/dlt_orders/partition-keys?at=0,18'],
    'get /api/v1/assets/{key}/materializations': ['/api/v1/assets/dlt_orders/materializations'],
    'get /api/v1/assets/{key}/partition': ['/api/v1/assets/dlt_orders/partition?key=2026-01-02'],
    'get /api/v1/assets/{key}/partitions/calendar': ['/api/v1/assets/dlt_orders/partitions/calendar'],
    'get /api/v1/assets/{key}/plots': ['/api/v1/assets/dlt_orders/plots?by=partition'],
    'get /api/v1/assets/{key}/checks/{check}/results': ['/api/v1/assets/dlt_orders/checks/has_rows/results'],
    'get /api/v1/assets/{key}/schema-changes': ['/api/v1/assets/dlt_orders/schema-changes'],
    'get /api/v1/assets/{key}/definition': ['/api/v1/assets/dlt_orders/definition'],
    'get /api/v1/asset-trends': ['/api/v1/asset-trends?keys=dlt_orders'],
    'get /api/v1/lineage': ['/api/v1/lineage'],
    'get /api/v1/jobs': ['/api/v1/jobs'],
    'get /api/v1/schedules': ['/api/v1/schedules'],
    'get /api/v1/schedules/{name}': ['/api/v1/schedules/orders_schedule'],
    'get /api/v1/schedules/{name}/ticks': ['/api/v1/schedules/orders/ticks?next=3'],
    'post /api/v1/schedules/{name}/stop': ['/api/v1/schedules/orders_schedule/stop', {}],
    'post /api/v1/schedules/{name}/start': ['/api/v1/schedules/orders_schedule/start', {}],
    'get /api/v1/timeline': ['/api/v1/timeline?open=sales'],
    'get /api/v1/upcoming-ticks': ['/api/v1/upcoming-ticks'],
    'get /api/v1/runs': ['/api/v1/runs'],
    'post /api/v1/runs': ['/api/v1/runs', { selection: 'dlt_orders', partition: '2026-01-01' }],
    'get /api/v1/runs/{id}': [`/api/v1/runs/${runId}`],
    'get /api/v1/runs/{id}/steps/{step}/definition': [`/api/v1/runs/${runId}/steps/orders/definition`],
    'get /api/v1/runs/{id}/events': [`/api/v1/runs/${runId}/events`],
    'get /api/v1/runs/{id}/logs': [`/api/v1/runs/${runId}/logs`],
    'post /api/v1/runs/{id}/cancel': [`/api/v1/runs/${runId}/cancel`, {}],
    'post /api/v1/runs/{id}/retry': [`/api/v1/runs/${runId}/retry`, {}],
    'get /api/v1/alerts': ['/api/v1/alerts'],
    'post /api/v1/alerts/rules/{name}/test': ['/api/v1/alerts/rules/failures/test', {}],
    'post /api/v1/alerts/channels/{name}/test': ['/api/v1/alerts/channels/team/test', {}],
    'post /api/v1/alerts/rules/{name}/mute': ['/api/v1/alerts/rules/failures/mute', { expires_in: '2h' }],
    'get /api/v1/alerts/deliveries': ['/api/v1/alerts/deliveries?status=failed'],
    'post /api/v1/alerts/rules/{name}/unmute': ['/api/v1/alerts/rules/failures/unmute', {}],
    'post /api/v1/alerts/deliveries/{name}/retry': ['/api/v1/alerts/deliveries/unknown/retry', {}],
    'get /api/v1/backfills': ['/api/v1/backfills'],
    'post /api/v1/backfills': [
      '/api/v1/backfills',
      { selection: 'dlt_orders', partitions: { all: true }, dry_run: true },
    ],
    'get /api/v1/backfills/{id}': [`/api/v1/backfills/${backfillId}`],
    'get /api/v1/backfills/{id}/runs': [`/api/v1/backfills/${backfillId}/runs`],
    'get /api/v1/backfills/{id}/partitions/{asset}': [
      `/api/v1/backfills/${backfillId}/partitions/dlt_orders`,
    ],
    'post /api/v1/backfills/{id}/pause': [`/api/v1/backfills/${backfillId}/pause`, {}],
    'post /api/v1/backfills/{id}/resume': [`/api/v1/backfills/${backfillId}/resume`, {}],
    'post /api/v1/backfills/{id}/cancel': [`/api/v1/backfills/${backfillId}/cancel`, {}],
    'post /api/v1/backfills/{id}/retry': [`/api/v1/backfills/${backfillId}/retry`, {}],
    'get /api/v1/components': ['/api/v1/components'],
    'get /api/v1/components/{name}': ['/api/v1/components/main'],
    'get /api/v1/components/{name}/revisions': ['/api/v1/components/main/revisions'],
    'get /api/v1/components/{name}/pipelines/{pipeline}/history': [
      '/api/v1/components/main/pipelines/orders/history',
    ],
    'get /api/v1/components/{name}/revisions/{range}/diff': ['/api/v1/components/main/revisions/1...2/diff'],
    'post /api/v1/plan': ['/api/v1/plan', { to: { revision: 2 } }],
    'post /api/v1/components/{name}/refresh': ['/api/v1/components/main/refresh?wait=true', {}],
    'post /api/v1/components/{name}/rollback': ['/api/v1/components/main/rollback', { revision: 1 }],
    'post /api/v1/components/{name}/pin': [
      '/api/v1/components/main/pin',
      { revision: 'v1', reason: 'a release', expires_in: '2h' },
    ],
    'post /api/v1/components/{name}/suspend': ['/api/v1/components/main/suspend', {}],
    'post /api/v1/components/{name}/resume': ['/api/v1/components/main/resume', {}],
    'post /api/v1/components/{name}/moves/accept': [
      '/api/v1/components/main/moves/accept',
      { pipeline: 'orders' },
    ],
    'get /api/v1/pipelines': ['/api/v1/pipelines?name=orders'],
    'get /api/v1/pipelines/{component}/{name}': ['/api/v1/pipelines/main/orders'],
    'get /api/v1/pipelines/{component}/{name}/state': ['/api/v1/pipelines/main/orders/state'],
    'post /api/v1/pipelines/{component}/{name}/state': [
      '/api/v1/pipelines/main/orders/state',
      { rows: false },
    ],
    'post /api/v1/pipelines/{component}/{name}/drop': [
      '/api/v1/pipelines/main/orders/drop',
      { dry_run: true },
    ],
    'get /api/v1/pipelines/{component}/{name}/drops/{run_id}': ['/api/v1/pipelines/main/orders/drops/none'],
    'get /api/v1/drift': ['/api/v1/drift'],
    'get /api/v1/revisions/{range}/diff': ['/api/v1/revisions/1...2/diff'],
    'get /api/v1/diagnostics': ['/api/v1/diagnostics'],
    'get /api/v1/doctor': ['/api/v1/doctor'],
    'get /api/v1/instance': ['/api/v1/instance'],
    'get /api/v1/audit': ['/api/v1/audit'],
    'get /api/v1/insights': ['/api/v1/insights?by=asset'],
    'get /api/v1/insights.csv': ['/api/v1/insights.csv'],
    'get /api/v1/events': ['/api/v1/events'],
  };
}
/** Refused on purpose: nothing is signed here, a run that ended is cancelled. */
const REFUSED: Readonly<Record<string, number>> = {
  'post /webhooks/github': 401,
  'post /webhook': 401,
  'post /api/v1/runs/{id}/cancel': 409,
  'post /api/v1/backfills/{id}/retry': 409,
  'post /api/v1/alerts/deliveries/{name}/retry': 404,
  'get /api/v1/pipelines/{component}/{name}/drops/{run_id}': 404,
};

describe('the contract', () => {
  it('is docs/openapi.json (node scripts/write-openapi.ts writes it)', async () => {
    const committed = readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8');
    expect(await openapiDocument()).toBe(committed);
  });

  it('says in the document what fields and parameters mean', async () => {
    const document = await openapiDocument();
    expect(document).toContain(InsightsMeasures.shape.compute_seconds.description);
    expect(document).toContain(InsightsQuery.shape.days.description);
  });

  it('is kept by the answer of every route', async () => {
    const service = await busy();
    const requests = requestsOf(service);
    const document = (await service.app.inject({ url: '/api/openapi.json' })).json<Document>();
    const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(listed.sort()).toEqual(Object.keys(requests).sort());
    const abort = new AbortController();
    for (const [route, [url, payload]] of Object.entries(requests)) {
      const [method] = route.split(' ') as ['get' | 'post'];
      const isStream = url === '/api/v1/events';
      const response = await service.app.inject({
        method,
        url,
        ...(payload === undefined ? {} : { payload }),
        ...(isStream ? { payloadAsStream: true, signal: abort.signal } : {}),
      });
      if (isStream) response.stream().on('error', () => undefined);
      const expected = REFUSED[route] ?? response.statusCode;
      expect([route, response.statusCode]).toEqual([route, expected]);
      if (REFUSED[route] === undefined) {
        expect(String(response.statusCode), `${route} ${isStream ? '' : response.body}`).toMatch(/^20[02]$/);
        const [path] = route.split(' ').slice(1) as [string];
        expect(Object.keys(document.paths[path]![method]!.responses)).toContain(String(response.statusCode));
      }
    }
    abort.abort();
  });

  it('says what a diagnostic needs to be understood: place, lines around it, hint, link', async () => {
    const { app } = await surface({
      pipelines: SHOP,
      files: { 'pipelines/dlt/orders/dagster.yaml': 'a: 1\nb: 2\nc: 3\nd: 4\n' },
      snapshot: {
        diagnostics: [
          {
            code: 'CONFIG_TYPE',
            severity: 'error',
            message: 'm',
            file: 'pipelines/dlt/orders/dagster.yaml',
            line: 1,
            column: 4,
            pipeline: 'orders',
          },
        ],
      },
    });
    const { items } = (await app.inject({ url: '/api/v1/diagnostics' })).json<{ items: unknown[] }>();
    expect(items).toEqual([
      {
        code: 'CONFIG_TYPE',
        severity: 'error',
        message: 'm',
        file: 'pipelines/dlt/orders/dagster.yaml',
        line: 1,
        column: 4,
        hint: null,
        path: null,
        pipeline: 'orders',
        component: 'main',
        excerpt: [
          { line: 1, text: 'a: 1' },
          { line: 2, text: 'b: 2' },
          { line: 3, text: 'c: 3' },
        ],
        url: `https://github.com/shop/pipelines/blob/${'c'.repeat(40)}/pipelines/dlt/orders/dagster.yaml#L1`,
      },
    ]);
  });

  it('stops and starts a schedule: no tick while stopped, none of them later', async () => {
    const { app, store, clock } = await surface({ pipelines: SHOP });
    await store.schedules.setCursors([
      { schedule: 'orders_schedule', cursor: clock.now(), configDigest: 'digest' },
    ]);
    clock.advance(3_600_000);
    const stopped = await app.inject({ method: 'POST', url: '/api/v1/schedules/orders_schedule/stop' });
    expect(stopped.json()).toMatchObject({ status: 'STOPPED', next_ticks: [], override: { by: 'api' } });
    clock.advance(3_600_000);
    const started = await app.inject({ method: 'POST', url: '/api/v1/schedules/orders_schedule/start' });
    expect(started.json()).toMatchObject({ status: 'RUNNING', override: null });
    const [state] = await store.schedules.states();
    expect(state?.cursor).toBe(clock.now());
    const unknown = await app.inject({ url: '/api/v1/schedules/order_schedule/ticks' });
    expect(unknown.json()).toMatchObject({
      code: 'SCHEDULE_NOT_FOUND',
      hint: 'did you mean orders_schedule?',
    });
  });

  it('shows what changed between two revisions, by id or commit', async () => {
    const service = await surface({ pipelines: SHOP });
    await service.publish({ ...SHOP, extra: { assets: { extra: {} } } });
    const { items } = (await service.app.inject({ url: '/api/v1/components/main/revisions' })).json<{
      items: { revision_id: number; seconds: number }[];
    }>();
    expect(items.map((item) => item.seconds)).toEqual([0.25, 0.25]);
    const [after, before] = items.map((item) => item.revision_id);
    const diff = await service.app.inject({ url: `/api/v1/revisions/${before}...${after}/diff` });
    expect(diff.json()).toEqual({ added: ['extra'], removed: [], changed: [] });
    for (const [range, code] of [
      ['1', 'REQUEST_INVALID'],
      ['1...99', 'REVISION_NOT_FOUND'],
    ]) {
      expect((await service.app.inject({ url: `/api/v1/revisions/${range}/diff` })).json()).toMatchObject({
        code,
      });
    }
  });

  it('asks for a refresh at once, or answers when it has ended', async () => {
    const { app, refreshes } = await surface();
    const url = '/api/v1/components/main/refresh';
    const asked = await app.inject({ method: 'POST', url, headers: { 'x-elt-client': 'page' } });
    expect([asked.statusCode, asked.json()]).toEqual([202, { component: 'main', accepted: true }]);
    const waited = await app.inject({ method: 'POST', url: `${url}?wait=true&allow_prune=true` });
    expect([waited.statusCode, waited.json<{ status: string }>().status]).toEqual([200, 'unchanged']);
    expect(refreshes).toEqual([
      { component: 'main', trigger: { kind: 'page', by: 'page' } },
      { component: 'main', trigger: { kind: 'api', by: 'api' }, allowPrune: true },
    ]);
    const unknown = await app.inject({ method: 'POST', url: '/api/v1/components/other/refresh' });
    expect(unknown.json()).toMatchObject({ code: 'COMPONENT_UNKNOWN', hint: 'there is main' });
  });
});
