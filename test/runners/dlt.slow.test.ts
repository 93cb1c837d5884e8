import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DltConfig } from '../../src/discovery/pipeline-config.ts';
import type { PlannedAsset } from '../../src/plan/run-plan.ts';
import { dltRunner } from '../../src/runners/dlt.ts';
import { duckdbCount, duckdbRows } from '../helpers/duckdb.ts';
import { dayPartition, StepFolder, type StepOutcome, stepSpec } from '../helpers/run-step-command.ts';
import { ROOT, testTools } from '../helpers/tool-environments.ts';

beforeAll(async () => void (await testTools()));

const FIXTURES = join(ROOT, 'fixtures/repo/pipelines/dlt');
const DLT: DltConfig = {
  script: 'pipeline.py',
  sourceArgs: {},
  resources: [],
  assetPer: 'pipeline',
  incremental: {},
};

function assets(...resources: string[]): PlannedAsset[] {
  return resources.map((resource) => ({
    key: `dlt_shop/${resource}`,
    resource,
    partitions: { kind: 'none' },
    blockingChecks: [],
    codeVersion: '1',
  }));
}

const perResource: DltConfig = { ...DLT, assetPer: 'resource' };

describe('run(partition_key=…)', () => {
  it('loads one day, the same day again without doubling it, and reports what DuckDB counts', async () => {
    const folder = await StepFolder.create(join(FIXTURES, 'orders'));
    const env = { DUCKDB_DATABASE: join(folder.root, 'shop.duckdb') };
    const spec = stepSpec('dlt', { dlt: DLT }, dayPartition('2026-01-05'));
    for (const runId of ['run-1', 'run-2']) {
      const outcome = await folder.run(dltRunner, { ...spec, ref: { ...spec.ref, runId } }, { env });
      expect(outcome.end, outcome.stderr).toMatchObject({ type: 'end', status: 'ok' });
      expect(outcome.exitCode).toBe(0);
      const rows = await duckdbCount(env.DUCKDB_DATABASE, 'select count(*) from raw_orders.orders');
      const items = await duckdbCount(env.DUCKDB_DATABASE, 'select count(*) from raw_orders.orders__items');
      expect(rows).toBeGreaterThan(0);
      const metadata = outcome.materialized.dlt_shop!;
      expect(metadata).toMatchObject({
        rows,
        tables: { orders: { rows }, orders__items: { rows: items } },
        destination: 'duckdb',
        dataset: 'raw_orders',
      });
      expect(metadata.bytes).toBeGreaterThan(0);
      expect(metadata.rows_per_second).toBeGreaterThan(0);
      expect(metadata.load_ids).toHaveLength(1);
      const added = (metadata.schema_changes as { table: string }[] | undefined) ?? [];
      expect(added.map((change) => change.table).includes('orders')).toBe(runId === 'run-1');
      expect(
        outcome.events.filter((event) => event.type === 'stage_end').map((event) => event.stage),
      ).toEqual(['extract', 'normalize', 'load']);
    }
  });

  it('loads every day of a range in order, each as its own materialization', async () => {
    const folder = await StepFolder.create(join(FIXTURES, 'orders'));
    const env = { DUCKDB_DATABASE: join(folder.root, 'shop.duckdb') };
    const [start, end] = ['2026-01-05', '2026-01-07'];
    const spec = stepSpec(
      'dlt',
      {
        dlt: DLT,
        partitions: {
          kind: 'time',
          start: '2026-01-01',
          end: '2026-02-01',
          cron: '0 0 * * *',
          timezone: 'UTC',
          fmt: '%Y-%m-%d',
          endOffset: 0,
          exclusions: [],
        },
      },
      // As for a long range: only its ends are spelled out.
      {
        partitions: { kind: 'range', start, end },
        partitionKeys: [start, end],
        window: { start: Date.parse(start), end: Date.parse('2026-01-08') },
      },
    );
    const outcome = await folder.run(dltRunner, spec, { env });
    expect(outcome.end, outcome.stderr).toMatchObject({ status: 'ok' });
    const reported = outcome.events.filter((event) => event.type === 'materialization');
    const counted = await duckdbRows(
      env.DUCKDB_DATABASE,
      'select order_date, count(*) from raw_orders.orders group by 1 order by 1',
    );
    expect(reported.map((event) => [event.partition, (event.metadata as { rows: number }).rows])).toEqual(
      counted,
    );
    expect(counted.map(([day]) => day)).toEqual(['2026-01-05', '2026-01-06', '2026-01-07']);
  });

  it('is called without a parameter that it does not have', async () => {
    const folder = await StepFolder.create({
      'pipeline.py': `import os, dlt
def run():
    pipeline = dlt.pipeline("plain", destination="duckdb", dataset_name="raw")
    pipeline.run([{"key": os.environ["ELT_PARTITION_KEY"]}], table_name="keys", write_disposition="replace")
if __name__ == "__main__":
    raise RuntimeError("the script itself must not run")
`,
    });
    const spec = stepSpec(
      'dlt',
      { dlt: DLT },
      { partitions: { kind: 'key', key: 'us-east' }, partitionKeys: ['us-east'] },
    );
    const outcome = await folder.run(dltRunner, spec);
    expect(outcome.end, outcome.stderr).toMatchObject({ status: 'ok' });
    // dlt's default database lies in the durable working directory, the tree stays as it was.
    expect(await duckdbRows(join(folder.work, 'plain.duckdb'), 'select key from raw.keys')).toEqual([
      ['us-east'],
    ]);
  });
});

describe('a plain script with several resources', () => {
  it('loads incrementally: the second run only what is new, a full refresh everything', async () => {
    const folder = await StepFolder.create(join(FIXTURES, 'shop_events'));
    const env = { DUCKDB_DATABASE: join(folder.root, 'shop.duckdb') };
    const spec = stepSpec('dlt', { dlt: perResource }, { assets: assets('page_views', 'cart_events') });
    const count = (): Promise<number> =>
      duckdbCount(env.DUCKDB_DATABASE, 'select count(*) from raw_events.page_views');

    const first = await folder.run(dltRunner, spec, { env });
    expect(first.end, first.stderr).toMatchObject({ status: 'ok' });
    const all = await count();
    expect(first.materialized['dlt_shop/page_views']).toMatchObject({
      rows: all,
      cursor: { occurred_at: expect.stringContaining('2026-01') },
    });
    expect(first.materialized['dlt_shop/cart_events']?.rows).toBe(
      await duckdbCount(env.DUCKDB_DATABASE, 'select count(*) from raw_events.cart_events'),
    );

    await folder.write(
      'data/2026-02-01.jsonl',
      `${JSON.stringify({ event_id: 900001, type: 'page_view', occurred_at: '2026-02-01T10:00:00Z' })}\n`,
    );
    const second = await folder.run(dltRunner, { ...spec, ref: { ...spec.ref, runId: 'run-2' } }, { env });
    expect(second.end, second.stderr).toMatchObject({ status: 'ok' });
    expect(second.materialized['dlt_shop/page_views']?.rows).toBe(1);
    expect(await count()).toBe(all + 1);
    expect(second.materialized['dlt_shop/cart_events']?.rows).toBe(0);

    const views = {
      ...spec,
      assets: assets('page_views'),
      fullRefresh: true,
      ref: { ...spec.ref, runId: 'run-3' },
    };
    const third = await folder.run(dltRunner, views, { env });
    expect(third.materialized).toEqual({
      'dlt_shop/page_views': expect.objectContaining({ rows: all + 1, full_refresh: true }),
    });
    expect(await count()).toBe(all + 1);
    expect(
      await duckdbCount(env.DUCKDB_DATABASE, 'select count(*) from raw_events.cart_events'),
    ).toBeGreaterThan(0);
  });

  it('gives the window of a partition to the cursor, whose own state stays', async () => {
    const folder = await StepFolder.create(join(FIXTURES, 'shop_events'));
    const env = { DUCKDB_DATABASE: join(folder.root, 'shop.duckdb') };
    const spec = stepSpec(
      'dlt',
      { dlt: perResource },
      { assets: assets('page_views'), ...dayPartition('2026-01-14') },
    );
    const outcome = await folder.run(dltRunner, spec, { env });
    expect(outcome.end, outcome.stderr).toMatchObject({ status: 'ok' });
    const rows = await duckdbRows(
      env.DUCKDB_DATABASE,
      `select count(*), count(*) filter (where occurred_at >= '2026-01-14T00:00:00Z' and occurred_at < '2026-01-15T00:00:00Z') from raw_events.page_views`,
    );
    expect(rows[0]![0]).toBe(rows[0]![1]);
    expect(outcome.materialized['dlt_shop/page_views']?.rows).toBe(rows[0]![0]);
    expect(outcome.materialized['dlt_shop/page_views']).not.toHaveProperty('cursor');
    const again = await folder.run(dltRunner, { ...spec, ref: { ...spec.ref, runId: 'run-2' } }, { env });
    expect(again.events).toContainEqual(
      expect.objectContaining({
        type: 'log',
        level: 'warning',
        message: expect.stringContaining('2026-01-14 had been loaded before'),
      }),
    );
  });

  it('names a resource that is not there instead of succeeding with nothing', async () => {
    const folder = await StepFolder.create(join(FIXTURES, 'shop_events'));
    const spec = stepSpec('dlt', { dlt: perResource }, { assets: assets('pageviews') });
    const outcome = await folder.run(dltRunner, spec, {
      env: { DUCKDB_DATABASE: join(folder.root, 'shop.duckdb') },
    });
    expect(outcome.exitCode).toBe(1);
    expect(outcome.end).toMatchObject({
      status: 'failed',
      failure_class: 'config',
      error: { message: 'the folder has no resource pageviews; it offers: cart_events, page_views' },
    });
    expect(outcome.materialized).toEqual({});
  });
});

describe('the incremental start and end of a resource', () => {
  const SCRIPT = {
    'pipeline.py': `
import dlt
from datetime import datetime, timedelta

@dlt.resource(name="user-issues", write_disposition="append")
def issues(updated_at=dlt.sources.incremental("updated_at", initial_value="2026-01-01T00:00:00Z", row_order="ASC")):
    start = datetime(2026, 1, 1)
    for hour in range(240):
        yield {"id": hour, "updated_at": (start + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ")}

if __name__ == "__main__":
    dlt.pipeline("p", destination=dlt.destinations.duckdb("shop.duckdb"), dataset_name="raw").run(issues())
`,
  };
  const spec = stepSpec('dlt', { dlt: perResource }, { assets: assets('user-issues') });
  const extract = (outcome: StepOutcome): unknown =>
    outcome.events.find((event) => event.type === 'stage_end' && event.stage === 'extract')?.metadata;
  const span = (folder: StepFolder): Promise<unknown[][]> =>
    duckdbRows(join(folder.work, 'shop.duckdb'), 'select count(*), min(id), max(id) from raw.user_issues');

  it('come from variables; both given, reading stops at the end; a normal run is not moved by them', async () => {
    const folder = await StepFolder.create(SCRIPT);
    const env = {
      USER_ISSUES_INITIAL_VALUE: '2026-01-03T00:00:00Z',
      USER_ISSUES_END_VALUE: '2026-01-04T00:00:00Z',
    };
    const backfill = await folder.run(dltRunner, spec, { env });
    expect(backfill.end, backfill.stderr).toMatchObject({ status: 'ok' });
    expect(await span(folder)).toEqual([[24, 48, 71]]);
    // 240 rows lie at the source; "ASC" in capitals would have read all of them.
    expect(extract(backfill)).toMatchObject({ rows: 24, scanned: { 'user-issues': 73 } });

    const later = { USER_ISSUES_INITIAL_VALUE: '2026-01-10T00:00:00Z' };
    const normal = await folder.run(
      dltRunner,
      { ...spec, ref: { ...spec.ref, runId: 'run-2' } },
      { env: later },
    );
    expect(normal.materialized['dlt_shop/user-issues']).toMatchObject({
      rows: 24,
      cursor: { updated_at: '2026-01-10T23:00:00Z' },
    });
    expect(await span(folder)).toEqual([[48, 48, 239]]);
  });

  it.each([
    ['as the default of an argument', 'issues()'],
    ['of a resource that is not called', 'issues'],
    [
      'given in the call',
      'issues(updated_at=dlt.sources.incremental("updated_at", initial_value="2025-01-01T00:00:00Z"))',
    ],
    ['through a source', 'dlt.source(lambda: [issues], name="tracker")()'],
  ])("come from a partition, in the shape of the cursor's own texts: %s", async (_, data) => {
    const folder = await StepFolder.create({
      'pipeline.py': SCRIPT['pipeline.py'].replace('issues())', `${data})`),
    });
    const outcome = await folder.run(dltRunner, { ...spec, ...dayPartition('2026-01-02') });
    expect(outcome.end, outcome.stderr).toMatchObject({ status: 'ok' });
    expect(await span(folder)).toEqual([[24, 24, 47]]);
  });
});

it('loads selected resources of a declared source into the shared file', async () => {
  const folder = await StepFolder.create(join(FIXTURES, 'shop_catalog'));
  const env = { DUCKDB_DATABASE: join(folder.root, 'shared.duckdb') };
  const config: DltConfig = {
    ...perResource,
    sourceModule: 'catalog',
    sourceName: 'shop_catalog',
    sourceArgs: { currency: 'USD' },
    destination: 'duckdb',
    datasetName: 'raw_catalog',
    pipelineName: 'shop_catalog',
  };
  const spec = stepSpec('dlt', { dlt: config }, { assets: assets('products', 'suppliers') });
  const outcome = await folder.run(dltRunner, spec, { env });
  expect(outcome.end, outcome.stderr).toMatchObject({ status: 'ok' });
  const products = await duckdbRows(
    env.DUCKDB_DATABASE,
    'select count(*), min(currency) from raw_catalog.products',
  );
  expect(products).toEqual([[outcome.materialized['dlt_shop/products']?.rows, 'USD']]);
  const tables = await duckdbRows(
    env.DUCKDB_DATABASE,
    `select table_name from information_schema.tables where table_schema = 'raw_catalog' and table_name not like '\\_%' escape '\\' order by 1`,
  );
  expect(tables).toEqual([['products'], ['suppliers']]);
});

it('loads what definitions.py configures, each schema into its own dataset', async () => {
  const folder = await StepFolder.create({
    'definitions.py': `import dlt
from data_platform.dlt import ConfigurableDltResource
from .data import get_numbers

ConfigurableDltResource.config(
    dlt.resource(get_numbers(3), name="shop.orders", table_name="orders", primary_key="id", write_disposition="merge"),
    kinds={"api"},
    meta={"dagster": {"automation_condition": "on_schedule"}},
)
ConfigurableDltResource.config(dlt.resource(get_numbers(4), name="crm.people", table_name="people"), kinds={"api"})
`,
    'data.py': `def get_numbers(count):
    def numbers():
        yield from ({"id": n} for n in range(count))
    return numbers
`,
  });
  const env = { DUCKDB_DATABASE: join(folder.root, 'shared.duckdb') };
  const config: DltConfig = { ...perResource, script: 'definitions.py' };
  const outcome = await folder.run(
    dltRunner,
    stepSpec('dlt', { dlt: config }, { assets: assets('shop.orders', 'crm.people') }),
    { env },
  );
  expect(outcome.end, outcome.stderr).toMatchObject({ status: 'ok' });
  expect(
    await duckdbRows(
      env.DUCKDB_DATABASE,
      'select (select count(*) from shop.orders), (select count(*) from crm.people)',
    ),
  ).toEqual([[3, 4]]);
  expect(outcome.materialized['dlt_shop/shop.orders']).toMatchObject({ rows: 3, dataset: 'shop' });
  expect(outcome.materialized['dlt_shop/crm.people']).toMatchObject({ rows: 4, dataset: 'crm' });
});

describe('failures', () => {
  const script = (body: string): Record<string, string> => ({ 'pipeline.py': `import dlt, os\n${body}` });

  it.each([
    [
      'a secret that is not set names the line for .env',
      `
@dlt.source(name="github")
def github(api_key: str = dlt.secrets.value):
    return dlt.resource([{"a": 1}], name="issues")
dlt.pipeline("p", destination="duckdb", dataset_name="raw").run(github())
`,
      {
        failure_class: 'config',
        error: {
          name: 'ConfigFieldMissingException',
          message: expect.stringMatching(
            /api_key, which is not set: add the line SOURCES__.*API_KEY=… to \.env$/,
          ),
          file: 'pipeline.py',
          line: 6,
        },
      },
    ],
    [
      'a variable that the script reads',
      'def run():\n    return os.environ["SHOP_TOKEN"]\n',
      {
        failure_class: 'config',
        error: {
          message: expect.stringContaining(
            'pipeline.py:3 reads the variable SHOP_TOKEN, which is not set: add the line SHOP_TOKEN=… to .env',
          ),
          line: 3,
        },
      },
    ],
    [
      "an error inside a generator has the user's frame",
      `
@dlt.resource
def orders():
    yield {"id": 1}
    raise ValueError("row 2 is broken")
dlt.pipeline("p", destination="duckdb", dataset_name="raw").run(orders())
`,
      {
        failure_class: 'user',
        error: { name: 'ValueError', message: 'row 2 is broken', file: 'pipeline.py', line: 6 },
      },
    ],
    [
      'a network that is not there is worth a retry',
      `
import urllib.request
def run(partition_key=None):
    urllib.request.urlopen("http://127.0.0.1:9/orders")
`,
      { failure_class: 'transient', error: { file: 'pipeline.py', line: 5 } },
    ],
    [
      'a missing package',
      'import no_such_package\n',
      { failure_class: 'config', error: { message: expect.stringContaining('requirements.txt'), line: 2 } },
    ],
    [
      'a syntax error',
      'def run(:\n',
      { failure_class: 'config', error: { name: 'SyntaxError', file: 'pipeline.py', line: 2 } },
    ],
    [
      'an exit code',
      'raise SystemExit(3)\n',
      { failure_class: 'user', error: { message: 'pipeline.py ended with exit code 3' } },
    ],
    [
      'data that breaks a contract',
      `
@dlt.resource(schema_contract={"columns": "freeze"}, columns={"id": {"data_type": "bigint"}})
def orders():
    yield {"id": 1}
def run():
    p = dlt.pipeline("p", destination="duckdb", dataset_name="raw")
    p.run(orders())
    p.run(dlt.resource([{"id": 2, "extra": "x"}], name="orders", schema_contract={"columns": "freeze"}))
`,
      { failure_class: 'data', error: { name: 'DataValidationError' } },
    ],
  ])('%s', async (_, body, expected) => {
    const folder = await StepFolder.create(script(body));
    const outcome = await folder.run(dltRunner, stepSpec('dlt', { dlt: DLT }));
    expect(outcome.exitCode).toBe(1);
    expect(outcome.end).toMatchObject({ status: 'failed', unfinished_assets: ['dlt_shop'], ...expected });
    expect(outcome.materialized).toEqual({});
  });

  it('a locked database file is busy, and the retry loads once', async () => {
    const folder = await StepFolder.create(join(FIXTURES, 'orders'));
    const { python } = await testTools();
    const env = { DUCKDB_DATABASE: join(folder.root, 'shop.duckdb') };
    const holder = spawn(python, [
      '-c',
      'import duckdb, sys; db = duckdb.connect(sys.argv[1]); print("held", flush=True); sys.stdin.read()',
      env.DUCKDB_DATABASE,
    ]);
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const spec = stepSpec('dlt', { dlt: DLT }, dayPartition('2026-01-05'));
    const busy = await folder.run(dltRunner, spec, { env });
    expect(busy.end).toMatchObject({ status: 'failed', failure_class: 'resource_busy' });
    holder.kill('SIGKILL');
    await new Promise((resolve) => holder.once('close', resolve));
    const retry = await folder.run(dltRunner, { ...spec, ref: { ...spec.ref, attempt: 2 } }, { env });
    expect(retry.materialized.dlt_shop?.rows).toBe(
      await duckdbCount(env.DUCKDB_DATABASE, 'select count(*) from raw_orders.orders'),
    );
  });
});

describe('E1: an attempt that ends in the middle', () => {
  /** Appends two tables with one call each; waits in the middle of a load until it is killed, if told to. */
  const APPENDING = {
    'pipeline.py': `
import os, time, dlt

def run(partition_key):
    pipeline = dlt.pipeline("p", destination=dlt.destinations.duckdb("shop.duckdb"), dataset_name="raw")
    pipeline.run([{"day": partition_key, "n": n} for n in range(3)], table_name="first", write_disposition="append")
    if os.environ.get("STOP") == "extracted":
        original = pipeline.load
        def load(*args, **kwargs):
            print("ready to be killed", flush=True)
            time.sleep(60)
        pipeline.load = load
    pipeline.run([{"day": partition_key, "n": n} for n in range(5)], table_name="second", write_disposition="append")
    if os.environ.get("STOP") == "loaded":
        print("ready to be killed", flush=True)
        time.sleep(60)
`,
  };
  const counts = (folder: StepFolder): Promise<unknown[][]> =>
    duckdbRows(
      join(folder.work, 'shop.duckdb'),
      'select (select count(*) from raw.first), (select count(*) from raw.second)',
    );

  it.each(['extracted', 'loaded'])(
    'killed when %s: the retry neither loses nor doubles an appended row',
    async (stop) => {
      const folder = await StepFolder.create(APPENDING);
      const spec = stepSpec('dlt', { dlt: DLT }, dayPartition('2026-01-05'));
      const killed = await folder.run(dltRunner, spec, {
        env: { STOP: stop },
        onOutput: (text, kill) => text.includes('ready to be killed') && kill('SIGKILL'),
      });
      expect(killed.signal).toBe('SIGKILL');
      expect(killed.end).toBeUndefined();
      const retry = await folder.run(dltRunner, { ...spec, ref: { ...spec.ref, attempt: 2 } });
      expect(retry.end, retry.stderr).toMatchObject({ status: 'ok' });
      expect(await counts(folder)).toEqual([[3, 5]]);
      expect(retry.materialized.dlt_shop).toMatchObject({
        rows: 8,
        tables: { first: { rows: 3 }, second: { rows: 5 } },
      });

      const next = await folder.run(dltRunner, {
        ...stepSpec('dlt', { dlt: DLT }, dayPartition('2026-01-06')),
        ref: { ...spec.ref, runId: 'run-2' },
      });
      expect(next.end).toMatchObject({ status: 'ok' });
      expect(await counts(folder)).toEqual([[6, 10]]);
    },
  );

  it('cancelled by SIGTERM in user code: ends at once, says so, and reports nothing', async () => {
    const folder = await StepFolder.create({
      'pipeline.py': `
import time, dlt
@dlt.resource
def slow():
    yield {"id": 1}
    print("waiting", flush=True)
    time.sleep(60)
    yield {"id": 2}
dlt.pipeline("p", destination="duckdb", dataset_name="raw").run(slow())
`,
    });
    const outcome = await folder.run(dltRunner, stepSpec('dlt', { dlt: DLT }), {
      onOutput: (text, kill) => text.includes('waiting') && kill('SIGTERM'),
    });
    expect(outcome.exitCode).toBe(143);
    expect(outcome.end).toMatchObject({ status: 'cancelled', unfinished_assets: ['dlt_shop'] });
    expect(outcome.materialized).toEqual({});
  });
});

it('passes on output that is not UTF-8 untouched', async () => {
  const folder = await StepFolder.create({
    'pipeline.py': `import sys, dlt
def run():
    sys.stdout.buffer.write(b"caf\\xe9\\n")
    dlt.pipeline("p", destination="duckdb", dataset_name="raw").run([{"a": 1}], table_name="t")
`,
  });
  const outcome = await folder.run(dltRunner, stepSpec('dlt', { dlt: DLT }));
  expect(outcome.end).toMatchObject({ status: 'ok' });
  expect(outcome.stdout.includes(Buffer.from([0x63, 0x61, 0x66, 0xe9]))).toBe(true);
});

it('says so when the environment of the folder has no dlt', async () => {
  const folder = await StepFolder.create({ 'pipeline.py': 'def run(): pass\n' });
  const { basePython } = await testTools();
  const outcome = await folder.run(dltRunner, stepSpec('dlt', { dlt: DLT }), { python: basePython });
  expect(outcome.exitCode).toBe(1);
  expect(outcome.end).toMatchObject({
    status: 'failed',
    failure_class: 'config',
    error: {
      message:
        "No module named 'dlt': the folder's environment lacks what dlt needs; add it to requirements.txt",
    },
  });
});
