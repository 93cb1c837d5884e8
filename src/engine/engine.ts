import type { Definitions } from '../definitions/definitions.ts';
import { type RunState, type StepState, TERMINAL_RUN } from '../events/run-state.ts';
import type { Clock } from '../lib/clock.ts';
import { OperationalError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { PlanResult } from '../plan/plan-run.ts';
import type { Cause, RunPlan, RunRequest } from '../plan/run-plan.ts';
import type { StepSpec } from '../plan/step-spec.ts';
import type { AdmissionLimits, LaunchRecord, RunCommand, RunView, Store } from '../store/store.ts';
import { type Advanced, advance } from './advance.ts';
import { decide, decideCancel } from './decide.ts';
import { isWritten } from './judge-failure.ts';
import { retryPlan, retryRequest, retrySpec } from './retry-run.ts';
import type { AdvanceRun } from './run-driver.ts';
import type { RetryOptions, RunEngine } from './run-engine.ts';
import type { StepTransport } from './step-transport.ts';

export interface RunEngineDeps {
  readonly store: Store;
  readonly definitions: () => Definitions;
  /** Asked anew at each decision, so that a changed limit holds from then on. */
  readonly limits: () => AdmissionLimits;
  readonly planRun: (
    definitions: Definitions,
    request: RunRequest,
    context: { now: number; newId: () => string },
  ) => PlanResult;
  readonly stepSpecs: (definitions: Definitions, plan: RunPlan) => Readonly<Record<string, StepSpec>>;
  /** How steps reach processes; it is given what drives a run. */
  readonly transport: (advance: AdvanceRun) => AdoptingTransport;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface AdoptingTransport extends StepTransport {
  adopt(): Promise<{ readonly adopted: number; readonly lost: number }>;
}

/** `advance` plus one transport: what daemons, API and CLI see of runs. */
export function createRunEngine(deps: RunEngineDeps): RunEngine {
  const { store, clock, logger } = deps;
  const transport = deps.transport(advanceRun);
  const waiters = new Map<string, Set<() => void>>();
  let isClosed = false;

  /** One look; a run that fails for good and may be run again is so before its failure is recorded: a crash loses neither. */
  async function advanceRun(runId: string): Promise<Advanced | null> {
    let isFailing = false;
    const first = await advance(store, runId, deps.limits(), (view) => {
      const commands = decide(view);
      isFailing = isRetriedByItself(view, commands);
      return isFailing ? commands.filter((command) => !isRunFailed(command)) : commands;
    });
    if (!isFailing || first === null) return ended(first);
    const launch = await launchRunRetry(first.plan, first.state);
    const second = await advance(store, runId, deps.limits());
    for (const again of launch?.runIds ?? []) {
      // Canceled in between: that wish is for the work, not for its first run alone.
      if (second?.finished === 'CANCELED') await cancelRetry(again, second.state);
      await transport.start(again);
    }
    return ended(second);
  }

  async function cancelRetry(runId: string, state: RunState): Promise<void> {
    const by = state.cancelRequestedBy ?? 'the user';
    await advance(store, runId, deps.limits(), (view) => decideCancel(view, by), 'power');
  }

  function ended(advanced: Advanced | null): Advanced | null {
    if (advanced !== null && advanced.finished !== null) release(advanced.plan.runId);
    return advanced;
  }

  function release(runId: string): void {
    for (const resolve of waiters.get(runId) ?? []) resolve();
    waiters.delete(runId);
  }

  async function launchRunRetry(plan: RunPlan, state: RunState): Promise<LaunchRecord | null> {
    const launchId = deps.newId();
    const retry = retryPlan(plan, state, {
      fromFailure: true,
      cause: { kind: 'run_retry', runId: plan.runId },
      runId: deps.newId(),
      launchId,
      runRetriesLeft: plan.runRetriesLeft - 1,
    });
    if (retry === null) return null;
    return launchAgain(plan, state, retry, true, `run_retry:${plan.runId}`);
  }

  async function launchAgain(
    plan: RunPlan,
    state: RunState,
    retry: RunPlan,
    fromFailure: boolean,
    idempotencyKey?: string,
  ): Promise<LaunchRecord> {
    const specs: Record<string, StepSpec> = {};
    for (const step of retry.steps) {
      const attempt = state.steps[step.stepKey]?.attempt ?? 0;
      const ref = {
        runId: plan.runId,
        stepKey: step.stepKey,
        attempt,
        queue: '',
        timeoutMs: null,
        leaseTtlMs: 0,
      };
      const spec = await store.steps.spec(ref);
      const isAutomatic = retry.cause.kind === 'run_retry';
      const own = { state: state.steps[step.stepKey], fromFailure, isAutomatic };
      specs[step.stepKey] = retrySpec(spec, retry.runId, step, own);
    }
    return store.runs.createLaunch([retry], {
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      specs: () => specs,
    });
  }

  async function startAll(launch: LaunchRecord): Promise<void> {
    for (const runId of launch.runIds) await transport.start(runId);
  }

  async function launch(request: RunRequest): Promise<LaunchRecord> {
    if (isClosed) throw new OperationalError('SHUTTING_DOWN', 'the service is shutting down');
    const definitions = deps.definitions();
    const planned = deps.planRun(definitions, request, { now: clock.now(), newId: deps.newId });
    if (!planned.ok) {
      throw new OperationalError(
        planned.code,
        planned.message,
        planned.hint === undefined ? {} : { hint: planned.hint },
      );
    }
    const record = await store.runs.createLaunch(planned.runs, {
      ...(request.idempotencyKey === undefined ? {} : { idempotencyKey: request.idempotencyKey }),
      specs: (plan) => deps.stepSpecs(definitions, plan),
    });
    if (record.created) await startAll(record);
    return record;
  }

  async function known(runId: string): Promise<{ plan: RunPlan; state: RunState }> {
    const [plan, state] = await Promise.all([store.runs.plan(runId), store.runs.state(runId)]);
    if (plan === null || state === null) throw notFound(runId);
    return { plan, state };
  }

  return {
    submit: launch,

    async cancel(runId, by) {
      let status: string | null = null;
      const choose = (view: RunView): RunCommand[] => {
        ({ status } = view.state);
        return decideCancel(view, by);
      };
      const advanced = await advance(store, runId, deps.limits(), choose, 'power');
      if (advanced === null) throw notFound(runId);
      if (status !== null && TERMINAL_RUN.has(status)) {
        throw new OperationalError('RUN_NOT_CANCELABLE', `run ${runId} has ended with ${String(status)}`);
      }
      for (const ref of advanced.cancel) await transport.cancel(ref);
      await transport.start(runId);
      ended(advanced);
    },

    async retry(runId, options) {
      const { plan, state } = await known(runId);
      if (!TERMINAL_RUN.has(state.status)) throw notRetryable(runId, 'has not ended');
      if (options.fromFailure && state.status === 'SUCCESS') throw notRetryable(runId, 'has succeeded');
      const cause: Cause = { kind: 'retry', runId, by: actorOf(options) };
      if (options.latest)
        return launch(retryRequest(plan, state, { fromFailure: options.fromFailure, cause }));
      const retry = retryPlan(plan, state, {
        fromFailure: options.fromFailure,
        cause,
        runId: deps.newId(),
        launchId: deps.newId(),
        runRetriesLeft: 0,
      });
      if (retry === null) throw notRetryable(runId, 'has nothing left to do');
      const record = await launchAgain(plan, state, retry, options.fromFailure);
      await startAll(record);
      return record;
    },

    async adopt() {
      const { adopted, lost } = await transport.adopt();
      const unfinished = await store.runs.unfinished();
      for (const runId of unfinished) await transport.start(runId);
      return { adopted, lost, resumed: unfinished.length };
    },

    wake(runId) {
      transport.start(runId).catch((error: unknown) => {
        logger.error({ err: error, run_id: runId }, 'a run could not be woken');
      });
    },

    async finished(runId) {
      const waiting = new Promise<void>((resolve) => {
        waiters.set(runId, (waiters.get(runId) ?? new Set()).add(resolve));
      });
      // Asked after the waiter stands, so that an end in between is not missed.
      const state = await store.runs.state(runId);
      if (state === null || TERMINAL_RUN.has(state.status)) release(runId);
      if (state === null) throw notFound(runId);
      await waiting;
    },

    async close(options) {
      isClosed = true;
      await transport.close(options);
    },
  };
}

const HAS_FAILED: ReadonlySet<StepState['status']> = new Set(['attempt_failed', 'failed']);

/** A step of the run failed for good, and the instance's `run_retries` are not used up. */
function isRetriedByItself(view: RunView, commands: readonly RunCommand[]): boolean {
  if (view.plan.runRetriesLeft <= 0 || !commands.some(isRunFailed)) return false;
  const steps = Object.values(view.state.steps);
  // What wrote everything and failed nevertheless is for a person to judge: to write it again can double its rows.
  const isDone = view.plan.steps.some((plan) => {
    const step = view.state.steps[plan.stepKey]!;
    return HAS_FAILED.has(step.status) && isWritten(plan, step);
  });
  // It would meet the same limit again: only the pipeline's own policy says that another attempt is worth it.
  const isLimited = steps.some(
    ({ status, error }) => HAS_FAILED.has(status) && error?.failureClass === 'limit',
  );
  // A run that never began, because one before it failed, has nothing to do again by itself.
  return !isDone && !isLimited && steps.some((step) => step.attempt > 0);
}

function isRunFailed(command: RunCommand): boolean {
  return command.type === 'record' && command.event.type === 'run_failed';
}

function actorOf({ by }: RetryOptions): string {
  return by.kind === 'api' ? `api:${by.token}` : `${by.kind}:${by.user}`;
}

function notFound(runId: string): OperationalError {
  return new OperationalError('RUN_NOT_FOUND', `there is no run ${runId}`);
}

function notRetryable(runId: string, why: string): OperationalError {
  return new OperationalError('RUN_NOT_RETRYABLE', `run ${runId} ${why}`);
}
