import type { App, AppDeps } from '../app-deps.ts';
import { Instance } from '../contract/instance.ts';
import { problems } from '../openapi.ts';
import { alertHealth } from '../views/alert-health.ts';
import { allDiagnostics } from '../views/all-diagnostics.ts';
import { concurrency } from '../views/concurrency.ts';
import { timestamp } from '../views/view-context.ts';

export function instanceRoutes(app: App, deps: AppDeps): void {
  const { store, components, settings } = deps;
  const startedAt = timestamp(deps.clock.now());

  app.get(
    '/instance',
    {
      schema: {
        tags: ['system'],
        summary: 'The instance as a whole',
        response: { 200: Instance, ...problems },
      },
      config: { etag: 'body' },
    },
    async () => {
      const definitions = components.definitions();
      const lastEventId = await store.lastEventId();
      const [runs, heartbeats, slots, databaseBytes, environments, alerts] = await Promise.all([
        store.runs.counts(),
        store.operations.heartbeats(),
        concurrency(store, definitions, settings.maxConcurrent),
        store.operations.sizeBytes(),
        deps.environments.status(),
        alertHealth(deps),
      ]);
      const pipelines = [...definitions.pipelines.values()];
      const nodes = [...definitions.assets.nodes.values()];
      const diagnostics = allDiagnostics(components).map((placed) => placed.diagnostic);
      return {
        version: deps.version,
        url: ownUrl(),
        demo: settings.demo,
        started_at: startedAt,
        definitions_digest: definitions.digest,
        counts: {
          pipelines: pipelines.length,
          disabled: pipelines.filter((pipeline) => !pipeline.config.enabled).length,
          held: pipelines.filter((pipeline) => pipeline.status === 'held').length,
          assets: nodes.filter((node) => node.kind === 'materializable').length,
          schedules: definitions.schedules.size,
          errors: diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length,
          warnings: diagnostics.filter((diagnostic) => diagnostic.severity === 'warning').length,
          runs: { ...runs },
        },
        daemons: heartbeats.map(({ daemon, at, status, lastError }) => ({
          name: daemon,
          at: timestamp(at),
          status,
          last_error: lastError,
        })),
        alerts,
        concurrency: slots,
        storage: { database_bytes: databaseBytes },
        environments: environments.map(({ envKey, status, stage, message }) => ({
          env_key: envKey,
          status,
          stage,
          message,
        })),
        // Read before everything else: a client that follows the stream from here misses nothing.
        last_event_id: lastEventId,
        groups: [...new Set(nodes.map((node) => node.group))].sort(),
      };
    },
  );

  /** With port 0 only the system knows the port, once it listens. */
  function ownUrl(): string {
    const address = app.server.address();
    if (settings.port !== 0 || address === null || typeof address === 'string') return settings.publicUrl;
    const url = URL.parse(settings.publicUrl);
    if (url?.port === '0' || url === null) return `http://${settings.host}:${address.port}`;
    return settings.publicUrl;
  }
}
