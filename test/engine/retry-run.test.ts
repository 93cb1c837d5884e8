import { expect, it } from 'vitest';
import { retryPlan, retryRequest, retrySpec } from '../../src/engine/retry-run.ts';
import { initialRunState, type RunState, type StepState } from '../../src/events/run-state.ts';
import type { RunPlan, StepPlan } from '../../src/plan/run-plan.ts';
import type { StepSpec } from '../../src/plan/step-spec.ts';
import { stepSpec } from '../helpers/run-step-command.ts';

const step = (stepKey: string, assets: string[], needs: string[] = []): StepPlan =>
  ({
    stepKey,
    needs,
    assets: assets.map((key) => ({ key })),
    fullRefresh: stepKey === 'c',
  }) as unknown as StepPlan;

const PLAN = {
  runId: 'old',
  launchId: 'l',
  after: ['earlier'],
  steps: [step('a', ['a1']), step('b', ['b1', 'b2'], ['a']), step('c', ['c1'], ['a', 'b'])],
  partitions: { kind: 'key', key: '2026-01-05' },
  tags: { x: 'y' },
  config: { q: 1 },
  priority: 3,
  runRetriesLeft: 2,
} as unknown as RunPlan;

function state(steps: Record<string, Partial<StepState>>): RunState {
  const fresh = initialRunState(PLAN, 1);
  const merged = Object.entries(fresh.steps).map(([key, own]) => [key, { ...own, ...steps[key] }]);
  return { ...fresh, status: 'FAILURE', steps: Object.fromEntries(merged) as RunState['steps'] };
}

const FAILED = state({
  a: { status: 'succeeded' },
  b: { status: 'failed', finishedAssets: ['b1'] },
  c: { status: 'skipped' },
});
const CAUSE = { kind: 'retry', runId: 'old', by: 'cli:me' } as const;
const IDS = { cause: CAUSE, runId: 'new', launchId: 'l2', runRetriesLeft: 1 };

it('takes up what did not succeed, and of it what is not written', () => {
  const plan = retryPlan(PLAN, FAILED, { ...IDS, fromFailure: true })!;
  expect(plan).toMatchObject({ ...IDS, after: [], priority: 3, partitions: PLAN.partitions });
  expect(
    plan.steps.map(({ stepKey, needs, assets }) => [stepKey, needs, assets.map(({ key }) => key)]),
  ).toEqual([
    ['b', [], ['b2']],
    ['c', ['b'], ['c1']],
  ]);
});

it('does all of it again when asked to', () => {
  const plan = retryPlan(PLAN, FAILED, { ...IDS, fromFailure: false })!;
  expect(plan.steps).toEqual(PLAN.steps);
});

it('makes again what was written but found bad', () => {
  const bad = state({
    a: { status: 'succeeded' },
    b: { status: 'failed', finishedAssets: ['b1', 'b2'] },
    c: { status: 'skipped' },
  });
  const plan = retryPlan(PLAN, bad, { ...IDS, fromFailure: true })!;
  expect(plan.steps[0]!.assets.map(({ key }) => key)).toEqual(['b1', 'b2']);
});

it('has nothing to do when all succeeded', () => {
  const done = state({ a: { status: 'succeeded' }, b: { status: 'succeeded' }, c: { status: 'succeeded' } });
  expect(retryPlan(PLAN, done, { ...IDS, fromFailure: true })).toBeNull();
});

it('asks for the same with today’s definitions', () => {
  expect(retryRequest(PLAN, FAILED, { fromFailure: true, cause: CAUSE })).toEqual({
    assets: ['b2', 'c1'],
    partitions: { kind: 'keys', keys: ['2026-01-05'] },
    fullRefresh: true,
    config: { q: 1 },
    tags: { x: 'y' },
    priority: 3,
    cause: CAUSE,
  });
});

it('law 4: keeps the code and the configuration of the old run', () => {
  const old = stepSpec('dlt', { env: { A: '1' } }, { attempt: 3 });
  const plan = { ...PLAN.steps[1]!, stepKey: old.ref.stepKey };
  const spec = retrySpec(old, 'new', plan, {
    state: FAILED.steps['b'],
    fromFailure: true,
    isAutomatic: false,
  });
  expect(spec).toMatchObject({ code: old.code, config: old.config, retriesSpent: 0 });
  expect(spec.ref).toMatchObject({ runId: 'new', attempt: 0 });
});

it('a retry by a policy is the same work as the first run, one that somebody asks for is not', () => {
  const retried = (spec: StepSpec, runId: string, isAutomatic: boolean): StepSpec => {
    const plan = { ...PLAN.steps[1]!, stepKey: spec.ref.stepKey };
    return retrySpec(spec, runId, plan, { state: undefined, fromFailure: true, isAutomatic });
  };
  const second = retried(stepSpec('dbt', {}, { runId: 'first' }), 'second', true);
  const third = retried(second, 'third', true);
  expect([second.firstRunId, third.firstRunId]).toEqual(['first', 'first']);
  expect(retried(third, 'fourth', false)).not.toHaveProperty('firstRunId');
});

it.each<[string, boolean, string, string[], string[], string[], string[]]>([
  ['only checks what was written and not checked', true, 'STEP_LOST', [], ['b1', 'b2'], [], ['b1', 'b2']],
  ['writes again what a check found bad', true, 'BLOCKING_CHECK_FAILED', [], ['b1', 'b2'], ['b1', 'b2'], []],
  ['writes the rest and checks all of it', true, 'STEP_FAILED', ['b2'], ['b1'], ['b2'], ['b1']],
  ['writes all of it when asked to', false, 'STEP_LOST', [], ['b1', 'b2'], ['b1', 'b2'], []],
])('a step with declared checks: %s', (_name, fromFailure, code, left, done, assets, written) => {
  const planned = (keys: readonly string[]) =>
    keys.map((key) => ({ key, declaredChecks: [{ name: 'rows' }] })) as unknown as StepPlan['assets'];
  const failed = state({ b: { status: 'failed', finishedAssets: done } });
  const own = { ...failed.steps['b']!, error: { code, message: '', failureClass: 'data' as const } };
  const old = stepSpec('dlt', {}, { assets: planned(left), written: planned(done) });
  const whole = { ...PLAN.steps[1]!, assets: planned(['b1', 'b2']) };
  const plan = retryPlan(
    { ...PLAN, steps: [whole] },
    { ...failed, steps: { b: own } },
    { ...IDS, fromFailure },
  )!;
  const spec = retrySpec(old, 'new', plan.steps[0]!, { state: own, fromFailure, isAutomatic: false });
  expect(spec.assets.map(({ key }) => key)).toEqual(assets);
  expect((spec.written ?? []).map(({ key }) => key)).toEqual(written);
});
