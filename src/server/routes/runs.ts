import { z } from 'zod';
import { TERMINAL_RUN } from '../../events/run-state.ts';
import { OperationalError } from '../../lib/errors.ts';
import type { RunFilter } from '../../store/store.ts';
import { actorOf, actorText } from '../actor.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { PageQuery, RunStatus } from '../contract/common.ts';
import { AssetDefinition } from '../contract/history.ts';
import {
  LaunchRequest,
  LaunchResponse,
  LogQuery,
  RetryRequest,
  RunDetail,
  RunEventList,
  RunList,
  RunLogs,
  RunQuery,
} from '../contract/run.ts';
import { CancelResponse } from '../contract/system.ts';
import { decodeNumberCursor, decodeTextCursor, pageOf } from '../cursor.ts';
import { launchRequest } from '../launch-request.ts';
import { problems } from '../openapi.ts';
import { statusWords } from '../status-words.ts';
import { concurrency, fullPools } from '../views/concurrency.ts';
import { definitionAt } from '../views/definition-at.ts';
import { eventView } from '../views/event-view.ts';
import { chooseLog, runLogs } from '../views/log-view.ts';
import { runDetail, runSummary } from '../views/run-view.ts';
import { viewContext } from '../views/view-context.ts';

const DEFAULT_LIMIT = 50;
const DEFAULT_EVENTS = 500;
const DEFAULT_LINES = 1000;
/** A run of 1,000 partitions × 10 assets and their checks. */
const MOST_RESULTS = 20_000;
/** To read a spec nothing of an attempt is needed. */
const NO_ATTEMPT = { attempt: 0, queue: '', timeoutMs: null, leaseTtlMs: 0 } as const;
const RunParams = z.object({ id: z.string() });

export function runRoutes(app: App, deps: AppDeps): void {
  const { store, engine, logs } = deps;

  app.get(
    '/runs',
    {
      schema: {
        tags: ['runs'],
        summary: 'Runs, newest first',
        querystring: RunQuery,
        response: { 200: RunList, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const context = viewContext(deps);
      const { limit = DEFAULT_LIMIT } = request.query;
      const rows = await store.runs.list(runFilter(request.query, limit + 1));
      return pageOf(
        rows,
        limit,
        (row) => row.runId,
        (row) => runSummary(context, row),
      );
    },
  );

  app.post(
    '/runs',
    {
      schema: {
        tags: ['runs'],
        summary: 'Launches assets',
        description:
          'A partitioned selection needs a partition. Two requests with one idempotency key are one launch.',
        body: LaunchRequest,
        response: { 202: LaunchResponse, ...problems },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const { request: asked, skipped } = launchRequest(deps.components.definitions(), request.body, actor);
      const launch = await engine.submit(asked);
      if (launch.created) {
        await store.operations.audit({
          actor: actorText(actor),
          action: 'run.launch',
          target: launch.launchId,
          details: {
            selection: request.body.selection ?? `source ${request.body.source ?? ''}`,
            partitions: asked.partitions,
            full_refresh: asked.fullRefresh,
            run_ids: launch.runIds.slice(0, 100),
            runs: launch.runIds.length,
          },
        });
      }
      return reply
        .code(202)
        .send({ launch_id: launch.launchId, run_ids: [...launch.runIds], skipped_disabled: [...skipped] });
    },
  );

  app.get(
    '/runs/:id',
    {
      schema: {
        tags: ['runs'],
        summary: 'One run with its steps, materializations and checks',
        params: RunParams,
        response: { 200: RunDetail, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const context = viewContext(deps);
      const { id } = request.params;
      const [row, plan, state] = await Promise.all([
        store.runs.summary(id),
        store.runs.plan(id),
        store.runs.state(id),
      ]);
      if (row === null || plan === null || state === null) throw runNotFound(id);
      const events = await store.events({
        after: 0,
        limit: MOST_RESULTS,
        runId: id,
        types: ['materialization', 'check'],
      });
      const ended = TERMINAL_RUN.has(state.status);
      const after: Record<string, string> = {};
      for (const other of ended ? [] : [...plan.after, ...(plan.waitsFor ?? [])])
        after[other] = (await store.runs.summary(other))?.status ?? '';
      const full = ended
        ? new Set<string>()
        : fullPools(await concurrency(store, context.definitions, deps.settings.maxConcurrent));
      return runDetail(context, { row, plan, state, events, after, fullPools: full });
    },
  );

  app.get(
    '/runs/:id/steps/:step/definition',
    {
      schema: {
        tags: ['runs'],
        summary: 'The dagster.yaml that a step runs, at its commit, and each setting as it counts for it',
        params: RunParams.extend({ step: z.string().describe('Step key, percent-encoded') }),
        response: { 200: AssetDefinition, ...problems },
      },
    },
    async (request) => {
      const { id, step: stepKey } = request.params;
      const plan = await store.runs.plan(id);
      if (plan === null) throw runNotFound(id);
      const step = plan.steps.find((one) => one.stepKey === stepKey);
      if (step === undefined) throw new OperationalError('NOT_FOUND', `run ${id} has no step "${stepKey}"`);
      const { config } = await store.steps.spec({ ...NO_ATTEMPT, runId: id, stepKey });
      return definitionAt(deps, step.code, config);
    },
  );

  app.get(
    '/runs/:id/events',
    {
      schema: {
        tags: ['runs'],
        summary: 'The log of events of a run, oldest first',
        params: RunParams,
        querystring: PageQuery.extend({ types: z.string().optional().describe('Comma-separated') }),
        response: { 200: RunEventList, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const { id } = request.params;
      const { limit = DEFAULT_EVENTS, cursor, types } = request.query;
      if ((await store.runs.state(id)) === null) throw runNotFound(id);
      const events = await store.events({
        after: decodeNumberCursor(cursor) ?? 0,
        limit: limit + 1,
        runId: id,
        ...(types === undefined ? {} : { types: types.split(',') }),
      });
      return pageOf(events, limit, (event) => event.eventId, eventView);
    },
  );

  app.get(
    '/runs/:id/logs',
    {
      schema: {
        tags: ['runs'],
        summary: 'Lines that an attempt of a step wrote',
        description:
          'Without `step` the failed one, else the running one, else the last that began; without `attempt` the last.',
        params: RunParams,
        querystring: LogQuery,
        response: { 200: RunLogs, ...problems },
      },
    },
    async (request) => {
      const { id } = request.params;
      const state = await store.runs.state(id);
      if (state === null) throw runNotFound(id);
      const { step, attempt, from_line: fromLine, tail, limit = DEFAULT_LINES } = request.query;
      const attempts = await logs.attempts(id);
      const chosen = chooseLog(state, attempts, { step, attempt });
      const read = await logs.read(chosen, {
        limit: tail ?? limit,
        ...(tail === undefined ? { fromLine: fromLine ?? 1 } : { tail }),
      });
      return runLogs(state, chosen, attempts, read);
    },
  );

  app.post(
    '/runs/:id/cancel',
    {
      schema: {
        tags: ['runs'],
        summary: 'Asks a run to end; its steps are ended cleanly, then by force',
        params: RunParams,
        response: { 202: CancelResponse, ...problems },
      },
    },
    async (request, reply) => {
      const actor = actorText(actorOf(request));
      const { id } = request.params;
      await engine.cancel(id, actor);
      await store.operations.audit({ actor, action: 'run.cancel', target: id, details: {} });
      return reply.code(202).send({ run_id: id, accepted: true });
    },
  );

  app.post(
    '/runs/:id/retry',
    {
      schema: {
        tags: ['runs'],
        summary:
          'Launches an ended run again: whole or from its failed steps, at its own or the latest commit',
        params: RunParams,
        body: RetryRequest.nullish(),
        response: { 202: LaunchResponse, ...problems },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const { id } = request.params;
      const options = {
        fromFailure: request.body?.from_failure ?? false,
        latest: request.body?.latest ?? false,
      };
      const launch = await engine.retry(id, { ...options, by: actor });
      await store.operations.audit({
        actor: actorText(actor),
        action: 'run.retry',
        target: id,
        details: { from_failure: options.fromFailure, latest: options.latest, run_ids: launch.runIds },
      });
      return reply
        .code(202)
        .send({ launch_id: launch.launchId, run_ids: [...launch.runIds], skipped_disabled: [] });
    },
  );
}

function runNotFound(id: string): OperationalError {
  return new OperationalError('RUN_NOT_FOUND', `there is no run "${id}"`);
}

function runFilter(query: z.infer<typeof RunQuery>, limit: number): RunFilter {
  const { status, asset, pipeline, schedule, launch_id: launchId, backfill_id: backfillId } = query;
  const cursor = decodeTextCursor(query.cursor);
  return {
    limit,
    ...(cursor === undefined ? {} : { cursor }),
    ...(status === undefined || status === ''
      ? {}
      : { statuses: statusWords(status, RunStatus.options, 'a run') }),
    ...(asset === undefined ? {} : { assetKey: asset }),
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(launchId === undefined ? {} : { launchId }),
    ...(backfillId === undefined ? {} : { backfillId }),
  };
}
