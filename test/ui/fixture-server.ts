import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ordinalToKey } from '../../src/partitions/partition-set.ts';
import * as alert from '../../src/server/contract/alert.ts';
import * as asset from '../../src/server/contract/asset.ts';
import * as automation from '../../src/server/contract/automation.ts';
import * as backfill from '../../src/server/contract/backfill.ts';
import * as common from '../../src/server/contract/common.ts';
import * as component from '../../src/server/contract/component.ts';
import * as dltState from '../../src/server/contract/dlt-state.ts';
import * as doctor from '../../src/server/contract/doctor.ts';
import * as history from '../../src/server/contract/history.ts';
import * as insights from '../../src/server/contract/insights.ts';
import * as instance from '../../src/server/contract/instance.ts';
import * as plan from '../../src/server/contract/plan.ts';
import * as run from '../../src/server/contract/run.ts';
import * as schedule from '../../src/server/contract/schedule.ts';
import * as timeline from '../../src/server/contract/timeline.ts';
import { contentSecurityPolicy } from '../../src/server/security-headers.ts';
import { partitionRanges } from '../../src/server/views/partitions-view.ts';
import { alertsOf, deliveriesOf } from './fixture/alerts.ts';
import { automationAssets, evaluationOf, evaluationsOf } from './fixture/automation.ts';
import { type BackfillWorld, backfillOf, backfillWorld, countsOf, previewOf } from './fixture/backfills.ts';
import { dltPipelineOf, dltStateOf } from './fixture/dlt-state.ts';
import {
  calendarOf,
  checkResultsOf,
  definitionOf,
  historyOf,
  partitionOf,
  plotsOf,
  schemaChangesOf,
  trendsOf,
} from './fixture/history.ts';
import { auditOf, insightsOf } from './fixture/insights.ts';
import { definitions, stateAt } from './fixture/large.ts';
import { planOf } from './fixture/plan.ts';
import { runOf, stepDefinition, stepOf } from './fixture/runs.ts';
import { type Scenario, worldOf } from './fixture/scenarios.ts';
import { timelineOf, upcomingOf } from './fixture/timeline.ts';
import { iso, logKey, type World } from './fixture/world.ts';

const DIST = fileURLToPath(new URL('../../ui/dist', import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface Fixture {
  readonly url: string;
  readonly world: World;
  /** Method and path of each request of the API so far. */
  readonly requests: string[];
  /** Tells the open streams that something changed; gives it the next event id. */
  emit(change: Partial<instance.StreamChange> & { type: string }): void;
  announceLog(log: instance.StreamLog): void;
  reset(): void;
  /** Ends every stream, as a service that stops does. */
  dropStreams(): void;
  /** While false, every request of the API is refused as if the service were away. */
  setAnswering(answering: boolean): void;
  streams(): number;
  close(): Promise<void>;
}

/**
 * Serves the built page with example data, for the page's own tests: every answer is held against the API's contract, and
 * the headers are those of the service. It runs nothing.
 */
export async function startFixture(scenario: Scenario = 'shop', port = 0): Promise<Fixture> {
  const world = worldOf(scenario, Date.now());
  const backfills = backfillWorld(Date.now());
  if (scenario === 'empty') backfills.backfills.length = 0;
  const app = Fastify({ forceCloseConnections: true, routerOptions: { maxParamLength: 4_096 } });
  const streams = new Map<FastifyReply, string>();
  const replay: instance.StreamChange[] = [];
  const requests: string[] = [];
  let answering = true;

  app.addHook('onRequest', (request, reply, done) => {
    reply.headers({
      'content-security-policy': contentSecurityPolicy(),
      'x-content-type-options': 'nosniff',
    });
    if (request.url.startsWith('/api/')) {
      requests.push(`${request.method} ${request.url}`);
      if (!answering) request.raw.destroy();
    }
    done();
  });
  registerReads(app, world);
  registerWrites(app, world, emit);
  registerBackfills(app, world, backfills, emit);
  app.get('/api/v1/events', (request, reply) => {
    const after = Number(request.headers['last-event-id'] ?? Number.POSITIVE_INFINITY);
    const { log = '' } = request.query as { log?: string };
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    reply.raw.write(': \n\n');
    for (const change of replay) if (change.event_id > after) reply.raw.write(message('change', change));
    streams.set(reply, log);
    reply.raw.once('close', () => streams.delete(reply));
  });
  app.get('/*', servePage);
  const url = await app.listen({ port, host: '127.0.0.1' });

  function emit(given: Partial<instance.StreamChange> & { type: string }): void {
    world.instance.last_event_id += 1;
    const change = instance.StreamChange.parse({
      event_id: world.instance.last_event_id,
      at: iso(Date.now()),
      run_id: null,
      step_key: null,
      attempt: null,
      asset_keys: [],
      component: null,
      schedule: null,
      backfill_id: null,
      payload: {},
      ...given,
    });
    replay.push(change);
    for (const stream of streams.keys()) stream.raw.write(message('change', change));
  }

  return {
    url,
    world,
    requests,
    emit,
    announceLog(log) {
      for (const [stream, wanted] of streams) {
        if (wanted.split(',').includes(log.run_id))
          stream.raw.write(message('log', instance.StreamLog.parse(log)));
      }
    },
    reset() {
      for (const stream of streams.keys()) stream.raw.write('event: reset\ndata: {}\n\n');
    },
    dropStreams() {
      for (const stream of streams.keys()) stream.raw.destroy();
    },
    setAnswering(next) {
      answering = next;
    },
    streams: () => streams.size,
    close: () => app.close(),
  };
}

function message(event: string, data: unknown): string {
  const id =
    typeof data === 'object' && data !== null && 'event_id' in data ? `id: ${String(data.event_id)}\n` : '';
  return `${id}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

type Params = Readonly<Record<string, string>>;

function registerReads(app: FastifyInstance, world: World): void {
  const get = <S extends z.ZodType>(
    path: string,
    schema: S,
    answer: (request: FastifyRequest) => z.input<S> | null,
  ): void => {
    app.get(`/api/v1${path}`, (request, reply) => {
      const found = answer(request);
      if (found === null) return notFound(reply);
      return reply.send(schema.parse(found));
    });
  };
  const id = (request: FastifyRequest, name = 'id'): string => (request.params as Params)[name]!;
  const query = (request: FastifyRequest): Params => request.query as Params;

  get('/doctor', doctor.DoctorReport, () => ({
    items: [
      { name: 'node', of: 'machine' as const, status: 'ok' as const, text: '24.0.0', fix: null },
      {
        name: 'disk',
        of: 'machine' as const,
        status: 'warning' as const,
        text: '812 MB free',
        fix: 'free some space for /srv/elt',
      },
      {
        name: 'store',
        of: 'service' as const,
        status: 'ok' as const,
        text: '48 MB, 10402 events',
        fix: null,
      },
    ],
    variables: [
      { name: 'SHOP_API_KEY', present: false, pipelines: ['shop_events'] },
      { name: 'SHOP_POSTGRES', present: true, pipelines: ['shop_files', 'shop_orders'] },
    ],
  }));
  get('/instance', instance.Instance, () => world.instance);
  get('/components', component.ComponentList, () => listOf(world.components));
  get('/components/:id/revisions', component.RevisionList, () =>
    listOf(
      world.revisions.map((revision, index) => ({
        ...revision,
        recent_runs: index === 0 ? ([...world.assets.values()][0]?.recent_runs ?? []) : [],
      })),
    ),
  );
  get('/revisions/:id/diff', component.SnapshotDiff, (request) => world.diffs.get(id(request)) ?? null);
  get('/drift', component.DriftList, () =>
    listOf(
      world.schedules.flatMap(({ name, component: owner, status, default_status: git, override }) =>
        override === null
          ? []
          : [{ ...override, kind: 'schedule' as const, component: owner, target: name, git, actual: status }],
      ),
    ),
  );
  get('/diagnostics', common.page(common.Diagnostic), () => listOf(world.diagnostics));
  get('/assets', asset.AssetList, (request) =>
    listOf(selected([...world.assets.values()], query(request)['selection'])),
  );
  get('/assets/:id', asset.AssetDetail, (request) => world.assets.get(id(request)) ?? null);
  get('/assets/:id/partitions', asset.PartitionList, (request) => world.partitions.get(id(request)) ?? null);
  get('/assets/:id/materializations', asset.MaterializationList, (request) =>
    listOf(world.materializations.get(id(request)) ?? []),
  );
  get('/assets/:id/partitions/ranges', asset.PartitionRanges, (request) => {
    const list = world.partitions.get(id(request));
    const { status } = query(request);
    const definition = definitions.get(id(request));
    if (definition !== undefined) {
      const state = status as asset.PartitionState | undefined;
      return partitionRanges(definition, stateAt, Date.now(), { state, limit: 200 });
    }
    return list === undefined ? null : { items: list.ranges.toReversed().slice(0, 200), more: 0 };
  });
  get('/assets/:id/partition', history.PartitionDetail, (request) =>
    partitionOf(world, id(request), query(request)['key'] ?? ''),
  );
  get('/assets/:id/partitions/calendar', history.Calendar, (request) =>
    calendarOf(world, id(request), query(request)['before']),
  );
  get('/assets/:id/plots', history.Plots, (request) => plotsOf(world, id(request), query(request)));
  get('/assets/:id/checks/:check/results', history.CheckResults, (request) =>
    checkResultsOf(world, id(request), id(request, 'check')),
  );
  get('/assets/:id/schema-changes', history.SchemaChanges, (request) => schemaChangesOf(world, id(request)));
  get('/assets/:id/definition', history.AssetDefinition, (request) => {
    const found = world.assets.get(id(request));
    return found === undefined ? null : definitionOf(found);
  });
  get('/asset-trends', history.Trends, (request) =>
    trendsOf(world, (query(request)['keys'] ?? '').split(',')),
  );
  get('/components/:id/pipelines/:pipeline/history', history.PipelineHistory, () => historyOf(world));
  get('/pipelines/:id/:pipeline', dltState.DltPipelineDetail, (request) =>
    dltPipelineOf(world, id(request, 'pipeline'), Date.now()),
  );
  get('/pipelines/:id/:pipeline/state', dltState.DltStateResponse, (request) => ({
    report: dltStateOf(id(request, 'pipeline'), Date.now()),
    reading: null,
  }));
  get('/automation/assets', automation.AutomationAssetList, () => listOf(automationAssets(world)));
  get('/automation/evaluations', automation.AutomationEvaluationList, (request) =>
    listOf(evaluationsOf(world, query(request)['asset'])),
  );
  get('/automation/evaluations/:id', automation.AutomationEvaluationDetail, (request) =>
    evaluationOf(world, id(request)),
  );
  get('/lineage', asset.Lineage, () => lineageOf(world));
  get('/schedules', schedule.ScheduleList, () => listOf(world.schedules));
  get('/schedules/:id/ticks', schedule.TickList, (request) => ({
    ...listOf(world.ticks.get(id(request)) ?? []),
    upcoming: world.schedules.find(({ name }) => name === id(request))?.next_ticks ?? [],
  }));
  get('/alerts', alert.AlertOverview, () => alertsOf(world, Date.now()));
  get('/alerts/deliveries', alert.AlertDeliveryList, (request) =>
    listOf(deliveriesOf(world, query(request)['status'], Date.now())),
  );
  get('/insights', insights.InsightsReport, (request) => insightsOf(world, query(request), Date.now()));
  get('/timeline', timeline.Timeline, (request) => timelineOf(world, query(request), Date.now()));
  get('/upcoming-ticks', timeline.UpcomingTicks, (request) =>
    upcomingOf(world, Number(query(request)['limit'] ?? 10)),
  );
  get('/runs', run.RunList, (request) => runList(world, query(request)));
  get(
    '/runs/:id',
    run.RunDetail,
    (request) => world.runs.find(({ run_id }) => run_id === id(request)) ?? null,
  );
  get('/runs/:id/events', run.RunEventList, (request) => listOf(world.events.get(id(request)) ?? []));
  get('/runs/:id/steps/:step/definition', history.AssetDefinition, (request) => {
    const found = world.runs.find(({ run_id }) => run_id === id(request));
    const step = found?.steps_list.find(({ step_key }) => step_key === id(request, 'step'));
    return step === undefined ? null : stepDefinition(step);
  });
  get('/runs/:id/logs', run.RunLogs, (request) => logsOf(world, id(request), query(request)));
}

function registerWrites(app: FastifyInstance, world: World, emit: Fixture['emit']): void {
  const launches = new Map<string, run.LaunchResponse>();
  app.post('/api/v1/runs', (request, reply) => {
    const asked = run.LaunchRequest.parse(request.body);
    const known = launches.get(asked.idempotency_key ?? '');
    if (known !== undefined) return reply.code(202).send(known);
    const keys = selected([...world.assets.values()], asked.selection)
      .filter(({ kind }) => kind === 'materializable')
      .map(({ key }) => key);
    if (asked.partition === 'refuse-me') {
      return reply
        .code(422)
        .type('application/problem+json')
        .send(
          common.Problem.parse({
            type: '/docs/errors#PARTITION_UNKNOWN',
            title: 'Unknown partition',
            status: 422,
            detail: 'there is no partition "refuse-me"',
            code: 'PARTITION_UNKNOWN',
            hint: 'The last one is 2026-01-31.',
            diagnostics: [],
          }),
        );
    }
    const started = runOf(
      `01995fff-0000-7000-8000-00000000${String(world.runs.length).padStart(4, '0')}`,
      Date.now(),
      null,
      {
        status: 'QUEUED',
        started_at: null,
        cause: {
          kind: 'page',
          text: 'this page',
          schedule: null,
          tick: null,
          run_id: null,
          backfill_id: null,
        },
        steps_list: keys.map((key) => stepOf(key, { pipeline: key, status: 'waiting', attempt: 0 })),
      },
    );
    world.runs.unshift(started);
    const answer = run.LaunchResponse.parse({
      launch_id: started.launch_id,
      run_ids: [started.run_id],
      skipped_disabled: [],
    });
    launches.set(asked.idempotency_key ?? '', answer);
    emit({ type: 'run_enqueued', run_id: started.run_id });
    return reply.code(202).send(answer);
  });
  app.post('/api/v1/runs/:id/cancel', (request, reply) => {
    const found = world.runs.find(({ run_id }) => run_id === (request.params as Params)['id']);
    if (found === undefined) return notFound(reply);
    found.status = 'CANCELING';
    emit({ type: 'run_cancel_requested', run_id: found.run_id, asset_keys: found.asset_keys });
    return reply.code(202).send({ run_id: found.run_id, accepted: true });
  });
  app.post('/api/v1/runs/:id/retry', (request, reply) => {
    const found = world.runs.find(({ run_id }) => run_id === (request.params as Params)['id']);
    if (found === undefined) return notFound(reply);
    run.RetryRequest.parse(request.body);
    const again = runOf('01995fff-1111-7000-8000-000000000001', Date.now(), null, {
      status: 'QUEUED',
      started_at: null,
      cause: {
        ...found.cause,
        kind: 'retry',
        text: `retry of ${found.run_id} by page`,
        run_id: found.run_id,
      },
      steps_list: found.steps_list.map((step) => ({ ...step, status: 'waiting', attempt: 0, error: null })),
    });
    world.runs.unshift(again);
    emit({ type: 'run_enqueued', run_id: again.run_id, asset_keys: again.asset_keys });
    return reply.code(202).send(
      run.LaunchResponse.parse({
        launch_id: again.launch_id,
        run_ids: [again.run_id],
        skipped_disabled: [],
      }),
    );
  });
  for (const action of ['start', 'stop'] as const) {
    app.post(`/api/v1/schedules/:id/${action}`, (request, reply) => {
      const found = world.schedules.find(({ name }) => name === (request.params as Params)['id']);
      if (found === undefined) return notFound(reply);
      found.status = action === 'start' ? 'RUNNING' : 'STOPPED';
      found.override = { by: 'page', at: iso(Date.now()), reason: '', expires_at: null };
      emit({ type: 'schedule_changed', schedule: found.name, asset_keys: found.asset_keys });
      return reply.send(schedule.Schedule.parse(found));
    });
  }
  app.post('/api/v1/plan', (request, reply) => {
    const { to } = plan.PlanRequest.parse(request.body);
    return reply.send(plan.Plan.parse(planOf(to !== undefined && 'ref' in to ? to.ref : 'main')));
  });
  app.post('/api/v1/components/:id/refresh', (_request, reply) =>
    reply.send(
      component.RefreshResult.parse({
        component: 'shop',
        status: 'unchanged',
        revision_id: 42,
        commit: null,
        diff: { added: [], removed: [], changed: [] },
        diagnostics: [],
        seconds: 0.1,
        error: null,
        note: null,
      }),
    ),
  );
}

function registerBackfills(
  app: FastifyInstance,
  world: World,
  { backfills, partitions, runs, audit }: BackfillWorld,
  emit: Fixture['emit'],
): void {
  const base = '/api/v1/backfills';
  const found = (request: FastifyRequest): backfill.BackfillDetail | undefined =>
    backfills.find(({ backfill_id: one }) => one === (request.params as Params)['id']);
  const statuses = (request: FastifyRequest): string[] =>
    ((request.query as Params)['status'] ?? '').split(',').filter((one) => one !== '');

  app.get(base, (request, reply) => {
    const wanted = statuses(request);
    const items = backfills.filter(({ status }) => wanted.length === 0 || wanted.includes(status));
    return reply.send(backfill.BackfillList.parse(listOf(items)));
  });
  app.get(`${base}/:id`, (request, reply) => {
    const one = found(request);
    return one === undefined ? notFound(reply) : reply.send(backfill.BackfillDetail.parse(one));
  });
  app.get(`${base}/:id/runs`, (request, reply) => {
    const wanted = statuses(request);
    const all = runs.get((request.params as Params)['id']!) ?? [];
    const items = all.filter(({ status }) => wanted.length === 0 || wanted.includes(status));
    return reply.send(backfill.BackfillRunList.parse(listOf(items)));
  });
  app.get(`${base}/:id/partitions/:asset`, (request, reply) => {
    const { id, asset: key } = request.params as Params;
    const states = partitions.get(`${id} ${key}`);
    return states === undefined ? notFound(reply) : reply.send(backfill.BackfillPartitions.parse(states));
  });
  app.get('/api/v1/audit', (request, reply) => {
    const { target = '' } = request.query as Params;
    const items =
      target === '' ? auditOf(world, Date.now()) : audit.filter((entry) => entry.target === target);
    return reply.send(instance.AuditList.parse(listOf(items)));
  });
  app.get('/api/v1/assets/:id/partition-keys', (request, reply) => {
    const ordinals = ((request.query as Params)['at'] ?? '').split(',').map(Number);
    const definition = definitions.get((request.params as Params)['id'] ?? '');
    const items = ordinals.map((ordinal) => ({
      ordinal,
      key: definition === undefined ? dayKey(ordinal) : (ordinalToKey(definition, ordinal) ?? ''),
    }));
    return reply.send(backfill.PartitionKeys.parse({ items }));
  });
  app.post(base, (request, reply) => {
    const asked = backfill.BackfillRequest.parse(request.body);
    const keys = asked.asset_keys ?? [];
    if (asked.dry_run === true) return reply.send(backfill.BackfillPreview.parse(previewOf(keys)));
    const made = backfillOf('0199aa10-0000-7000-8000-00000000a009', Date.now(), {
      asset_keys: keys,
      counts: countsOf({ not_started: 7 }),
      runs: 7,
      assets: [],
    });
    backfills.unshift(made);
    emit({ type: 'backfill_changed', backfill_id: made.backfill_id });
    return reply.code(202).send(backfill.BackfillDetail.parse(made));
  });
  for (const [action, status] of [
    ['pause', 'PAUSED'],
    ['resume', 'REQUESTED'],
    ['cancel', 'CANCELING'],
  ] as const) {
    app.post(`${base}/:id/${action}`, (request, reply) => {
      const one = found(request);
      if (one === undefined) return notFound(reply);
      one.status = status;
      emit({ type: 'backfill_changed', backfill_id: one.backfill_id });
      return reply.send(backfill.Backfill.parse(one));
    });
  }
  // The world has no other place for a key's text.
  function dayKey(ordinal: number): string {
    const ranges = world.partitions.get('dlt_shop_orders')?.ranges ?? [];
    const first = Date.parse(`${ranges[0]?.from_key ?? '2026-01-01'}T00:00:00Z`);
    return iso(first + ordinal * 86_400_000).slice(0, 10);
  }
}

function listOf<T>(items: readonly T[]): { items: T[]; next_cursor: null } {
  return { items: [...items], next_cursor: null };
}

/** Enough of the selection syntax for what the page sends: `*`, and keys joined by "or". */
function selected(all: readonly asset.AssetDetail[], selection: string | undefined): asset.AssetDetail[] {
  if (selection === undefined || selection === '*') return [...all];
  const keys = new Set(selection.split(' or ').map((part) => part.replace(/^key:/, '').replaceAll('"', '')));
  return all.filter(({ key }) => keys.has(key));
}

function lineageOf(world: World): asset.Lineage {
  const all = [...world.assets.values()];
  return {
    nodes: all.map(({ key, kind, group, tool, kinds, state, enabled, held }) => ({
      key,
      kind,
      group,
      tool,
      kinds,
      state,
      enabled,
      held,
    })),
    edges: all.flatMap(({ key, deps }) => deps.map((from) => ({ from, to: key }))),
  };
}

function runList(
  world: World,
  { status = '', asset: key = '', limit = '50', cursor = '' }: Params,
): { items: run.RunSummary[]; next_cursor: string | null } {
  const all = world.runs.filter(
    (one) =>
      (status === '' || status.split(',').includes(one.status)) &&
      (key === '' || one.asset_keys.includes(key)),
  );
  const from = Number(cursor === '' ? 0 : cursor);
  const to = from + Number(limit);
  return { items: all.slice(from, to), next_cursor: to < all.length ? String(to) : null };
}

function logsOf(
  world: World,
  runId: string,
  { step = '', attempt = '1', from_line = '1', tail, limit = '1000' }: Params,
): run.RunLogs | null {
  const log = world.logs.get(logKey(runId, step, Number(attempt)));
  if (log === undefined) return null;
  const lines =
    tail === undefined
      ? log.lines.slice(Number(from_line) - 1, Number(from_line) - 1 + Number(limit))
      : log.lines.slice(-Number(tail));
  return {
    step_key: step,
    attempt: Number(attempt),
    attempts: [{ step_key: step, attempt: Number(attempt) }],
    lines,
    next_line: (lines.at(-1)?.line ?? Number(from_line) - 1) + 1,
    complete: log.complete,
  };
}

function notFound(reply: FastifyReply): FastifyReply {
  return reply
    .code(404)
    .type('application/problem+json')
    .send(
      common.Problem.parse({
        type: '/docs/errors#NOT_FOUND',
        title: 'Not found',
        status: 404,
        detail: 'there is no such thing',
        code: 'NOT_FOUND',
        hint: null,
        diagnostics: [],
      }),
    );
}

/** As the service does: what the build left, brotli if it is there, the page itself at every other path. */
function servePage(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [path = '/'] = request.url.split('?');
  const isFile =
    /^\/(?:assets\/[\w.-]+\.(?:js|css)|[\w-]+\.(?:js|svg))$/.test(path) && existsSync(join(DIST, path));
  const file = join(DIST, isFile ? path : 'index.html');
  if (path.startsWith('/api/')) return notFound(reply);
  reply.header('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
  if (!existsSync(`${file}.br`)) return reply.send(readFileSync(file));
  return reply.header('content-encoding', 'br').send(readFileSync(`${file}.br`));
}

if (import.meta.main) {
  const [port = '4400', scenario = 'shop'] = process.argv.slice(2);
  const { url } = await startFixture(scenario as Scenario, Number(port));
  console.log(`${url} serves the page with example data (${scenario}); the API is not the service's`);
}
