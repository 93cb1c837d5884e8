import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CheckConfig } from '../../src/discovery/pipeline-config.ts';
import type { CheckEvent } from '../../src/events/step-event.ts';
import { checkPython } from '../helpers/check-environment.ts';
import { openTestEngine, type TestEngine } from '../helpers/engine.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { dayPartition } from '../helpers/run-step-command.ts';

/** One run per database writes a table and runs every check on it; the table below says what each has to find. */
const DATABASES = ['duckdb', 'sqlite', 'postgres'] as const;
type Database = (typeof DATABASES)[number];

let home: string;
let postgres: TestPostgres | null = null;
let missing = '';
let test: TestEngine;
const found = new Map<Database, ReadonlyMap<string, CheckEvent>>();

const AT = '"odd ""schema"""."Order Lines"';
/** Made by hand, with the driver that the environment has: names that need quotes, a duplicate, a NULL, a long text. */
const SCRIPT = `
import os, sys
kind = sys.argv[1]
where = os.environ["SHOP_DB"]
if kind == "duckdb":
    import duckdb
    db = duckdb.connect(where)
elif kind == "sqlite":
    import sqlite3
    db = sqlite3.connect(where.removeprefix("sqlite://"), autocommit=True) if sys.version_info >= (3, 12) else sqlite3.connect(where.removeprefix("sqlite://"), isolation_level=None)
else:
    import psycopg2
    db = psycopg2.connect(where)
    db.autocommit = True
run = db.execute if kind != "postgres" else db.cursor().execute
table = '"Order Lines"'
if kind != "sqlite":
    run('create schema if not exists "odd ""schema"""')
    table = '"odd ""schema""".' + table
run(f'drop table if exists {table}')
run(f'create table {table} ("Id" integer, day date, placed timestamp, "unit price" numeric(8, 2), note text)')
run(f"""insert into {table} values
    (1, '2026-01-05', '2026-01-05 10:00:00', 1.50, 'a'), (2, '2026-01-05', '2026-01-05 11:00:00', 2.50, null),
    (2, '2026-01-06', '2026-01-06 00:00:00', 100, '{'x' * 300}'), (3, '2026-01-06', current_timestamp, 4, 'it''s 100% "fine"')""")
run('drop table if exists empty_one')
run('create table empty_one (id integer)')
`;

function check(name: string, type: CheckConfig['type'], settings: Record<string, unknown> = {}): CheckConfig {
  return { name, type, blocking: false, severity: 'ERROR', settings: { connection: 'SHOP_DB', ...settings } };
}

interface Expected {
  readonly passed: boolean;
  readonly message: string | RegExp;
  readonly metadata?: Record<string, unknown>;
}

const CASES: readonly (readonly [CheckConfig, Expected])[] = [
  [
    check('rows', 'row_count', { min: 4, max: 4 }),
    { passed: true, message: '4 rows', metadata: { rows: 4 } },
  ],
  [check('too few', 'row_count', { min: 5 }), { passed: false, message: '4 rows, at least 5 are needed' }],
  [check('too many', 'row_count', { max: 3 }), { passed: false, message: '4 rows, at most 3 are allowed' }],
  [
    check('empty', 'row_count', { table: 'empty_one', min: 1 }),
    { passed: false, message: '0 rows, at least 1 are needed' },
  ],
  [
    check('fresh', 'freshness', { column: 'placed', max_age: 3_600 }),
    { passed: true, message: /^the newest is \d+ s old, at most 1 h is allowed$/ },
  ],
  [
    check('stale', 'freshness', { column: 'day', max_age: 3_600 }),
    { passed: false, message: /^the newest is \d+ d .*old, at most 1 h is allowed$/ },
  ],
  [
    check('of nothing', 'freshness', { table: 'empty_one', column: 'id', max_age: 60 }),
    { passed: false, message: 'empty_one has no value in id' },
  ],
  [
    check('written', 'freshness', { max_age: 60 }),
    { passed: true, message: /^the newest is \d+ s old, at most 1 min is allowed$/ },
  ],
  [check('schema', 'no_schema_change'), { passed: true, message: '5 columns, recorded for the next time' }],
  [
    check('known', 'not_null', { columns: ['Id', 'unit price'] }),
    { passed: true, message: 'no rows at fault' },
  ],
  [
    check('note', 'not_null', { column: 'note' }),
    { passed: false, message: 'a value is missing: 1 row at fault', metadata: { failing_rows: 1 } },
  ],
  [
    check('note of three', 'not_null', { column: 'note', where: '"Id" = 3 -- the last one' }),
    { passed: true, message: 'no rows at fault' },
  ],
  [
    check('no such', 'not_null', { column: 'x"; drop table empty_one; --' }),
    {
      passed: false,
      message:
        /^could not be checked: .* has no column x"; drop table empty_one; --; it has Id, day, placed, unit price, note$/,
    },
  ],
  [
    check('id', 'unique', { column: 'id' }),
    {
      passed: false,
      message: 'a value is there more than once: 1 row at fault',
      metadata: { sample: [{ Id: 2, elt_times: 2 }] },
    },
  ],
  [check('id and day', 'unique', { columns: ['Id', 'day'] }), { passed: true, message: 'no rows at fault' }],
  [
    check('notes', 'unique', { column: 'note', where: "note like '%' and day >= {start} and day < {end}" }),
    { passed: true, message: 'no rows at fault' },
  ],
  [
    check('in its day', 'not_null', { column: 'note', where: 'placed >= {start} and placed < {end}' }),
    { passed: false, message: 'a value is missing: 1 row at fault' },
  ],
  [
    check('of its day', 'unique', { column: 'Id', where: 'cast(day as varchar(10)) = {partition_key}' }),
    { passed: true, message: 'no rows at fault' },
  ],
  [
    check('query', 'sql', { sql: `select "Id", note from ${AT} where "unit price" > 50; -- too dear` }),
    {
      passed: false,
      message: 'the query gives rows: 1 row at fault',
      metadata: { sample: [{ Id: 2, note: `${'x'.repeat(200)}…` }] },
    },
  ],
  [
    check('common table', 'sql', {
      sql: `with dear as (select * from ${AT} where "unit price" > 500) select * from dear order by 1`,
    }),
    { passed: true, message: 'no rows at fault' },
  ],
  [
    check('per cent', 'sql', {
      sql: `select 1 from ${AT} where note like '%100\\%%' escape '\\' and day < {end}`,
    }),
    { passed: true, message: 'no rows at fault' },
  ],
  [
    check('bad query', 'sql', { sql: 'select nonsense from nowhere' }),
    { passed: false, message: /^could not be checked: .*nowhere/ },
  ],
  [
    check('a write', 'sql', { sql: 'delete from empty_one' }),
    { passed: false, message: /^could not be checked: / },
  ],
  [
    check('two at once', 'sql', { sql: 'select 1 where 1 = 0; drop table empty_one' }),
    { passed: false, message: /^could not be checked: / },
  ],
  [
    check('no table', 'row_count', { table: 'no_such', min: 1 }),
    { passed: false, message: 'could not be checked: there is no table no_such' },
  ],
  [
    check('no table named', 'row_count', { table: undefined, min: 1 }),
    {
      passed: false,
      message: 'could not be checked: which table a wrote is not known: name it, by `table:` of the check',
    },
  ],
  [
    check('no variable', 'row_count', { connection: 'NOT_SET', min: 1 }),
    {
      passed: false,
      message:
        /^could not be checked: connection NOT_SET: the step has no variable NOT_SET.*add the line NOT_SET=<address> to \.env$/,
    },
  ],
  [
    check('refused', 'row_count', { connection: 'NOBODY_THERE', min: 1 }),
    { passed: false, message: /^could not be checked: .*(?:refused|connect)/i },
  ],
  [
    check('another kind', 'row_count', { connection: 'SNOW', min: 1 }),
    {
      passed: false,
      message:
        'could not be checked: connection SNOW: checks read DuckDB, SQLite and Postgres, not snowflake',
    },
  ],
];

/** SQLite has one schema. */
function forDatabase(database: Database): CheckConfig[] {
  const table = database === 'sqlite' ? '"Order Lines"' : AT;
  return CASES.map(([config]) => {
    const { settings } = config;
    const sql = settings['sql'];
    const named = { table, ...settings };
    if ('table' in settings && settings['table'] === undefined) delete (named as { table?: unknown }).table;
    return {
      ...config,
      settings: { ...named, ...(typeof sql === 'string' ? { sql: sql.replaceAll(AT, table) } : {}) },
    };
  });
}

function address(database: Database): string | null {
  if (database === 'duckdb') return join(home, 'shop.duckdb');
  if (database === 'sqlite') return `sqlite://${join(home, 'shop.db')}`;
  return postgres?.url ?? null;
}

async function runOn(database: Database): Promise<ReadonlyMap<string, CheckEvent>> {
  const at = address(database);
  if (at === null) return new Map();
  const runId = await test.run([
    {
      stepKey: 'a',
      pipeline: database,
      command: ['python', 'main.py', database],
      files: { 'main.py': SCRIPT },
      config: {
        env: {
          SHOP_DB: at,
          NOBODY_THERE: 'postgresql://u:pass-word@127.0.0.1:1/x',
          SNOW: 'snowflake://u:pass-word@x/y',
        },
      },
      declaredChecks: forDatabase(database),
      spec: dayPartition('2026-01-05'),
    },
  ]);
  const state = await test.store.runs.state(runId);
  expect(state?.status, JSON.stringify(state)).toBe('SUCCESS');
  const events = await test.events(runId);
  const order = events.map(({ event }) => event.type);
  expect(order.indexOf('check')).toBeGreaterThan(order.indexOf('materialization'));
  expect(order.filter((type) => type === 'materialization')).toHaveLength(1);
  return new Map(
    events.flatMap(({ event }) => (event.type === 'check' ? [[event.check_name, event] as const] : [])),
  );
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'elt-checks-'));
  const [python, server] = await Promise.all([checkPython(), startPostgres()]);
  if ('skip' in server) missing = server.skip;
  else postgres = server;
  test = await openTestEngine({ home, python });
  for (const database of DATABASES) found.set(database, await runOn(database));
});
afterAll(async () => {
  await test.close();
  await postgres?.stop();
  rmSync(home, { recursive: true, force: true });
});

describe.each(DATABASES)('on %s', (database) => {
  beforeEach((context) => {
    if (address(database) === null) context.skip(missing);
  });

  it.each(CASES.map(([config, expected]) => [config.name, expected] as const))('%s', (name, expected) => {
    const event = found.get(database)?.get(name);
    expect(event?.passed, JSON.stringify(event)).toBe(expected.passed);
    if (typeof expected.message === 'string') expect(event?.metadata['message']).toBe(expected.message);
    else expect(event?.metadata['message']).toMatch(expected.message);
    if (expected.metadata !== undefined) expect(event?.metadata).toMatchObject(expected.metadata);
  });

  it.each([
    ['rows', undefined],
    ['in its day', '2026-01-05'],
    ['of its day', '2026-01-05'],
  ])('%s: a result for the partition only if the SQL asks for its values', (name, partition) => {
    expect(found.get(database)?.get(name)?.partition ?? undefined).toBe(partition);
  });

  it('says what it looked at, and never how it got in', () => {
    const events = [...(found.get(database)?.values() ?? [])];
    expect(found.get(database)?.get('rows')?.metadata).toMatchObject({
      check_type: 'row_count',
      destination: database,
      table: expect.stringContaining('Order Lines'),
    });
    const text = JSON.stringify(events);
    expect(text).not.toContain('pass-word');
    if (postgres !== null) expect(text).not.toContain(postgres.password);
  });
});
