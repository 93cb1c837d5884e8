import type { Instant } from '../../lib/clock.ts';
import type { AppDeps } from '../app-deps.ts';
import type { Instance } from '../contract/instance.ts';
import { alertHealth } from './alert-health.ts';
import { allDiagnostics } from './all-diagnostics.ts';
import { concurrency } from './concurrency.ts';
import { timestamp } from './view-context.ts';

/** The instance as a whole: counts, daemons, environments, storage. */
export async function instanceView(
  deps: AppDeps,
  { url, startedAt }: { readonly url: string; readonly startedAt: Instant },
): Promise<Instance> {
  const { store, components, settings } = deps;
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
    url,
    demo: settings.demo,
    started_at: timestamp(startedAt),
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
}
