import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { onTestFinished } from 'vitest';
import type { ComponentStatus, RefreshOutcome } from '../../src/component/component.ts';
import { planRevision } from '../../src/component/plan-revision.ts';
import type { ComponentSettings, Settings } from '../../src/config/settings.ts';
import { type Alerts, createAlerts } from '../../src/daemons/alerts.ts';
import { type Automation, createAutomation } from '../../src/daemons/automation.ts';
import { buildDefinitions } from '../../src/definitions/build.ts';
import { createDiscoverCache } from '../../src/discovery/discover.ts';
import type { BackfillEngine } from '../../src/engine/backfill-engine.ts';
import { createBackfillEngine } from '../../src/engine/backfills/create-backfill-engine.ts';
import { createRunEngine } from '../../src/engine/engine.ts';
import type { AdvanceRun } from '../../src/engine/run-driver.ts';
import type { RunEngine } from '../../src/engine/run-engine.ts';
import type { ReportedEvent } from '../../src/engine/step-report.ts';
import type { StepResult } from '../../src/events/run-event.ts';
import { neverCrash } from '../../src/lib/crash-points.ts';
import { OperationalError } from '../../src/lib/errors.ts';
import { uuidv7 } from '../../src/lib/ids.ts';
import { createLogger } from '../../src/lib/log.ts';
import { createNotifier } from '../../src/notify/create-notifier.ts';
import { planRun } from '../../src/plan/plan-run.ts';
import { poolLimits } from '../../src/plan/pools.ts';
import type { StepRef, StepSpec } from '../../src/plan/step-spec.ts';
import { stepSpecs } from '../../src/plan/step-spec-of.ts';
import { createApp } from '../../src/server/app.ts';
import type { AppDeps, SurfaceComponents } from '../../src/server/app-deps.ts';
import type { Snapshot } from '../../src/state/snapshot.ts';
import { createFileLogStore } from '../../src/store/file-log-store.ts';
import type { LogStore } from '../../src/store/log-store.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { RefreshTrigger, Store } from '../../src/store/store.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { temporaryDirectory } from './git-repository.ts';
import { type SamplePipeline, sampleSnapshot } from './sample-definitions.ts';

export const NOW = Date.UTC(2026, 0, 20, 12);
export const ROOT = join(import.meta.dirname, '..', '..');

/** What a scripted step does; `hold` keeps it running until it is cancelled. */
export interface StepScript {
  readonly events?: readonly ReportedEvent[];
  readonly lines?: readonly string[];
  readonly result?: StepResult;
  readonly hold?: boolean;
}

export interface SurfaceOptions {
  readonly pipelines?: Readonly<Record<string, SamplePipeline>>;
  readonly snapshot?: Partial<Snapshot>;
  readonly settings?: Partial<Settings>;
  /** Files of the repository, by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly step?: (spec: StepSpec) => StepScript;
  readonly deps?: Partial<AppDeps>;
}

export interface Surface {
  readonly app: FastifyInstance;
  readonly store: Store;
  readonly logs: LogStore;
  readonly engine: RunEngine;
  /** Nothing makes it look by itself: a test calls `look`. */
  readonly automation: Automation;
  /** Nothing carries it on by itself: a test calls `advance`. */
  readonly backfills: BackfillEngine;
  /** Nothing is sent by itself: its daemons are not started. */
  readonly alerts: Alerts;
  readonly components: SurfaceComponents;
  readonly clock: FakeClock;
  readonly settings: Settings;
  readonly refreshes: { component: string; trigger: RefreshTrigger; allowPrune?: boolean }[];
  publish(pipelines: Readonly<Record<string, SamplePipeline>>, more?: Partial<Snapshot>): Promise<void>;
}

/** The surface over a real store, real logs and the real engine; its steps are scripted, its definitions built by hand. */
export async function surface(options: SurfaceOptions = {}): Promise<Surface> {
  const clock = fakeClock(NOW);
  const logger = createLogger('silent');
  const home = temporaryDirectory();
  const store = await openStore({ file: join(home, 'elt.db'), clock, logger });
  const logs = createFileLogStore(join(home, 'logs'));
  const settings = settingsOf(home, options.settings);
  const refreshes: Surface['refreshes'] = [];
  let status = statusOf(settings, null, 0);
  let built = buildDefinitions([]);

  const components: SurfaceComponents = {
    definitions: () => built.definitions,
    onPublished: () => () => undefined,
    components: () => [status],
    component: (name) => (name === status.name ? status : null),
    definitionDiagnostics: () => built.diagnostics,
    requestRefresh: (component, trigger, refreshOptions) => {
      refreshes.push({
        component,
        trigger,
        ...(refreshOptions?.allowPrune === true ? { allowPrune: true } : {}),
      });
      return Promise.resolve(unchanged(component));
    },
    readFile: (_component, _commit, path) => Promise.resolve(options.files?.[path] ?? null),
    control: () => null,
    rollback: (component) => Promise.resolve(unchanged(component)),
    pin: (component) => Promise.resolve(unchanged(component)),
    suspend: (_component, request) =>
      Promise.resolve({
        mode: 'suspended',
        revisionId: null,
        commit: null,
        fenced: [],
        at: NOW,
        ...request,
      }),
    resume: (component) => Promise.resolve(unchanged(component)),
    drift: () => Promise.resolve([]),
    acceptMove: (component) => Promise.resolve(unchanged(component)),
    plan: (_component, target, from) => {
      const { snapshot, lastApplied } = status;
      const served = snapshot === null ? null : { revisionId: lastApplied?.revisionId ?? 0, snapshot };
      return planRevision(
        {
          settings: COMPONENT,
          service: settings,
          store,
          clock,
          mirror: () => {
            throw new OperationalError('GIT_UNREACHABLE', 'there is no Git here');
          },
          served,
          sources: served === null ? [] : [{ component: COMPONENT.name, ...served }],
          results: new Map(),
          cache: createDiscoverCache(),
          signal: new AbortController().signal,
        },
        target,
        from,
      );
    },
    close: () => Promise.resolve(),
  };

  async function publish(
    pipelines: Readonly<Record<string, SamplePipeline>>,
    more: Partial<Snapshot> = {},
  ): Promise<void> {
    const snapshot = { ...sampleSnapshot(pipelines), ...more };
    const revisionId = await store.components.applyRevision(snapshot, {
      trigger: { kind: 'poll' },
      startedAt: clock.now() - 250,
      summary: { added: snapshot.pipelines.length, changed: 0, removed: 0 },
    });
    status = statusOf(settings, snapshot, revisionId);
    built = buildDefinitions([{ component: 'main', revisionId, snapshot }]);
    await store.appendInstanceEvents([{ type: 'definitions_published', digest: built.definitions.digest }]);
  }

  const transport = scriptedTransport(store, logs, options.step ?? (() => ({})));
  const limits = () => ({ maxSteps: 4, maxConcurrentRuns: null, pools: poolLimits(built.definitions) });
  const engine = createRunEngine({
    store,
    definitions: () => built.definitions,
    limits,
    planRun,
    stepSpecs,
    transport,
    newId: () => uuidv7(clock.now()),
    clock,
    logger,
  });
  const backfills = createBackfillEngine({
    store,
    runs: engine,
    definitions: () => built.definitions,
    limits,
    stepSpecs,
    newId: () => uuidv7(clock.now()),
    clock,
    logger,
    crashPoint: neverCrash,
  });
  const automation = createAutomation({
    store,
    components,
    engine,
    backfills,
    clock,
    logger,
    newId: () => uuidv7(clock.now()),
    crashPoint: neverCrash,
  });
  const alerts = createAlerts({
    store,
    components,
    context: { publicUrl: settings.publicUrl, commitUrl: () => null },
    notifier: createNotifier({ version: '0.0.0-test', host: 'elt.example.com' }),
    policy: { variables: settings.alertEnv, hosts: settings.alertHosts, withheld: [] },
    environment: () => settings.environment,
    clock,
    logger,
    newId: () => uuidv7(clock.now()),
    random: () => 0.5,
    crashPoint: neverCrash,
  });
  const app = createApp({
    settings,
    store,
    logs,
    engine,
    automation,
    backfills,
    alerts,
    components,
    environments: { status: () => Promise.resolve([]) },
    clock,
    logger,
    version: '0.0.0-test',
    uiDir: null,
    ...options.deps,
  });
  await publish(options.pipelines ?? {}, options.snapshot);
  onTestFinished(async () => {
    await app.close();
    await engine.close({ graceMs: 0, endSteps: true });
    await store.close();
  });
  return {
    app,
    store,
    logs,
    engine,
    automation,
    backfills,
    alerts,
    components,
    clock,
    settings,
    refreshes,
    publish,
  };
}

/** Runs each step in this process as its script says. */
function scriptedTransport(store: Store, logs: LogStore, script: (spec: StepSpec) => StepScript) {
  return (advance: AdvanceRun) => {
    const seen = new Set<string>();
    const held = new Map<string, StepRef>();
    async function look(runId: string): Promise<void> {
      const advanced = await advance(runId);
      for (const ref of advanced?.dispatch ?? []) {
        const id = `${ref.runId}/${ref.stepKey}/${ref.attempt}`;
        if (seen.has(id)) continue;
        seen.add(id);
        await run(ref, id);
      }
    }
    async function run(dispatched: StepRef, id: string): Promise<void> {
      const spec = await store.steps.spec(dispatched);
      const { ref } = spec;
      const { events = [], lines = [], result, hold = false } = script(spec);
      const text = lines.map((line) => `${NOW} o ${line}\n`).join('');
      await logs.append(ref, 0, Buffer.from(text));
      await store.steps.acquire(ref, 'test');
      // Before anybody can see that it started: it can be cancelled from then on.
      if (hold) held.set(id, ref);
      await store.steps.started(ref, { pid: 1, envKey: 'env' });
      if (events.length > 0) {
        await store.steps.append(
          ref,
          events.map((event, index) => ({ n: index + 1, event })),
        );
      }
      if (hold) return;
      await logs.seal(ref);
      const end = result ?? ({ type: 'step_succeeded', seconds: 1.5, metadata: {} } as const);
      await store.steps.finish(ref, end, end.type === 'step_succeeded' ? implied(spec, events) : []);
      await look(ref.runId);
    }
    return {
      start: async (runId: string) => {
        await look(runId);
        return 'started' as const;
      },
      dispatch: () => Promise.resolve(),
      cancel: async (ref: StepRef) => {
        const id = `${ref.runId}/${ref.stepKey}/${ref.attempt}`;
        if (!held.delete(id)) return;
        await logs.seal(ref);
        await store.steps.finish(ref, { type: 'step_canceled', seconds: 1, forced: false }, []);
      },
      wake: look,
      capacity: () => Promise.resolve([]),
      adopt: () => Promise.resolve({ adopted: 0, lost: 0 }),
      close: () => Promise.resolve(),
    };
  };
}

/** As the engine does: an asset that the step did not report itself is materialized by its success. */
function implied(spec: StepSpec, events: readonly ReportedEvent[]) {
  const reported = new Set(
    events.flatMap((event) => (event.type === 'materialization' ? [event.asset_key] : [])),
  );
  return spec.assets
    .filter((asset) => !reported.has(asset.key))
    .map((asset) => ({ assetKey: asset.key, partitions: spec.partitionKeys, metadata: { rows: 3 } }));
}

const COMPONENT: ComponentSettings = {
  name: 'main',
  dir: '',
  repoUrl: 'https://github.com/shop/pipelines.git',
  ref: { kind: 'branch', name: 'main' },
  token: () => null,
  pipelinesDirectory: 'pipelines',
  autoRefresh: false,
  refreshIntervalMs: 60_000,
  digest: '',
};

function settingsOf(home: string, more: Partial<Settings> | undefined): Settings {
  return {
    home,
    host: '127.0.0.1',
    port: 0,
    publicUrl: 'http://127.0.0.1:3000',
    allowedHosts: [],
    apiToken: null,
    webhookSecret: null,
    secretsDir: null,
    passEnv: [],
    alertEnv: [],
    alertHosts: [],
    maxConcurrent: 4,
    warmStarts: false,
    logLevel: 'silent',
    root: ROOT,
    components: [COMPONENT],
    environment: {},
    demo: false,
    ...more,
  };
}

function statusOf(settings: Settings, snapshot: Snapshot | null, revisionId: number): ComponentStatus {
  return {
    name: 'main',
    repoUrl: settings.components[0]!.repoUrl,
    ref: 'main',
    conditions: [{ type: 'Ready', status: 'True', reason: 'Applied', message: '', since: NOW }],
    lastAttempted: snapshot === null ? null : { at: NOW, commit: snapshot.repo.commit },
    lastApplied: snapshot === null ? null : { at: NOW, commit: snapshot.repo.commit, revisionId },
    snapshot,
    control: null,
    remoteHead: null,
    refreshing: false,
    nextRefreshAt: NOW + 60_000,
  };
}

function unchanged(component: string): RefreshOutcome {
  return {
    component,
    status: 'unchanged',
    revisionId: 1,
    commit: 'c'.repeat(40),
    diff: { added: [], removed: [], changed: [] },
    diagnostics: [],
    seconds: 0.1,
    error: null,
  };
}

export function readFixture(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
