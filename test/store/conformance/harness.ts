import type { EngineEvent, StepResult } from '../../../src/events/run-event.ts';
import { uuidv7 } from '../../../src/lib/ids.ts';
import { planRun } from '../../../src/plan/plan-run.ts';
import type { Cause, RunPlan, RunRequest } from '../../../src/plan/run-plan.ts';
import type { StepRef } from '../../../src/plan/step-spec.ts';
import { stepSpecs } from '../../../src/plan/step-spec-of.ts';
import type { AdmissionLimits, NewTick, RunCommand, Store, TickRow } from '../../../src/store/store.ts';
import type { FakeClock } from '../../helpers/fake-clock.ts';
import { type SamplePipeline, sampleDefinitions, sampleSnapshot } from '../../helpers/sample-definitions.ts';

export interface OpenedStore {
  readonly store: Store;
  readonly clock: FakeClock;
  /** Every row of the tables that are projections, by table. */
  projections(): Promise<Readonly<Record<string, readonly unknown[]>>>;
  /** The same database, opened again. */
  reopen(): Promise<OpenedStore>;
  close(): Promise<void>;
}

/** What an adapter brings to the conformance suite: a new, empty store. */
export type OpenStore = () => Promise<OpenedStore>;

export const NOON = Date.UTC(2026, 0, 10, 12);
export const NO_LIMITS: AdmissionLimits = { maxSteps: 100, maxConcurrentRuns: null, pools: {} };
export const OK: StepResult = { type: 'step_succeeded', seconds: 1, metadata: {} };

export function failure(finishedAssets: readonly string[] = []): StepResult {
  return {
    type: 'step_failed',
    seconds: 1,
    error: { code: 'STEP_FAILED', message: 'no such column', failureClass: 'user', exitCode: 1 },
    finishedAssets,
    failedBlockingChecks: [],
  };
}

export type Sample = Readonly<Record<string, SamplePipeline>>;

/** Applies a revision with these pipelines. */
export async function publish(store: Store, sample: Sample, commit = 'c'.repeat(40)): Promise<number> {
  const snapshot = sampleSnapshot(sample);
  const pipelines = snapshot.pipelines.map((pipeline) => ({
    ...pipeline,
    code: { ...pipeline.code, commit },
  }));
  return store.components.applyRevision(
    { ...snapshot, repo: { ...snapshot.repo, commit }, pipelines },
    { trigger: { kind: 'poll' }, startedAt: 0, summary: { added: 0, changed: 0, removed: 0 } },
  );
}

/** The runs that a request for these assets makes. */
export function plansFor(
  sample: Sample,
  clock: FakeClock,
  request: Partial<RunRequest> & Pick<RunRequest, 'assets'>,
): { plans: readonly RunPlan[]; specs: (plan: RunPlan) => ReturnType<typeof stepSpecs> } {
  const { definitions } = sampleDefinitions(sample);
  const cause: Cause = { kind: 'cli', user: 'ada' };
  const planned = planRun(
    definitions,
    {
      partitions: { kind: 'none' },
      fullRefresh: false,
      config: {},
      tags: {},
      priority: 0,
      cause,
      ...request,
    },
    { now: clock.now(), newId: () => uuidv7(clock.now()) },
  );
  if (!planned.ok) throw new Error(planned.message);
  return { plans: planned.runs, specs: (plan) => stepSpecs(definitions, plan) };
}

/** Records a launch and gives its run ids. */
export async function launch(
  { store, clock }: OpenedStore,
  sample: Sample,
  request: Partial<RunRequest> & Pick<RunRequest, 'assets'>,
): Promise<readonly string[]> {
  const { plans, specs } = plansFor(sample, clock, request);
  return (await store.runs.createLaunch(plans, { specs })).runIds;
}

/** Records one tick; null when it is there already. */
export async function recordTick(
  store: Store,
  { specs, ...tick }: NewTick & { readonly specs: (plan: RunPlan) => ReturnType<typeof stepSpecs> },
): Promise<TickRow | null> {
  return (await store.schedules.recordTicks([tick], specs))[0] ?? null;
}

/** Records engine events of a run, whatever a real `decide` would say. */
export async function record(store: Store, runId: string, ...events: readonly EngineEvent[]): Promise<void> {
  const commands = events.map((event): RunCommand => ({ type: 'record', event }));
  await store.runs.advance(runId, NO_LIMITS, () => commands);
}

/** Starts the run if needed and dispatches the next attempt of a step. */
export async function dispatch(store: Store, runId: string, stepKey: string): Promise<StepRef> {
  const advanced = await store.runs.advance(runId, NO_LIMITS, (view) => [
    { type: 'record', event: { type: 'run_started' } },
    {
      type: 'record',
      event: {
        type: 'step_dispatched',
        stepKey,
        attempt: view.state.steps[stepKey]!.attempt + 1,
        pools: view.plan.steps.find((step) => step.stepKey === stepKey)!.pools,
      },
    },
  ]);
  const lease = (await store.steps.leases()).find(
    ({ ref }) => ref.runId === runId && ref.stepKey === stepKey,
  );
  if (lease?.ref.attempt !== advanced?.state.steps[stepKey]?.attempt)
    throw new Error(`${stepKey} was not dispatched`);
  return lease!.ref;
}

/** Dispatched, acquired and started. */
export async function running(
  store: Store,
  runId: string,
  stepKey: string,
  holder = 'worker-1',
): Promise<StepRef> {
  const ref = await dispatch(store, runId, stepKey);
  await store.steps.acquire(ref, holder);
  await store.steps.started(ref, { pid: 42, envKey: 'default' });
  return ref;
}

/** One step from dispatch to success; the run ends with it. */
export async function succeed(store: Store, runId: string, stepKey: string): Promise<void> {
  const ref = await running(store, runId, stepKey);
  const spec = await store.steps.spec(ref);
  const implied = spec.assets.map((asset) => ({
    assetKey: asset.key,
    partitions: asset.partitions.kind === 'none' ? [] : spec.partitionKeys,
    metadata: { rows: 7 },
  }));
  await store.steps.finish(ref, OK, implied);
  await record(store, runId, { type: 'run_succeeded' });
}

/** One step from dispatch to its last failure; the run ends with it. */
export async function fail(
  store: Store,
  runId: string,
  stepKey: string,
  finished: readonly string[] = [],
): Promise<void> {
  const ref = await running(store, runId, stepKey);
  await store.steps.finish(ref, failure(finished), []);
  await record(
    store,
    runId,
    { type: 'step_gave_up', stepKey, attempt: ref.attempt },
    { type: 'run_failed', reason: `step ${stepKey} failed` },
  );
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
