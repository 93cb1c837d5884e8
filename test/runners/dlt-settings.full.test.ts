import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DltConfig } from '../../src/discovery/pipeline-config.ts';
import type { PlannedAsset } from '../../src/plan/run-plan.ts';
import { dltRunner } from '../../src/runners/dlt.ts';
import { duckdbRows } from '../helpers/duckdb.ts';
import { StepFolder, type StepOutcome, stepSpec } from '../helpers/run-step-command.ts';

const DLT: DltConfig = {
  script: 'pipeline.py',
  sourceArgs: {},
  resources: [],
  assetPer: 'pipeline',
  incremental: {},
};
const SCRIPT = `
import os, dlt

@dlt.resource(write_disposition="append", columns={"id": {"data_type": "bigint"}})
def orders():
    yield {"id": 1} if os.environ["RUN"] == "0" else {"id": 2, "color": "red"}

@dlt.resource
def items(changed=dlt.sources.incremental("n", initial_value=0)):
    yield [{"n": n} for n in range(4)]

@dlt.source
def shop():
    return orders, items

if __name__ == "__main__":
    print(dlt.pipeline("p", destination=dlt.destinations.duckdb("shop.duckdb"), dataset_name="raw").run(shop()))
`;

function asset(key: string, resource?: string): PlannedAsset {
  const shape = { key, partitions: { kind: 'none' }, blockingChecks: [], codeVersion: '1' } as const;
  return resource === undefined ? shape : { ...shape, resource };
}

async function runs(
  files: Record<string, string>,
  configs: readonly Partial<DltConfig>[],
  more: { readonly fullRefresh?: boolean; readonly assets?: readonly PlannedAsset[] } = {},
): Promise<{
  readonly outcomes: readonly StepOutcome[];
  readonly query: (sql: string) => Promise<unknown[][]>;
}> {
  const folder = await StepFolder.create(files);
  const database = join(folder.work, 'shop.duckdb');
  const outcomes: StepOutcome[] = [];
  for (const [number, config] of configs.entries()) {
    const spec = stepSpec('dlt', { dlt: { ...DLT, ...config } }, number === 0 ? {} : more);
    const own = { ...spec, ref: { ...spec.ref, runId: `run-${number}` } };
    const env = { RUN: String(number), DUCKDB_DATABASE: database };
    outcomes.push(await folder.run(dltRunner, own, { env }));
  }
  return { outcomes, query: (sql) => duckdbRows(database, sql) };
}

describe('a schema contract of dagster.yaml', () => {
  const COLUMNS = `select list(column_name order by column_name) from information_schema.columns
    where table_schema = 'raw' and table_name = 'orders' and column_name not like '\\_%' escape '\\'`;

  it.each([
    ['evolve', 2, ['color', 'id']],
    [{ columns: 'discard_value' }, 2, ['id']],
    [{ columns: 'discard_row' }, 1, ['id']],
  ] as const)('%j: %i rows, the columns %j', async (schemaContract, rows, columns) => {
    const { outcomes, query } = await runs({ 'pipeline.py': SCRIPT }, [{}, { schemaContract }]);
    expect(outcomes[1]?.end, outcomes[1]?.stderr).toMatchObject({ status: 'ok' });
    expect(await query('select count(*) from raw.orders')).toEqual([[rows]]);
    expect(await query(COLUMNS)).toEqual([[columns]]);
  });

  it.each([
    ['freeze', { schemaContract: { columns: 'freeze' } }, {}],
    [
      'allow_new_columns = false of config.toml',
      {},
      { '.dlt/config.toml': '[schema]\nallow_new_columns = false\n[runtime]\nworkers = 2\n' },
    ],
  ] as const)(
    '%s fails the load, and the next one is not held up by its package',
    async (_, config, files) => {
      const { outcomes, query } = await runs({ 'pipeline.py': SCRIPT, ...files }, [
        {},
        config,
        { schemaContract: 'evolve' },
      ]);
      expect(outcomes[1]?.end).toMatchObject({ status: 'failed', failure_class: 'data' });
      expect(outcomes[2]?.end, outcomes[2]?.stderr).toMatchObject({ status: 'ok' });
      expect(await query('select count(*), count(color) from raw.orders')).toEqual([[2, 1]]);
    },
  );
});

describe('a full refresh of one resource', () => {
  it.each([
    ['drop_resources', 1, 4],
    ['drop_data', 1, 4],
    // The other resource of the source is gone, and was not loaded.
    ['drop_sources', 1, null],
  ])('%s', async (refresh, orders, items) => {
    const more = { fullRefresh: true, assets: [asset('dlt_shop/orders', 'orders')] };
    const { outcomes, query } = await runs(
      { 'pipeline.py': SCRIPT },
      [{}, { assetPer: 'resource', refresh }],
      more,
    );
    expect(outcomes[1]?.end, outcomes[1]?.stderr).toMatchObject({ status: 'ok' });
    expect(await query('select count(*) from raw.orders')).toEqual([[orders]]);
    const left = await query(
      `select count(*) from information_schema.tables where table_schema = 'raw' and table_name = 'items'`,
    );
    expect(left).toEqual([[items === null ? 0 : 1]]);
    if (items !== null) expect(await query('select count(*) from raw.items')).toEqual([[items]]);
  });
});

it('loads several declared sources, each by its own name, and reports each by itself', async () => {
  const module = (name: string, rows: number) => `import dlt
@dlt.source
def ${name}(factor: int = 1):
    return dlt.resource([{"id": n} for n in range(${rows} * factor)], name="rows", write_disposition="replace")
`;
  const sources = [
    { name: 'crm', sourceModule: 'crm', sourceName: 'crm', sourceArgs: {}, datasetName: 'raw_crm' },
    {
      name: 'web-shop',
      sourceModule: 'web',
      sourceName: 'web',
      sourceArgs: { factor: 2 },
      datasetName: 'raw_web_shop',
    },
  ];
  const assets = [asset('dlt_shop/crm', 'crm'), asset('dlt_shop/web-shop', 'web-shop')];
  const { outcomes, query } = await runs(
    { 'crm.py': module('crm', 3), 'web.py': module('web', 5) },
    [{ sources }, { sources }],
    { assets },
  );
  // The first is of the pipeline as a whole.
  expect(outcomes[0]?.end, outcomes[0]?.stderr).toMatchObject({ status: 'ok' });
  expect(outcomes[1]?.materialized).toMatchObject({
    'dlt_shop/crm': { rows: 3, pipeline: 'crm', dataset: 'raw_crm', tables: { rows: { rows: 3 } } },
    'dlt_shop/web-shop': {
      rows: 10,
      pipeline: 'web-shop',
      dataset: 'raw_web_shop',
      tables: { rows: { rows: 10 } },
    },
  });
  expect(
    await query('select (select count(*) from raw_crm.rows), (select count(*) from raw_web_shop.rows)'),
  ).toEqual([[3, 10]]);
});

it.each([
  [
    'no such module',
    { sourceModule: 'crmm', sourceName: 'crm' },
    'dlt.source_module: the folder has no module crmm',
  ],
  ['no such source', { sourceModule: 'crm', sourceName: 'cmr' }, 'dlt.source_name: crm has no cmr'],
  [
    'what is no source',
    { sourceModule: 'crm', sourceName: 'X' },
    'dlt.source_name: X of crm is no function with @dlt.source',
  ],
  [
    'a definitions.py that configures nothing',
    { script: 'definitions.py' },
    'definitions.py configures no resource: ConfigurableDltResource.config(dlt.resource(…)) or @dlt_assets does',
  ],
])('says clearly: %s', async (_, config, message) => {
  const files = { 'crm.py': 'X = 1\ndef crm(): pass\n', 'definitions.py': '# ConfigurableDltResource\n' };
  const script = 'script' in config ? {} : { script: 'none.py' };
  const { outcomes } = await runs(files, [{ ...script, ...config }]);
  expect(outcomes[0]?.end).toMatchObject({ status: 'failed', failure_class: 'config', error: { message } });
});
