import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, decideCancel } from '../../src/engine/decide.ts';
import { reduceRun } from '../../src/events/reduce-run.ts';
import type { FailureClass, StepError } from '../../src/events/run-event.ts';
import {
  initialRunState,
  type RunState,
  type RunStatus,
  type StepState,
} from '../../src/events/run-state.ts';
import type { RunPlan, StepPlan } from '../../src/plan/run-plan.ts';
import type { Admission, LeaseRow, RunCommand, RunView } from '../../src/store/store.ts';

const NOW = 1_000_000;
const ROOMY: Admission = {
  maxSteps: 10,
  stepsInFlight: 0,
  pools: {},
  maxConcurrentRuns: null,
  runsInFlight: 0,
};

function step(stepKey: string, fields: Partial<StepPlan> = {}): StepPlan {
  return {
    stepKey,
    tool: 'python',
    assets: [{ key: `${stepKey}_asset` }],
    pools: [],
    retry: null,
    timeoutSeconds: null,
    needs: [],
    volume: 'local',
    ...fields,
  } as unknown as StepPlan;
}

function view(
  steps: readonly StepPlan[],
  states: Readonly<Record<string, Partial<StepState>>> = {},
  fields: Partial<Omit<RunView, 'state'>> & { status?: RunStatus; runRetriesLeft?: number } = {},
): RunView {
  const { status, ...rest } = fields;
  const plan = { runId: 'r', steps, after: [], runRetriesLeft: 0 } as unknown as RunPlan;
  const fresh = initialRunState(plan, 1);
  const inFlight = Object.entries(states).filter(([, state]) =>
    ['dispatched', 'running'].includes(state.status!),
  );
  return {
    plan,
    state: {
      ...fresh,
      status: status ?? (Object.keys(states).length === 0 ? 'QUEUED' : 'STARTED'),
      steps: Object.fromEntries(
        Object.entries(fresh.steps).map(([key, state]) => [key, { ...state, ...states[key] }]),
      ),
    },
    leases: Object.fromEntries(inFlight.map(([key, state]) => [key, lease(key, state.attempt ?? 1)])),
    after: {},
    admission: ROOMY,
    now: NOW,
    ...rest,
  };
}

function lease(stepKey: string, attempt: number, fields: Partial<LeaseRow> = {}): LeaseRow {
  const ref = { runId: 'r', stepKey, attempt, queue: 'default', timeoutMs: null, leaseTtlMs: 600_000 };
  return { ref, holder: 'me', expires: NOW + 1, cancel: false, ...fields };
}

function failed(failureClass: FailureClass, fields: Partial<StepState> = {}): Partial<StepState> {
  const error: StepError = { code: 'STEP_FAILED', message: 'no', failureClass };
  return { status: 'attempt_failed', attempt: 1, error, ...fields };
}

/** `step_dispatched a 1`, `run_started`, `cancel_lease a`. */
function words(commands: readonly RunCommand[]): string[] {
  return commands.map((command) => {
    if (command.type !== 'record') return `${command.type} ${command.stepKey}`;
    const event = command.event as { type: string; stepKey?: string; attempt?: number; reason?: string };
    return [event.type, event.stepKey, event.attempt].filter((part) => part !== undefined).join(' ');
  });
}

const OK = { status: 'succeeded', attempt: 1 } as const;
const RUNNING = { status: 'running', attempt: 1 } as const;
const POLICY = { maxRetries: 2, delay: 10 };

describe('dispatch', () => {
  const chain = [step('a'), step('b', { needs: ['a'] }), step('c')];
  it.each<[string, RunView, string[]]>([
    ['all that needs nothing', view(chain), ['run_started', 'step_dispatched a 1', 'step_dispatched c 1']],
    ['what has what it needs', view(chain, { a: OK, c: RUNNING }), ['step_dispatched b 1']],
    ['nothing while what it needs runs', view(chain, { a: RUNNING, c: RUNNING }), []],
    [
      'as many as there are slots',
      view(chain, {}, { admission: { ...ROOMY, maxSteps: 3, stepsInFlight: 2 } }),
      ['run_started', 'step_dispatched a 1'],
    ],
    [
      'nothing without a slot',
      view(chain, {}, { admission: { ...ROOMY, maxSteps: 1, stepsInFlight: 1 } }),
      [],
    ],
    [
      'not beyond the runs in flight',
      view(chain, {}, { admission: { ...ROOMY, maxConcurrentRuns: 2, runsInFlight: 2 } }),
      [],
    ],
    [
      'of a run that has its place',
      view(chain, { a: OK }, { admission: { ...ROOMY, maxConcurrentRuns: 1, runsInFlight: 1 } }),
      ['step_dispatched b 1', 'step_dispatched c 1'],
    ],
    [
      'one per place of a pool',
      view(
        [step('a', { pools: ['p'] }), step('b', { pools: ['p'] }), step('c', { pools: ['q'] })],
        {},
        {
          admission: { ...ROOMY, pools: { p: { limit: 1, held: 0 }, q: { limit: 1, held: 1 } } },
        },
      ),
      ['run_started', 'step_dispatched a 1'],
    ],
    [
      'freely from a pool without a limit',
      view([step('a', { pools: ['p'] }), step('b', { pools: ['p'] })]),
      ['run_started', 'step_dispatched a 1', 'step_dispatched b 1'],
    ],
    [
      'a retry that is due',
      view([step('a')], { a: { status: 'retry_wait', attempt: 1, retryAt: NOW } }),
      ['step_dispatched a 2'],
    ],
    [
      'no retry before its time',
      view([step('a')], { a: { status: 'retry_wait', attempt: 1, retryAt: NOW + 1 } }),
      [],
    ],
    ['nothing while an earlier run is under way', view([step('a')], {}, { after: { x: 'STARTED' } }), []],
    [
      'what an earlier run that succeeded let free',
      view([step('a')], {}, { after: { x: 'SUCCESS' } }),
      ['run_started', 'step_dispatched a 1'],
    ],
  ])('%s', (_name, seen, expected) => {
    expect(words(decide(seen))).toEqual(expected);
  });
});

describe('ends', () => {
  it.each<[string, RunView, string[]]>([
    ['with its last success', view([step('a')], { a: OK }), ['run_succeeded']],
    ['a run without steps', view([]), ['run_started', 'run_succeeded']],
    [
      'when a step gave up; what lies below is skipped, what does not goes on',
      view([step('a'), step('b', { needs: ['a'] }), step('c', { needs: ['b'] }), step('d')], {
        a: failed('user'),
        d: RUNNING,
      }),
      ['step_gave_up a 1', 'step_skipped b', 'step_skipped c'],
    ],
    [
      'as failed once nothing runs any more',
      view([step('a'), step('b')], { a: failed('user'), b: OK }),
      ['step_gave_up a 1', 'run_failed'],
    ],
    [
      'when an earlier run failed',
      view([step('a'), step('b')], {}, { after: { x: 'FAILURE', y: 'STARTED' } }),
      ['step_skipped a', 'step_skipped b', 'run_failed'],
    ],
    [
      'when an earlier run was canceled',
      view([step('a')], {}, { after: { x: 'CANCELED' } }),
      ['step_skipped a', 'run_canceled'],
    ],
    ['never again', view([step('a')], { a: OK }, { status: 'SUCCESS' }), []],
  ])('%s', (_name, seen, expected) => {
    expect(words(decide(seen))).toEqual(expected);
  });

  it('names the blocking check that kept a step from running', () => {
    const error: StepError = {
      code: 'BLOCKING_CHECK_FAILED',
      message: 'blocking check a:rows failed',
      failureClass: 'data',
    };
    const commands = decide(
      view([step('a'), step('b', { needs: ['a'] })], { a: { status: 'attempt_failed', attempt: 1, error } }),
    );
    expect(commands).toContainEqual({
      type: 'record',
      event: { type: 'step_skipped', stepKey: 'b', reason: 'a: blocking check a:rows failed' },
    });
  });
});

describe('failures', () => {
  const retried = step('a', { retry: POLICY });
  it.each<[string, StepPlan, Partial<StepState>, 'retry' | 'give up', number?]>([
    ['user code under a policy', retried, failed('user'), 'retry', 1],
    ['user code whose retries are spent', retried, failed('user', { retriesSpent: 2 }), 'give up'],
    ['user code without a policy', step('a'), failed('user'), 'give up'],
    ['a time-out under a policy', retried, failed('timeout'), 'retry', 1],
    ['a limit under a policy', retried, failed('limit'), 'retry', 1],
    ['a limit without a policy', step('a'), failed('limit'), 'give up'],
    ['data under a policy', retried, failed('data'), 'retry', 1],
    ['config, whatever the policy', retried, failed('config'), 'give up'],
    ['lost, without a policy', step('a'), failed('lost', { lostSince: NOW }), 'retry', 0],
    ['lost for ten minutes', step('a'), failed('lost', { lostSince: NOW - 600_000 }), 'give up'],
    ['an environment that may come', step('a'), failed('environment', { lostSince: NOW }), 'retry', 0],
    ['a busy file', retried, failed('resource_busy', { lostSince: NOW - 1, retriesSpent: 1 }), 'retry', 1],
    [
      'a busy file for longer than the time-out',
      step('a', { timeoutSeconds: 60 }),
      failed('resource_busy', { lostSince: NOW - 60_000 }),
      'give up',
    ],
    [
      'user code after everything was written',
      retried,
      failed('user', { finishedAssets: ['a_asset'] }),
      'give up',
    ],
    [
      'lost after everything was written',
      retried,
      failed('lost', { lostSince: NOW, finishedAssets: ['a_asset'] }),
      'retry',
      0,
    ],
  ])('%s', (_name, plan, state, verdict, spent) => {
    const [first] = decide(view([plan], { a: state }));
    const event = first?.type === 'record' ? first.event : null;
    expect(event?.type).toBe(verdict === 'retry' ? 'step_retry_scheduled' : 'step_gave_up');
    if (event?.type === 'step_retry_scheduled') {
      expect(event.retriesSpent).toBe(spent);
      expect(event.retryAt).toBeGreaterThan(NOW);
    }
  });

  it.each<[StepPlan['tool'], string]>([
    ['dlt', 'step_gave_up a 1'],
    ['sling', 'step_gave_up a 1'],
    ['python', 'step_gave_up a 1'],
    ['dbt', 'step_retry_scheduled a 1'],
  ])(
    'does not write once more what a blocking check found bad, where that could double rows: %s',
    (tool, word) => {
      const error: StepError = { code: 'BLOCKING_CHECK_FAILED', message: 'x', failureClass: 'data' };
      const state = { status: 'attempt_failed', attempt: 1, error } as const;
      expect(words(decide(view([step('a', { retry: POLICY, tool })], { a: state })))).toContain(word);
    },
  );

  it('E9: waits the same time in every replay, within the bounds of the policy', () => {
    const plan = step('a', {
      retry: { maxRetries: 9, delay: 10, backoff: 'EXPONENTIAL', jitter: 'PLUS_MINUS' },
    });
    const delays = Array.from({ length: 9 }, (_, spent) => {
      const seen = view([plan], { a: failed('user', { retriesSpent: spent, attempt: spent + 1 }) });
      const [first] = decide(seen);
      expect(decide(seen)[0]).toEqual(first);
      return first?.type === 'record' && first.event.type === 'step_retry_scheduled'
        ? first.event.delaySeconds
        : -1;
    });
    for (const [index, delay] of delays.entries()) {
      const full = 10 * (2 ** (index + 1) - 1);
      expect(delay).toBeGreaterThanOrEqual(full - 10);
      expect(delay).toBeLessThanOrEqual(full + 10);
    }
    expect(new Set(delays.map((delay, index) => delay - 10 * (2 ** (index + 1) - 1))).size).toBeGreaterThan(
      5,
    );
  });

  it('a lease that ran out is an attempt that is lost, and is tried again', () => {
    const seen = view([step('a')], { a: RUNNING }, { leases: { a: lease('a', 1, { expires: NOW }) } });
    expect(words(decide(seen))).toEqual(['step_lost a 1', 'release_lease a', 'step_retry_scheduled a 1']);
  });
});

describe('cancel', () => {
  const steps = [step('a'), step('b'), step('c', { needs: ['a'] })];
  it('asks what runs to stop and drops the rest', () => {
    const seen = view(steps, { a: RUNNING, b: OK });
    expect(words(decideCancel(seen, 'me'))).toEqual([
      'run_cancel_requested',
      'cancel_lease a',
      'step_dropped c',
    ]);
  });
  it('ends a run that had not begun, or waits for a retry, at once', () => {
    expect(words(decideCancel(view([step('a')]), 'me'))).toEqual([
      'run_cancel_requested',
      'step_dropped a',
      'run_canceled',
    ]);
    const waiting = view([step('a')], { a: { status: 'retry_wait', attempt: 1, retryAt: NOW + 9 } });
    expect(words(decideCancel(waiting, 'me'))).toEqual([
      'run_cancel_requested',
      'step_dropped a',
      'run_canceled',
    ]);
  });
  it('does not ask twice', () => {
    const seen = view(
      steps,
      { a: RUNNING, b: OK, c: { status: 'canceled' } },
      {
        status: 'CANCELING',
        leases: { a: lease('a', 1, { cancel: true }) },
      },
    );
    expect(decideCancel(seen, 'me')).toEqual([]);
  });
  it('does not dispatch, whatever comes free', () => {
    const seen = view(steps, { a: OK, b: OK, c: { status: 'waiting' } }, { status: 'CANCELING' });
    expect(words(decide(seen))).toEqual(['step_dropped c', 'run_canceled']);
  });
  it('a lost attempt of a canceled run is over', () => {
    const seen = view([step('a')], { a: RUNNING }, { status: 'CANCELING', leases: {} });
    expect(words(decide(seen))).toEqual(['step_lost a 1', 'step_dropped a', 'run_canceled']);
  });
});

it('says nothing more about what its own commands led to', () => {
  const status = fc.constantFrom<StepState['status']>(
    ...(['waiting', 'running', 'attempt_failed', 'retry_wait', 'succeeded', 'failed', 'skipped'] as const),
  );
  const failureClass = fc.constantFrom<FailureClass>('user', 'lost', 'config', 'resource_busy');
  const stepState = fc.record({ status, failureClass, retryIn: fc.integer({ min: -5, max: 5 }) });
  const needs = fc.array(fc.subarray(['s0', 's1', 's2', 's3']), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.array(stepState, { minLength: 4, maxLength: 4 }),
      needs,
      fc.constantFrom<RunStatus>('STARTED', 'CANCELING'),
      fc.integer({ min: 0, max: 4 }),
      (states, needed, runStatus, maxSteps) => {
        const steps = states.map((_, index) =>
          step(`s${index}`, { needs: needed[index]!.filter((need) => need < `s${index}`), retry: POLICY }),
        );
        const given = Object.fromEntries(
          states.map((state, index): [string, Partial<StepState>] => [
            `s${index}`,
            {
              ...failed(state.failureClass),
              status: state.status,
              attempt: state.status === 'waiting' ? 0 : 1,
              retryAt: state.status === 'retry_wait' ? NOW + state.retryIn : null,
            },
          ]),
        );
        const stepsInFlight = states.filter((state) => state.status === 'running').length;
        const admission = { ...ROOMY, maxSteps, stepsInFlight };
        const seen = view(steps, given, { status: runStatus, admission });
        const { state, leases, inFlight } = applied(seen, decide(seen));
        const again = { ...seen, state, leases, admission: { ...ROOMY, maxSteps, stepsInFlight: inFlight } };
        expect(words(decide(again))).toEqual([]);
        expect(inFlight).toBeLessThanOrEqual(Math.max(maxSteps, stepsInFlight));
      },
    ),
    { numRuns: 300 },
  );
});

/** What the store makes of the commands. */
function applied(
  seen: RunView,
  commands: readonly RunCommand[],
): { state: RunState; leases: RunView['leases']; inFlight: number } {
  let { state } = seen;
  const leases = { ...seen.leases };
  for (const command of commands) {
    if (command.type === 'cancel_lease')
      leases[command.stepKey] = { ...leases[command.stepKey]!, cancel: true };
    if (command.type === 'release_lease') delete leases[command.stepKey];
    if (command.type !== 'record') continue;
    const { event } = command;
    state = reduceRun(state, { event, stepKey: null, attempt: null, at: NOW });
    if (event.type === 'step_dispatched') leases[event.stepKey] = lease(event.stepKey, event.attempt);
  }
  return { state, leases, inFlight: Object.keys(leases).length };
}
