import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { createComponentService, type EltComponentService } from './component/component-service.ts';
import { ensureDemoRepository } from './component/demo-repository.ts';
import type { Settings } from './config/settings.ts';
import { type Alerts, createAlerts } from './daemons/alerts.ts';
import { type Automation, createAutomation } from './daemons/automation.ts';
import { createAutomationDaemon } from './daemons/automation-daemon.ts';
import { createBackfillDaemon } from './daemons/backfill.ts';
import { createDaemon, type Daemon } from './daemons/daemon.ts';
import { createFreshnessDaemon } from './daemons/freshness.ts';
import { createGitReports } from './daemons/git-reports.ts';
import { createRefreshDaemon } from './daemons/refresh.ts';
import { createRetentionDaemon } from './daemons/retention.ts';
import { createRunMonitor } from './daemons/run-monitor.ts';
import { createScheduler } from './daemons/scheduler.ts';
import { createWatchDaemon } from './daemons/watch.ts';
import type { BackfillEngine } from './engine/backfill-engine.ts';
import { createBackfillEngine } from './engine/backfills/create-backfill-engine.ts';
import { createRunEngine } from './engine/engine.ts';
import { createCgroups } from './engine/local/cgroups.ts';
import { createLocalTransport } from './engine/local/local-transport.ts';
import { createPassedNames } from './engine/local/passed-names.ts';
import { placesOf } from './engine/local/places.ts';
import { createWarmStarts } from './engine/local/warm/warm-starts.ts';
import { createWorkDirLocks } from './engine/local/work-dir-locks.ts';
import type { RunEngine } from './engine/run-engine.ts';
import type { StepMachine } from './engine/step-machine.ts';
import { createGithubHost } from './github/github-host.ts';
import { hostedRepository } from './github/reported-repository.ts';
import { type Clock, systemClock } from './lib/clock.ts';
import { type CrashHook, neverCrash } from './lib/crash-points.ts';
import { opaqueId, uuidv7 } from './lib/ids.ts';
import type { Logger } from './lib/log.ts';
import { isLoopback } from './lib/loopback.ts';
import { createNotifier } from './notify/create-notifier.ts';
import { planRun } from './plan/plan-run.ts';
import { poolLimits } from './plan/pools.ts';
import { stepSpecs } from './plan/step-spec-of.ts';
import { dbtRunner } from './runners/dbt.ts';
import { dltRunner } from './runners/dlt.ts';
import { createEnvironments, type EnvironmentManager } from './runners/environments/create-environments.ts';
import { pythonRunner } from './runners/python.ts';
import type { Runner } from './runners/runner.ts';
import { slingRunner } from './runners/sling.ts';
import { createApp } from './server/app.ts';
import { listen } from './server/listen.ts';
import { removeServiceFile, writeServiceFile } from './server/service-file.ts';
import { codeLink } from './server/views/code-link.ts';
import { createFileLogStore } from './store/file-log-store.ts';
import { lockHome } from './store/home-lock.ts';
import type { LogStore } from './store/log-store.ts';
import { openStore } from './store/open-store.ts';
import type { AdmissionLimits, Store } from './store/store.ts';

export interface ServiceOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  /** Listen on `settings.host:port`. Without it the app answers only inside this process. */
  readonly serve: boolean;
  /** Refresh, schedules, run monitor, retention. */
  readonly daemons: boolean;
  /** Watch local repositories, and serve a working copy as it lies there, uncommitted changes included. */
  readonly watch?: boolean;
  /** Told at each named crash point; tests end the process there. */
  readonly crashPoint?: CrashHook;
  /** Default: the system's. */
  readonly clock?: Clock;
}

export interface Service {
  readonly app: FastifyInstance;
  /** Null when it does not listen. */
  readonly url: string | null;
  readonly version: string;
  readonly engine: RunEngine;
  readonly automation: Automation;
  readonly backfills: BackfillEngine;
  readonly components: EltComponentService;
  readonly store: Store;
  readonly logs: LogStore;
  readonly environments: EnvironmentManager;
  /** Carries stored backfills on although it runs no daemons: for a command that waits for one. */
  carryOnBackfills(): void;
  /** Drains: health says 503 first, then daemons, steps, server, store. */
  close(options?: { readonly endSteps?: boolean }): Promise<void>;
}

/** How long steps get to end by themselves when the service ends them. */
const GRACE_MS = 30_000;
/** A scheduler that was not woken looks at the clock again after this time. */
const SCHEDULER_NAP_MS = 30_000;

/**
 * The composition root: settings → store → component → engine → daemons → server, in this order. What was opened is
 * closed again when a later step fails. Throws `OperationalError` (`HOME_LOCKED`, `PORT_IN_USE`, `HOME_NEWER`, …).
 */
export async function createService(options: ServiceOptions): Promise<Service> {
  const { settings, logger } = options;
  const opened = new AsyncDisposableStack();
  try {
    return await compose(options, opened);
  } catch (error) {
    await opened.disposeAsync().catch((failure: unknown) => {
      logger.error({ err: failure, home: settings.home }, 'the service could not be closed cleanly');
    });
    throw error;
  }
}

async function compose(options: ServiceOptions, opened: AsyncDisposableStack): Promise<Service> {
  const { settings, logger, crashPoint = neverCrash } = options;
  const { home, root } = settings;
  const clock = options.clock ?? systemClock();
  const version = versionOf(root);
  const newId = () => uuidv7(clock.now());

  const lock = await lockHome(home);
  opened.defer(() => lock.release());
  if (settings.demo) await ensureDemoRepository({ home, root, environment: process.env });
  const store = await openStore({ file: join(home, 'elt.db'), clock, logger });
  opened.defer(() => store.close());
  const logs = createFileLogStore(join(home, 'logs'));
  const environments = createEnvironments({ home, root, logger, env: process.env });
  opened.defer(() => environments.close());
  environments.onProgress(({ envKey, stage, message, status }) => {
    const event = { type: 'environment_progress' as const, envKey, stage, message, status };
    store
      .appendInstanceEvents([event])
      .catch((error: unknown) => logger.error({ err: error }, 'progress was not recorded'));
  });

  const components = await createComponentService({
    settings,
    store,
    clock,
    log: logger,
    workingTrees: options.watch ?? false,
    crashPoint,
    runDiscoveryJob: options.daemons
      ? async (job, { code, signal }) => {
          const { runDiscoveryJob } = await import('./discovery/jobs/run-discovery-job.ts');
          const [workRoot, runnerPackage] = [join(home, 'discovery'), join(root, 'python')];
          return runDiscoveryJob(job, { code, environments, workRoot, runnerPackage, signal });
        }
      : null,
  });
  opened.defer(() => components.close());

  const pythonDir = join(root, 'python');
  // Elsewhere a process that goes on after a fork is not safe (macOS), or cannot show its own environment.
  const warmStarts =
    settings.warmStarts && process.platform === 'linux'
      ? createWarmStarts({ pythonDir, environment: () => settings.environment, logger })
      : null;
  opened.defer(() => warmStarts?.close());

  const machine: StepMachine = {
    steps: store.steps,
    logs,
    code: components.code,
    environments,
    runners: runnersByTool(),
    places: placesOf(home),
    pythonDir,
    get environment() {
      return settings.environment;
    },
    passEnv: settings.passEnv,
    tokenVariables: settings.components.flatMap(({ tokenVariables }) => tokenVariables ?? []),
    secretsDir: settings.secretsDir,
    passedNames: createPassedNames(),
    workDirs: createWorkDirLocks(),
    warmStarts,
    cgroups: createCgroups(),
    holder: `${process.pid}-${opaqueId()}`,
    clock,
    logger,
    crashPoint,
  };
  const limits = (): AdmissionLimits => {
    const definitions = components.definitions();
    const { maxConcurrentRuns } = definitions.instance;
    return { maxSteps: settings.maxConcurrent, maxConcurrentRuns, pools: poolLimits(definitions) };
  };
  const engine = createRunEngine({
    store,
    definitions: () => components.definitions(),
    limits,
    planRun,
    stepSpecs,
    transport: (advance) =>
      createLocalTransport({
        machine,
        advance,
        priorities: (runIds) => store.runs.priorities(runIds),
        slots: settings.maxConcurrent,
        version,
      }),
    newId,
    clock,
    logger,
  });
  let endSteps = false;
  opened.defer(() => engine.close({ graceMs: GRACE_MS, endSteps }));
  const adopted = await engine.adopt();
  logger.info({ ...adopted }, 'unfinished runs taken over');
  const backfills = createBackfillEngine({
    store,
    runs: engine,
    definitions: () => components.definitions(),
    limits,
    stepSpecs,
    newId,
    clock,
    logger,
    crashPoint,
  });

  const automation = createAutomation({
    store,
    components,
    engine,
    backfills,
    clock,
    logger,
    newId,
    crashPoint,
  });
  const scheduling = schedulerDaemon({ store, components, engine, clock, logger, newId, crashPoint });
  const alerts = alertsOf({
    settings,
    // Of port 0 the system chooses one.
    publicUrl: () =>
      URL.parse(settings.publicUrl)?.port === '0' ? (url ?? settings.publicUrl) : settings.publicUrl,
    store,
    components,
    clock,
    logger,
    newId,
    crashPoint,
    version,
  });
  const reporting = gitReportsDaemon({ settings, store, components, clock, logger });
  const app = createApp({
    settings,
    store,
    logs,
    engine,
    automation,
    backfills,
    alerts,
    components,
    environments,
    clock,
    logger,
    version,
    uiDir: join(root, 'ui', 'dist'),
    onScheduleChanged: () => scheduling.wake(),
    onPlanQueued: () => reporting?.wake(),
  });
  opened.defer(() => app.close());
  await app.ready();
  const url = options.serve ? await listen(app, settings) : null;
  if (url !== null) {
    const { pid } = process;
    const started = new Date(clock.now()).toISOString();
    await writeServiceFile(home, { url, pid, started_at: started, token: settings.apiToken, version });
    opened.defer(() => removeServiceFile(home, pid));
  }
  const backfilling = createBackfillDaemon({ backfills, operations: store.operations, clock, logger });
  components.onPublished(() => backfilling.wake());
  let carriesOn = options.daemons;
  if (options.daemons) startDaemons();

  function startDaemons(): void {
    const { operations, runs } = store;
    const onPublished = (listener: () => void) => components.onPublished(listener);
    const freshness = createFreshnessDaemon({ store, components, clock, logger });
    onPublished(() => freshness.wake());
    const daemons: Daemon[] = [
      scheduling,
      createAutomationDaemon({ automation, store, onPublished, clock, logger }),
      backfilling,
      freshness,
      createRunMonitor({ store, engine, clock, logger }),
      createRefreshDaemon({ service: components, clock, operations, log: logger, random: Math.random }),
      createRetentionDaemon({
        operations,
        automation: store.automation,
        alerts: store.alerts,
        insights: store.insights,
        runs,
        logs,
        service: components,
        environments,
        clock,
        log: logger,
      }),
    ];
    daemons.push(...alerts.daemons);
    if (reporting !== null) daemons.push(reporting);
    if (options.watch ?? false) daemons.push(createWatchDaemon({ service: components, log: logger }));
    for (const daemon of daemons) daemon.start();
    opened.defer(async () => void (await Promise.all(daemons.map((daemon) => daemon.stop()))));
  }

  return {
    app,
    url,
    version,
    engine,
    automation,
    backfills,
    components,
    store,
    logs,
    environments,
    carryOnBackfills() {
      if (carriesOn) return;
      carriesOn = true;
      backfilling.start();
      opened.defer(() => backfilling.stop());
    },
    async close(how = {}) {
      endSteps = how.endSteps ?? false;
      app.startDraining();
      await opened.disposeAsync();
    },
  };
}

function runnersByTool(): ReadonlyMap<string, Runner> {
  return new Map([dltRunner, slingRunner, dbtRunner, pythonRunner].map((runner) => [runner.tool, runner]));
}

function schedulerDaemon(deps: {
  readonly store: Store;
  readonly components: EltComponentService;
  readonly engine: RunEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly newId: () => string;
  readonly crashPoint: CrashHook;
}): Daemon {
  const { store, components, clock } = deps;
  const scheduler = createScheduler(deps);
  const daemon = createDaemon({
    name: 'scheduler',
    intervalMs: SCHEDULER_NAP_MS,
    clock,
    operations: store.operations,
    log: deps.logger,
    async runOnce() {
      const counts = await scheduler.runOnce();
      const latest = clock.now() + SCHEDULER_NAP_MS;
      return { counts: { ...counts }, nextAt: Math.min(scheduler.nextDueAt() ?? latest, latest) };
    },
  });
  components.onPublished(() => daemon.wake());
  return daemon;
}

function alertsOf(deps: {
  readonly settings: Settings;
  /** Asked when something is told: the service may listen only then. */
  readonly publicUrl: () => string;
  readonly store: Store;
  readonly components: EltComponentService;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly newId: () => string;
  readonly crashPoint: CrashHook;
  readonly version: string;
}): Alerts {
  const { settings, components, version } = deps;
  return createAlerts({
    ...deps,
    context: {
      get publicUrl() {
        return deps.publicUrl().replace(/\/+$/, '');
      },
      commitUrl(name, commit) {
        const component = components.component(name);
        return component === null ? null : codeLink(component.repoUrl, { commit });
      },
    },
    notifier: createNotifier({ version, host: URL.parse(settings.publicUrl)?.hostname ?? 'elt' }),
    policy: {
      variables: settings.alertEnv,
      hosts: settings.alertHosts,
      withheld: settings.components.flatMap(({ tokenVariables }) => tokenVariables ?? []),
    },
    environment: () => settings.environment,
    random: Math.random,
  });
}

/** Null: no component has anything told to its Git host. */
function gitReportsDaemon(deps: {
  readonly settings: Settings;
  readonly store: Store;
  readonly components: EltComponentService;
  readonly clock: Clock;
  readonly logger: Logger;
}): Daemon | null {
  const { settings, store, components, clock, logger } = deps;
  const now = () => clock.now();
  const reported = components.repositories().flatMap(({ name, remote, token, settings: own }) => {
    const repository = remote === null ? null : hostedRepository(remote.path);
    if (own.github === undefined || repository === null) return [];
    const { apiUrl, statuses } = own.github;
    const hasChecks = own.githubApp !== undefined;
    return [{ name, repository, statuses, host: createGithubHost({ apiUrl, token, now, hasChecks }) }];
  });
  if (reported.length === 0) return null;
  const publicUrl = URL.parse(settings.publicUrl);
  const isShown = publicUrl !== null && !isLoopback(publicUrl.hostname);
  const daemon = createGitReports({
    reported,
    components,
    outbox: store.outbox,
    operations: store.operations,
    clock,
    log: logger,
    publicUrl: isShown ? settings.publicUrl.replace(/\/+$/, '') : null,
  });
  components.onPublished(() => daemon.wake());
  return daemon;
}

function versionOf(root: string): string {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
