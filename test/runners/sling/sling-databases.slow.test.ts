import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../helpers/postgres.ts';
import { dayPartition } from '../../helpers/run-step-command.ts';
import { SlingWorld } from '../../helpers/sling-world.ts';

let postgres: TestPostgres;
let skip: string | null = null;

beforeAll(async () => {
  const started = await startPostgres();
  if ('skip' in started) skip = started.skip;
  else postgres = started;
});
afterAll(() => (skip === null ? postgres.stop() : undefined));

const ORDERS = Array.from({ length: 40 }, (_, id) => ({ id, store: id % 3 === 0 ? 'north "1"' : 'süd,2' }));
const FILES = {
  'orders.csv': `id,store\n${ORDERS.map(({ id, store }) => `${id},"${store.replaceAll('"', '""')}"`).join('\n')}\n`,
  'orders.jsonl': ORDERS.map((order) => `${JSON.stringify(order)}\n`).join(''),
};

it('files, Postgres and SQLite, both ways: the same rows everywhere', async (ctx) => {
  if (skip !== null) return ctx.skip(skip);
  const world = await SlingWorld.create(postgres, FILES);
  const steps = [
    ['LOCAL', 'PG', { 'file://orders.csv': 'public.from_csv', 'file://orders.jsonl': 'public.from_json' }],
    ['PG', 'LITE', { 'public.from_csv': 'main.orders' }],
    ['LITE', 'PG', { 'main.orders': 'public.back' }],
    ['PG', 'LOCAL', { 'public.back': 'file://out.csv', 'public.from_json': 'file://out.jsonl' }],
  ] as const;
  for (const [source, target, streams] of steps) {
    // Else a line of JSON is one column of JSON.
    const flat = 'source_options: { flatten: true }';
    const lines = Object.entries(streams).map(
      ([name, object]) => `  "${name}": { object: "${object}", ${flat} }`,
    );
    const text = `source: ${source}\ntarget: ${target}\nstreams:\n${lines.join('\n')}\n`;
    const outcome = await world.run(text, Object.keys(streams));
    expect(outcome.end, outcome.stderr + outcome.stdout.toString()).toMatchObject({ status: 'ok' });
    for (const stream of Object.keys(streams))
      expect(outcome.materialized[`sling_shop/${stream}`]).toMatchObject({
        rows: 40,
        bytes: expect.any(Number),
      });
  }
  const wanted = ORDERS.map(({ id, store }) => [id, store]);
  for (const table of ['from_csv', 'from_json', 'back'])
    expect(await world.postgres(`select id, store from public.${table} order by id`)).toEqual(wanted);
  expect(world.sqlite('select id, store from orders order by id')).toEqual(wanted);
  const json = (await readFile(join(world.folder.work, 'out.jsonl'), 'utf8')).trim().split('\n');
  expect(json.map((line) => JSON.parse(line) as unknown)).toEqual(
    ORDERS.map((order): unknown => expect.objectContaining(order)),
  );
  expect((await readFile(join(world.folder.work, 'out.csv'), 'utf8')).trim().split('\n')).toHaveLength(41);
  expect((await stat(join(world.folder.work, 'out.csv'))).size).toBeGreaterThan(0);
}, 60_000);

describe('patterns', () => {
  it('one process for each table that is there now, with its own figures; named ones left out', async (ctx) => {
    if (skip !== null) return ctx.skip(skip);
    const world = await SlingWorld.create(postgres, {});
    await world.postgres(
      'drop schema if exists crm cascade',
      'create schema crm',
      'create table crm.people as select i as id from generate_series(1, 5) i',
      'create table crm."Odd Name" as select i as id from generate_series(1, 3) i',
      'create table crm.secret as select 1 as id',
    );
    const text =
      'source: PG\ntarget: LITE\ndefaults: { object: "main.{stream_table}" }\nstreams: { crm.*: , crm.secret: { disabled: true } }\n';
    const first = await world.run(text, ['crm.*']);
    expect(first.end, first.stderr + first.stdout.toString()).toMatchObject({ status: 'ok' });
    expect(first.materialized['sling_shop/crm.*']).toMatchObject({
      rows: 8,
      tables: {
        'main.people': { rows: 5, seconds: expect.any(Number), bytes: expect.any(Number) },
        'main.Odd_Name': { rows: 3 },
      },
    });
    await world.postgres('create table crm.added as select 1 as id');
    const second = await world.run(text, ['crm.*']);
    const stages = second.events
      .filter((event) => event.type === 'stage_end')
      .map((event) => String(event.stage));
    expect(new Set(stages)).toEqual(new Set(['"crm"."Odd Name"', 'crm.added', 'crm.people']));
    expect(world.sqlite("select name from sqlite_master where type = 'table' and name = 'secret'")).toEqual(
      [],
    );
  }, 60_000);

  it('that match nothing are a failure', async (ctx) => {
    if (skip !== null) return ctx.skip(skip);
    const world = await SlingWorld.create(postgres, {});
    const outcome = await world.run('source: PG\ntarget: LITE\nstreams: { nowhere.*: }\n', ['nowhere.*']);
    expect(outcome.end).toMatchObject({
      status: 'failed',
      failure_class: 'config',
      error: { message: 'sling_shop/nowhere.*: nowhere.*: PG has no table of this pattern' },
    });
  });
});

describe('a window', () => {
  const DAY = dayPartition('2026-01-03');
  const replication = (source: string, stream: string, key: string, meta = ''): string =>
    `source: ${source}\ntarget: LITE\nstreams: { ${stream}: { object: main.taken, primary_key: [id], update_key: ${key}${meta} } }\n`;

  it('of instants with a time zone does not follow the zone of the session', async (ctx) => {
    if (skip !== null) return ctx.skip(skip);
    const world = await SlingWorld.create(postgres, {});
    await world.postgres(
      "alter database postgres set timezone = 'America/New_York'",
      "create table zoned as select h as id, timestamptz '2026-01-02 00:00+00' + h * interval '1 hour' as at from generate_series(0, 71) h",
    );
    const outcome = await world.run(replication('PG', 'public.zoned', 'at'), ['public.zoned'], DAY);
    expect(outcome.end, outcome.stderr + outcome.stdout.toString()).toMatchObject({ status: 'ok' });
    expect(world.sqlite('select count(*), min(id), max(id) from taken')).toEqual([[24, 24, 47]]);
  });

  it.for([
    ['texts with a T', "strftime('%Y-%m-%dT%H:%M:%SZ', '2026-01-02', value || ' hours')"],
    ['texts of dates', "date('2026-01-02', value || ' hours')"],
  ])('of %s in SQLite takes what it should', async ([, expression], ctx) => {
    if (skip !== null) return ctx.skip(skip);
    const world = await SlingWorld.create(postgres, {});
    world.sqlite(
      `create table hours as with recursive h(value) as (select 0 union all select value + 1 from h where value < 71) select value as id, ${expression} as at from h`,
    );
    const outcome = await world.run(replication('LITE', 'main.hours', 'at'), ['main.hours'], DAY);
    expect(outcome.end, outcome.stderr + outcome.stdout.toString()).toMatchObject({ status: 'ok' });
    expect(world.sqlite('select count(*), min(id + 0), max(id + 0) from taken')).toEqual([[24, 24, 47]]);
  });
});

it('DuckDB is refused with its reason before anything runs', async (ctx) => {
  if (skip !== null) return ctx.skip(skip);
  const world = await SlingWorld.create(postgres, FILES);
  Object.assign(world.env, { DUCK: 'duckdb:///tmp/never.duckdb' });
  const text = 'source: LOCAL\ntarget: DUCK\nstreams: { "file://orders.csv": { object: main.orders } }\n';
  const outcome = await world.run(text, ['file://orders.csv']);
  expect(outcome.end).toMatchObject({
    status: 'failed',
    failure_class: 'config',
    error: { message: expect.stringMatching(/^DUCK is a DuckDB database, which Sling .* Load it with dlt/) },
  });
});
