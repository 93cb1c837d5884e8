import { describe, expect, it } from 'vitest';
import type { CheckConfig, PipelineConfig } from '../../src/discovery/pipeline-config.ts';
import { planRun } from '../../src/plan/plan-run.ts';
import type { RunPlan, RunRequest } from '../../src/plan/run-plan.ts';
import { stepSpecs } from '../../src/plan/step-spec-of.ts';
import type { InstanceConfig } from '../../src/state/snapshot.ts';
import {
  DAILY,
  DAILY_BY_CATEGORY,
  REGIONS,
  type SamplePipeline,
  sampleDefinitions,
  WEEKLY,
} from '../helpers/sample-definitions.ts';

const NOW = Date.UTC(2026, 0, 20, 12);

function plan(
  pipelines: Record<string, SamplePipeline>,
  request: Partial<RunRequest> = {},
  instance: Partial<InstanceConfig> = {},
) {
  const { definitions } = sampleDefinitions(pipelines, instance);
  let ids = 0;
  const assets =
    request.assets ??
    definitions.assets.order.filter((key) => definitions.assets.nodes.get(key)!.kind === 'materializable');
  const result = planRun(
    definitions,
    {
      assets,
      partitions: { kind: 'latest' },
      fullRefresh: false,
      config: {},
      tags: {},
      priority: 0,
      cause: { kind: 'cli', user: 'ada' },
      ...request,
    },
    { now: NOW, newId: () => `id${(ids += 1)}` },
  );
  return { definitions, result };
}

function runsOf(
  pipelines: Record<string, SamplePipeline>,
  request: Partial<RunRequest> = {},
): readonly RunPlan[] {
  const { result } = plan(pipelines, request);
  if (!result.ok) throw new Error(result.message);
  return result.runs;
}

function shape(run: RunPlan): string {
  const steps = run.steps.map(
    (step) =>
      `${step.stepKey}(${step.assets.map((a) => a.key).join(' ')})${step.needs.length > 0 ? `<${step.needs.join(' ')}` : ''}`,
  );
  return steps.join(' ; ');
}

describe('planRun', () => {
  it('runs one pipeline in one step, and steps in dependency order', () => {
    const runs = runsOf({
      dlt_a: { tool: 'dlt', assets: { 'dlt_a/x': {}, 'dlt_a/y': {} } },
      dbt_m: { tool: 'dbt', assets: { m1: { deps: ['dlt_a/x'] }, m2: { deps: ['m1'] } } },
    });
    expect(runs.map(shape)).toEqual(['dlt_a(dlt_a/x dlt_a/y) ; dbt_m(m1 m2)<dlt_a']);
  });

  it('splits a pipeline only where the graph leaves it and comes back', () => {
    const runs = runsOf({
      dbt_m: { tool: 'dbt', assets: { a: {}, b: {}, c: { deps: ['p'] } } },
      python_p: { assets: { p: { deps: ['a'] } } },
    });
    expect(runs.map(shape)).toEqual(['dbt_m(a b) ; python_p(p)<dbt_m ; dbt_m_2(c)<python_p']);
  });

  it('does not deadlock when two pipelines interlock', () => {
    const runs = runsOf({
      dbt_p: { tool: 'dbt', assets: { p1: {}, p2: { deps: ['q2'] } } },
      dbt_q: { tool: 'dbt', assets: { q1: { deps: ['p1'] }, q2: {} } },
    });
    const [run] = runs;
    const done = new Set<string>();
    for (const step of run!.steps) {
      expect(step.needs.every((need) => done.has(need))).toBe(true);
      done.add(step.stepKey);
    }
    expect(run!.steps.flatMap((step) => step.assets.map((asset) => asset.key)).sort()).toEqual([
      'p1',
      'p2',
      'q1',
      'q2',
    ]);
  });

  it('makes one run per partition, and orders runs of different definitions', () => {
    const runs = runsOf({
      python_raw: { assets: { raw: { partitions: DAILY_BY_CATEGORY } } },
      dlt_weekly: { assets: { weekly: { partitions: WEEKLY, deps: ['raw'] } } },
      python_report: { assets: { report: { deps: ['weekly'] } } },
    });
    expect(runs.map((run) => run.partitions)).toEqual([
      { kind: 'key', key: 'A|2026-01-19' },
      { kind: 'key', key: 'B|2026-01-19' },
      { kind: 'key', key: '2026-01-12' },
      { kind: 'none' },
    ]);
    const [a, b, weekly, report] = runs;
    expect([a!.after, b!.after]).toEqual([[], []]);
    expect(weekly!.after).toEqual([a!.runId, b!.runId]);
    expect(report!.after).toEqual([weekly!.runId]);
    expect(new Set(runs.map((run) => run.launchId)).size).toBe(1);
  });

  it('cuts one definition in two runs where another lies between them', () => {
    const runs = runsOf({
      python_a: { assets: { a: { partitions: DAILY } } },
      python_b: { assets: { b: { deps: ['a'] } } },
      python_c: { assets: { c: { partitions: DAILY, deps: ['b'] } } },
    });
    expect(runs.map((run) => [shape(run), run.after.length])).toEqual([
      ['python_a(a)', 0],
      ['python_b(b)', 1],
      ['python_c(c)', 1],
    ]);
  });

  it('gives a step its window, dimensions, pools and time-out', () => {
    const [run] = runsOf(
      {
        dlt_a: {
          tool: 'dlt',
          config: {
            kinds: ['dlt', 'duckdb'],
            pools: ['api'],
            timeoutSeconds: 60,
            retryPolicy: { maxRetries: 1, delay: 2 },
          },
          assets: { dlt_a: { partitions: DAILY_BY_CATEGORY } },
        },
      },
      { partitions: { kind: 'keys', keys: ['B|2026-01-03'] } },
    );
    expect(run!.steps[0]).toMatchObject({
      partitionKeys: ['B|2026-01-03'],
      partitionDimensions: { category: 'B', date: '2026-01-03' },
      window: { start: Date.UTC(2026, 0, 3), end: Date.UTC(2026, 0, 4) },
      pools: ['api', 'dest:duckdb', 'pipeline:main/dlt_a'],
      timeoutSeconds: 60,
      retry: { maxRetries: 1, delay: 2 },
    });
  });

  it("gives an asset its declared checks, its own instead of the pipeline's of the same name, and the pool of what they read", () => {
    const check = (name: string, settings: Record<string, unknown>): CheckConfig => ({
      name,
      type: 'row_count',
      blocking: name === 'rows',
      severity: 'ERROR',
      settings,
    });
    const [run] = runsOf(
      {
        python_a: {
          config: {
            checks: [check('rows', { min: 1 }), check('few', { max: 9, connection: 'DUCKDB_DATABASE' })],
            assets: { b: { checks: [check('rows', { min: 5 })] } },
          },
          assets: { a: {}, b: { checks: [{ name: 'of the tool', severity: 'WARN', blocking: true }] } },
        },
      },
      { assets: ['a', 'b'] },
    );
    const [step] = run!.steps;
    const planned = step!.assets.map(({ key, blockingChecks, declaredChecks }) => [
      key,
      blockingChecks,
      declaredChecks?.map(({ name, settings }) => [name, settings]),
    ]);
    expect(planned).toEqual([
      [
        'a',
        ['rows'],
        [
          ['rows', { min: 1 }],
          ['few', { max: 9, connection: 'DUCKDB_DATABASE' }],
        ],
      ],
      [
        'b',
        ['rows', 'of the tool'],
        [
          ['few', { max: 9, connection: 'DUCKDB_DATABASE' }],
          ['rows', { min: 5 }],
        ],
      ],
    ]);
    expect(step!.pools).toEqual(['dest:duckdb']);
  });

  it('runs a range in one run when the backfill policy says so', () => {
    const [run, ...rest] = runsOf(
      {
        python_a: {
          config: { backfillPolicy: { type: 'single_run', maxPartitionsPerRun: 1 } },
          assets: { a: { partitions: DAILY } },
        },
      },
      { partitions: { kind: 'range', start: '2026-01-03', end: '2026-01-05' } },
    );
    expect(rest).toEqual([]);
    expect(run!.partitions).toEqual({ kind: 'range', start: '2026-01-03', end: '2026-01-05' });
    expect(run!.steps[0]).toMatchObject({
      partitionKeys: ['2026-01-03', '2026-01-04', '2026-01-05'],
      window: { start: Date.UTC(2026, 0, 3), end: Date.UTC(2026, 0, 6) },
    });
  });

  it('A9: a tick carries its partition', () => {
    const runs = runsOf(
      {
        python_a: { assets: { a: { partitions: DAILY } } },
        python_r: { assets: { r: { partitions: REGIONS } } },
      },
      { partitions: { kind: 'tick', at: Date.UTC(2026, 0, 10, 2) } },
    );
    expect(runs.map((run) => run.partitions)).toEqual([
      { kind: 'key', key: '2026-01-09' },
      { kind: 'key', key: 'us' },
      { kind: 'key', key: 'eu' },
    ]);
  });

  it.each([
    [{ assets: ['a'], partitions: { kind: 'none' } }, 'PARTITION_NEEDED'],
    [{ assets: ['a'], partitions: { kind: 'keys', keys: ['2027-01-01'] } }, 'PARTITION_UNKNOWN'],
    [
      { assets: ['a'], partitions: { kind: 'range', start: '2026-01-05', end: '2026-01-02' } },
      'PARTITION_UNKNOWN',
    ],
    [{ assets: ['off'] }, 'PIPELINE_DISABLED'],
    [{ assets: ['outside'] }, 'ASSET_NOT_FOUND'],
    [{ assets: [] }, 'SELECTION_EMPTY'],
  ] as const)('refuses %j with %s', (request, code) => {
    const { result } = plan(
      {
        python_a: { assets: { a: { partitions: DAILY, deps: ['outside'] } } },
        python_off: { config: { enabled: false }, assets: { off: {} } },
      },
      request,
    );
    expect(result).toMatchObject({ ok: false, code });
  });

  it('gives every step a spec without a path of a machine', () => {
    const { definitions, result } = plan({ dlt_a: { tool: 'dlt', assets: { dlt_a: {} } } });
    if (!result.ok) throw new Error(result.message);
    const specs = stepSpecs(definitions, result.runs[0]!);
    expect(specs['dlt_a']).toMatchObject({
      v: 1,
      ref: { stepKey: 'dlt_a', attempt: 0, queue: 'vol:local' },
      tool: 'dlt',
    });
    expect(JSON.stringify(specs)).not.toContain('"/');
    expect(specs['dlt_a']).not.toHaveProperty('limits');
  });

  it("gives every step its folder's limits, and the instance's where the folder says nothing", () => {
    const { definitions, result } = plan(
      { dlt_a: { tool: 'dlt', config: { limits: { memoryBytes: 2e9 } }, assets: { dlt_a: {} } } },
      {},
      { limits: { memoryBytes: 1e9, cpuTimeSeconds: 60 } },
    );
    if (!result.ok) throw new Error(result.message);
    expect(stepSpecs(definitions, result.runs[0]!)['dlt_a']!.limits).toEqual({
      memoryBytes: 2e9,
      cpuTimeSeconds: 60,
    });
  });
});

describe('one asset per resource', () => {
  const github = (config: Partial<PipelineConfig>): Record<string, SamplePipeline> => ({
    dlt_github: {
      tool: 'dlt',
      config: {
        dlt: { script: 'pipeline.py', sourceArgs: {}, resources: [], assetPer: 'resource', incremental: {} },
        ...config,
      },
      assets: {
        'dlt_github/issues': { resource: 'issues', kinds: ['dlt', 'duckdb'] },
        'dlt_github/forks': { resource: 'forks', kinds: ['dlt', 'duckdb'] },
        'dlt_github/comments': { resource: 'comments', deps: ['dlt_github/issues'] },
      },
    },
  });

  it('is one step, unless max_concurrent lets several run', () => {
    expect(runsOf(github({})).map(shape)).toEqual([
      'dlt_github(dlt_github/forks dlt_github/issues dlt_github/comments)',
    ]);
    const runs = runsOf(github({ maxConcurrent: 5 }));
    expect(runs.map(shape)).toEqual([
      'dlt_github.forks(dlt_github/forks) ; dlt_github.issues(dlt_github/issues) ; dlt_github.comments(dlt_github/comments)<dlt_github.issues',
    ]);
    // A DuckDB file has one writer, however many steps may run.
    expect(runs[0]!.steps.map(({ pools }) => pools)).toEqual([
      ['dest:duckdb', 'pipeline:main/dlt_github'],
      ['dest:duckdb', 'pipeline:main/dlt_github'],
      ['pipeline:main/dlt_github'],
    ]);
  });

  it('goes to DuckDB if nothing says where else', () => {
    const dlt = {
      script: 'definitions.py',
      sourceArgs: {},
      resources: [],
      assetPer: 'resource',
      incremental: {},
    } as const;
    const poolsOf = (config: Partial<PipelineConfig>) =>
      runsOf({ dlt_x: { tool: 'dlt', config, assets: { 'dlt_x/a': { resource: 'a' } } } })[0]!.steps[0]!
        .pools;
    expect(poolsOf({ dlt })).toContain('dest:duckdb');
    expect(poolsOf({ dlt: { ...dlt, destination: 'postgres' } })).not.toContain('dest:duckdb');
    expect(poolsOf({ dlt, env: { DESTINATION_TYPE: 'postgres' } })).not.toContain('dest:duckdb');
  });
});
