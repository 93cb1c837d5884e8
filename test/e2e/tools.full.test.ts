import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AssetDetail } from '../../src/server/contract/asset.ts';
import { duckdbRows } from '../helpers/duckdb.ts';
import { createRepository, type TestRepository } from '../helpers/repository.ts';
import { runCli } from '../helpers/run-cli.ts';
import { type RunningService, startService } from '../helpers/service.ts';

const MIDDLE = `
import duckdb, os
from dagster_pipes import open_dagster_pipes
with open_dagster_pipes() as pipes:
    with duckdb.connect(os.environ["DUCKDB_DATABASE"]) as db:
        db.execute("create schema if not exists py")
        db.execute("create or replace table py.b as select id + 100 as id from marts.a")
    pipes.report_asset_materialization(asset_key="b", metadata={"rows": 3})
`;

const REPOSITORY = {
  'pipelines/dbt/marts/dbt_project.yml':
    'name: marts\nprofile: marts\nversion: "1.0"\nmodels: { +materialized: table }\n',
  'pipelines/dbt/marts/profiles.yml':
    'marts: { target: dev, outputs: { dev: { type: duckdb, path: "{{ env_var(\'DUCKDB_DATABASE\') }}", schema: marts } } }\n',
  'pipelines/dbt/marts/models/a.sql': 'select i as id from range(3) t(i)\n',
  'pipelines/dbt/marts/models/c.sql': "select id from {{ source('middle', 'b') }}\n",
  'pipelines/dbt/marts/models/sources.yml':
    'sources: [{ name: middle, schema: py, tables: [{ name: b }, { name: nobody, description: Made elsewhere }] }]\n',
  'pipelines/dbt/marts/models/d.sql': "select 1 as id from {{ source('middle', 'nobody') }} where false\n",
  'pipelines/dbt/marts/dagster.yaml': 'kinds: [duckdb]\ndbt: { exclude: nothing_of_this_name }\n',
  'pipelines/python/middle/main.py': MIDDLE,
  'pipelines/python/middle/dagster.yaml':
    'kinds: [duckdb]\nscript: { command: [python, main.py], assets: [b, extra] }\ndeps: [a]\n',
  'pipelines/python/broken/main.py': 'print(1)\n',
  'pipelines/python/broken/dagster.yaml': 'script: { command: [python, main.py] }\n',
  'pipelines/python/broken/requirements.txt': 'tiny ==== 1\n',
};

describe('tools together', () => {
  let repository: TestRepository;
  let home: string;
  let service: RunningService;

  beforeAll(async () => {
    repository = createRepository(REPOSITORY);
    home = mkdtempSync(join(tmpdir(), 'elt-home-'));
    service = await startService({ home, repo: repository.remote });
    await service.serves(repository.head());
  }, 120_000);
  afterAll(async () => {
    await service.stop();
    repository.remove();
    rmSync(home, { recursive: true, force: true });
  });

  it('dbt, then Python, then dbt of the same project: each in its own step, in this order', async () => {
    const { run_ids: runIds } = await service.launch('a or b or extra or c');
    expect(runIds).toHaveLength(1);
    const run = await service.ended(runIds[0]!);
    expect(run.status, JSON.stringify(run.steps_list)).toBe('SUCCESS');
    const steps = run.steps_list.toSorted((x, y) => (x.started_at ?? '').localeCompare(y.started_at ?? ''));
    expect(steps.map(({ step_key }) => step_key)).toEqual(['dbt_marts', 'python_middle', 'dbt_marts_2']);
    for (const [index, step] of steps.slice(1).entries())
      expect(step.started_at! >= steps[index]!.ended_at!).toBe(true);
    const file = join(home, 'data/shared/data.duckdb');
    expect(await duckdbRows(file, 'select id from marts.c order by id')).toEqual([[100], [101], [102]]);
    // What a script does not report by itself is there because it ended well.
    for (const [key, metadata] of [
      ['b', { rows: 3 }],
      ['extra', {}],
    ] as const) {
      const asset = await service.api<AssetDetail>('GET', `/api/v1/assets/${key}`);
      expect(asset.state).toBe('materialized');
      expect(asset.latest_metadata).toMatchObject(metadata);
    }
  }, 120_000);

  it('shows what dbt knows: compiled SQL, and a source that nobody here makes', async () => {
    const c = await service.api<AssetDetail>('GET', '/api/v1/assets/c');
    expect(c.compiled_sql).toContain('"py"."b"');
    expect(c.metadata).toContainEqual({ key: 'materialized', value: 'table', type: 'text' });
    expect(await service.api<AssetDetail>('GET', '/api/v1/assets/nobody')).toMatchObject({
      kind: 'external',
      description: 'Made elsewhere',
      source: { file: 'pipelines/dbt/marts/models/sources.yml' },
    });
  });

  it('requirements that cannot be met are told of their pipeline alone', async () => {
    const { items } = await service.api<{ items: { code: string; file: string; message: string }[] }>(
      'GET',
      '/api/v1/diagnostics',
    );
    expect(items.filter(({ code }) => code === 'ENVIRONMENT_FAILED')).toEqual([
      expect.objectContaining({
        file: 'pipelines/python/broken/requirements.txt',
        message: expect.stringContaining('tiny ==== 1'),
      }),
    ]);
    const status = await runCli(['status'], { cwd: home, env: { ELT_HOME: home } });
    expect(status.stdout).toContain('ENVIRONMENT_FAILED');
  });
});
