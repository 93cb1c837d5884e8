import { expect, it } from 'vitest';
import { retryPlan, retryRequest } from '../../src/engine/retry-run.ts';
import { initialRunState } from '../../src/events/run-state.ts';
import { planRun } from '../../src/plan/plan-run.ts';
import type { RunRequest } from '../../src/plan/run-plan.ts';
import type { OperationRequest } from '../../src/plan/step-operation.ts';
import { stepSpecs } from '../../src/plan/step-spec-of.ts';
import { DAILY, type SamplePipeline, sampleDefinitions } from '../helpers/sample-definitions.ts';

const NOW = Date.UTC(2026, 0, 20, 12);
const PIPELINES: Record<string, SamplePipeline> = {
  dlt_orders: { tool: 'dlt', config: { pools: ['shop'] }, assets: { dlt_orders: {} } },
  dlt_daily: { tool: 'dlt', config: { partitions: DAILY }, assets: { 'dlt_daily/a': {}, 'dlt_daily/b': {} } },
  dlt_off: { tool: 'dlt', config: { enabled: false }, assets: { dlt_off: {} } },
  report: { assets: { report: {} } },
};
const { definitions } = sampleDefinitions(PIPELINES);
const DROP: OperationRequest = {
  kind: 'dlt_state',
  component: 'main',
  pipeline: 'dlt_orders',
  action: 'drop',
  resources: ['orders'],
  rows: true,
};

function request(operation: OperationRequest): RunRequest {
  return {
    assets: [],
    operation,
    partitions: { kind: 'none' },
    fullRefresh: false,
    config: {},
    tags: {},
    priority: 10,
    cause: { kind: 'cli', user: 'ada' },
  };
}

function plan(operation: OperationRequest) {
  let ids = 0;
  const planned = planRun(definitions, request(operation), { now: NOW, newId: () => `id${(ids += 1)}` });
  if (!planned.ok) throw new Error(planned.message);
  const [run] = planned.runs;
  return { run: run!, step: run!.steps[0]!, spec: Object.values(stepSpecs(definitions, run!))[0]! };
}

it('is a run of one step that writes no asset and holds every slot that a load of the pipeline holds', () => {
  const { run, step, spec } = plan(DROP);
  const load = planRun(
    definitions,
    { ...request(DROP), assets: ['dlt_orders'], operation: undefined as never },
    { now: NOW, newId: () => 'id' },
  );
  expect(run).toMatchObject({ jobName: 'drop dlt_orders', runRetriesLeft: 0, partitions: { kind: 'none' } });
  expect(step.assets).toEqual([]);
  expect(step.pools).toEqual(load.ok && load.runs[0]!.steps[0]!.pools);
  expect(step.pools).toContain('shop');
  expect(spec).toMatchObject({
    assets: [],
    operation: { kind: 'dlt_state', action: 'drop', resources: ['orders'], rows: true },
  });
});

it('looks at code that is loaded by partitions with the newest of them, and writes none', () => {
  const { run, step, spec } = plan({ ...DROP, pipeline: 'dlt_daily', action: 'read', resources: null });
  expect(run.jobName).toBe('state of dlt_daily');
  expect(run.partitions).toEqual({ kind: 'none' });
  expect(step.partitions).toEqual({ kind: 'none' });
  expect(spec.partitions).toEqual({ kind: 'key', key: '2026-01-19' });
  expect(spec.window).toEqual({ start: Date.UTC(2026, 0, 19), end: Date.UTC(2026, 0, 20) });
});

it('takes a disabled pipeline: what it loaded is still there', () => {
  expect(plan({ ...DROP, pipeline: 'dlt_off' }).step.pipeline).toBe('dlt_off');
});

it.each([
  ['gone', 'PIPELINE_NOT_FOUND', 'there is no pipeline main/gone'],
  ['report', 'REQUEST_INVALID', 'report is a python pipeline: only dlt keeps a state'],
])('refuses %s', (pipeline, code, message) => {
  const planned = planRun(definitions, request({ ...DROP, pipeline }), { now: NOW, newId: () => 'id' });
  expect(planned).toEqual({ ok: false, code, message });
});

it('stays what it is when it is launched again, at its own commit or the latest', () => {
  const { run } = plan(DROP);
  const state = initialRunState(run, NOW);
  const cause = { kind: 'retry', runId: run.runId, by: 'cli:ada' } as const;
  const retried = retryPlan(run, state, {
    fromFailure: true,
    cause,
    runId: 'again',
    launchId: 'again',
    runRetriesLeft: 0,
  });
  expect(retried?.steps[0]?.operation).toEqual(run.steps[0]!.operation);
  expect(retryRequest(run, state, { fromFailure: false, cause }).operation).toEqual(DROP);
});
