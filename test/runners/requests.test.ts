import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { PipelineConfig, Tool } from '../../src/discovery/pipeline-config.ts';
import type { LogLevel } from '../../src/plan/log-level.ts';
import { dbtRunner } from '../../src/runners/dbt.ts';
import { dltRunner } from '../../src/runners/dlt.ts';
import type { Runner } from '../../src/runners/runner.ts';
import { slingRunner } from '../../src/runners/sling.ts';
import { stepSpec } from '../helpers/run-step-command.ts';

const tree = mkdtempSync(join(tmpdir(), 'elt-levels-'));
writeFileSync(join(tree, 'replication.yaml'), 'source: A\ntarget: B\nstreams: { public.orders: {} }\n');
afterAll(() => rmSync(tree, { recursive: true, force: true }));

const FOLDERS: Record<string, { readonly runner: Runner; readonly config: Partial<PipelineConfig> }> = {
  dlt: {
    runner: dltRunner,
    config: {
      dlt: { script: 'pipeline.py', sourceArgs: {}, resources: [], assetPer: 'pipeline', incremental: {} },
    },
  },
  dbt: {
    runner: dbtRunner,
    config: { dbt: { vars: {}, assetSets: [], translator: { sourceKey: 'name', modelKey: 'name' } } },
  },
  sling: {
    runner: slingRunner,
    config: { sling: { replication: 'replication.yaml', streams: [], assetPer: 'replication' } },
  },
};

async function command(tool: string, fields: Parameters<typeof stepSpec>[2]) {
  const { runner, config } = FOLDERS[tool]!;
  const spec = stepSpec(tool as Tool, config, fields);
  const assets = spec.assets.map((asset) => (tool === 'dbt' ? { ...asset, resource: 'model.a.b' } : asset));
  const places = {
    stepDir: join(tree, 'step'),
    workDir: tree,
    stateDir: join(tree, 'state/main/shop'),
    treeDir: tree,
    python: '/env/bin/python',
    sling: '/env/bin/sling',
    runnerPackage: '/python',
    eventsFile: join(tree, 'events.jsonl'),
  };
  const { env, files } = await runner.command({ ...spec, assets }, places, {});
  return { env, request: JSON.parse(files.find(({ name }) => name === 'request.json')!.content) as unknown };
}

it.each([
  ['dlt', 'DEBUG', { env: { RUNTIME__LOG_LEVEL: 'DEBUG' } }],
  ['dlt', 'ERROR', { env: { RUNTIME__LOG_LEVEL: 'ERROR' } }],
  ['dbt', 'DEBUG', { env: { DBT_LOG_LEVEL: 'debug' } }],
  ['dbt', 'WARNING', { env: { DBT_LOG_LEVEL: 'warn' } }],
  ['sling', 'DEBUG', { request: { debug: true } }],
  ['sling', 'INFO', { request: { debug: false } }],
] as [string, LogLevel, object][])('%s hears of the level %s', async (tool, level, expected) => {
  expect(await command(tool, { runConfig: { log_level: level } })).toMatchObject(expected);
});

it.each(['dlt', 'dbt'])('%s is left as the folder has it where no level was asked for', async (tool) => {
  const { env } = await command(tool, {});
  expect(Object.keys(env).filter((name) => name.endsWith('LOG_LEVEL'))).toEqual([]);
});

it.each(Object.keys(FOLDERS))('%s takes a retry by a policy for the work of the first run', async (tool) => {
  const [first, retried, other] = await Promise.all([
    command(tool, { runId: 'first' }),
    command(tool, { runId: 'second', firstRunId: 'first' }),
    command(tool, { runId: 'second' }),
  ]);
  expect(retried).toEqual(first);
  expect(other).not.toEqual(first);
});
