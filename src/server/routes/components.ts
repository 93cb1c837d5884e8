import { z } from 'zod';
import type { ComponentStatus } from '../../component/component.ts';
import { OperationalError } from '../../lib/errors.ts';
import { diffSnapshots } from '../../state/diff.ts';
import type { RefreshTrigger, RevisionRow } from '../../store/store.ts';
import { actorOf, actorText } from '../actor.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { Diagnostic, PageQuery, page } from '../contract/common.ts';
import {
  Component,
  ComponentList,
  RefreshResult,
  RevisionList,
  RevisionQuery,
  SnapshotDiff,
} from '../contract/component.ts';
import { RefreshAccepted, RefreshQuery } from '../contract/system.ts';
import { decodeNumberCursor, encodeCursor, pageOf } from '../cursor.ts';
import { problems } from '../openapi.ts';
import { allDiagnostics } from '../views/all-diagnostics.ts';
import { componentViewOf } from '../views/component-status.ts';
import { diffView, refreshView, revisionView } from '../views/component-view.ts';
import { diagnosticViews } from '../views/diagnostic-view.ts';
import { revisionRuns } from '../views/revision-runs.ts';
import { viewContext } from '../views/view-context.ts';

const DEFAULT_REVISIONS = 50;
const DEFAULT_DIAGNOSTICS = 200;
const NameParams = z.object({ name: z.string() });

export function componentRoutes(app: App, deps: AppDeps): void {
  const { store, components } = deps;

  app.get(
    '/components',
    {
      schema: {
        tags: ['git'],
        summary: 'Repositories that are served, with their pipelines, conditions and diagnostics',
        response: { 200: ComponentList, ...problems },
      },
      config: { etag: 'body' },
    },
    async () => {
      const items = await Promise.all(components.components().map(view));
      return { items, next_cursor: null };
    },
  );

  app.get(
    '/components/:name',
    {
      schema: {
        tags: ['git'],
        summary: 'One repository',
        params: NameParams,
        response: { 200: Component, ...problems },
      },
      config: { etag: 'body' },
    },
    async (request) => view(componentNamed(request.params.name)),
  );

  app.get(
    '/components/:name/revisions',
    {
      schema: {
        tags: ['git'],
        summary: 'Revisions that were applied, newest first',
        params: NameParams,
        querystring: RevisionQuery,
        response: { 200: RevisionList, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const { name } = componentNamed(request.params.name);
      const { limit = DEFAULT_REVISIONS, cursor, runs } = request.query;
      const before = decodeNumberCursor(cursor);
      const rows = await store.components.revisions(name, {
        limit: limit + 1,
        ...(before === undefined ? {} : { beforeRevisionId: before }),
      });
      const context = viewContext(deps);
      const ran = runs === 'true' ? await revisionRuns(store, rows, await followedAt(name, before)) : null;
      return pageOf(
        rows,
        limit,
        (row) => row.revisionId,
        (row) => ({
          ...revisionView(context, row),
          ...(ran === null ? {} : { recent_runs: ran.get(row.revisionId) ?? [] }),
        }),
      );
    },
  );

  app.post(
    '/components/:name/refresh',
    {
      schema: {
        tags: ['git'],
        summary: 'Asks for a refresh from Git; requests that come together are one',
        params: NameParams,
        querystring: RefreshQuery,
        response: { 200: RefreshResult, 202: RefreshAccepted, ...problems },
      },
    },
    async (request, reply) => {
      const { name } = componentNamed(request.params.name);
      const actor = actorOf(request);
      const by = actorText(actor);
      const trigger: RefreshTrigger = { kind: actor.kind, by };
      await store.operations.audit({ actor: by, action: 'component.refresh', target: name, details: {} });
      const refresh = components.requestRefresh(name, trigger, {
        allowPrune: request.query.allow_prune === 'true',
      });
      if (request.query.wait !== 'true') {
        refresh.catch((error: unknown) =>
          request.log.error({ err: error, component: name }, 'refresh failed'),
        );
        return reply.code(202).send({ component: name, accepted: true });
      }
      const outcome = await refresh;
      const views = await diagnosticViews(
        viewContext(deps),
        components,
        outcome.diagnostics.map((diagnostic) => ({ component: name, commit: outcome.commit, diagnostic })),
      );
      return refreshView(outcome, views);
    },
  );

  app.get(
    '/revisions/:range/diff',
    {
      schema: {
        tags: ['git'],
        summary: 'What changed in meaning from one revision to another',
        params: z.object({ range: z.string().describe('`a...b`: revision ids or commits') }),
        querystring: z.object({ component: z.string().optional() }),
        response: { 200: SnapshotDiff, ...problems },
      },
      config: { etag: 'body' },
    },
    async (request) => {
      const [from, to, ...rest] = request.params.range.split('...');
      if (from === undefined || to === undefined || rest.length > 0) {
        throw new OperationalError('REQUEST_INVALID', `"${request.params.range}" is not of the form a...b`);
      }
      const [before, after] = await Promise.all([
        revisionNamed(request.query.component, from),
        revisionNamed(request.query.component, to),
      ]);
      if (before.component !== after.component) {
        throw new OperationalError('REQUEST_INVALID', `${from} and ${to} are revisions of two components`);
      }
      const [old, fresh] = await Promise.all([
        store.components.snapshot(before.revisionId),
        store.components.snapshot(after.revisionId),
      ]);
      if (old === null || fresh === null) throw revisionNotFound(old === null ? from : to);
      return diffView(diffSnapshots(old, fresh));
    },
  );

  app.get(
    '/diagnostics',
    {
      schema: {
        tags: ['git'],
        summary: 'Mistakes in the repositories, with the lines at fault',
        querystring: PageQuery.extend({
          component: z.string().optional(),
          pipeline: z.string().optional(),
          severity: z.enum(['error', 'warning', 'info']).optional(),
        }),
        response: { 200: page(Diagnostic), ...problems },
      },
      config: { etag: 'body' },
    },
    async (request) => {
      const { limit = DEFAULT_DIAGNOSTICS, cursor, component, pipeline, severity } = request.query;
      const start = decodeNumberCursor(cursor) ?? 0;
      const all = allDiagnostics(components)
        .filter((placed) => component === undefined || placed.component === component)
        .filter(({ diagnostic }) => pipeline === undefined || diagnostic.pipeline === pipeline)
        .filter(({ diagnostic }) => severity === undefined || diagnostic.severity === severity);
      const context = viewContext(deps);
      const items = await diagnosticViews(context, components, all.slice(start, start + limit));
      return { items, next_cursor: all.length > start + limit ? encodeCursor(start + limit) : null };
    },
  );

  /** When the revision before this one was replaced: by the last one of the page before. */
  async function followedAt(name: string, revisionId: number | undefined): Promise<number | null> {
    if (revisionId === undefined) return null;
    return (await store.components.revision(name, revisionId))?.appliedAt ?? null;
  }

  function view(status: ComponentStatus): Promise<Component> {
    return componentViewOf(deps, status);
  }

  function componentNamed(name: string): ComponentStatus {
    const status = components.component(name);
    if (status !== null) return status;
    const names = components.components().map((one) => one.name);
    throw new OperationalError('COMPONENT_UNKNOWN', `there is no component "${name}"`, {
      hint: `there is ${names.join(', ')}`,
    });
  }

  async function revisionNamed(component: string | undefined, text: string): Promise<RevisionRow> {
    const names = component === undefined ? components.components().map((one) => one.name) : [component];
    const id = /^\d{1,9}$/.test(text) ? Number(text) : text;
    for (const name of names) {
      const row = await store.components.revision(name, id);
      if (row !== null) return row;
    }
    throw revisionNotFound(text);
  }
}

function revisionNotFound(text: string): OperationalError {
  return new OperationalError('REVISION_NOT_FOUND', `there is no revision "${text}"`, {
    hint: 'the last 50 revisions of a component are kept: see /api/v1/components/<name>/revisions',
  });
}
