import { describe, expect, it } from 'vitest';
import type { PipelineConfig } from '../../../src/discovery/pipeline-config.ts';
import type { MemoryFiles } from '../../helpers/discover.ts';
import { discover, linesOf, stateOf } from '../../helpers/discover.ts';

async function configOf(
  yaml: string,
  files: MemoryFiles = { 'pipeline.py': 'def run(): pass' },
): Promise<PipelineConfig> {
  const contents = Object.entries({ 'dagster.yaml': yaml, ...files }).map(([path, text]) => [
    `pipelines/orders/${path}`,
    text,
  ]);
  const output = await discover(Object.fromEntries(contents) as MemoryFiles);
  expect(linesOf(output).filter((line) => line.includes(' error '))).toEqual([]);
  return stateOf(output, 'orders').config;
}

const DAILY =
  'partitions: { enabled: true, type: time, time: { start: 2024-01-01, cron_schedule: "0 0 * * *" } }\n';

it('fills in every default', async () => {
  expect(await configOf('')).toEqual({
    name: 'orders',
    tool: 'dlt',
    dir: 'pipelines/orders',
    enabled: true,
    group: 'default',
    owners: [],
    tags: {},
    kinds: [],
    metadata: [],
    deps: [],
    backfillPolicy: { type: 'multi_run', maxPartitionsPerRun: 1 },
    checks: [],
    pools: [],
    environment: {},
    env: {},
    assets: {},
    dlt: { script: 'pipeline.py', sourceArgs: {}, resources: [], assetPer: 'pipeline', incremental: {} },
    source: { file: 'pipelines/orders/dagster.yaml', line: 1, column: 1 },
  });
});

it('says how a script is written when only its file is named', async () => {
  const output = await discover({
    'pipelines/a/dagster.yaml': 'script: main.py\n',
    'pipelines/a/main.py': '',
  });
  expect(linesOf(output)).toEqual([
    'pipelines/a/dagster.yaml:1:9 error CONFIG_TYPE a mapping with a command is needed, this is text (script: { command: [python, main.py] })',
  ]);
});

describe('partitions', () => {
  it('take an unquoted date as its text and the format that fits the cron', async () => {
    expect((await configOf(DAILY)).partitions).toEqual({
      kind: 'time',
      start: '2024-01-01',
      end: null,
      cron: '0 0 * * *',
      timezone: 'UTC',
      fmt: '%Y-%m-%d',
      endOffset: 0,
      exclusions: [],
    });
    const hourly = DAILY.replace('2024-01-01', '2024-01-01-00:00').replace('0 0 * * *', '@hourly');
    expect((await configOf(hourly)).partitions).toMatchObject({ fmt: '%Y-%m-%d-%H:%M' });
  });

  it.each(['false', 'no', 'off'])('are none with enabled: %s, whatever else is said (A1)', async (word) => {
    expect((await configOf(DAILY.replace('true', word))).partitions).toBeUndefined();
  });

  it('have two dimensions', async () => {
    const yaml =
      'partitions: { enabled: true, type: multi, multi: { dimensions: { date: { type: time, time: { start: "2024-01-01", cron_schedule: "0 0 * * 1" } }, region: { type: static, static: { partition_keys: [a, b] } } } } }';
    expect((await configOf(yaml)).partitions).toMatchObject({
      kind: 'multi',
      dimensions: { date: { kind: 'time', cron: '0 0 * * 1' }, region: { kind: 'static', keys: ['a', 'b'] } },
    });
  });
});

describe('a schedule', () => {
  const schedule = 'schedule: { enabled: true, cron_schedule: "0 2 * * *" }';
  it('loses no window of a time-partitioned pipeline by default', async () => {
    expect((await configOf(DAILY + schedule)).schedule).toEqual({
      cron: ['0 2 * * *'],
      timezone: 'UTC',
      defaultStatus: 'RUNNING',
      catchUp: 'all',
      overlap: 'queue',
      jitterSeconds: 0,
    });
  });

  it('of anything else runs the latest and skips', async () => {
    expect((await configOf(schedule)).schedule).toMatchObject({ catchUp: 'latest', overlap: 'skip' });
  });

  it.each(['false', 'off', 'No'])('is none with enabled: %s (A1)', async (word) => {
    expect((await configOf(schedule.replace('true', word))).schedule).toBeUndefined();
  });

  it('takes several crons, execution_timezone over timezone, and a jitter', async () => {
    const yaml =
      'schedule:\n  enabled: true\n  cron_schedule: ["0 1 * * *", "@weekly"]\n  timezone: UTC\n  execution_timezone: Europe/Berlin\n  default_status: stopped\n  catch_up: none\n  overlap: allow\n  jitter: 1m30s';
    expect((await configOf(yaml)).schedule).toEqual({
      cron: ['0 1 * * *', '@weekly'],
      timezone: 'Europe/Berlin',
      defaultStatus: 'STOPPED',
      catchUp: 'none',
      overlap: 'allow',
      jitterSeconds: 90,
    });
  });

  it('knows that a dbt asset set is time-partitioned', async () => {
    const set =
      'dbt: { asset_sets: [{ select: "tag:d", partitions: { enabled: true, type: time, time: { start: 2024-01-01, cron_schedule: "0 0 * * *" } } }] }\n';
    const config = await configOf(set + schedule, { 'dbt_project.yml': 'name: p\nprofile: p' });
    expect(config.schedule).toMatchObject({ catchUp: 'all', overlap: 'queue' });
  });
});

describe('retries', () => {
  it.each([
    [
      'retries: 3\nretry_delay: 10',
      { maxRetries: 3, delay: 10, backoff: 'EXPONENTIAL', jitter: 'PLUS_MINUS' },
    ],
    ['retries: 2', { maxRetries: 2, delay: 60, backoff: 'EXPONENTIAL', jitter: 'PLUS_MINUS' }],
    ['retries: 0', undefined],
    ['retry_policy: { max_retries: 4, delay: 5 }', { maxRetries: 4, delay: 5 }],
    [
      'retry_policy: { max_retries: 1, delay: 1, backoff: LINEAR, jitter: full }',
      { maxRetries: 1, delay: 1, backoff: 'LINEAR', jitter: 'FULL' },
    ],
    ['retry_policy: { max_retries: 4, delay: 5 }\nretries: 1', { maxRetries: 4, delay: 5 }],
  ])('%s', async (yaml, policy) => {
    expect((await configOf(yaml)).retryPolicy).toEqual(policy);
  });
});

it('reads everything else that interfaces.md shows', async () => {
  const yaml = `
description: d
group_name: g
owners: [a@b.c, team:finance]
tags: { tool: dlt }
kinds: [dlt, duckdb]
metadata:
  - { key: runbook, value: "https://x.example/r", type: url }
  - { key: limits, value: { a: [1] }, type: json }
deps: [up, { asset: x/y, partition_mapping: { type: time_window, start_offset: -1, end_offset: 0 } }]
code_version: 2
moved_from: pipelines/dlt/old
backfill_policy: { type: single_run }
freshness: { lower_bound_delta_seconds: 108000, deadline_cron: "0 9 * * *", severity: ERROR }
checks: [{ name: rows, type: row_count, min: 1, blocking: true, severity: WARN }]
timeout: 1h
pools: [duckdb]
max_concurrent: 4
environment: { python: ">=3.10" }
env: { A: "\${A:-1}", B: 2, C: yes }
dlt:
  source_module: sources
  source_name: shop
  source_args: { day: 2024-01-01, n: 1 }
  incremental: { orders: { cursor_path: updated_at, initial_value: 2024-01-01, format: iso } }
  write_disposition: merge
assets:
  orders: { group: other, partitions: { enabled: false }, freshness_lower_bound_delta_seconds: 60 }
`;
  const config = await configOf(yaml, { 'sources.py': '', 'requirements.txt': 'dlt' });
  expect(config).toMatchObject({
    group: 'g',
    owners: ['a@b.c', 'team:finance'],
    metadata: [
      { key: 'runbook', value: 'https://x.example/r', type: 'url' },
      { key: 'limits', value: { a: [1] }, type: 'json' },
    ],
    deps: [
      { asset: 'up' },
      { asset: 'x/y', partitionMapping: { kind: 'time_window', startOffset: -1, endOffset: 0 } },
    ],
    codeVersion: '2',
    movedFrom: 'pipelines/dlt/old',
    backfillPolicy: { type: 'single_run', maxPartitionsPerRun: 1 },
    freshness: {
      lowerBoundDeltaSeconds: 108000,
      deadlineCron: '0 9 * * *',
      timezone: 'UTC',
      severity: 'ERROR',
    },
    checks: [{ name: 'rows', type: 'row_count', blocking: true, severity: 'WARN', settings: { min: 1 } }],
    timeoutSeconds: 3600,
    maxConcurrent: 4,
    environment: { requirements: 'requirements.txt', python: '>=3.10' },
    env: { A: '${A:-1}', B: '2', C: 'yes' },
    dlt: {
      sourceModule: 'sources',
      sourceName: 'shop',
      sourceArgs: { day: '2024-01-01', n: 1 },
      incremental: { orders: { cursorPath: 'updated_at', initialValue: '2024-01-01', format: 'iso' } },
      writeDisposition: 'merge',
    },
    assets: {
      orders: {
        group: 'other',
        partitions: null,
        freshness: { lowerBoundDeltaSeconds: 60, timezone: 'UTC', severity: 'WARN' },
      },
    },
  });
});

it('leaves text with variables as it is: the files are written by others (cfg-106)', async () => {
  expect(await configOf('description: "${HOME}"\ngroup: "${TEAM}"')).toMatchObject({
    description: '${HOME}',
    group: '${TEAM}',
  });
});
