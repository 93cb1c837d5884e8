import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { DbtConfig } from '../../src/discovery/pipeline-config.ts';
import type { PlannedAsset } from '../../src/plan/run-plan.ts';
import { dbtRunner } from '../../src/runners/dbt.ts';
import { checkPython } from '../helpers/check-environment.ts';
import { startPostgres } from '../helpers/postgres.ts';
import { StepFolder, stepSpec } from '../helpers/run-step-command.ts';

const DBT: DbtConfig = { vars: {}, assetSets: [], translator: { sourceKey: 'name', modelKey: 'name' } };
const FILES = {
  'dbt_project.yml': 'name: small\nprofile: small\nversion: "1.0"\nmodels: { +materialized: table }\n',
  'profiles.yml':
    'small: { target: dev, outputs: { dev: { type: postgres, host: 127.0.0.1, port: "{{ env_var(\'PGPORT\') | int }}", user: shop, password: "{{ env_var(\'PGPASSWORD\') }}", dbname: postgres, schema: marts } } }\n',
  'models/numbers.sql': 'select i as id from generate_series(1, 42) i\n',
  'models/grown.sql':
    "{{ config(materialized='incremental', unique_key='id') }} select id from {{ ref('numbers') }}{% if is_incremental() %} where id > 40{% endif %}\n",
  'models/seen.sql': "{{ config(materialized='view') }} select * from {{ ref('numbers') }}\n",
};

it('rows on Postgres are those that it says it wrote; the parsed project is kept for the next run', async (ctx) => {
  const postgres = await startPostgres();
  if ('skip' in postgres) return ctx.skip(postgres.skip);
  try {
    const folder = await StepFolder.create(FILES);
    const python = await checkPython();
    const assets = ['numbers', 'grown', 'seen'].map((key): PlannedAsset => {
      const resource = `model.small.${key}`;
      return { key, resource, partitions: { kind: 'none' }, blockingChecks: [], codeVersion: '1' };
    });
    const env = { PGPORT: String(postgres.port), PGPASSWORD: postgres.password };
    const run = (runId: string) =>
      folder.run(dbtRunner, stepSpec('dbt', { dbt: DBT }, { assets, runId }), { env, python });
    const first = await run('run-1');
    expect(first.end, first.stderr + first.stdout.toString()).toMatchObject({ status: 'ok' });
    expect(first.materialized).toMatchObject({
      numbers: { rows: 42, destination: 'postgres', dataset: 'marts' },
      grown: { rows: 42 },
      seen: { materialized: 'view' },
    });
    expect(first.materialized.seen?.rows).toBeUndefined();
    const kept = await readdir(join(folder.state, 'dbt/parsed'));
    expect(kept).toHaveLength(1);
    const second = await run('run-2');
    expect(second.materialized.grown?.rows).toBe(2);
    expect(await readdir(join(folder.state, 'dbt/parsed'))).toEqual(kept);
  } finally {
    await postgres.stop();
  }
}, 120_000);
