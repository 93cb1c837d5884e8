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
    expect(stateOf(output, 'shop').config.dlt).toMatchObject({
      sourceModule: 'custom.api',
      sourceName: 'my_source',
    });
    expect(keysOf(output, 'shop')).toEqual(['dlt_shop']);
  });

  it.each([
    [
      'sources:\n  - { name: a, type: dlt_native, dlt_native: { source_name: s } }',
      'pipelines/shop/sources.yml:2:34 error CONFIG_MISSING_KEY dlt_native needs source_module',
    ],
    [
      'sources:\n  - &s { name: a, type: dlt_native, dlt_native: { source_module: m, source_name: s } }\n  - *s',
      'pipelines/shop/sources.yml:2:8 error CONFIG_VALUE a folder is one pipeline, this is its second source (give each source a folder of its own)',
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
