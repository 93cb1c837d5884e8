import { z } from 'zod';
import type { RefreshOutcome } from '../../component/component.ts';
import type { ControlRequest } from '../../component/control.ts';
import { actorOf, actorText } from '../actor.ts';
import type { App, AppDeps } from '../app-deps.ts';
import {
  AcceptMoveRequest,
  Control,
  DriftList,
  HoldRequest,
  RefreshResult,
  SuspendRequest,
} from '../contract/component.ts';
import { expiryOf } from '../expiry.ts';
import { problems } from '../openapi.ts';
import { controlView, driftView, refreshView } from '../views/component-view.ts';
import { diagnosticViews } from '../views/diagnostic-view.ts';
import { viewContext } from '../views/view-context.ts';

const NameParams = z.object({ name: z.string() });

/** A person's hand on what is served. The store writes the audit entry with the change itself. */
export function controlRoutes(app: App, deps: AppDeps): void {
  const { components } = deps;

  app.post(
    '/components/:name/rollback',
    {
      schema: {
        tags: ['git'],
        summary: 'Serves an earlier revision, whole, until a newer commit than those after it, or `resume`',
        description: 'From the store, without network. Data, cursors and secrets are not rolled back.',
        params: NameParams,
        body: HoldRequest,
        response: { 200: RefreshResult, ...problems },
      },
    },
    async (request) => {
      const { params, body } = request;
      return result(await components.rollback(params.name, body.revision, hold(request, body)));
    },
  );

  app.post(
    '/components/:name/pin',
    {
      schema: {
        tags: ['git'],
        summary: 'Serves a revision, a commit or a tag until `resume`, whatever is pushed',
        params: NameParams,
        body: HoldRequest,
        response: { 200: RefreshResult, ...problems },
      },
    },
    async (request) => {
      const { params, body } = request;
      return result(await components.pin(params.name, body.revision, hold(request, body)));
    },
  );

  app.post(
    '/components/:name/suspend',
    {
      schema: {
        tags: ['git'],
        summary:
          'Serves what it has and applies nothing until `resume`; it goes on telling how far the head is',
        params: NameParams,
        body: SuspendRequest,
        response: { 200: Control, ...problems },
      },
    },
    async (request) => {
      const { params, body } = request;
      return controlView(await components.suspend(params.name, hold(request, body ?? {})));
    },
  );

  app.post(
    '/components/:name/resume',
    {
      schema: {
        tags: ['git'],
        summary: 'Ends a pin, a rollback or a suspension, and applies the head',
        params: NameParams,
        response: { 200: RefreshResult, ...problems },
      },
    },
    async (request) => result(await components.resume(request.params.name, actorText(actorOf(request)))),
  );

  app.post(
    '/components/:name/moves/accept',
    {
      schema: {
        tags: ['git'],
        summary: 'A pipeline takes over the history of the folder that it is proposed to have come from',
        params: NameParams,
        body: AcceptMoveRequest,
        response: { 200: RefreshResult, ...problems },
      },
    },
    async (request) => {
      const by = actorText(actorOf(request));
      return result(await components.acceptMove(request.params.name, request.body.pipeline, by));
    },
  );

  app.get(
    '/drift',
    {
      schema: {
        tags: ['git'],
        summary: 'What people set over what Git says: who, when, why, until when',
        response: { 200: DriftList, ...problems },
      },
      config: { etag: 'body' },
    },
    async () => ({ items: (await components.drift()).map(driftView), next_cursor: null }),
  );

  function hold(
    request: Parameters<typeof actorOf>[0],
    body: { readonly reason?: string | undefined; readonly expires_in?: string | undefined },
  ): ControlRequest {
    return {
      by: actorText(actorOf(request)),
      reason: body.reason?.trim() ?? '',
      expiresAt: expiryOf(body.expires_in, deps.clock.now()),
    };
  }

  async function result(outcome: RefreshOutcome): Promise<RefreshResult> {
    const { component, commit } = outcome;
    const placed = outcome.diagnostics.map((diagnostic) => ({ component, commit, diagnostic }));
    return refreshView(outcome, await diagnosticViews(viewContext(deps), components, placed));
  }
}
