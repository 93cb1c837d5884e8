import { z } from 'zod';
import { findPipeline } from '../../definitions/find-pipeline.ts';
import type { RunStatus } from '../../events/run-state.ts';
import { TERMINAL_RUN } from '../../events/run-state.ts';
import { PEOPLE_PRIORITY } from '../../plan/priorities.ts';
import { operationName, type StepOperation } from '../../plan/step-operation.ts';
import type { RunSummary } from '../../store/store.ts';
import type { Actor } from '../actor.ts';
import { actorOf, actorText } from '../actor.ts';
import type { App, AppDeps } from '../app-deps.ts';
import {
  type DltDrop,
  DltDropRequest,
  DltDrop as DltDropSchema,
  type DltPipeline,
  DltPipelineDetail,
  DltPipelineList,
  DltPipelineQuery,
  DltReadRequest,
  DltStateResponse,
} from '../contract/dlt-state.ts';
import { LaunchResponse } from '../contract/run.ts';
import { decodeTextCursor, pageOf } from '../cursor.ts';
import { problems } from '../openapi.ts';
import { refusal } from '../refusal.ts';
import { assetsByPipeline, dropView, pipelineView, stateReport } from '../views/dlt-state-view.ts';
import { type ViewContext, viewContext } from '../views/view-context.ts';

const DEFAULT_LIMIT = 1000;
const MOST_DROPS = 20;
/** A state is told in some events for each pipeline. */
const MOST_EVENTS = 2000;
/** Pipelines of one name in different components: their runs are told apart by what they ran. */
const MOST_NAMESAKES = 20;
const Params = z.object({ component: z.string(), name: z.string() });
const DropParams = Params.extend({ run_id: z.string() });

/** The state that dlt keeps of its pipelines: what is known of it, what was read of it, and its drop. */
export function pipelineRoutes(app: App, deps: AppDeps): void {
  const { store, engine } = deps;

  app.get(
    '/pipelines',
    {
      schema: {
        tags: ['pipelines'],
        summary: 'dlt pipelines with what their loads reported last, in the order of their names',
        querystring: DltPipelineQuery,
        response: { 200: DltPipelineList, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const context = viewContext(deps);
      const { limit = DEFAULT_LIMIT, cursor, name } = request.query;
      const after = decodeTextCursor(cursor);
      const ids = idsOf(context, name).filter((id) => after === undefined || id > after);
      const fetched = ids.slice(0, limit + 1);
      const view = await viewOf(context, fetched);
      return pageOf(fetched, limit, (id) => id, view);
    },
  );

  app.get(
    '/pipelines/:component/:name',
    {
      schema: {
        tags: ['pipelines'],
        summary: 'One dlt pipeline, with the drops of its state',
        params: Params,
        response: { 200: DltPipelineDetail, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const context = viewContext(deps);
      const id = known(context, request.params);
      const drops = await runsOf(request.params, 'drop', { limit: MOST_DROPS });
      return {
        ...(await viewOf(context, [id]))(id),
        drops: await Promise.all(drops.map(dropOf)),
      };
    },
  );

  app.get(
    '/pipelines/:component/:name/state',
    {
      schema: {
        tags: ['pipelines'],
        summary: 'The state of a dlt pipeline as it was read last',
        params: Params,
        response: { 200: DltStateResponse, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      known(viewContext(deps), request.params);
      const [[newest], [read]] = await Promise.all([
        runsOf(request.params, 'read', { limit: 1 }),
        runsOf(request.params, 'read', { limit: 1, statuses: ['SUCCESS'] }),
      ]);
      return {
        report: read === undefined ? null : stateReport(read, await eventsOf(read), deps.settings.home),
        reading: newest === undefined || TERMINAL_RUN.has(newest.status) ? null : newest.runId,
      };
    },
  );

  app.post(
    '/pipelines/:component/:name/state',
    {
      schema: {
        tags: ['pipelines'],
        summary: 'Reads the state of a dlt pipeline through dlt, as a run of the pipeline',
        description:
          'It waits for the slots that a load of the pipeline needs. A read that is under way is joined.',
        params: Params,
        body: DltReadRequest.nullish(),
        response: { 202: LaunchResponse, ...problems },
      },
    },
    async (request, reply) => {
      known(viewContext(deps), request.params);
      const rows = request.body?.rows ?? true;
      const statuses = ['QUEUED', 'STARTED'] as const;
      const [open] = await runsOf(request.params, 'read', { limit: 1, statuses });
      if (open !== undefined && (await operationOf(open.runId))?.rows === rows)
        return reply.code(202).send(launched(open.launchId, [open.runId]));
      const launch = await submit(request.params, actorOf(request), {
        action: 'read',
        resources: null,
        rows,
      });
      return reply.code(202).send(launched(launch.launchId, launch.runIds));
    },
  );

  app.post(
    '/pipelines/:component/:name/drop',
    {
      schema: {
        tags: ['pipelines'],
        summary: 'Drops tables, cursors and pending packages of a dlt pipeline, as a run of the pipeline',
        description:
          'It waits for the slots that a load of the pipeline needs, so it never runs beside one. What was materialized stays as history.',
        params: Params,
        body: DltDropRequest.nullish(),
        response: { 202: LaunchResponse, ...problems },
      },
    },
    async (request, reply) => {
      known(viewContext(deps), request.params);
      const { resources, dry_run: dryRun = false, idempotency_key: key } = request.body ?? {};
      const actor = actorOf(request);
      const operation = {
        action: dryRun ? 'preview' : 'drop',
        resources: resources === undefined ? null : [...new Set(resources)].sort(),
        rows: true,
      } as const;
      const launch = await submit(request.params, actor, operation, key);
      if (launch.created && !dryRun) {
        const { component, name } = request.params;
        await store.operations.audit({
          actor: actorText(actor),
          action: 'dlt_state.drop',
          target: `${component}/${name}`,
          details: { resources: operation.resources, run_ids: launch.runIds },
        });
      }
      return reply.code(202).send(launched(launch.launchId, launch.runIds));
    },
  );

  app.get(
    '/pipelines/:component/:name/drops/:run_id',
    {
      schema: {
        tags: ['pipelines'],
        summary: 'What a drop took away, or by its preview would take',
        params: DropParams,
        response: { 200: DltDropSchema, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      known(viewContext(deps), request.params);
      const { run_id: runId } = request.params;
      const [run, operation] = await Promise.all([store.runs.summary(runId), operationOf(runId)]);
      if (run === null || operation === undefined || operation.action === 'read') {
        throw refusal('RUN_NOT_FOUND', `there is no drop with the run id "${runId}"`);
      }
      return dropOf(run);
    },
  );

  /** @throws `PIPELINE_NOT_FOUND`, `REQUEST_INVALID` for one of another tool */
  function known({ definitions }: ViewContext, { component, name }: z.infer<typeof Params>): string {
    const id = `${component}/${name}`;
    const found = findPipeline(definitions, id, ['dlt']);
    if (!found.ok) throw refusal(found.code, found.message, found.hint);
    return `${found.component}/${found.pipeline.name}`;
  }

  async function submit(
    { component, name }: z.infer<typeof Params>,
    cause: Actor,
    operation: Omit<StepOperation, 'kind'>,
    idempotencyKey?: string,
  ) {
    return engine.submit({
      assets: [],
      operation: { kind: 'dlt_state', component, pipeline: name, ...operation },
      partitions: { kind: 'none' },
      fullRefresh: false,
      config: {},
      tags: {},
      priority: PEOPLE_PRIORITY,
      cause,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    });
  }

  async function runsOf(
    { component, name }: z.infer<typeof Params>,
    action: StepOperation['action'],
    filter: { readonly limit: number; readonly statuses?: readonly RunStatus[] },
  ): Promise<readonly RunSummary[]> {
    const runs = await store.runs.list({
      pipeline: name,
      jobName: operationName({ action, pipeline: name }),
      ...filter,
      limit: filter.limit + MOST_NAMESAKES,
    });
    return runs.filter((run) => run.commits[0]?.component === component).slice(0, filter.limit);
  }

  async function operationOf(runId: string): Promise<StepOperation | undefined> {
    return (await store.runs.plan(runId))?.steps[0]?.operation;
  }

  async function dropOf(run: RunSummary): Promise<DltDrop> {
    const [plan, events] = await Promise.all([store.runs.plan(run.runId), eventsOf(run)]);
    return dropView(run, plan!, events);
  }

  function eventsOf({ runId }: RunSummary) {
    return store.events({ after: 0, limit: MOST_EVENTS, runId, types: ['other'] });
  }

  function idsOf({ definitions }: ViewContext, name: string | undefined): string[] {
    if (name !== undefined) {
      const found = findPipeline(definitions, name, ['dlt']);
      if (!found.ok) throw refusal(found.code, found.message, found.hint);
      return [`${found.component}/${found.pipeline.name}`];
    }
    return [...definitions.pipelines]
      .flatMap(([id, { config }]) => (config.tool === 'dlt' ? [id] : []))
      .sort();
  }

  async function viewOf(context: ViewContext, ids: readonly string[]): Promise<(id: string) => DltPipeline> {
    const nodes = assetsByPipeline(context);
    const rows = await store.assets.status(ids.flatMap((id) => (nodes.get(id) ?? []).map(({ key }) => key)));
    const latest = new Map(
      rows.flatMap(({ assetKey, latest: last }) => (last === null ? [] : [[assetKey, last] as const])),
    );
    return (id) => pipelineView(context, id, nodes.get(id) ?? [], latest);
  }
}

function launched(launchId: string, runIds: readonly string[]): LaunchResponse {
  return { launch_id: launchId, run_ids: [...runIds], skipped_disabled: [] };
}
