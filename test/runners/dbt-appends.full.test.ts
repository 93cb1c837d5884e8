import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { DbtConfig } from '../../src/discovery/pipeline-config.ts';
import { dbtRunner } from '../../src/runners/dbt.ts';
import { duckdbCount } from '../helpers/duckdb.ts';
import { StepFolder, stepSpec } from '../helpers/run-step-command.ts';
import { testTools } from '../helpers/tool-environments.ts';

beforeAll(async () => void (await testTools()));

const DBT: DbtConfig = { vars: {}, assetSets: [], translator: { sourceKey: 'name', modelKey: 'name' } };
const ASSETS = [
  {
    key: 'log',
    resource: 'model.small.log',
    partitions: { kind: 'none' } as const,
    blockingChecks: [],
    codeVersion: '1',
  },
];

/** A model that appends three rows, and goes on for ever before or after its commit while HANG says so. */
function files(isCommitted: boolean): Readonly<Record<string, string>> {
  const hang = `{sql: "{{ 'copy (select 1) to ' ~ env_var('MARK') if env_var('HANG') == 'yes' else 'select 1' }}", transaction: ${!isCommitted}}, {sql: "{{ 'select sum(a.i * b.i) from range(10000000) a(i), range(10000000) b(i)' if env_var('HANG') == 'yes' else 'select 1' }}", transaction: ${!isCommitted}}`;
  return {
    'dbt_project.yml': `name: small\nprofile: small\nversion: "1.0"\nmodels: {small: {+post-hook: [${hang}]}}\n`,
    'profiles.yml':
      'small: {target: dev, outputs: {dev: {type: duckdb, path: small.duckdb, schema: marts, threads: 1}}}\n',
    'models/log.sql':
      "{{ config(materialized='incremental', incremental_strategy='append') }} select i as id from range(3) t(i)\n",
    'models/schema.yml': 'models: [{name: log, columns: [{name: id, data_tests: [not_null]}]}]\n',
  };
}

it.each<[string, { readonly isCommitted: boolean; readonly hasTable: boolean }]>([
  ['after its commit', { isCommitted: true, hasTable: true }],
  ['after the commit that made its table', { isCommitted: true, hasTable: false }],
  ['before its commit', { isCommitted: false, hasTable: true }],
])('kill -9 of a model that appends, %s: the retry leaves its rows there once', async (_name, world) => {
  const folder = await StepFolder.create(files(world.isCommitted));
  const mark = join(folder.root, 'mark');
  const run = (runId: string, attempt: number, hang = false) =>
    folder.run(dbtRunner, stepSpec('dbt', { dbt: DBT }, { assets: ASSETS, runId, attempt }), {
      env: { HANG: hang ? 'yes' : 'no', MARK: `'${mark}'` },
      onEvent(event, kill) {
        if (!hang || event.type !== 'stage_start' || event.stage !== 'log') return;
        const watcher = watch(folder.root, () => {
          if (!existsSync(mark)) return;
          watcher.close();
          kill('SIGKILL');
        });
      },
    });
  const before = world.hasTable ? 3 : 0;
  if (world.hasTable) expect((await run('first', 1)).end).toMatchObject({ status: 'ok' });
  expect((await run('second', 1, true)).signal).toBe('SIGKILL');
  const retried = await run('second', 2);
  expect(retried.end, retried.stderr + retried.stdout).toMatchObject({ status: 'ok' });
  expect(retried.materialized['log']).toMatchObject({ total_rows: before + 3 });
  expect(retried.materialized['log']!['recovered']).toBe(world.isCommitted ? true : undefined);
  expect(retried.events.filter(({ type }) => type === 'check')).toHaveLength(1);
  const database = join(folder.work, 'small.duckdb');
  expect(await duckdbCount(database, 'select count(*) from marts.log')).toBe(before + 3);
  // Another run is other work.
  expect((await run('third', 1)).end).toMatchObject({ status: 'ok' });
  expect(await duckdbCount(database, 'select count(*) from marts.log')).toBe(before + 6);
});
