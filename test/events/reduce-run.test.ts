import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RunRecord, reduceRun } from '../../src/events/reduce-run.ts';
import type { FailureClass, StepError } from '../../src/events/run-event.ts';
import {
  initialRunState,
  type RunState,
  type StepStatus,
  TERMINAL_RUN,
  TERMINAL_STEP,
} from '../../src/events/run-state.ts';
import type { RunPlan } from '../../src/plan/run-plan.ts';

const STEPS = ['a', 'b'] as const;

function fresh(): RunState {
  const plan = { runId: 'r', steps: STEPS.map((stepKey) => ({ stepKey })) } as unknown as RunPlan;
  return initialRunState(plan, 1);
}

function failure(failureClass: FailureClass): StepError {
  return { code: 'STEP_FAILED', message: 'no', failureClass };
}

/** A record of the engine (`stepKey` and `attempt` stand in the event) or of an attempt. */
function record(
  event: RunRecord['event'],
  at = 10,
  stepKey: string | null = null,
  attempt: number | null = null,
): RunRecord {
  return { event, stepKey, attempt, at };
}

function play(...records: RunRecord[]): RunState {
  return records.reduce(reduceRun, fresh());
}

const dispatch = (attempt = 1, stepKey = 'a') =>
  record({ type: 'step_dispatched', stepKey, attempt, pools: [] });
const started = (attempt = 1, stepKey = 'a') =>
  record({ type: 'step_started', stepKey, attempt, pid: 7, envKey: 'e' });
const failed = (attempt = 1, failureClass: FailureClass = 'user', finishedAssets: string[] = [], at = 20) =>
  record(
    {
      type: 'step_failed',
      seconds: 1,
      error: failure(failureClass),
      finishedAssets,
      failedBlockingChecks: [],
    },
    at,
    'a',
    attempt,
  );
const succeeded = (attempt = 1) =>
  record({ type: 'step_succeeded', seconds: 1, metadata: {} }, 20, 'a', attempt);
const retry = (attempt: number, retriesSpent: number) =>
  record({
    type: 'step_retry_scheduled',
    stepKey: 'a',
    attempt,
    retryAt: 99,
    delaySeconds: 1,
    failureClass: 'user',
    retriesSpent,
  });

describe('the path of a step', () => {
  it.each<[string, RunRecord[], StepStatus]>([
    ['is dispatched', [dispatch()], 'dispatched'],
    ['starts', [dispatch(), started()], 'running'],
    ['succeeds', [dispatch(), started(), succeeded()], 'succeeded'],
    ['succeeds before its start was recorded', [dispatch(), succeeded()], 'succeeded'],
    ['fails once', [dispatch(), started(), failed()], 'attempt_failed'],
    ['waits for its retry', [dispatch(), failed(), retry(1, 1)], 'retry_wait'],
    ['runs again', [dispatch(), failed(), retry(1, 1), dispatch(2)], 'dispatched'],
    [
      'gives up',
      [dispatch(), failed(), record({ type: 'step_gave_up', stepKey: 'a', attempt: 1 })],
      'failed',
    ],
    [
      'is lost and waits again',
      [dispatch(), record({ type: 'step_lost', stepKey: 'a', attempt: 1, reason: 'gone' })],
      'waiting',
    ],
    [
      'is canceled',
      [dispatch(), record({ type: 'step_canceled', seconds: 1, forced: false }, 20, 'a', 1)],
      'canceled',
    ],
    ['is skipped', [record({ type: 'step_skipped', stepKey: 'a', reason: 'upstream' })], 'skipped'],
    ['is dropped', [record({ type: 'step_dropped', stepKey: 'a', reason: 'canceled' })], 'canceled'],
  ])('%s', (_name, records, status) => {
    expect(play(...records).steps.a?.status).toBe(status);
  });

  it.each<[string, RunRecord[], RunRecord]>([
    ['result of an older attempt', [dispatch(1), failed(1), retry(1, 1), dispatch(2)], succeeded(1)],
    ['start of an older attempt', [dispatch(1), failed(1), retry(1, 1), dispatch(2)], started(1)],
    ['second result', [dispatch(), succeeded()], failed()],
    ['dispatch of a fence that was used', [dispatch(1), failed(1), retry(1, 1)], dispatch(1)],
    ['dispatch beside a running attempt', [dispatch(1), started(1)], dispatch(2)],
    ['skip of a step in flight', [dispatch()], record({ type: 'step_skipped', stepKey: 'a', reason: 'x' })],
    [
      'dispatch of a run that is being canceled',
      [record({ type: 'run_cancel_requested', by: 'me' })],
      dispatch(),
    ],
    ['event of a step that the plan does not have', [], dispatch(1, 'zzz')],
    [
      'end of an ended run',
      [record({ type: 'run_canceled', reason: '' })],
      record({ type: 'run_succeeded' }),
    ],
  ])('ignores the %s', (_name, before, stale) => {
    const state = play(...before);
    expect(reduceRun(state, stale)).toBe(state);
  });

  it('counts retries, unites finished assets and forgets the error when it succeeds', () => {
    const state = play(
      dispatch(),
      failed(1, 'user', ['x']),
      retry(1, 1),
      dispatch(2),
      failed(2, 'user', ['y', 'x']),
    );
    expect(state.steps.a).toMatchObject({ retriesSpent: 1, attempt: 2, finishedAssets: ['x', 'y'] });
    const done = [retry(2, 2), dispatch(3), succeeded(3)].reduce(reduceRun, state);
    expect(done.steps.a).toMatchObject({
      status: 'succeeded',
      error: null,
      retriesSpent: 2,
      lostSince: null,
    });
  });

  it('remembers when a series of lost or busy attempts began and ends it with any other failure', () => {
    const series = play(
      dispatch(1),
      failed(1, 'resource_busy', [], 20),
      retry(1, 0),
      dispatch(2),
      failed(2, 'lost', [], 30),
    );
    expect(series.steps.a?.lostSince).toBe(20);
    const other = [retry(2, 0), dispatch(3), failed(3, 'user', [], 40)].reduce(reduceRun, series);
    expect(other.steps.a?.lostSince).toBeNull();
  });
});

describe('model', () => {
  const stepKey = fc.constantFrom(...STEPS);
  const attempt = fc.integer({ min: 0, max: 3 });
  const at = fc.integer({ min: 2, max: 100 });
  const engineStep = fc.record({ stepKey, attempt }).chain((step) =>
    fc.constantFrom<RunRecord['event']>(
      { type: 'step_dispatched', ...step, pools: [] },
      { type: 'step_started', ...step, pid: 1, envKey: '' },
      { type: 'step_lost', ...step, reason: '' },
      { type: 'step_gave_up', ...step },
      { type: 'step_skipped', stepKey: step.stepKey, reason: '' },
      { type: 'step_dropped', stepKey: step.stepKey, reason: '' },
      {
        type: 'step_retry_scheduled',
        ...step,
        retryAt: 50,
        delaySeconds: 1,
        failureClass: 'user',
        retriesSpent: step.attempt,
      },
    ),
  );
  const runEvent = fc.constantFrom<RunRecord['event']>(
    { type: 'run_enqueued' },
    { type: 'run_started' },
    { type: 'run_cancel_requested', by: 'me' },
    { type: 'run_succeeded' },
    { type: 'run_failed', reason: '' },
    { type: 'run_canceled', reason: '' },
  );
  const result = fc.constantFrom<RunRecord['event']>(
    { type: 'step_succeeded', seconds: 1, metadata: {} },
    { type: 'step_canceled', seconds: 1, forced: true },
    {
      type: 'step_failed',
      seconds: 1,
      error: failure('lost'),
      finishedAssets: ['x'],
      failedBlockingChecks: [],
    },
  );
  const anyRecord = fc.record({
    event: fc.oneof(
      { weight: 6, arbitrary: engineStep },
      { weight: 3, arbitrary: result },
      { weight: 1, arbitrary: runEvent },
    ),
    stepKey,
    attempt,
    at,
  });

  it('keeps its laws under any log', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 40 }), (records) => {
        let state = fresh();
        for (const next of records) {
          const before = state;
          state = reduceRun(before, next);
          if (TERMINAL_RUN.has(before.status)) expect(state).toBe(before);
          for (const key of STEPS) {
            const [was, is] = [before.steps[key]!, state.steps[key]!];
            if (TERMINAL_STEP.has(was.status)) expect(is).toBe(was);
            expect(is.attempt).toBeGreaterThanOrEqual(was.attempt);
            expect(is.retriesSpent).toBeGreaterThanOrEqual(was.retriesSpent);
            // A fence only moves by a dispatch, and never beside a live attempt.
            if (is.attempt !== was.attempt) {
              expect(next.event.type).toBe('step_dispatched');
              expect(['waiting', 'retry_wait']).toContain(was.status);
            }
            // A success needs the result of the attempt that holds the fence.
            if (is.status === 'succeeded' && was.status !== 'succeeded') {
              expect(next).toMatchObject({
                event: { type: 'step_succeeded' },
                stepKey: key,
                attempt: was.attempt,
              });
            }
            expect(is.status === 'retry_wait').toBe(is.retryAt !== null);
          }
          // Applied twice is applied once.
          expect(reduceRun(state, next)).toEqual(state);
        }
      }),
      { numRuns: 500 },
    );
  });
});
