import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DiscoverOutput, DiscoveryJob, DiscoveryResult } from '../../../src/discovery/discover.ts';
import { runDiscoveryJob } from '../../../src/discovery/jobs/run-discovery-job.ts';
import type { Environments } from '../../../src/runners/environment.ts';
import { contentsOf, discover, failureOf, keysOf, linesOf, stateOf } from '../../helpers/discover.ts';
import { temporaryDirectory } from '../../helpers/git-repository.ts';
import { ROOT, testEnvironments } from '../../helpers/tool-environments.ts';
import { treeHash } from '../../helpers/tree-hash.ts';

const DEMO = join(ROOT, 'fixtures/repo');
const environments = testEnvironments();

/** A repository on disk, what discovery says of it, and a way to run the jobs that it asks for. */
async function repository(files: Record<string, string>): Promise<{
  readonly root: string;
  readonly output: DiscoverOutput;
  readonly run: (signal?: AbortSignal) => Promise<DiscoveryResult>;
  readonly with: (result: DiscoveryResult) => Promise<DiscoverOutput>;
}> {
  const root = temporaryDirectory();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const output = await discover(contentsOf(root));
  return {
    root,
    output,
    run: (signal = AbortSignal.timeout(170_000)) => runJob(root, onlyJob(output), signal),
    with: (result) => discover(contentsOf(root), { results: new Map([[result.inputsDigest, result]]) }),
  };
}

function onlyJob(output: DiscoverOutput): DiscoveryJob {
  expect(output.jobs, linesOf(output).join('\n')).toHaveLength(1);
  return output.jobs[0]!;
}

async function runJob(
  root: string,
  job: DiscoveryJob,
  signal: AbortSignal,
  made: Environments = environments,
): Promise<DiscoveryResult> {
  const workRoot = temporaryDirectory();
  const result = await runDiscoveryJob(job, {
    code: { materialise: ({ dir }) => Promise.resolve(join(root, dir)) },
    environments: made,
    workRoot,
    runnerPackage: join(ROOT, 'python'),
    signal,
  });
  expect(readdirSync(workRoot)).toEqual([]);
  // The caller stores results as JSON.
  expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  return result;
}

const DLT = 'pipelines/shop/pipeline.py';
const PER_RESOURCE = { 'pipelines/shop/dagster.yaml': 'dlt: { asset_per: resource }\n' };

describe('a recorded run of a dlt script', () => {
  it('tells the resources of the demo, loads nothing and leaves the tree as it was', async () => {
    const root = temporaryDirectory();
    cpSync(join(DEMO, 'pipelines/dlt/shop_events'), join(root, 'pipelines/dlt/shop_events'), {
      recursive: true,
    });
    const output = await discover(contentsOf(root));
    const before = treeHash(root);
    const result = await runJob(root, onlyJob(output), AbortSignal.timeout(170_000));
    expect(treeHash(root)).toEqual(before);
    expect(result).toMatchObject({ kind: 'dlt_recorded', status: 'complete', diagnostics: [] });
    expect(result.assets).toEqual([
      expect.objectContaining({ key: 'dlt_shop_events/cart_events', resource: 'cart_events' }),
      expect.objectContaining({
        key: 'dlt_shop_events/page_views',
        description: 'Product pages that were opened.',
        metadata: { write_disposition: 'append', primary_key: 'event_id', cursor: 'occurred_at' },
      }),
    ]);
    const settled = await discover(contentsOf(root), { results: new Map([[result.inputsDigest, result]]) });
    expect(settled.jobs).toEqual([]);
    expect(stateOf(settled, 'shop_events').discovery).toMatchObject({
      method: 'recorded',
      status: 'complete',
    });
  });

  it('finds the cursor of a resource that was called, given one, or declared with one', async () => {
    const { run } = await repository({
      ...PER_RESOURCE,
      'pipelines/shop/shop_pipeline.py': `
import dlt

@dlt.resource
def called(page=1, cursor=dlt.sources.incremental("changed_at")):
    yield []

@dlt.resource
def given(cursor=dlt.sources.incremental("wrong")):
    yield []

@dlt.resource
def plain(page=1):
    yield []

if __name__ == "__main__":
    pipeline = dlt.pipeline("shop", destination="duckdb")
    pipeline.run([called(page=2), given(cursor=dlt.sources.incremental("updated_at")), plain(page=3)])
`,
    });
    const { assets } = await run();
    expect(assets.map(({ key, metadata }) => [key, metadata?.cursor])).toEqual([
      ['dlt_shop/called', 'changed_at'],
      ['dlt_shop/given', 'updated_at'],
      ['dlt_shop/plain', undefined],
    ]);
  });

  it('finds names that are computed, without the secrets and variables that the code wants', async () => {
    const { run } = await repository({
      ...PER_RESOURCE,
      'pipelines/shop/shop_pipeline.py': `
import os
import dlt

HOST = os.environ["SHOP_HOST"]

@dlt.source
def shop(api_key: str = dlt.secrets.value, page_size: int = dlt.config.value):
    assert isinstance(page_size, int)
    for table in ("orders", "items"):
        yield dlt.resource(rows, name=f"crm.{table}", primary_key="id", write_disposition="merge")

def rows():
    raise RuntimeError("a generator must not start")

def run(partition_key=None):
    pipeline = dlt.pipeline("shop", destination="postgres", dataset_name="raw")
    info = pipeline.run(shop())
    print(info.loads_ids[0], pipeline.last_trace.last_normalize_info)

if __name__ == "__main__":
    run()
`,
    });
    const result = await run();
    expect(result.diagnostics).toEqual([]);
    expect(result.assets.map((asset) => asset.key)).toEqual(['dlt_shop/crm.items', 'dlt_shop/crm.orders']);
  });

  it('reads a declared source', async () => {
    const { run } = await repository({
      'pipelines/shop/dagster.yaml':
        'dlt: { source_module: api.shop, source_name: shop, source_args: { n: 2 }, asset_per: resource }\n',
      'pipelines/shop/api/shop.py':
        'import dlt\n@dlt.source\ndef shop(n: int):\n    return [dlt.resource([1], name=f"t{i}") for i in range(n)]\n',
    });
    expect((await run()).assets.map((asset) => asset.resource)).toEqual(['t0', 't1']);
  });

  it('takes the settings of resources that a loop configures, wherever the class comes from', async () => {
    const { run, with: settled } = await repository({
      'pipelines/shop/definitions.py': `import dlt
import company.platform
from company import platform as p
from company.platform import ConfigurableDltResource
from company.platform import ConfigurableDltResource as Res
from .common import ConfigurableDltResource as Ours, TABLES
from .data import rows

for number, configure in enumerate((company.platform.ConfigurableDltResource.config, p.ConfigurableDltResource.config, Res.config, Ours.config, Ours)):
    configure(
        dlt.resource(rows, name=f"s.{TABLES[number]}", table_name=TABLES[number]),
        kinds={"api", "csv"},
        meta={"dagster": {"automation_condition": "on_schedule", "automation_condition_config": {"cron_schedule": "@daily"}, "freshness_lower_bound_delta_seconds": 60}},
    )
`,
      'pipelines/shop/common.py':
        'from somewhere.internal import ConfigurableDltResource\nTABLES = ("a", "b", "c", "d", "e")\n',
      'pipelines/shop/data.py': 'def rows():\n    yield {"a": 1}\n',
    });
    const result = await run();
    expect(result.diagnostics).toEqual([]);
    const output = await settled(result);
    expect(keysOf(output, 'shop')).toEqual(['a', 'b', 'c', 'd', 'e'].map((name) => `dlt_shop/s.${name}`));
    expect(result.assets[1]).toMatchObject({
      source: { line: 10 },
      overrides: {
        kinds: ['api', 'csv'],
        automation: { condition: 'on_schedule', cron: '@daily' },
        freshness: { lowerBoundDeltaSeconds: 60, timezone: 'UTC', severity: 'WARN' },
      },
    });
  });

  it.each([
    [
      'what is no resource',
      'import dlt\nfrom p import ConfigurableDltResource\nConfigurableDltResource.config(lambda: [], kinds={f"{1}"})\n',
      /:3:1 .*ConfigurableDltResource\.config needs a dlt\.resource\(…\), this is function/,
    ],
    [
      'a name of a platform that is not installed',
      'import dlt\nfrom p import ConfigurableDltResource, warehouse\n[ConfigurableDltResource.config(dlt.resource([1], name=n)) for n in "ab"]\n',
      /:2:1 .*p is not installed, only ConfigurableDltResource stands in for it: add its package to requirements.txt to use warehouse/,
    ],
    [
      'a setting that is none',
      'import dlt\nfrom p import ConfigurableDltResource\nfor n in "ab":\n    ConfigurableDltResource.config(dlt.resource([1], name=n), meta={"dagster": {"automation_condition": "eagerr"}})\n',
      /:4:1 .*AUTOMATION_INVALID.*eager/,
    ],
  ])('tells %s, with its line', async (_, code, wanted) => {
    const { run } = await repository({ 'pipelines/shop/definitions.py': code });
    const result = await run();
    const lines = result.diagnostics.map(
      (one) => `${one.file}:${one.line}:${one.column} ${one.code} ${one.message}`,
    );
    expect(lines.join('\n')).toMatch(wanted);
  });

  it('takes down what @dlt_assets declares, with its group and destination', async () => {
    const { run, output } = await repository({
      'pipelines/shop/definitions.py': `import dlt
from dagster import Definitions, define_asset_job
from dagster_dlt import DagsterDltResource, dlt_assets

@dlt.source
def shop(key: str = dlt.secrets.value):
    return dlt.resource([{"a": 1}], name="orders"), dlt.resource([{"a": 1}], name="items")

@dlt_assets(dlt_source=shop(), dlt_pipeline=dlt.pipeline("shop", destination="postgres"), group_name="sales")
def assets(context, dlt: DagsterDltResource):
    yield from dlt.run(context=context)

job = define_asset_job("job", selection=[assets], config={"max_concurrent": 3})
defs = Definitions(assets=[assets], jobs=[job], resources={"dlt": DagsterDltResource()})
`,
    });
    expect(stateOf(output, 'shop').config.maxConcurrent).toBe(3);
    const { assets, diagnostics } = await run();
    expect(diagnostics).toEqual([]);
    expect(assets.map(({ key, kinds, overrides }) => [key, kinds, overrides])).toEqual([
      ['dlt_shop/items', ['dlt', 'postgres'], { group: 'sales' }],
      ['dlt_shop/orders', ['dlt', 'postgres'], { group: 'sales' }],
    ]);
  });

  it('reads definitions.py with a ConfigurableDltResource that is not installed here', async () => {
    const { run } = await repository({
      'pipelines/shop/definitions.py': `
from .data import rows
from company.platform import ConfigurableDltResource
import dlt
all = [ConfigurableDltResource.config(dlt.resource(rows(t), name=f"s.{t}", table_name=t), kinds={"api"}) for t in ("a", "b")]
`,
      'pipelines/shop/data.py': 'def rows(t):\n    def inner():\n        yield {"t": t}\n    return inner\n',
    });
    expect((await run()).assets.map((asset) => asset.key)).toEqual(['dlt_shop/s.a', 'dlt_shop/s.b']);
  });

  it('has no network: a source that connects leaves the names of the code, with a warning', async () => {
    const files = {
      ...PER_RESOURCE,
      [DLT]:
        'import socket\nimport dlt\n\n@dlt.resource\ndef items(): yield 1\n\nsocket.create_connection(("127.0.0.1", 9))\ndlt.pipeline("p").run(items())\n',
    };
    const { run, with: settled } = await repository(files);
    const result = await run();
    expect(result).toMatchObject({ status: 'failed' });
    const output = await settled(result);
    expect(keysOf(output, 'shop')).toEqual(['dlt_shop/items']);
    expect(linesOf(output)).toEqual([
      'pipelines/shop/pipeline.py:7:1 warning DISCOVERY_FAILED the resources could not all be told without running it (NetworkOff: the network is off while a folder is only being looked at); 0 found (list them in dagster.yaml: dlt: { resources: […] })',
    ]);
  });

  it.each([
    [
      'a package that is not there',
      'import dlt\nimport not_a_package_of_anybody\n',
      '2:1 error DISCOVERY_FAILED ModuleNotFoundError: No module named \'not_a_package_of_anybody\' (add the package of "not_a_package_of_anybody" to requirements.txt)',
    ],
    [
      'a mistake in the syntax',
      'import dlt\nx = (\n',
      "2:1 error DISCOVERY_FAILED SyntaxError: '(' was never closed (pipeline.py, line 2) (correct the code)",
    ],
  ])('%s breaks the folder, with its line', async (_, code, line) => {
    const { run, with: settled } = await repository({ ...PER_RESOURCE, [DLT]: code });
    const output = await settled(await run());
    expect(failureOf(output, 'shop').ok).toBe(false);
    expect(linesOf(output)).toContain(`${DLT}:${line}`);
  });

  it('ends with the signal, and its process with it', async () => {
    const place = temporaryDirectory();
    const code = `import os, time\nimport dlt\nopen("${place}/pid.tmp", "w").write(str(os.getpid()))\nos.rename("${place}/pid.tmp", "${place}/pid")\nwhile True: time.sleep(1)\n`;
    const { run } = await repository({ ...PER_RESOURCE, [DLT]: code });
    const abort = new AbortController();
    const started = fileAppears(place, 'pid');
    const ended = run(abort.signal);
    await started;
    abort.abort(new Error('the service stops'));
    await expect(ended).rejects.toThrow('the service stops');
    const pid = Number(readFileSync(join(place, 'pid'), 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});

async function fileAppears(folder: string, name: string): Promise<void> {
  for await (const { filename } of watch(folder)) if (filename === name) return;
}

describe('dbt parse', () => {
  it('gives the demo’s models exactly, by asset set, and agrees with what the files told', async () => {
    const root = temporaryDirectory();
    cpSync(join(DEMO, 'pipelines/dbt/shop_models'), join(root, 'pipelines/dbt/shop_models'), {
      recursive: true,
    });
    const output = await discover(contentsOf(root));
    const before = treeHash(root);
    const result = await runJob(root, onlyJob(output), AbortSignal.timeout(170_000));
    expect(treeHash(root)).toEqual(before);
    expect(result).toMatchObject({ status: 'complete', diagnostics: [] });
    const shape = (assets: DiscoveryResult['assets']): unknown[] =>
      assets.map(({ key, deps, assetSet, group, description, resource }) => ({
        key,
        deps,
        assetSet,
        group,
        description,
        resource,
      }));
    expect(shape(result.assets)).toEqual(shape(stateOf(output, 'shop_models').assets));
    const weekly = result.assets.find((asset) => asset.key === 'mart_weekly_data');
    expect(weekly?.checks.map(({ name, severity, blocking }) => [name, severity, blocking])).toEqual([
      ['not_null_mart_weekly_data_id', 'ERROR', true],
      ['unique_mart_weekly_data_id', 'ERROR', true],
      ['week_is_complete', 'WARN', false],
    ]);
    // As a full build runs it: references are relations, the incremental part is left out, nothing was connected to.
    expect(weekly?.compiledSql).toContain('"marts"."stg_weekly_raw_data"');
    expect(weekly?.compiledSql).not.toMatch(/\{\{|\{%/);
    expect(weekly?.tags).toMatchObject({ weekly: '' });
    const staged = result.assets.find((asset) => asset.key === 'stg_daily_raw_data');
    expect(staged?.reads?.map(({ key, source }) => [key, source.file])).toEqual([
      ['daily_raw_data', 'pipelines/dbt/shop_models/models/sources.yml'],
    ]);
  });

  it('needs no value of a variable', async () => {
    const { run } = await repository({
      'pipelines/m/dbt_project.yml': 'name: m\nprofile: p\n',
      'pipelines/m/profiles.yml':
        'p: { target: d, outputs: { d: { type: duckdb, path: "{{ env_var(\'NOT_SET_HERE\') }}" } } }\n',
      'pipelines/m/models/a.sql': "select '{{ env_var('NEITHER_THIS') }}' as x",
    });
    expect((await run()).assets.map((asset) => asset.key)).toEqual(['a']);
  });

  it('names the file of a mistake, and the folder is broken', async () => {
    const { run, with: settled } = await repository({
      'pipelines/m/dbt_project.yml': 'name: m\nprofile: p\n',
      'pipelines/m/profiles.yml': 'p: { target: d, outputs: { d: { type: duckdb } } }\n',
      'pipelines/m/models/a.sql': "select * from {{ ref('nowhere') }}",
    });
    const output = await settled(await run());
    expect(failureOf(output, 'm').diagnostics.at(-1)).toMatchObject({
      code: 'DBT_PROJECT_INVALID',
      severity: 'error',
      file: 'pipelines/m/models/a.sql',
      message: expect.stringContaining("depends on a node named 'nowhere' which was not found"),
    });
  });
});

describe('the environment of a folder', () => {
  const offline = testEnvironments({ UV_DEFAULT_INDEX: 'http://127.0.0.1:9/simple', UV_HTTP_RETRIES: '0' });
  const withRequirements = (text: string) =>
    repository({
      'pipelines/report/dagster.yaml': 'script: { command: [python, main.py] }\n',
      'pipelines/report/main.py': 'print(1)\n',
      'pipelines/report/requirements.txt': text,
    });
  const tried = async (text: string): Promise<DiscoveryResult> => {
    const { root, output } = await withRequirements(text);
    return runJob(root, onlyJob(output), AbortSignal.timeout(60_000), offline);
  };

  it("that nothing can meet is the folder's mistake", async () => {
    const result = await tried('tiny ==== 1\n');
    expect(result).toMatchObject({ kind: 'environment', status: 'failed' });
    expect(result.diagnostics).toEqual([
      expect.objectContaining({
        code: 'ENVIRONMENT_FAILED',
        severity: 'error',
        file: 'pipelines/report/requirements.txt',
        message: expect.stringMatching(/^requirements\.txt: .*tiny ==== 1/),
      }),
    ]);
  });

  it('is tried again when the network is down', async () => {
    await expect(tried('tiny\n')).rejects.toMatchObject({ code: 'ENVIRONMENT_FAILED', next: 'retry' });
  });
});
