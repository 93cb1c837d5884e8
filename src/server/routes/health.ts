import { z } from 'zod';
import type { App, AppDeps } from '../app-deps.ts';
import { Health, Readiness } from '../contract/system.ts';
import { renderMetrics } from '../metrics.ts';
import { problems } from '../openapi.ts';

/** For probes and Prometheus; no Host check, since they come by address. */
export function healthRoutes(app: App, deps: AppDeps, streams: { clients(): number }): void {
  app.get(
    '/healthz',
    {
      schema: {
        tags: ['system'],
        summary: 'Whether the process lives; 503 from the moment on that it ends',
        response: { 200: Health, 503: Health },
      },
    },
    async (_request, reply) => {
      const about = { name: 'elt-gitops', version: deps.version, pid: process.pid } as const;
      reply.header('cache-control', 'no-store');
      return app.isDraining()
        ? reply.code(503).send({ status: 'draining', ...about })
        : reply.code(200).send({ status: 'ok', ...about });
    },
  );

  app.get(
    '/readyz',
    {
      schema: {
        tags: ['system'],
        summary: 'Whether there are definitions to serve and a store that answers',
        response: { 200: Readiness, 503: Readiness },
      },
    },
    async (_request, reply) => {
      const waiting = await missing();
      reply.header('cache-control', 'no-store');
      const body = { ready: waiting.length === 0, waiting_for: waiting };
      return body.ready ? reply.code(200).send(body) : reply.code(503).send(body);
    },
  );

  app.get(
    '/metrics',
    {
      schema: {
        tags: ['system'],
        summary: 'Metrics in the text format of Prometheus',
        response: { 200: { content: { 'text/plain': { schema: z.string() } } }, ...problems },
      },
    },
    async (_request, reply) =>
      reply
        .header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
        .serializer(String)
        .send(await renderMetrics(deps, streams.clients())),
  );

  async function missing(): Promise<string[]> {
    const waiting: string[] = [];
    if (app.isDraining()) waiting.push('nothing: the service is shutting down');
    try {
      await deps.store.now();
    } catch (error) {
      waiting.push(`the database: ${error instanceof Error ? error.message : String(error)}`);
    }
    for (const { name, snapshot, lastAttempted } of deps.components.components()) {
      // A failed first fetch is an answer too: the page tells it.
      if (snapshot === null && lastAttempted === null) waiting.push(`the first refresh of ${name}`);
    }
    return waiting;
  }
}
