import { describe, expect, it } from 'vitest';
import { discover, failureOf, keysOf, linesOf, stateOf } from '../../helpers/discover.ts';

function folder(files: Record<string, string>): Promise<Awaited<ReturnType<typeof discover>>> {
  return discover(
    Object.fromEntries(Object.entries(files).map(([path, text]) => [`pipelines/shop/${path}`, text])),
  );
}

const DEFINITIONS = `
from .data import gen
from company.dlt import ConfigurableDltResource
import dlt
resources = [
    ConfigurableDltResource.config(
        dlt.resource(gen("one"), name="crm.one", table_name="one"),
        kinds={"api"},
        meta={"dagster": {
            "automation_condition": "on_schedule",
            "automation_condition_config": {"cron_schedule": "@daily", "cron_timezone": "utc"},
            "freshness_lower_bound_delta_seconds": 108000,
        }},
    ),
    ConfigurableDltResource.config(dlt.resource(gen("two"), name="crm.two"), kinds={"api"}),
]
`;

describe('definitions.py', () => {
  it('gives an asset per resource with its own settings, without running anything', async () => {
    const output = await folder({ 'definitions.py': DEFINITIONS, 'data.py': 'def gen(x): pass' });
    expect(linesOf(output)).toEqual([]);
    expect(output.jobs).toEqual([]);
    expect(keysOf(output, 'shop')).toEqual(['dlt_shop/crm.one', 'dlt_shop/crm.two']);
    const { config } = stateOf(output, 'shop');
    expect(config.dlt).toMatchObject({ script: 'definitions.py', assetPer: 'resource' });
    expect(config.assets['crm.one']).toEqual({
      kinds: ['api'],
      automation: { condition: 'on_schedule', cron: '@daily', timezone: 'UTC' },
      freshness: { lowerBoundDeltaSeconds: 108000, timezone: 'UTC', severity: 'WARN' },
    });
  });

  it('has its mistakes told at the resource', async () => {
    const output = await folder({ 'definitions.py': DEFINITIONS.replace('on_schedule', 'on_shedule') });
    expect(failureOf(output, 'shop').diagnostics.map(({ file, line, code }) => [file, line, code])).toEqual([
      ['pipelines/shop/definitions.py', 7, 'AUTOMATION_INVALID'],
    ]);
  });

  it('is read for @dlt_assets too, whose sources only a recorded run tells; a job says how many run at once', async () => {
    const output = await folder({
      'definitions.py': `from dagster import Definitions, define_asset_job
from dagster_dlt import dlt_assets

def make(name):
    @dlt_assets(dlt_source=source.with_resources(name), dlt_pipeline=pipeline)
    def assets(context, dlt):
        yield from dlt.run(context=context)
    return assets

job = define_asset_job(name="job", selection=[make("a")], config={"max_concurrent": 5})
`,
    });
    expect(linesOf(output)).toEqual([]);
    expect(output.jobs.map((job) => job.kind)).toEqual(['dlt_recorded']);
    expect(stateOf(output, 'shop').config).toMatchObject({
      maxConcurrent: 5,
      dlt: { script: 'definitions.py', assetPer: 'resource' },
    });
  });

  it('needs a recorded run when its resources are computed', async () => {
    const looped = DEFINITIONS.replace('gen("one"), name="crm.one"', 'gen("one"), name=name');
    expect((await folder({ 'definitions.py': looped })).jobs.map((job) => job.kind)).toEqual([
      'dlt_recorded',
    ]);
  });
});

describe('a declared source', () => {
  it('comes from dagster.yaml, whose list is final', async () => {
    const output = await folder({
      'dagster.yaml':
        'dlt: { source_module: shop.api, source_name: shop, resources: [orders, items], asset_per: resource }',
      'shop/api.py':
        'import dlt\n@dlt.resource(primary_key="id")\ndef orders():\n    """Orders."""\n    yield 1\n',
    });
    expect(output.jobs).toEqual([]);
    expect(keysOf(output, 'shop')).toEqual(['dlt_shop/items', 'dlt_shop/orders']);
    expect(stateOf(output, 'shop').assets[1]).toMatchObject({
      description: 'Orders.',
      metadata: { primary_key: 'id' },
    });
  });

  it('comes from Dango’s sources.yml', async () => {
    const output = await folder({
      '.dango/sources.yml':
        'sources:\n  - name: a\n    type: dlt_native\n    enabled: true\n    dlt_native: { source_module: custom.api, source_name: my_source }\n  - { name: b, type: csv }\n  - { name: c, type: dlt_native, enabled: false }\n',
    });
    // As Dango names them: pipeline and dataset come from the source.
    expect(stateOf(output, 'shop').config.dlt).toMatchObject({
      sourceModule: 'custom.api',
      sourceName: 'my_source',
      pipelineName: 'a',
      datasetName: 'raw_a',
    });
    expect(keysOf(output, 'shop')).toEqual(['dlt_shop']);
  });

  it('is one asset each if the file has several', async () => {
    const yaml = `sources:
  - name: crm
    type: dlt_native
    dlt_native: { source_module: crm, source_name: crm, source_args: { page: 10 } }
  - { name: web-shop, type: dlt_native, dlt_native: { source_module: shop, source_name: shop } }
`;
    const output = await folder({ 'sources.yml': yaml });
    expect(linesOf(output)).toEqual([]);
    expect(keysOf(output, 'shop')).toEqual(['dlt_shop/crm', 'dlt_shop/web-shop']);
    expect(stateOf(output, 'shop').assets[1]).toMatchObject({
      resource: 'web-shop',
      source: { file: 'pipelines/shop/sources.yml', line: 5 },
    });
    const { dlt } = stateOf(output, 'shop').config;
    expect(dlt?.sources?.map(({ name, datasetName }) => [name, datasetName])).toEqual([
      ['crm', 'raw_crm'],
      ['web-shop', 'raw_web_shop'],
    ]);
    const perResource = await folder({ 'sources.yml': yaml, 'dagster.yaml': 'dlt: { asset_per: resource }' });
    expect(linesOf(perResource)).toEqual([
      'pipelines/shop/dagster.yaml:1:19 error CONFIG_VALUE one asset per resource needs a single source (give each source a folder of its own)',
    ]);
  });

  it.each([
    [
      'sources:\n  - { name: a, type: dlt_native, dlt_native: { source_name: s } }',
      'pipelines/shop/sources.yml:2:34 error CONFIG_MISSING_KEY dlt_native needs source_module',
    ],
    [
      'sources:\n  - &s { name: a, type: dlt_native, dlt_native: { source_module: m, source_name: s } }\n  - *s',
      'pipelines/shop/sources.yml:2:16 error CONFIG_VALUE there are two sources "a" (give each a name of its own)',
    ],
    [
      'sources:\n  - { name: a b, type: dlt_native, dlt_native: { source_module: m, source_name: s } }',
      'pipelines/shop/sources.yml:2:13 error CONFIG_VALUE "a b" cannot name a source (letters, digits, _ and - only: it names a dlt pipeline and a dataset)',
    ],
    [
      'sources:\n  - { name: a, type: dlt_native }',
      'pipelines/shop/sources.yml:2:5 error CONFIG_MISSING_KEY the source needs dlt_native',
    ],
  ])('that cannot be used is told: %j', async (yaml, line) => {
    const output = await folder({ 'sources.yml': yaml, 'dagster.yaml': 'tool: dlt' });
    expect(linesOf(output)).toContain(line);
  });

  it('in a module that the folder does not have is an error', async () => {
    const output = await folder({
      'dagster.yaml': 'dlt: { source_module: shop.apii, source_name: s }',
      'shop/api.py': '',
    });
    expect(linesOf(output)).toEqual([
      'pipelines/shop/dagster.yaml:1:23 error TOOL_FILE_MISSING the folder has no file shop/apii.py',
    ]);
  });
});

describe('the dlt section', () => {
  it('takes contracts and what becomes of loads that were left', async () => {
    const output = await folder({
      'pipeline.py': 'import dlt\ndlt.pipeline("p").run([1])',
      'dagster.yaml':
        'dlt: { schema_contract: { columns: freeze, data_type: discard_row }, on_pending: abort, on_uncertain: skip }',
    });
    expect(linesOf(output)).toEqual([]);
    expect(stateOf(output, 'shop').config.dlt).toMatchObject({
      schemaContract: { columns: 'freeze', dataType: 'discard_row' },
      onPending: 'abort',
      onUncertain: 'skip',
    });
  });

  it.each([
    ['schema_contract: frozen', '1:25 error CONFIG_VALUE'],
    ['schema_contract: { colums: freeze }', '1:27 error CONFIG_UNKNOWN_KEY'],
    ['on_pending: drop', '1:20 error CONFIG_VALUE'],
    ['on_uncertain: maybe', '1:22 error CONFIG_VALUE'],
  ])('is told what it cannot take: %s', async (line, wanted) => {
    const output = await folder({
      'pipeline.py': 'import dlt\ndlt.pipeline("p").run([1])',
      'dagster.yaml': `dlt: { ${line} }`,
    });
    expect(linesOf(output).join()).toContain(`pipelines/shop/dagster.yaml:${wanted}`);
  });
});

describe('kinds', () => {
  it.each([
    ['destination="duckdb"', ['dlt', 'duckdb']],
    ['destination=dlt.destinations.postgres()', ['dlt', 'postgres']],
    ['destination=dlt.destinations.duckdb("x.duckdb")', ['dlt', 'duckdb']],
    ['destination=name', ['dlt']],
  ])('have the destination that the code names: %s', async (argument, kinds) => {
    const output = await folder({ 'pipeline.py': `import dlt\ndlt.pipeline("p", ${argument}).run([1])` });
    expect(stateOf(output, 'shop').assets[0]?.kinds).toEqual(kinds);
  });
});

describe('a script', () => {
  it.each([
    [
      'that only defines things',
      'import dlt\ndef load(): pass\n',
      'pipelines/shop/pipeline.py:1:1 warning DISCOVERY_FAILED pipeline.py only defines things: running it loads nothing (add def run(partition_key=None), a main guard, or dlt.source_module and dlt.source_name)',
    ],
    [
      'whose pipeline and dataset have one name on DuckDB',
      'import dlt\np = dlt.pipeline("shop", destination="duckdb", dataset_name="shop")\np.run([1])',
      'pipelines/shop/pipeline.py:2:5 warning CONFIG_VALUE the pipeline and its dataset are both called "shop": DuckDB cannot tell them apart (dataset_name="shop_raw")',
    ],
  ])('%s is warned', async (_, code, line) => {
    expect(linesOf(await folder({ 'pipeline.py': code }))).toEqual([line]);
  });
});
