import { createWriteStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import SqliteDatabase from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SlingConfig } from '../../src/discovery/pipeline-config.ts';
import type { PlannedAsset } from '../../src/plan/run-plan.ts';
import { slingRunner } from '../../src/runners/sling.ts';
import { dayPartition, StepFolder, type StepOutcome, stepSpec } from '../helpers/run-step-command.ts';
import { ROOT, testTools } from '../helpers/tool-environments.ts';

beforeAll(async () => void (await testTools()));

const FIXTURE = join(ROOT, 'fixtures/repo/pipelines/sling/shop_files');
const SLING: SlingConfig = { replication: 'replication.yaml', streams: [], assetPer: 'stream' };
const env = { SHOP_SQLITE: 'sqlite://shop.db' };

function assets(...streams: string[]): PlannedAsset[] {
  return streams.map((resource) => ({
    key: `sling_shop_files/${resource.replace(/^.*\/|\.csv$/g, '')}`,
    resource,
    partitions: { kind: 'none' },
    blockingChecks: [],
    codeVersion: '1',
  }));
}

function query(folder: StepFolder, sql: string, file = 'shop.db'): unknown[][] {
  const database = new SqliteDatabase(join(folder.work, file));
  try {
    return database.prepare(sql).raw().all() as unknown[][];
  } finally {
    database.close();
  }
}

const ALL = assets('file://data/stores.csv', 'file://data/price_list.csv', 'file://data/stock_levels.csv');

describe('streams of files into SQLite', () => {
  it('load what SQLite counts; again, the incremental one only what is new; a full refresh everything', async () => {
    const folder = await StepFolder.create(FIXTURE);
    const spec = stepSpec('sling', { sling: SLING }, { assets: ALL });
    const first = await folder.run(slingRunner, spec, { env });
    expect(first.end, first.stderr).toMatchObject({ status: 'ok' });
    for (const table of ['stores', 'price_list', 'stock_levels']) {
      const [[rows]] = query(folder, `select count(*) from ${table}`) as [[number]];
      expect(rows).toBeGreaterThan(0);
      expect(first.materialized[`sling_shop_files/${table}`]).toMatchObject({
        rows,
        bytes: (await stat(join(folder.tree, `data/${table}.csv`))).size,
        tables: { [`main.${table}`]: { rows } },
        destination: 'sqlite',
        dataset: 'main',
      });
    }
    const newest = query(folder, 'select max(updated_at) from stock_levels')[0]![0];
    expect(first.materialized['sling_shop_files/stock_levels']?.cursor).toEqual({ updated_at: newest });

    const before = query(folder, 'select count(*) from stock_levels')[0]![0] as number;
    const csv = await readFile(join(folder.tree, 'data/stock_levels.csv'), 'utf8');
    await folder.write('data/stock_levels.csv', `${csv.trimEnd()}\n900001,1,SKU-001,5,2027-01-01 00:00:00\n`);
    const second = await folder.run(slingRunner, { ...spec, ref: { ...spec.ref, runId: 'run-2' } }, { env });
    expect(second.materialized['sling_shop_files/stock_levels']?.rows).toBe(1);
    expect(query(folder, 'select count(*) from stock_levels')).toEqual([[before + 1]]);

    const refresh = stepSpec(
      'sling',
      { sling: SLING },
      { assets: ALL.slice(2), fullRefresh: true, runId: 'run-3' },
    );
    const third = await folder.run(slingRunner, refresh, { env });
    expect(third.materialized).toEqual({
      'sling_shop_files/stock_levels': expect.objectContaining({ rows: before + 1, full_refresh: true }),
    });
    expect(query(folder, 'select count(*) from stock_levels')).toEqual([[before + 1]]);
  });

  it('as one asset: rows of all of them', async () => {
    const folder = await StepFolder.create(FIXTURE);
    const outcome = await folder.run(
      slingRunner,
      stepSpec('sling', { sling: { ...SLING, assetPer: 'replication' } }),
      { env },
    );
    const rows = query(
      folder,
      'select (select count(*) from stores) + (select count(*) from price_list) + (select count(*) from stock_levels)',
    )[0]![0];
    expect(outcome.materialized.sling_shop?.rows).toBe(rows);
  });

  it('A11: counts only the line that says what was written', async () => {
    const folder = await StepFolder.create({
      'replication.yaml':
        'source: LOCAL\ntarget: SHOP_SQLITE\nstreams: {"file://rows.csv": {object: main.rows, mode: full-refresh}}\n',
      'rows.csv': 'id,text\n1,"99 rows in here"\n2,b\n',
    });
    const outcome = await folder.run(
      slingRunner,
      stepSpec('sling', { sling: SLING }, { assets: assets('file://rows.csv') }),
      { env },
    );
    expect(outcome.materialized['sling_shop_files/rows']?.rows).toBe(2);
  });
});

describe('partitions', () => {
  const HOURS = Array.from(
    { length: 72 },
    (_, hour) =>
      `${hour},${new Date(Date.parse('2026-01-02T00:00:00Z') + hour * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')}`,
  );
  const files = {
    'seed.yaml':
      'source: LOCAL\ntarget: SHOP_SQLITE\nstreams: {"file://hours.csv": {object: main.hours, mode: full-refresh}}\n',
    'replication.yaml': `source: SHOP_SQLITE
target: OUT_SQLITE
streams:
  main.hours: { object: main.hours, mode: incremental, primary_key: [id], update_key: at }
  picked: { sql: "select * from hours where at >= '{START}' and at < '{END}'", object: main.picked, mode: full-refresh }
`,
    'hours.csv': `id,at\n${HOURS.join('\n')}\n`,
  };
  const both = { ...env, OUT_SQLITE: 'sqlite://out.db' };

  it('take [start, end) of a table and of an own query, twice without doubling', async () => {
    const folder = await StepFolder.create(files);
    await folder.run(
      slingRunner,
      stepSpec(
        'sling',
        { sling: { ...SLING, replication: 'seed.yaml' } },
        { assets: assets('file://hours.csv') },
      ),
      { env: both },
    );
    const planned = assets('main.hours', 'picked');
    for (const runId of ['run-1', 'run-2']) {
      const outcome = await folder.run(
        slingRunner,
        stepSpec('sling', { sling: SLING }, { assets: planned, runId, ...dayPartition('2026-01-03') }),
        { env: both },
      );
      expect(outcome.end, outcome.stderr).toMatchObject({ status: 'ok' });
      expect(planned.map(({ key }) => outcome.materialized[key]?.rows)).toEqual([24, 24]);
      expect(query(folder, 'select count(*), min(at), max(at) from hours', 'out.db')).toEqual([
        [24, expect.stringContaining('2026-01-03 00:00:00'), expect.stringContaining('2026-01-03 23:00:00')],
      ]);
      expect(query(folder, 'select count(*) from picked', 'out.db')).toEqual([[24]]);
    }
  });
});

it('loads each key of a range that is no stretch of time by itself', async () => {
  const folder = await StepFolder.create({
    'replication.yaml':
      'source: LOCAL\ntarget: SHOP_SQLITE\nstreams: {regions: {sql: "x", object: main.x, disabled: true}, "file://{PARTITION_KEY}.csv": {object: "main.{PARTITION_KEY}", mode: full-refresh}}\n',
    'us.csv': 'id\n1\n',
    'eu.csv': 'id\n1\n2\n',
  });
  const spec = stepSpec(
    'sling',
    { sling: { ...SLING, assetPer: 'replication' }, partitions: { kind: 'static', keys: ['us', 'eu'] } },
    { partitions: { kind: 'range', start: 'us', end: 'eu' }, partitionKeys: ['us', 'eu'] },
  );
  const outcome = await folder.run(slingRunner, spec, { env });
  expect(outcome.end, outcome.stderr).toMatchObject({ status: 'ok' });
  const reported = outcome.events.filter((event) => event.type === 'materialization');
  expect(reported.map((event) => [event.partition, (event.metadata as { rows: number }).rows])).toEqual([
    ['us', 1],
    ['eu', 2],
  ]);
  expect(query(folder, 'select (select count(*) from us), (select count(*) from eu)')).toEqual([[1, 2]]);
});

describe('failures', () => {
  const run = async (
    yaml: string,
    files: Record<string, string>,
    extra: Record<string, string>,
  ): Promise<StepOutcome> => {
    const folder = await StepFolder.create({ 'replication.yaml': yaml, ...files });
    const spec = stepSpec('sling', { sling: SLING }, { assets: assets('file://a.csv') });
    return folder.run(slingRunner, spec, { env: { ...env, ...extra } });
  };

  it.each([
    [
      'a connection that is not set',
      'source: LOCAL\ntarget: NOPE_DB\nstreams: {"file://a.csv": {object: main.a}}\n',
      'config',
      'file://a.csv: replication.yaml uses the connection NOPE_DB, which is not set: add the line NOPE_DB=… to .env',
    ],
    [
      'a variable of the env block',
      'source: LOCAL\ntarget: SHOP_SQLITE\nenv: {A: $REGION}\nstreams: {"file://a.csv": {object: "main.{A}"}}\n',
      'config',
      'replication.yaml reads REGION, which is not set: add the line REGION=… to .env',
    ],
    [
      'a stream that is not there',
      'source: LOCAL\ntarget: SHOP_SQLITE\nstreams: {"file://b.csv": {object: main.b}}\n',
      'config',
      expect.stringContaining('has no stream file://a.csv'),
    ],
    [
      'a server that is down',
      'source: LOCAL\ntarget: PG\nstreams: {"file://a.csv": {object: main.a}}\n',
      'transient',
      expect.stringContaining('connection refused'),
    ],
    [
      'a file that is not there',
      'source: LOCAL\ntarget: SHOP_SQLITE\nstreams: {"file://a.csv": {object: main.a}}\n',
      'user',
      expect.stringMatching(/^file:\/\/a\.csv: Error listing a\.csv; .*no such file or directory$/),
      {},
    ],
  ])('%s', async (_, yaml, failureClass, message, files: Record<string, string> = { 'a.csv': 'id\n1\n' }) => {
    const outcome = await run(yaml, files, { PG: 'postgres://u:secretpw@127.0.0.1:9/x' });
    expect(outcome.exitCode).toBe(1);
    expect(outcome.end).toMatchObject({
      status: 'failed',
      failure_class: failureClass,
      error: { message },
      unfinished_assets: ['sling_shop_files/a'],
    });
    expect(outcome.materialized).toEqual({});
  });

  it('of one stream leave the others loaded; a retry runs only the rest', async () => {
    const folder = await StepFolder.create({
      'replication.yaml':
        'source: LOCAL\ntarget: SHOP_SQLITE\ndefaults: {mode: snapshot}\nstreams: {"file://a.csv": {object: main.a}, "file://b.csv": {object: main.b}}\n',
      'a.csv': 'id\n1\n2\n',
    });
    const spec = stepSpec('sling', { sling: { ...SLING, assetPer: 'replication' } });
    const first = await folder.run(slingRunner, spec, { env });
    expect(first.end).toMatchObject({ status: 'failed', unfinished_assets: ['sling_shop'] });
    await folder.write('b.csv', 'id\n1\n');
    const retry = await folder.run(slingRunner, { ...spec, ref: { ...spec.ref, attempt: 2 } }, { env });
    expect(retry.materialized.sling_shop?.rows).toBe(3);
    expect(query(folder, 'select (select count(*) from a), (select count(*) from b)')).toEqual([[2, 1]]);
  });

  it('a locked database is busy', async () => {
    const folder = await StepFolder.create(FIXTURE);
    const database = new SqliteDatabase(join(folder.work, 'shop.db'));
    database.exec('begin exclusive');
    const outcome = await folder.run(
      slingRunner,
      stepSpec('sling', { sling: SLING }, { assets: ALL.slice(0, 1) }),
      { env },
    );
    database.close();
    expect(outcome.end).toMatchObject({ status: 'failed', failure_class: 'resource_busy' });
  });

  it('cancelled by SIGINT to the whole group: says so and leaves no temporary table', async () => {
    const folder = await StepFolder.create({
      'replication.yaml':
        'source: LOCAL\ntarget: SHOP_SQLITE\nstreams: {"file://big.csv": {object: main.big, mode: full-refresh}}\n',
    });
    const big = createWriteStream(join(folder.tree, 'big.csv'));
    big.write('id,name\n');
    for (let block = 0; block < 400; block++) big.write(`${block},${'x'.repeat(50)}\n`.repeat(5_000));
    big.end();
    await finished(big);
    const outcome = await folder.run(
      slingRunner,
      stepSpec('sling', { sling: SLING }, { assets: assets('file://big.csv') }),
      {
        env,
        onOutput: (text, kill) => text.includes('streaming data') && kill('SIGINT'),
      },
    );
    expect(outcome.exitCode).toBe(130);
    expect(outcome.end).toMatchObject({ status: 'cancelled', unfinished_assets: ['sling_shop_files/big'] });
    expect(query(folder, "select name from sqlite_master where name like 'big%'")).toEqual([]);
  });
});
