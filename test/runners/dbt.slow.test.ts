import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DbtConfig } from '../../src/discovery/pipeline-config.ts';
import type { PlannedAsset } from '../../src/plan/run-plan.ts';
import type { StepSpec } from '../../src/plan/step-spec.ts';
import { dbtRunner } from '../../src/runners/dbt.ts';
import { duckdbCount, duckdbRows } from '../helpers/duckdb.ts';
import { dayPartition, StepFolder, type StepOutcome, stepSpec } from '../helpers/run-step-command.ts';
import { ROOT, testTools } from '../helpers/tool-environments.ts';

beforeAll(async () => void (await testTools()));

const DBT: DbtConfig = { vars: {}, assetSets: [], translator: { sourceKey: 'name', modelKey: 'name' } };

function models(...names: string[]): PlannedAsset[] {
  return names.map((name) => ({
    key: name,
    resource: name === 'names' ? 'seed.small.names' : `model.small.${name}`,
    partitions: { kind: 'none' },
    blockingChecks: [],
    codeVersion: '1',
  }));
}

const SMALL = {
  'dbt_project.yml': 'name: small\nprofile: small\nversion: "1.0"\nmodels: {small: {+materialized: table}}\n',
  'profiles.yml': `small: {target: dev, outputs: {dev: {type: duckdb, path: "{{ env_var('DUCKDB_DATABASE', 'small.duckdb') }}", schema: marts, threads: 2}}}\n`,
  'seeds/names.csv': 'id,name\n1,a\n2,b\n3,\n',
  'models/numbers.sql': 'select i as id from range(10) t(i)\n',
  'models/doubled.sql': "select id * 2 as id from {{ ref('numbers') }}\n",
  'models/schema.yml': `
models:
  - name: numbers
    columns: [{name: id, data_tests: [not_null, unique]}]
  - name: doubled
    columns: [{name: id, data_tests: [{relationships: {arguments: {to: ref('numbers'), field: id}, config: {severity: warn}}}]}]
seeds:
  - name: names
    columns: [{name: name, data_tests: [not_null]}]
`,
};

function checks(outcome: StepOutcome): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const event of outcome.events) {
    if (event.type === 'check')
      found[String(event.check_name)] = [event.asset_key, event.passed, event.severity];
  }
  return found;
}

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

describe('sources and snapshots', () => {
  const FILES = {
    'dbt_project.yml': 'name: small\nprofile: small\nversion: "1.0"\n',
    'profiles.yml': SMALL['profiles.yml'],
    'models/people.sql': "select id, name from {{ source('crm', 'raw') }}\n",
    'models/schema.yml': `
sources:
  - name: crm
    schema: raw
    tables:
      - name: raw
        config: { loaded_at_field: loaded, freshness: { warn_after: { count: 1, period: hour }, error_after: { count: 1, period: day } } }
snapshots:
  - name: kept
    relation: ref('people')
    config: { unique_key: id, strategy: check, check_cols: all }
`,
  };

  it('tell how fresh the sources are; a snapshot keeps what it has and adds what changed', async () => {
    const folder = await StepFolder.create(FILES);
    const { python } = await testTools();
    const file = join(folder.root, 'crm.duckdb');
    const sql = (...statements: string[]) =>
      execa(python, [
        '-c',
        'import duckdb, sys; db = duckdb.connect(sys.argv[1]); [db.execute(s) for s in sys.argv[2:]]',
        file,
        ...statements,
      ]);
    await sql(
      'create schema raw',
      "create table raw.raw as select i as id, 'a' as name, now()::timestamp - interval 3 hour as loaded from range(4) t(i)",
    );
    const assets: PlannedAsset[] = [
      ['people', 'model.small.people'],
      ['kept', 'snapshot.small.kept'],
    ].map(([key = '', resource = '']) => {
      return { key, resource, partitions: { kind: 'none' }, blockingChecks: [], codeVersion: '1' };
    });
    const run = (runId: string) =>
      folder.run(dbtRunner, stepSpec('dbt', { dbt: DBT }, { assets, runId }), {
        env: { DUCKDB_DATABASE: file },
      });
    const first = await run('run-1');
    expect(first.end, first.stderr + first.stdout.toString()).toMatchObject({ status: 'ok' });
    expect(first.events.filter((event) => event.type === 'check')).toEqual([
      expect.objectContaining({
        asset_key: 'people',
        check_name: 'source_freshness_crm_raw',
        passed: false,
        severity: 'WARN',
        metadata: expect.objectContaining({ message: 'the newest row is 3.0 hours old' }),
      }),
    ]);
    const versions = 'select count(*), count(distinct id), count(dbt_valid_to) from marts.kept';
    expect(await duckdbRows(file, versions)).toEqual([[4, 4, 0]]);
    await sql("update raw.raw set name = 'b', loaded = now()::timestamp where id = 1");
    const second = await run('run-2');
    expect(checks(second)).toEqual({ source_freshness_crm_raw: ['people', true, 'ERROR'] });
    expect(await duckdbRows(file, versions)).toEqual([[5, 4, 1]]);
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

describe('failures', () => {
  const run = (files: Record<string, string>, fields: Partial<StepSpec> = {}): Promise<StepOutcome> =>
    StepFolder.create({ ...SMALL, ...files }).then((folder) =>
      folder.run(dbtRunner, stepSpec('dbt', { dbt: DBT }, { assets: models('numbers'), ...fields })),
    );

  it.each([
    [
      'a project that does not compile',
      { 'models/broken.sql': "select * from {{ ref('nobody') }}" },
      {},
      'config',
      /nobody/,
    ],
    [
      'a variable that is not set',
      { 'models/broken.sql': "select '{{ env_var('SHOP_REGION') }}' as region" },
      {},
      'config',
      /^the dbt project reads the variable SHOP_REGION, which is not set: add the line SHOP_REGION=… to \.env$/,
    ],
    [
      'a model that is not there',
      {},
      { assets: models('nobody') },
      'config',
      /^the dbt project has no node model\.small\.nobody$/,
    ],
  ])('%s', async (_, files, fields, failureClass, message) => {
    const outcome = await run(files, fields);
    expect(outcome.exitCode).toBe(2);
    expect(outcome.end).toMatchObject({
      status: 'failed',
      failure_class: failureClass,
      error: { message: expect.stringMatching(message) },
    });
    expect(outcome.materialized).toEqual({});
  });

  it('a locked database file is busy', async () => {
    const folder = await StepFolder.create(SMALL);
    const { python } = await testTools();
    const file = join(folder.root, 'locked.duckdb');
    const holder = spawn(python, [
      '-c',
      'import duckdb, sys; db = duckdb.connect(sys.argv[1]); print("held", flush=True); sys.stdin.read()',
      file,
    ]);
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const outcome = await folder.run(
      dbtRunner,
      stepSpec('dbt', { dbt: DBT }, { assets: models('numbers') }),
      { env: { DUCKDB_DATABASE: file } },
    );
    holder.kill('SIGKILL');
    expect(outcome.end).toMatchObject({
      status: 'failed',
      failure_class: 'resource_busy',
      unfinished_assets: ['numbers'],
    });
  });

  it('cancelled by SIGINT while a query runs: what was through is recorded, the rest named', async () => {
    const folder = await StepFolder.create({
      ...SMALL,
      'models/slow.sql':
        "select count(*) as n from range(100000) a, range(100000) b, {{ ref('numbers') }} where a.range * b.range % 7 = id\n",
    });
    const outcome = await folder.run(
      dbtRunner,
      stepSpec('dbt', { dbt: DBT }, { assets: models('numbers', 'slow') }),
      {
        onEvent: (event, kill) => event.type === 'stage_start' && event.stage === 'slow' && kill('SIGINT'),
      },
    );
    expect(outcome.exitCode).toBe(130);
    expect(outcome.end).toMatchObject({ status: 'cancelled', unfinished_assets: ['slow'] });
    expect(Object.keys(outcome.materialized)).toEqual(['numbers']);
  });
});
