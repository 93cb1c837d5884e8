import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CheckConfig, DbtConfig, DltConfig } from '../../src/discovery/pipeline-config.ts';
import { dbtRunner } from '../../src/runners/dbt.ts';
import { dltRunner } from '../../src/runners/dlt.ts';
import { slingRunner } from '../../src/runners/sling.ts';
import { checkPython } from '../helpers/check-environment.ts';
import { openTestEngine, type TestEngine, type TestStep } from '../helpers/engine.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { testTools } from '../helpers/tool-environments.ts';

/** Checks without `connection` look where the asset's own tool wrote it. */
let home: string;
let postgres: TestPostgres | { readonly skip: string };
let python: string;
let test: TestEngine;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'elt-places-'));
  const [own, server, tools] = await Promise.all([checkPython(), startPostgres(), testTools()]);
  [python, postgres] = [own, server];
  const runners = [dltRunner, slingRunner, dbtRunner];
  test = await openTestEngine({ home, python, sling: tools.sling, runners });
});
afterAll(async () => {
  await test.close();
  if ('stop' in postgres) await postgres.stop();
  rmSync(home, { recursive: true, force: true });
});

const check = (name: string, type: CheckConfig['type'], settings: Record<string, unknown>): CheckConfig => ({
  name,
  type,
  blocking: true,
  severity: 'ERROR',
  settings,
});
const DLT: DltConfig = {
  script: 'pipeline.py',
  sourceArgs: {},
  resources: [],
  assetPer: 'resource',
  incremental: {},
};
const CHECKS = [
  check('rows', 'row_count', { min: 3, max: 3 }),
  check('id', 'unique', { column: 'id' }),
  check('query', 'sql', { sql: 'select * from orders where id is null' }),
  check('schema', 'no_schema_change', {}),
  check('other', 'row_count', { table: 'lines', min: 2 }),
];

async function messages(runId: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { event } of await test.events(runId)) {
    if (event.type !== 'check') continue;
    const { message, destination, table } = event.metadata;
    found[event.check_name] = [destination, table, event.passed, message]
      .map((part) => (part === undefined ? '' : JSON.stringify(part).replaceAll('"', '')))
      .join(' | ');
  }
  return found;
}

const script = (destination: string, dataset: string): string => `
import os, dlt

@dlt.resource(primary_key="id")
def orders():
    yield [{"id": n, "items": [{"x": n}]} for n in range(3)]

@dlt.resource
def lines():
    yield [{"n": 1}, {"n": 2}]

dlt.pipeline("shop", destination=${destination}, dataset_name="${dataset}").run([orders(), lines()])
`;

function loads(
  pipeline: string,
  destination: string,
  dataset: string,
  env: Record<string, string>,
): TestStep {
  const key = `${pipeline}/orders`;
  return {
    stepKey: pipeline,
    pipeline,
    tool: 'dlt',
    files: { 'pipeline.py': script(destination, dataset) },
    config: { dlt: DLT, env },
    spec: {
      assets: [
        {
          key,
          resource: 'orders',
          partitions: { kind: 'none' },
          blockingChecks: ['rows'],
          declaredChecks: CHECKS,
          codeVersion: '1',
        },
        {
          key: `${pipeline}/lines`,
          resource: 'lines',
          partitions: { kind: 'none' },
          blockingChecks: [],
          codeVersion: '1',
        },
      ],
    },
  };
}

it.for<[string, () => [string, string, Record<string, string>]]>([
  [
    'duckdb',
    () => ['dlt.destinations.duckdb(os.environ["MY_FILE"])', 'raw shop', { MY_FILE: join(home, 'x.duckdb') }],
  ],
  [
    'sqlite',
    () => [
      '"sqlalchemy"',
      'main',
      { DESTINATION__SQLALCHEMY__CREDENTIALS: `sqlite:///${join(home, 'x.db')}` },
    ],
  ],
  [
    'postgres',
    () => [
      'dlt.destinations.postgres(os.environ["MY_URL"])',
      'raw',
      { MY_URL: 'url' in postgres ? postgres.url : '' },
    ],
  ],
])(
  'dlt into %s: the tables of a resource, found by what dlt itself wrote',
  async ([kind, place], context) => {
    if (kind === 'postgres' && 'skip' in postgres) context.skip(postgres.skip);
    const [destination, dataset, env] = place();
    const runId = await test.run([loads(`dlt_${kind}`, destination, dataset, env)]);
    const state = await test.store.runs.state(runId);
    expect(state?.status, (await test.log(runId, `dlt_${kind}`)).join('\n')).toBe('SUCCESS');
    const schema = { duckdb: 'raw_shop', sqlite: 'main', postgres: 'raw' }[kind];
    expect(await messages(runId)).toEqual({
      rows: `${kind} | ${schema}.orders | true | 3 rows`,
      id: `${kind} | ${schema}.orders | true | no rows at fault`,
      query: `${kind} |  | true | no rows at fault`,
      schema: `${kind} | ${schema}.orders | true | 3 columns, recorded for the next time`,
      other: `${kind} | ${schema}.lines | true | 2 rows`,
    });
    if ('password' in postgres) {
      expect(JSON.stringify(await test.events(runId))).not.toContain(postgres.password);
    }
  },
);

it('Sling: the tables that its log names, over the connection of its target', async () => {
  const files = {
    'replication.yaml': `source: LOCAL
target: SHOP_SQLITE
defaults: { mode: full-refresh }
streams:
  "file://orders.csv": { object: main.orders }
`,
    'orders.csv': 'id,name\n1,a\n2,\n2,c\n',
  };
  const runId = await test.run([
    {
      stepKey: 'sling_files',
      tool: 'sling',
      files,
      config: {
        sling: { replication: 'replication.yaml', streams: [], assetPer: 'replication' },
        env: { SHOP_SQLITE: `sqlite://${join(home, 'sling.db')}` },
      },
      declaredChecks: [
        check('rows', 'row_count', { min: 3 }),
        { ...check('id', 'unique', { column: 'id' }), blocking: false },
      ],
    },
  ]);
  expect(await test.store.runs.state(runId), (await test.log(runId, 'sling_files')).join('\n')).toMatchObject(
    {
      status: 'SUCCESS',
    },
  );
  expect(await messages(runId)).toEqual({
    rows: 'sqlite | main.orders | true | 3 rows',
    id: 'sqlite | main.orders | false | a value is there more than once: 1 row at fault',
  });
});

const DBT: DbtConfig = { vars: {}, assetSets: [], translator: { sourceKey: 'name', modelKey: 'name' } };

it.for(['duckdb', 'postgres'])(
  'dbt on %s: the relation of a model; a blocking check stops what lies below',
  async (kind, context) => {
    if (kind === 'postgres' && 'skip' in postgres) context.skip(postgres.skip);
    const server = 'host' in postgres ? postgres : { host: '', port: 0, user: '', password: '' };
    const profile =
      kind === 'duckdb'
        ? `{type: duckdb, path: "{{ env_var('DUCKDB_DATABASE') }}", schema: marts, threads: 1}`
        : `{type: postgres, host: ${server.host}, port: ${server.port}, user: ${server.user}, pass: "{{ env_var('SHOP_PG_PASSWORD') }}", dbname: postgres, schema: marts, threads: 1}`;
    const stepKey = `dbt_${kind}`;
    const runId = await test.run([
      {
        stepKey,
        tool: 'dbt',
        files: {
          'dbt_project.yml':
            'name: small\nprofile: small\nversion: "1.0"\nmodels: {small: {+materialized: table}}\n',
          'profiles.yml': `small: {target: dev, outputs: {dev: ${profile}}}\n`,
          'models/numbers.sql': `select 1 as id union all select 2${' '.repeat(kind.length)}\n`,
        },
        config: { dbt: DBT, env: { SHOP_PG_PASSWORD: server.password } },
        spec: {
          assets: [
            {
              key: 'numbers',
              resource: 'model.small.numbers',
              partitions: { kind: 'none' },
              blockingChecks: ['few'],
              declaredChecks: [
                check('few', 'row_count', { max: 1 }),
                check('profile', 'row_count', { connection: 'small', table: 'marts.numbers', min: 2 }),
              ],
              codeVersion: '1',
            },
          ],
        },
      },
      { stepKey: 'below', files: { 'main.py': 'pass' }, needs: [stepKey] },
    ]);
    const state = (await test.store.runs.state(runId))!;
    expect(state.status, (await test.log(runId, stepKey)).join('\n')).toBe('FAILURE');
    expect(state.steps[stepKey]!.error).toMatchObject({
      code: 'BLOCKING_CHECK_FAILED',
      message: 'blocking check numbers:few failed',
      failureClass: 'data',
    });
    expect(state.steps['below']!.status).toBe('skipped');
    expect(await messages(runId)).toEqual({
      few: `${kind} | marts.numbers | false | 2 rows, at most 1 are allowed`,
      profile: `${kind} | marts.numbers | true | 2 rows`,
    });
    const events = (await test.events(runId)).map(({ event }) => event);
    expect(events.find((event) => event.type === 'step_skipped')).toMatchObject({
      reason: `${stepKey}: blocking check numbers:few failed`,
    });
    if (kind === 'postgres') expect(JSON.stringify(events)).not.toContain(server.password);
  },
);
