import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Definitions } from '../../src/definitions/definitions.ts';
import type { CheckConfig, PipelineConfig, RetryPolicy } from '../../src/discovery/pipeline-config.ts';
import { createRunEngine } from '../../src/engine/engine.ts';
import type { Cgroups } from '../../src/engine/local/cgroups.ts';
import { createLocalTransport } from '../../src/engine/local/local-transport.ts';
import { createPassedNames } from '../../src/engine/local/passed-names.ts';
import { placesOf } from '../../src/engine/local/places.ts';
import type { WarmStarts } from '../../src/engine/local/warm/warm-starts.ts';
import { createWorkDirLocks } from '../../src/engine/local/work-dir-locks.ts';
import type { RunEngine } from '../../src/engine/run-engine.ts';
import type { CrashPoint } from '../../src/engine/step-machine.ts';
import type { EventRecord } from '../../src/events/run-event.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { digestOf } from '../../src/lib/digest.ts';
import { opaqueId, uuidv7 } from '../../src/lib/ids.ts';
import { createLogger } from '../../src/lib/log.ts';
import type { RunPlan, RunRequest, StepPlan } from '../../src/plan/run-plan.ts';
import type { StepSpec } from '../../src/plan/step-spec.ts';
import { findPython } from '../../src/runners/environments/find-python.ts';
import { pythonRunner } from '../../src/runners/python.ts';
import type { Runner } from '../../src/runners/runner.ts';
import { createFileLogStore } from '../../src/store/file-log-store.ts';
import type { LogStore } from '../../src/store/log-store.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { AdmissionLimits, Store } from '../../src/store/store.ts';
import { stepSpec } from './run-step-command.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** A step of a test's run: a folder of files and the command that runs in it. */
export interface TestStep {
  readonly stepKey: string;
  /** `['python', 'main.py']` unless said otherwise. */
  readonly command?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  /** Names the folder's content; its digest unless said otherwise. */
  readonly treeId?: string;
  readonly pipeline?: string;
  /** `dlt` asks the process for an `end` event, as our own runners send one. */
  readonly tool?: 'python' | 'dlt' | 'sling' | 'dbt';
  readonly assets?: readonly string[];
  readonly blockingChecks?: readonly string[];
  /** Of every asset of the step. */
  readonly declaredChecks?: readonly CheckConfig[];
  readonly needs?: readonly string[];
  readonly pools?: readonly string[];
  readonly retry?: RetryPolicy;
  readonly timeoutSeconds?: number;
  readonly graceMs?: number;
  readonly leaseTtlMs?: number;
  readonly config?: Partial<PipelineConfig>;
  readonly spec?: Partial<StepSpec>;
}

export interface TestEngineOptions {
  readonly home: string;
  readonly clock?: Clock;
  readonly limits?: Partial<AdmissionLimits>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly passEnv?: readonly string[];
  readonly secretsDir?: string;
  readonly crashPoint?: (point: CrashPoint) => void;
  readonly logLevel?: string;
  /** None unless said otherwise: limits are kept as on a machine without cgroups. */
  readonly cgroups?: Cgroups;
  /** Interpreter of the steps' environment; any Python without packages unless said otherwise. */
  readonly python?: string;
  readonly sling?: string;
  readonly warmStarts?: WarmStarts;
  /** Folder of our Python package, if not the product's. */
  readonly pythonDir?: string;
  /** Instead of the one that only runs the command of a step of that tool. */
  readonly runners?: readonly Runner[];
}

export interface TestEngine {
  readonly engine: RunEngine;
  readonly store: Store;
  readonly logs: LogStore;
  /** Launches a run of these steps; returns its id. */
  launch(steps: readonly TestStep[], plan?: Partial<RunPlan>): Promise<string>;
  /** Launches and waits for the end. */
  run(steps: readonly TestStep[], plan?: Partial<RunPlan>): Promise<string>;
  events(runId: string): Promise<readonly EventRecord[]>;
  /** Resolves when the run's log holds such an event. */
  seen(runId: string, matches: (record: EventRecord) => boolean): Promise<EventRecord>;
  log(runId: string, stepKey: string, attempt?: number): Promise<readonly string[]>;
  /** Resolves when the log of the first attempt holds this line. */
  logged(runId: string, stepKey: string, line: string): Promise<void>;
  close(endSteps?: boolean): Promise<void>;
}

/** Store, engine and local transport as the service composes them; only plans are made by hand. */
export async function openTestEngine(options: TestEngineOptions): Promise<TestEngine> {
  const { home } = options;
  const clock = options.clock ?? systemClock();
  const logger = createLogger(options.logLevel ?? 'silent');
  const store = await openStore({ file: join(home, 'elt.db'), clock, logger });
  const logs = createFileLogStore(join(home, 'logs'));
  const python = (await findPython(process.env)).executable;
  const newId = () => uuidv7(clock.now());
  const limits: AdmissionLimits = { maxSteps: 4, maxConcurrentRuns: null, pools: {}, ...options.limits };
  const planned = new Map<string, { plan: RunPlan; specs: Record<string, StepSpec> }>();

  const engine = createRunEngine({
    store,
    clock,
    logger,
    newId,
    limits: () => limits,
    definitions: () => ({}) as Definitions,
    planRun: (_definitions, request) => {
      const { plan } = planned.get(request.tags['plan']!)!;
      return { ok: true, launchId: plan.launchId, runs: [plan] };
    },
    stepSpecs: (_definitions, plan) => planned.get(plan.tags['plan']!)!.specs,
    transport: (advance) =>
      createLocalTransport({
        advance,
        priorities: (runIds) => store.runs.priorities(runIds),
        slots: limits.maxSteps,
        version: 'test',
        machine: {
          steps: store.steps,
          logs,
          code: { materialise: (code) => Promise.resolve(join(home, 'code', code.treeId)) },
          environments: {
            ensure: () => Promise.resolve({ envKey: 'test', python: options.python ?? python }),
            sling: () =>
              options.sling === undefined
                ? Promise.reject(new Error('no Sling in these tests'))
                : Promise.resolve(options.sling),
            status: () => Promise.resolve([]),
            onProgress: () => () => undefined,
            basePython: () => Promise.resolve(python),
          },
          runners: new Map<string, Runner>([
            ['python', pythonRunner],
            ['dlt', { ...pythonRunner, tool: 'dlt' }],
            ...(options.runners ?? []).map((runner) => [runner.tool, runner] as const),
          ]),
          places: placesOf(home),
          pythonDir: options.pythonDir ?? join(ROOT, 'python'),
          environment: options.environment ?? { PATH: process.env['PATH']! },
          passEnv: options.passEnv ?? [],
          secretsDir: options.secretsDir ?? null,
          passedNames: createPassedNames(),
          workDirs: createWorkDirLocks(),
          warmStarts: options.warmStarts ?? null,
          cgroups: options.cgroups ?? { groupOf: () => null, problem: () => 'not in these tests' },
          holder: `test-${opaqueId()}`,
          clock,
          logger,
          crashPoint: options.crashPoint ?? (() => undefined),
        },
      }),
  });

  async function log(runId: string, stepKey: string, attempt = 1): Promise<readonly string[]> {
    const { lines } = await logs.read({ runId, stepKey, attempt }, { limit: 1_000_000 });
    return lines.map((line) => `${line.stream} ${line.text}`);
  }

  async function launch(steps: readonly TestStep[], overrides: Partial<RunPlan> = {}): Promise<string> {
    const runId = newId();
    const specs = Object.fromEntries(steps.map((step) => [step.stepKey, specOf(home, runId, step)]));
    const plan: RunPlan = {
      runId,
      launchId: newId(),
      definitionsDigest: 'test',
      jobName: 'test',
      steps: steps.map((step) => planOf(specs[step.stepKey]!, step)),
      after: [],
      partitions: { kind: 'none' },
      cause: { kind: 'cli', user: 'test' },
      config: {},
      priority: 0,
      runRetriesLeft: 0,
      ...overrides,
      tags: { plan: runId },
    };
    planned.set(runId, { plan, specs });
    const request = { assets: [], tags: { plan: runId } } as unknown as RunRequest;
    await engine.submit(request);
    return runId;
  }

  return {
    engine,
    store,
    logs,
    launch,
    async run(steps, overrides) {
      const runId = await launch(steps, overrides);
      await engine.finished(runId);
      return runId;
    },
    events: (runId) => store.events({ after: 0, limit: 10_000, runId }),
    seen: (runId, matches) => eventSeen(store, runId, matches),
    log,
    logged(runId, stepKey, line) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const look = (): void => {
        void log(runId, stepKey).then((lines) => {
          if (lines.includes(line)) resolve();
        }, reject);
      };
      const unsubscribe = logs.subscribe(runId, look);
      look();
      return promise.finally(unsubscribe);
    },
    async close(endSteps = true) {
      await engine.close({ graceMs: 5_000, endSteps });
      await store.close();
    },
  };
}

function eventSeen(
  store: Store,
  runId: string,
  matches: (record: EventRecord) => boolean,
): Promise<EventRecord> {
  const { promise, resolve, reject } = Promise.withResolvers<EventRecord>();
  const unsubscribe = store.subscribe(look);
  function look(): void {
    void store.events({ after: 0, limit: 10_000, runId }).then((events) => {
      const found = events.find(matches);
      if (found !== undefined) resolve(found);
    }, reject);
  }
  look();
  return promise.finally(unsubscribe);
}

function specOf(home: string, runId: string, step: TestStep): StepSpec {
  const treeId = step.treeId ?? digestOf(step.files ?? {}).slice(-40);
  const tree = join(home, 'code', treeId);
  mkdirSync(tree, { recursive: true });
  for (const [name, content] of Object.entries(step.files ?? {})) {
    mkdirSync(dirname(join(tree, name)), { recursive: true });
    writeFileSync(join(tree, name), content);
  }
  const base = stepSpec(step.tool ?? 'python', {
    name: step.pipeline ?? step.stepKey,
    script: { command: step.command ?? ['python', 'main.py'], assets: [...(step.assets ?? [step.stepKey])] },
    ...step.config,
  });
  return {
    ...base,
    ref: { ...base.ref, runId, stepKey: step.stepKey, attempt: 0, leaseTtlMs: step.leaseTtlMs ?? 600_000 },
    code: { ...base.code, treeId },
    assets: (step.assets ?? [step.stepKey]).map((key) => ({
      key,
      partitions: step.spec?.partitions ?? { kind: 'none' },
      blockingChecks:
        step.blockingChecks ??
        (step.declaredChecks ?? []).filter(({ blocking }) => blocking).map(({ name }) => name),
      ...(step.declaredChecks === undefined ? {} : { declaredChecks: step.declaredChecks }),
      codeVersion: '1',
    })),
    timeoutMs: step.timeoutSeconds === undefined ? null : step.timeoutSeconds * 1000,
    graceMs: step.graceMs ?? 30_000,
    pools: step.pools ?? [],
    retriesSpent: 0,
    ...step.spec,
  };
}

function planOf(spec: StepSpec, step: TestStep): StepPlan {
  return {
    stepKey: step.stepKey,
    component: spec.component,
    pipeline: spec.pipeline,
    tool: spec.tool,
    code: spec.code,
    assets: spec.assets,
    partitions: spec.partitions,
    partitionKeys: spec.partitionKeys,
    partitionDimensions: spec.partitionDimensions,
    window: spec.window,
    timezone: spec.timezone,
    python: spec.python,
    lockDigest: spec.lockDigest,
    volume: spec.volume,
    pools: spec.pools,
    retry: step.retry ?? null,
    timeoutSeconds: step.timeoutSeconds ?? null,
    needs: step.needs ?? [],
    fullRefresh: spec.fullRefresh,
  };
}
