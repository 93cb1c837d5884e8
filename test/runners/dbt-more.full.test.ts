import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PlannedAsset } from '../../src/plan/run-plan.ts';
import type { StepSpec } from '../../src/plan/step-spec.ts';
import { dbtRunner } from '../../src/runners/dbt.ts';
import { duckdbRows } from '../helpers/duckdb.ts';
import { StepFolder, type StepOutcome, stepSpec } from '../helpers/run-step-command.ts';
import { testTools } from '../helpers/tool-environments.ts';
import { checks, DBT, models, SMALL } from './dbt-project.ts';

beforeAll(async () => void (await testTools()));

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
