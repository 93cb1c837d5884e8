import type { AppDeps } from './app-deps.ts';
import { allDiagnostics } from './views/all-diagnostics.ts';
import { concurrency } from './views/concurrency.ts';
import { freshnessOfAll } from './views/freshness-view.ts';
import { viewContext } from './views/view-context.ts';

type Labels = Readonly<Record<string, string>>;

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly samples: readonly (readonly [Labels, number])[];
}

/** The text format of Prometheus, version 0.0.4. */
export async function renderMetrics(deps: AppDeps, streamClients: number): Promise<string> {
  const metrics = await collect(deps, streamClients);
  return `${metrics.flatMap(linesOf).join('\n')}\n`;
}

async function collect(deps: AppDeps, streamClients: number): Promise<Metric[]> {
  const { store, components, settings } = deps;
  const definitions = components.definitions();
  const [runs, slots, heartbeats, bytes, lastEventId] = await Promise.all([
    store.runs.counts(),
    concurrency(store, definitions, settings.maxConcurrent),
    store.operations.heartbeats(),
    store.operations.sizeBytes(),
    store.lastEventId(),
  ]);
  const freshness = await freshnessOfAll(store, viewContext(deps));
  const statuses = components.components();
  const pipelines = [...definitions.pipelines.values()];
  const diagnostics = allDiagnostics(components).map((placed) => placed.diagnostic);
  const countOf = <T>(items: readonly T[], test: (item: T) => boolean): number => items.filter(test).length;
  return [
    gauge('elt_info', 'The version that runs', [[{ version: deps.version }, 1]]),
    gauge(
      'elt_runs',
      'Runs by status',
      Object.entries(runs).map(([status, n]) => [{ status }, n]),
    ),
    gauge('elt_steps_in_flight', 'Steps that run now', [[{}, slots.in_flight]]),
    gauge('elt_steps_limit', 'Steps that may run at once', [[{}, slots.steps]]),
    gauge(
      'elt_pool_limit',
      'Slots of a pool',
      Object.entries(slots.pools).map(([pool, { limit }]) => [{ pool }, limit]),
    ),
    gauge(
      'elt_pool_held',
      'Slots in use',
      Object.entries(slots.pools).map(([pool, { held }]) => [{ pool }, held]),
    ),
    gauge('elt_assets', 'Assets of the published definitions', [[{}, definitions.assets.nodes.size]]),
    gauge(
      'elt_assets_by_freshness',
      'Assets with a freshness policy by their state',
      (['fresh', 'stale', 'unknown'] as const).map((state) => [
        { state },
        countOf(freshness, ({ view }) => view.state === state),
      ]),
    ),
    gauge(
      'elt_asset_stale',
      '1 for each asset that is stale by its freshness policy',
      freshness.flatMap(({ assetKey, view }) =>
        view.state === 'stale' ? [[{ asset: assetKey, severity: view.severity }, 1] as const] : [],
      ),
    ),
    gauge('elt_schedules', 'Schedules of the published definitions', [[{}, definitions.schedules.size]]),
    gauge('elt_pipelines', 'Pipelines by state of their newest revision', [
      [{ status: 'current' }, countOf(pipelines, (pipeline) => pipeline.status === 'current')],
      [{ status: 'held' }, countOf(pipelines, (pipeline) => pipeline.status === 'held')],
    ]),
    gauge('elt_diagnostics', 'Mistakes in the repositories', [
      [{ severity: 'error' }, countOf(diagnostics, (diagnostic) => diagnostic.severity === 'error')],
      [{ severity: 'warning' }, countOf(diagnostics, (diagnostic) => diagnostic.severity === 'warning')],
    ]),
    gauge(
      'elt_component_applied_timestamp_seconds',
      'When the served revision was applied',
      statuses.flatMap(({ name, lastApplied }) =>
        lastApplied === null ? [] : [[{ component: name }, lastApplied.at / 1000] as const],
      ),
    ),
    gauge(
      'elt_component_condition',
      '1 where the condition is true',
      statuses.flatMap(({ name, conditions }) =>
        conditions.map(
          ({ type, status }) => [{ component: name, condition: type }, status === 'True' ? 1 : 0] as const,
        ),
      ),
    ),
    gauge(
      'elt_daemon_heartbeat_timestamp_seconds',
      'Last beat of a daemon',
      heartbeats.map(({ daemon, at }) => [{ daemon }, at / 1000]),
    ),
    gauge(
      'elt_daemon_failing',
      '1 while the last iteration of a daemon failed',
      heartbeats.map(({ daemon, status }) => [{ daemon }, status === 'failed' ? 1 : 0]),
    ),
    counter('elt_events_total', 'Events in the log', [[{}, lastEventId]]),
    gauge('elt_event_stream_clients', 'Open event streams', [[{}, streamClients]]),
    gauge('elt_database_bytes', 'Size of the database', [[{}, bytes]]),
    gauge('process_resident_memory_bytes', 'Memory of the service', [[{}, process.memoryUsage.rss()]]),
  ];
}

function gauge(name: string, help: string, samples: Metric['samples']): Metric {
  return { name, help, type: 'gauge', samples };
}

function counter(name: string, help: string, samples: Metric['samples']): Metric {
  return { name, help, type: 'counter', samples };
}

function linesOf({ name, help, type, samples }: Metric): string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(([labels, value]) => `${name}${labelText(labels)} ${value}`),
  ];
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
