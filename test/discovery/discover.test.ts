import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DiscoveryResult } from '../../src/discovery/discover.ts';
import { discoverStatic } from '../../src/discovery/discover.ts';
import type { PipelineState } from '../../src/state/snapshot.ts';
import { commitOf, contentsOf, discover, failureOf, keysOf, linesOf, stateOf } from '../helpers/discover.ts';

const SCRIPT = 'import dlt\n\ndef run(partition_key=None):\n    pass\n';
const REPLICATION =
  'source: PG\ntarget: LAKE\nstreams:\n  public.orders:\n  public.customers:\n    disabled: true\n  crm.leads:\n    meta: { dagster: { asset_key: crm.hot_leads, deps: [up.a] } }\n';

describe('the demo repository', async () => {
  const output = await discover(contentsOf(join(import.meta.dirname, '../../fixtures/repo')));

  it('has no error and no warning', () => {
    expect(linesOf(output)).toEqual([]);
    expect(output.folders.every((folder) => folder.ok)).toBe(true);
  });

  it.each([
    ['orders', ['dlt_orders'], 'complete'],
    [
      'shop_catalog',
      ['dlt_shop_catalog/customers', 'dlt_shop_catalog/products', 'dlt_shop_catalog/suppliers'],
      'complete',
    ],
    ['shop_events', ['dlt_shop_events/cart_events', 'dlt_shop_events/page_views'], 'pending'],
    [
      'shop_files',
      ['sling_shop_files/price_list', 'sling_shop_files/stock_levels', 'sling_shop_files/stores'],
      'complete',
    ],
    [
      'shop_models',
      [
        'mart_customer_orders',
        'mart_daily_data',
        'mart_product_sales',
        'mart_weekly_data',
        'product_groups',
        'stg_daily_raw_data',
        'stg_weekly_raw_data',
      ],
      'pending',
    ],
    ['daily_raw_data', ['daily_raw_data'], 'complete'],
  ])('%s: %j, %s', (name, keys, status) => {
    expect(keysOf(output, name)).toEqual(keys);
    expect(stateOf(output, name).discovery.status).toBe(status);
  });

  it('asks for background work only where the files do not tell', () => {
    expect(output.jobs.map(({ kind, pipeline }) => [kind, pipeline])).toEqual([
      ['dlt_recorded', 'dlt_shop_events'],
      ['dbt_parse', 'dbt_shop_models'],
    ]);
  });

  it('reads the root’s dagster.yaml', () => {
    expect(output.instance).toEqual({
      runRetries: { enabled: true, maxRetries: 3 },
      maxConcurrentRuns: 4,
      pools: { duckdb: 1, branch_files: 1, reports: 2 },
    });
  });

  it('gives a dbt asset the partitions of its set', () => {
    const partitions = new Map(
      stateOf(output, 'shop_models').assets.map((asset) => [asset.key, asset.partitions]),
    );
    expect(partitions.get('mart_daily_data')).toMatchObject({ kind: 'multi' });
    expect(partitions.get('mart_product_sales')).toBeNull();
  });
});

describe('a repository of the Python original', async () => {
  const yaml = `
enabled: true
description: "GitHub issues"
group: github
owners: ["data-team@company.com"]
kinds: [dlt, duckdb]
tags: { source: github }
metadata: [{ key: docs, value: "https://docs.example", type: url }]
retry_policy: { max_retries: 3, delay: 30, backoff: EXPONENTIAL, jitter: PLUS_MINUS }
partitions: { enabled: true, type: time, time: { start: "2024-01-01", cron_schedule: "0 0 * * *", timezone: UTC, fmt: "%Y-%m-%d" } }
schedule: { enabled: true, cron_schedule: "0 2 * * *", execution_timezone: Europe/Berlin, default_status: STOPPED }
`;
  const output = await discover(
    {
      'pipelines/dlt/github/pipeline.py': `${SCRIPT}\nimport os\nos.environ["GITHUB_ORG"]\n`,
      'pipelines/dlt/github/dagster.yaml': yaml,
      'pipelines/sling/crm/replication.yaml': REPLICATION,
      'pipelines/sling/crm/dagster.yaml': yaml
        .replace('[dlt, duckdb]', '[sling]')
        .replace('group: github', 'group: crm'),
      'pipelines/dlt/off/pipeline.py': SCRIPT,
      'pipelines/dlt/off/dagster.yaml':
        'enabled: false\nschedule: { enabled: true, cron_schedule: "* * * * *" }',
    },
    { environment: { names: new Set(['PG', 'LAKE', 'GITHUB_ORG']), passEnv: ['GITHUB_ORG'] } },
  );

  it('gives dlt_<name> and sling_<name> with their settings', () => {
    expect(linesOf(output)).toEqual([]);
    expect([...keysOf(output, 'github'), ...keysOf(output, 'crm'), ...keysOf(output, 'off')]).toEqual([
      'dlt_github',
      'sling_crm',
      'dlt_off',
    ]);
    expect(stateOf(output, 'github').config).toMatchObject({
      group: 'github',
      owners: ['data-team@company.com'],
      kinds: ['dlt', 'duckdb'],
      tags: { source: 'github' },
      retryPolicy: { maxRetries: 3, delay: 30 },
      partitions: { kind: 'time', start: '2024-01-01' },
      schedule: { timezone: 'Europe/Berlin', defaultStatus: 'STOPPED', catchUp: 'all' },
    });
    expect(stateOf(output, 'crm').config.group).toBe('crm');
    expect(stateOf(output, 'off').config.enabled).toBe(false);
  });

  it('tags every asset', () => {
    expect(stateOf(output, 'github').assets[0]?.tags).toEqual({ elt_type: 'dlt', pipeline: 'github' });
    expect(stateOf(output, 'crm').assets[0]?.tags).toEqual({
      elt_type: 'sling',
      pipeline: 'crm',
      replication: 'crm',
    });
  });
});

describe('which tool a folder is for', () => {
  it.each([
    ['dbt', { 'dbt_project.yml': 'name: p\nprofile: p' }],
    ['sling', { 'replication.yaml': REPLICATION }],
    ['dlt', { 'pipeline.py': SCRIPT }],
    [
      'dlt',
      {
        'definitions.py':
          'from x import ConfigurableDltResource\nimport dlt\nConfigurableDltResource.config(dlt.resource(g, name="s.t"))',
      },
    ],
    [
      'dlt',
      {
        '.dango/sources.yml':
          'sources: [{ name: a, type: dlt_native, dlt_native: { source_module: m, source_name: s } }]',
      },
    ],
    ['dlt', { 'github_pipeline.py': 'import dlt\nload()' }],
    ['python', { 'dagster.yaml': 'script: { command: [python, a.py] }', 'a.py': '' }],
    [
      'python',
      { 'dagster.yaml': 'tool: python\nscript: { command: [python, pipeline.py] }', 'pipeline.py': '' },
    ],
  ])('%s: %j', async (tool, files) => {
    const output = await discover(
      Object.fromEntries(Object.entries(files).map(([path, text]) => [`pipelines/x/${path}`, text ?? ''])),
    );
    expect(stateOf(output, 'x').config.tool).toBe(tool);
  });

  it.each([
    [
      { 'pipeline.py': SCRIPT, 'replication.yaml': REPLICATION },
      'error TOOL_AMBIGUOUS replication.yaml makes this a sling pipeline, pipeline.py a dlt one (add "tool: sling" or "tool: dlt")',
    ],
    [
      { 'pipeline.py': SCRIPT, 'dagster.yaml': 'script: { command: [python, pipeline.py] }' },
      'error TOOL_AMBIGUOUS pipeline.py makes this a dlt pipeline, "script:" in dagster.yaml a python one (add "tool: dlt" or "tool: python")',
    ],
    [
      { 'dagster.yaml': 'group: a' },
      'error TOOL_FILE_MISSING nothing in this folder says which tool it is for (add pipeline.py, replication.yaml, dbt_project.yml, or a script: to dagster.yaml)',
    ],
    [
      { 'dagster.yaml': 'tool: sling' },
      'error TOOL_FILE_MISSING a sling pipeline needs a replication.yaml (add replication.yaml)',
    ],
    [
      { 'dagster.yml': 'group: a', 'pipeline.py': SCRIPT },
      'error TOOL_FILE_MISSING the configuration is called dagster.yaml, so this file would not be read (rename dagster.yml to dagster.yaml)',
    ],
  ])('cannot be told: %j', async (files, line) => {
    const output = await discover(
      Object.fromEntries(Object.entries(files).map(([path, text]) => [`pipelines/x/${path}`, text ?? ''])),
    );
    expect(failureOf(output, 'x').diagnostics).toHaveLength(1);
    expect(linesOf(output)[0]).toContain(line);
  });
});

describe('one broken folder', () => {
  it('leaves the others alone (C1, A4)', async () => {
    const output = await discover({
      'pipelines/a/pipeline.py': SCRIPT,
      'pipelines/b/pipeline.py': SCRIPT,
      'pipelines/b/dagster.yaml': 'schedule: [\n',
    });
    expect(keysOf(output, 'a')).toEqual(['dlt_a']);
    expect(failureOf(output, 'b')).toMatchObject({ name: 'b', dir: 'pipelines/b' });
  });

  it('is also one with names that a disk cannot hold or that lead elsewhere (G12)', async () => {
    const output = await discover({
      'pipelines/a/pipeline.py': SCRIPT,
      'pipelines/a/link': { content: '../../secrets', mode: '120000' },
      'pipelines/b/pipeline.py': SCRIPT,
      'pipelines/b/inside': { content: 'pipeline.py', mode: '120000' },
      'pipelines/c/pipeline.py': SCRIPT,
      'pipelines/c/Pipeline.py': SCRIPT,
      'pipelines/d/pipeline.py': SCRIPT,
      'pipelines/d/vendored': { content: '', mode: '160000' },
      'pipelines/e/pipeline.py': SCRIPT,
      'pipelines/e/data.parquet': `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`,
      'pipelines/f/pipeline.py': SCRIPT,
      'pipelines/f/loop': { content: 'loop', mode: '120000' },
    });
    expect(output.folders.map((folder) => [folder.ok ? folder.state.name : folder.name, folder.ok])).toEqual([
      ['a', false],
      ['dlt_b', true],
      ['c', false],
      ['d', false],
      ['e', false],
      ['f', false],
    ]);
    expect(new Set(output.diagnostics.map((one) => one.code))).toEqual(new Set(['PATH_REFUSED']));
  });

  it('with a committed file of secrets is only warned', async () => {
    const output = await discover({
      'pipelines/a/pipeline.py': SCRIPT,
      'pipelines/a/.dlt/secrets.toml': 'k = 1',
    });
    expect(stateOf(output, 'a').name).toBe('dlt_a');
    expect(linesOf(output)[0]).toMatch(/warning SECRET_IN_REPOSITORY/);
  });

  it('of the root keeps the last good instance settings', async () => {
    const good = { 'pipelines/a/pipeline.py': SCRIPT };
    expect(
      (await discover({ ...good, 'dagster.yaml': 'concurrency: { runs: { max_concurrent_runs: 0 } }' }))
        .instance,
    ).toBeNull();
    expect((await discover(good)).instance).toEqual({
      runRetries: { enabled: false, maxRetries: 0 },
      maxConcurrentRuns: null,
      pools: {},
    });
  });
});

describe('two folders with one name or key (C2)', () => {
  const files = { 'pipelines/dlt/orders/pipeline.py': SCRIPT, 'pipelines/orders/pipeline.py': SCRIPT };

  it('are both told; without a history the first by path stays', async () => {
    const output = await discover(files);
    expect(stateOf(output, 'orders').config.dir).toBe('pipelines/dlt/orders');
    expect(linesOf(output)).toEqual([
      'pipelines/dlt/orders/pipeline.py:1:1 warning PIPELINE_DUPLICATE pipelines/orders claims a name of this folder too (rename one of the two; the older one keeps the name)',
      'pipelines/orders/pipeline.py:1:1 error PIPELINE_DUPLICATE the pipeline name "dlt_orders" belongs to pipelines/dlt/orders (rename one of the two; the older one keeps the name)',
    ]);
  });

  it('with a history the older holder keeps it', async () => {
    const before = await discover({ 'pipelines/orders/pipeline.py': SCRIPT });
    const output = await discover(files, { previous: [stateOf(before, 'orders')] });
    expect(stateOf(output, 'orders').config.dir).toBe('pipelines/orders');
  });

  it('are two pipelines when their tools differ', async () => {
    const both = {
      'pipelines/dlt/orders/pipeline.py': SCRIPT,
      'pipelines/sling/orders/replication.yaml': REPLICATION,
    };
    const output = await discover(both, { environment: { names: new Set(['PG', 'LAKE']), passEnv: [] } });
    expect(linesOf(output)).toEqual([]);
    expect(output.folders.map((folder) => folder.ok && folder.state.name)).toEqual([
      'dlt_orders',
      'sling_orders',
    ]);
  });

  const python = (asset: string): string => `script: { command: [python, -c, "1"], assets: [${asset}] }`;
  it('an asset key too, and a broken holder goes on holding it', async () => {
    const one = { 'pipelines/z_old/dagster.yaml': python('sales') };
    const previous: PipelineState[] = [stateOf(await discover(one), 'z_old')];
    const both = { ...one, 'pipelines/a_new/dagster.yaml': python('sales') };
    const output = await discover(both, { previous });
    expect(failureOf(output, 'a_new').diagnostics.map((each) => each.code)).toEqual(['ASSET_DUPLICATE']);
    expect(keysOf(output, 'z_old')).toEqual(['sales']);
    const broken = await discover({ ...both, 'pipelines/z_old/dagster.yaml': 'script: [' }, { previous });
    expect(failureOf(broken, 'a_new').diagnostics.map((each) => each.code)).toEqual(['ASSET_DUPLICATE']);
    const moved = await discover({ ...both, 'pipelines/z_old/dagster.yaml': python('other') }, { previous });
    expect(keysOf(moved, 'a_new')).toEqual(['sales']);
  });
});

describe('variables (C4)', () => {
  const code =
    'import os\nos.environ["API_KEY"]\nos.environ["ELT_PARTITION_KEY"]\nos.getenv("MAYBE")\nos.environ["DUCKDB_DATABASE"]\nos.environ["SHOP_URL"]\n';
  const files = {
    'pipelines/a/main.py': code,
    'pipelines/a/dagster.yaml':
      'script: { command: [python, main.py] }\nenv:\n  SHOP_URL: "${SHOP_HOST}/x"\n  T: "${GITHUB_TOKEN}"\n  D: "${OPTIONAL:-x}"\n',
  };

  it('that are missing are warnings with the line to add; the pipeline is there', async () => {
    const output = await discover(files, {
      environment: { names: new Set(['DUCKDB_DATABASE']), passEnv: [] },
    });
    expect(stateOf(output, 'a').name).toBe('python_a');
    expect(linesOf(output)).toEqual([
      'pipelines/a/dagster.yaml:3:13 warning VARIABLE_MISSING SHOP_HOST is not set (add the line SHOP_HOST=… to .env)',
      'pipelines/a/dagster.yaml:4:6 warning VARIABLE_MISSING GITHUB_TOKEN is never handed to a step (use a variable of another name, or let the operator add it to ELT_PASS_ENV)',
      'pipelines/a/main.py:2:1 warning VARIABLE_MISSING API_KEY is not set (add the line API_KEY=… to .env, and API_KEY: "${API_KEY}" to env: in dagster.yaml)',
    ]);
  });

  it('that the service has and does not hand on are told apart', async () => {
    const names = new Set(['DUCKDB_DATABASE', 'API_KEY', 'SHOP_HOST', 'GITHUB_TOKEN']);
    const output = await discover(files, { environment: { names, passEnv: ['GITHUB_TOKEN'] } });
    expect(linesOf(output)).toEqual([
      'pipelines/a/main.py:2:1 warning VARIABLE_MISSING API_KEY is set, but this folder\'s steps do not get it (add API_KEY: "${API_KEY}" to env: in dagster.yaml)',
    ]);
  });
});

describe('from one commit to the next', () => {
  const contents = Object.fromEntries(
    Array.from({ length: 40 }, (_, n) => [
      [`pipelines/dlt/p${n}/pipeline.py`, `${SCRIPT}# ${n}\n`],
      [`pipelines/dlt/p${n}/dagster.yaml`, `group: g${n}\n`],
    ]).flat() as [string, string][],
  );

  it('only folders that changed are read', async () => {
    const first = commitOf(contents);
    expect((await discoverStatic(first.input)).read).toBe(40);
    expect(first.reads).toHaveLength(80);
    const second = commitOf(
      { ...contents, 'pipelines/dlt/p7/dagster.yaml': 'group: other\n' },
      { cache: first.input.cache },
    );
    const output = await discoverStatic(second.input);
    expect(second.reads).toHaveLength(2);
    expect(output.read).toBe(1);
    expect(stateOf(output, 'p7').config.group).toBe('other');
    expect(stateOf(output, 'p8').config.group).toBe('g8');
  });

  it('equal input gives equal output, cached or not', async () => {
    const { input } = commitOf(contents);
    const cold = await discoverStatic(input);
    expect(JSON.stringify(await discoverStatic(input))).toBe(JSON.stringify({ ...cold, read: 0 }));
  });

  it('comments, README and settings of the orchestration leave the content digest alone; code does not', async () => {
    const digest = async (files: Record<string, string>): Promise<string> =>
      stateOf(await discover({ 'pipelines/a/pipeline.py': SCRIPT, ...files }), 'a').code.contentDigest;
    const base = await digest({});
    expect(await digest({ 'pipelines/a/README.md': '# hi' })).toBe(base);
    expect(await digest({ 'pipelines/a/pipeline.py': `# a comment\n${SCRIPT}` })).toBe(base);
    expect(
      await digest({
        'pipelines/a/dagster.yaml': 'group: x\nschedule: { enabled: true, cron_schedule: "@daily" }',
      }),
    ).toBe(base);
    expect(await digest({ 'pipelines/a/pipeline.py': `${SCRIPT}x = 1\n` })).not.toBe(base);
    expect(await digest({ 'pipelines/a/data.csv': '1' })).not.toBe(base);
    expect(await digest({ 'pipelines/a/dagster.yaml': 'env: { A: b }' })).not.toBe(base);
  });
});

describe('background jobs', () => {
  const files = {
    'pipelines/a/pipeline.py': 'import dlt\n\n@dlt.resource\ndef items(): yield 1\n\nload(items())\n',
    'pipelines/a/dagster.yaml': 'dlt: { asset_per: resource }\n',
  };
  const resultOf = (
    inputsDigest: string,
    rest: Partial<DiscoveryResult>,
  ): ReadonlyMap<string, DiscoveryResult> =>
    new Map([
      [
        inputsDigest,
        { inputsDigest, kind: 'dlt_recorded', status: 'complete', assets: [], diagnostics: [], ...rest },
      ],
    ]);
  const recorded = { key: 'dlt_a/other', kind: 'dlt', resource: 'other', deps: [], checks: [] } as const;
  const failure = {
    code: 'DISCOVERY_FAILED',
    message: 'no',
    file: 'pipelines/a/pipeline.py',
    line: 1,
    column: 1,
  };

  it('until there is a result, the code’s own names serve, pending', async () => {
    const output = await discover(files);
    expect(stateOf(output, 'a')).toMatchObject({ discovery: { method: 'ast', status: 'pending' } });
    expect(keysOf(output, 'a')).toEqual(['dlt_a/items']);
    expect(output.jobs).toHaveLength(1);
  });

  it('their result is used by its inputs, and no job is asked for again', async () => {
    const digest = (await discover(files)).jobs[0]!.inputsDigest;
    const output = await discover(files, { results: resultOf(digest, { assets: [recorded], envKey: 'e1' }) });
    expect(keysOf(output, 'a')).toEqual(['dlt_a/other']);
    expect(stateOf(output, 'a').discovery).toEqual({
      method: 'recorded',
      status: 'complete',
      inputsDigest: digest,
      envKey: 'e1',
    });
    expect(output.jobs).toEqual([]);
  });

  it('a schedule or an owner does not run them again; code does', async () => {
    const digest = (await discover(files)).jobs[0]!.inputsDigest;
    const scheduled = {
      ...files,
      'pipelines/a/dagster.yaml': `${files['pipelines/a/dagster.yaml']}group: g\n`,
    };
    expect((await discover(scheduled)).jobs[0]!.inputsDigest).toBe(digest);
    const changed = { ...files, 'pipelines/a/lib.py': 'x = 1' };
    expect((await discover(changed)).jobs[0]!.inputsDigest).not.toBe(digest);
  });

  it('while one runs, the folder stays at the code and the assets that are proven', async () => {
    const digest = (await discover(files)).jobs[0]!.inputsDigest;
    const before = stateOf(await discover(files, { results: resultOf(digest, { assets: [recorded] }) }), 'a');
    const changed = { ...files, 'pipelines/a/lib.py': 'x = 1' };
    const first = await discover(changed, { previous: [before] });
    expect(stateOf(first, 'a')).toEqual({
      ...before,
      discovery: { ...before.discovery, status: 'pending', proven: true },
    });
    expect(first.jobs[0]?.code.treeId).not.toBe(before.code.treeId);
    // Another push while it still runs: what is served is pending, and proven by the result that it came from.
    const again = { ...changed, 'pipelines/a/lib.py': 'x = 2' };
    const second = await discover(again, { previous: [stateOf(first, 'a')] });
    expect(stateOf(second, 'a').code).toEqual(before.code);
    // It turns out that the code cannot be imported: the folder is broken, what is served is the proven state.
    const failed = resultOf(second.jobs[0]!.inputsDigest, {
      status: 'failed',
      diagnostics: [{ ...failure, severity: 'error' }],
    });
    const end = await discover(again, { previous: [stateOf(second, 'a')], results: failed });
    expect(failureOf(end, 'a').neverGood).toBeUndefined();
  });

  it('law 2: code that needs no job is as proven as a result', async () => {
    const plain = { 'pipelines/a/pipeline.py': 'import dlt\n' };
    const before = stateOf(await discover(plain), 'a');
    expect(before.discovery.status).toBe('complete');
    const first = await discover(files, { previous: [before] });
    const second = await discover(
      { ...files, 'pipelines/a/lib.py': 'x = 2' },
      { previous: [stateOf(first, 'a')] },
    );
    expect(stateOf(second, 'a').code).toEqual(before.code);
  });

  it('a folder that was never good is told apart from one that breaks', async () => {
    const guess = await discover(files);
    const failed = resultOf(guess.jobs[0]!.inputsDigest, {
      status: 'failed',
      diagnostics: [{ ...failure, severity: 'error' }],
    });
    const output = await discover(files, { previous: [stateOf(guess, 'a')], results: failed });
    expect(failureOf(output, 'a').neverGood).toBe(true);
  });

  it('what was never proven does not hold new code back', async () => {
    const before = stateOf(await discover(files), 'a');
    const output = await discover({ ...files, 'pipelines/a/lib.py': 'x = 1' }, { previous: [before] });
    expect(stateOf(output, 'a').code.treeId).not.toBe(before.code.treeId);
  });

  it('a result that is gone is not asked for again while the state has it', async () => {
    const digest = (await discover(files)).jobs[0]!.inputsDigest;
    const before = stateOf(await discover(files, { results: resultOf(digest, { assets: [recorded] }) }), 'a');
    const output = await discover(files, { previous: [before] });
    expect(output.jobs).toEqual([]);
    expect(stateOf(output, 'a')).toEqual(before);
  });

  it('one that failed for the code’s own fault breaks the folder, any other leaves the names of the code', async () => {
    const digest = (await discover(files)).jobs[0]!.inputsDigest;
    const broken = resultOf(digest, { status: 'failed', diagnostics: [{ ...failure, severity: 'error' }] });
    expect(failureOf(await discover(files, { results: broken }), 'a').diagnostics[0]?.message).toBe('no');
    const blind = resultOf(digest, { status: 'failed', diagnostics: [{ ...failure, severity: 'warning' }] });
    const output = await discover(files, { results: blind });
    expect(keysOf(output, 'a')).toEqual(['dlt_a/items']);
    expect(stateOf(output, 'a').discovery.status).toBe('failed');
  });

  it('one that failed where the code tells nothing breaks the folder', async () => {
    const silent = { ...files, 'pipelines/a/pipeline.py': 'import dlt\nload(make())\n' };
    const digest = (await discover(silent)).jobs[0]!.inputsDigest;
    const blind = resultOf(digest, { status: 'failed', diagnostics: [{ ...failure, severity: 'warning' }] });
    expect(failureOf(await discover(silent, { results: blind }), 'a').diagnostics[0]?.severity).toBe('error');
  });

  it('settings for an asset that is not there are told when the assets are known', async () => {
    const yaml = 'dlt: { asset_per: resource, resources: [items] }\nassets:\n  itms: { group: g }\n';
    const output = await discover({ ...files, 'pipelines/a/dagster.yaml': yaml });
    expect(linesOf(output)).toEqual([
      'pipelines/a/dagster.yaml:3:3 warning CONFIG_VALUE a has no asset "itms"; the settings have no effect (did you mean "items"?)',
    ]);
  });
});
