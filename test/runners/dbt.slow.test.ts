import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PlannedAsset } from '../../src/plan/run-plan.ts';
import type { StepSpec } from '../../src/plan/step-spec.ts';
import { dbtRunner } from '../../src/runners/dbt.ts';
import { duckdbCount, duckdbRows } from '../helpers/duckdb.ts';
import { dayPartition, StepFolder, stepSpec } from '../helpers/run-step-command.ts';
import { ROOT, testTools } from '../helpers/tool-environments.ts';
import { checks, DBT, models, SMALL } from './dbt-project.ts';

beforeAll(async () => void (await testTools()));

describe('models, seeds and tests', () => {
  it('report rows that DuckDB counts, checks with their severity, schema changes', async () => {
    const folder = await StepFolder.create(SMALL);
    const spec = stepSpec('dbt', { dbt: DBT }, { assets: models('numbers', 'doubled') });
    const outcome = await folder.run(dbtRunner, spec);
    expect(outcome.end, outcome.stderr + outcome.stdout).toMatchObject({ status: 'ok' });
    expect(outcome.exitCode).toBe(0);
    const file = join(folder.work, 'small.duckdb');
    expect(await duckdbCount(file, 'select count(*) from marts.doubled')).toBe(10);
    expect(outcome.materialized.doubled).toMatchObject({
      rows: 10,
      total_rows: 10,
      destination: 'duckdb',
      dataset: 'marts',
      materialized: 'table',
      schema_changes: [{ table: 'doubled', change: 'table_added', column: 'id', type: 'BIGINT' }],
    });
    expect(checks(outcome)).toEqual({
      not_null_numbers_id: ['numbers', true, 'ERROR'],
      unique_numbers_id: ['numbers', true, 'ERROR'],
      relationships_doubled_id__id__ref_numbers_: ['doubled', false, 'WARN'],
    });
    // What dbt writes beside its data stays in the step's directory.
    const { stdout } = await execa('ls', [folder.work]);
    expect(stdout.split('\n').sort()).toEqual([
      'dbt_project.yml',
      'models',
      'profiles.yml',
      'seeds',
      'small.duckdb',
    ]);

    await folder.write('models/numbers.sql', "select i as id, 'x' as extra from range(12) t(i)\n");
    const again = await folder.run(dbtRunner, { ...spec, assets: models('numbers') });
    expect(again.materialized).toEqual({
      numbers: expect.objectContaining({
        rows: 12,
        schema_changes: [{ table: 'numbers', change: 'column_added', column: 'extra', type: 'VARCHAR' }],
      }),
    });
    expect(Object.keys(checks(again)).sort()).toEqual(['not_null_numbers_id', 'unique_numbers_id']);
  });

  it('a failed test fails the step, names its asset, and leaves the others recorded', async () => {
    const folder = await StepFolder.create(SMALL);
    const outcome = await folder.run(
      dbtRunner,
      stepSpec('dbt', { dbt: DBT }, { assets: models('names', 'numbers') }),
    );
    expect(outcome.exitCode).toBe(1);
    expect(outcome.end, outcome.stderr).toMatchObject({
      status: 'failed',
      failure_class: 'data',
      unfinished_assets: ['names'],
      error: { message: expect.stringContaining('not_null_names_name: Got 1 result') },
    });
    expect(Object.keys(outcome.materialized).sort()).toEqual(['names', 'numbers']);
    expect(outcome.materialized.names?.rows).toBe(3);
    expect(checks(outcome).not_null_names_name).toEqual(['names', false, 'ERROR']);
  });

  it('a model that fails leaves what came before, and what lies downstream unfinished', async () => {
    const folder = await StepFolder.create({
      ...SMALL,
      'models/middle.sql': "select no_such_column from {{ ref('numbers') }}\n",
      'models/last.sql': "select * from {{ ref('middle') }}\n",
    });
    const outcome = await folder.run(
      dbtRunner,
      stepSpec('dbt', { dbt: DBT }, { assets: models('numbers', 'middle', 'last') }),
    );
    expect(outcome.exitCode).toBe(1);
    expect(outcome.end).toMatchObject({
      status: 'failed',
      failure_class: 'user',
      unfinished_assets: ['middle', 'last'],
      error: { file: 'models/middle.sql', message: expect.stringContaining('no_such_column') },
    });
    expect(Object.keys(outcome.materialized)).toEqual(['numbers']);
  });
});

describe('partitions', () => {
  const SHOP = join(ROOT, 'fixtures/repo/pipelines/dbt/shop_models');
  const env = (folder: StepFolder): Record<string, string> => ({
    DUCKDB_DATABASE: join(folder.root, 'shop.duckdb'),
  });
  const daily: PlannedAsset[] = ['stg_daily_raw_data', 'mart_daily_data'].map((name) => ({
    key: name,
    resource: `model.shop_models.${name}`,
    partitions: { kind: 'none' },
    blockingChecks: [],
    codeVersion: '1',
  }));
  const partition = (day: string, category: string): Partial<StepSpec> => ({
    ...dayPartition(day),
    partitions: { kind: 'key', key: `${category}|${day}` },
    partitionKeys: [`${category}|${day}`],
    partitionDimensions: { category, date: day },
    assets: daily,
  });

  it('write their window and category alone, twice without doubling', async () => {
    const folder = await StepFolder.create(SHOP);
    const { python } = await testTools();
    const file = env(folder).DUCKDB_DATABASE!;
    await execa(python, [
      '-c',
      `import duckdb, sys
db = duckdb.connect(sys.argv[1])
db.execute("create schema raw_tills")
db.execute("create table raw_tills.daily_raw_data as select i as id, timestamp '2026-01-05' + interval (i) hour as start_time, case when i % 2 = 0 then 'A' else 'B' end as category, 1 as product_id, 1 as quantity, 2.5::decimal(10,2) as amount from range(96) t(i)")`,
      file,
    ]);
    const spec = stepSpec(
      'dbt',
      { name: 'shop_models', dbt: { ...DBT, target: 'dev' } },
      partition('2026-01-05', 'A'),
    );
    const first = await folder.run(dbtRunner, spec, { env: env(folder) });
    expect(first.end, first.stderr + first.stdout).toMatchObject({ status: 'ok' });
    expect(first.materialized.stg_daily_raw_data).toMatchObject({ rows: 12, total_rows: 12 });
    for (const runId of ['run-2', 'run-3']) {
      const next = stepSpec(
        'dbt',
        { name: 'shop_models', dbt: { ...DBT, target: 'dev' } },
        { ...partition('2026-01-06', 'B'), runId },
      );
      const outcome = await folder.run(dbtRunner, next, { env: env(folder) });
      expect(outcome.end, outcome.stderr).toMatchObject({ status: 'ok' });
      expect(outcome.materialized.stg_daily_raw_data).toMatchObject({ rows: 12, total_rows: 24 });
      expect(outcome.materialized.mart_daily_data).toMatchObject({ rows: 1, total_rows: 2 });
      expect(
        await duckdbRows(
          file,
          "select count(*) from marts.stg_daily_raw_data where sales_date = '2026-01-06' and category = 'B'",
        ),
      ).toEqual([[12]]);
      expect(outcome.events.find((event) => event.type === 'materialization')?.partition).toBe(
        'B|2026-01-06',
      );
      expect(Object.values(checks(outcome)).flat()).not.toContain(false);
    }
  });
});
