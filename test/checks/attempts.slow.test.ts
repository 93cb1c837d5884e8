import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { CheckConfig, DltConfig } from '../../src/discovery/pipeline-config.ts';
import type { LoggedEvent } from '../../src/events/run-event.ts';
import { dltRunner } from '../../src/runners/dlt.ts';
import { duckdbCount } from '../helpers/duckdb.ts';
import { openTestEngine, type TestEngine, type TestStep } from '../helpers/engine.ts';
import { ROOT, testTools } from '../helpers/tool-environments.ts';

/** What is written is written once, however its checks end. */
let home: string;
let test: TestEngine;
let python: string;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'elt-attempts-'));
  ({ python } = await testTools());
  test = await openTestEngine({ home, python, runners: [dltRunner] });
});
afterEach(async () => {
  await test.close();
  rmSync(home, { recursive: true, force: true });
});

const POLICY = { maxRetries: 3, delay: 0 };
const check = (type: CheckConfig['type'], settings: Record<string, unknown>): CheckConfig => ({
  name: 'look',
  type,
  blocking: true,
  severity: 'ERROR',
  settings: { connection: 'SHOP_DB', ...settings },
});
const DLT: DltConfig = {
  script: 'pipeline.py',
  sourceArgs: {},
  resources: [],
  assetPer: 'pipeline',
  incremental: {},
};
const APPENDS = `import os, dlt
pipeline = dlt.pipeline("shop", destination=dlt.destinations.duckdb(os.environ["SHOP_DB"]), dataset_name="raw")
pipeline.run([{"id": 1}, {"id": 2}], table_name="orders", write_disposition="append")
`;

async function events(runId: string): Promise<LoggedEvent[]> {
  return (await test.events(runId)).map(({ event }) => event);
}

async function attempts(runId: string): Promise<number> {
  return (await events(runId)).filter((event) => event.type === 'step_dispatched').length;
}

async function stateOf(runId: string, stepKey: string) {
  const state = (await test.store.runs.state(runId))!;
  return { status: state.status, step: state.steps[stepKey]!, below: state.steps['below']?.status };
}

function script(text: string, declared: CheckConfig, fields: Partial<TestStep> = {}): TestStep {
  const file = join(home, 'shop.db');
  return {
    stepKey: 'a',
    files: { 'main.py': text },
    config: { env: { SHOP_DB: `sqlite://${file}` } },
    declaredChecks: [declared],
    ...fields,
  };
}

/** Appends a line each time it runs, and makes a table for the check to look at. */
const WRITES = (count: number): string => `import sqlite3
with open(${JSON.stringify(join(home, 'ran'))}, "a") as file: file.write("x")
db = sqlite3.connect(${JSON.stringify(join(home, 'shop.db'))})
db.execute("create table if not exists speed (most integer)")
db.execute("insert into speed values (${count})")
db.commit()
`;
const COUNTS =
  'with recursive n(i) as (select 1 union all select i + 1 from n where i < (select most from speed)) select i from n where i < 0';
const ran = (): string => readFileSync(join(home, 'ran'), 'utf8');

it('rows that a blocking check finds bad are not appended again by the retry policy', async () => {
  const file = join(home, 'shop.duckdb');
  const step: TestStep = {
    stepKey: 'dlt_shop',
    pipeline: 'dlt_shop',
    tool: 'dlt',
    files: { 'pipeline.py': APPENDS },
    config: { dlt: DLT, env: { SHOP_DB: file } },
    declaredChecks: [{ ...check('row_count', { max: 1 }), settings: { max: 1 } }],
    retry: POLICY,
  };
  const below: TestStep = { stepKey: 'below', files: { 'main.py': 'pass' }, needs: ['dlt_shop'] };
  const runId = await test.run([step, below], { runRetriesLeft: 2 });
  expect(await stateOf(runId, 'dlt_shop')).toMatchObject({
    status: 'FAILURE',
    below: 'skipped',
    step: { status: 'failed', error: { code: 'BLOCKING_CHECK_FAILED', failureClass: 'data' } },
  });
  expect(await attempts(runId)).toBe(1);
  expect(await test.store.runs.list({ limit: 10 })).toHaveLength(1);
  expect(await duckdbCount(file, 'select count(*) from raw.orders')).toBe(2);
  const types = (await events(runId)).map((event) => event.type);
  expect(types.filter((type) => type === 'materialization')).toHaveLength(1);
  expect(types.indexOf('materialization')).toBeLessThan(types.indexOf('check'));
});

it('E2: a locked file is waited for by attempts that only check', async () => {
  const file = join(home, 'shop.duckdb');
  // What it leaves behind holds the lock; it is ended with its attempt.
  const holder = `import subprocess, sys
hold = "import duckdb, sys, time; db = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(600)"
command = [sys.executable, "-c", hold, ${JSON.stringify(file)}]
assert subprocess.Popen(command, stdout=subprocess.PIPE).stdout.readline() == b"held\\n"`;
  const step = script(
    `import duckdb
db = duckdb.connect(${JSON.stringify(file)})
db.execute("create table if not exists orders (id integer)")
db.execute("insert into orders values (1)")
db.close()
${holder}`,
    check('row_count', { table: 'orders', min: 1, max: 1 }),
    { config: { env: { SHOP_DB: file } } },
  );
  const runId = await test.run([step]);
  const log = (await test.log(runId, 'a')).join('\n');
  expect(await stateOf(runId, 'a'), log).toMatchObject({ status: 'SUCCESS', step: { retriesSpent: 0 } });
  expect(await attempts(runId)).toBe(2);
  const found = await events(runId);
  expect(found.find((event) => event.type === 'step_failed')).toMatchObject({
    error: { code: 'RESOURCE_BUSY', failureClass: 'resource_busy' },
    finishedAssets: ['a'],
  });
  expect(found.filter((event) => event.type === 'materialization')).toHaveLength(1);
  expect(found.find((event) => event.type === 'check')).toMatchObject({ passed: true });
});

it('killed in the middle of its checks, an attempt is followed by one that only checks', async () => {
  const step = script(WRITES(1e15), check('sql', { sql: COUNTS }), {
    retry: { maxRetries: 1, delay: 2 },
  });
  const runId = await test.launch([step]);
  await test.seen(runId, ({ event }) => event.type === 'stage_start' && event.stage === 'checks');
  const started = await test.seen(runId, ({ event }) => event.type === 'step_started');
  if (started.event.type === 'step_started') process.kill(started.event.pid, 'SIGKILL');
  await test.seen(runId, ({ event }) => event.type === 'step_retry_scheduled');
  const db = new SqliteDatabase(join(home, 'shop.db'));
  db.exec('update speed set most = 10');
  db.close();
  await test.engine.finished(runId);
  expect((await stateOf(runId, 'a')).status).toBe('SUCCESS');
  expect(await attempts(runId)).toBe(2);
  expect(ran()).toBe('x');
  const found = await events(runId);
  expect(found.filter((event) => event.type === 'materialization')).toHaveLength(1);
  expect(found.filter((event) => event.type === 'check')).toMatchObject([{ passed: true }]);
});

it('canceled in the middle of its checks, an attempt has its materialization, and ends at once', async () => {
  const runId = await test.launch([script(WRITES(1e15), check('sql', { sql: COUNTS }))]);
  await test.seen(runId, ({ event }) => event.type === 'stage_start' && event.stage === 'checks');
  await test.engine.cancel(runId, 'me');
  await test.engine.finished(runId);
  expect(await stateOf(runId, 'a')).toMatchObject({ status: 'CANCELED', step: { status: 'canceled' } });
  const found = await events(runId);
  expect(found.filter((event) => event.type === 'materialization')).toHaveLength(1);
  expect(found.filter((event) => event.type === 'check')).toHaveLength(0);
});

it('a schema change is told by every attempt of its run, and known to the next run', async () => {
  const add = script(
    `import os, sqlite3
db = sqlite3.connect(${JSON.stringify(join(home, 'shop.db'))})
db.execute("create table if not exists orders (id integer)")
if os.path.exists(${JSON.stringify(join(home, 'ran'))}): db.execute("alter table orders add column added text") if len(db.execute("pragma table_info(orders)").fetchall()) == 1 else None
open(${JSON.stringify(join(home, 'ran'))}, "a")`,
    check('no_schema_change', { table: 'orders' }),
  );
  const outcome = async (): Promise<unknown> => {
    const found = await events(await test.run([add]));
    return found.flatMap((event) =>
      event.type === 'check' ? [event.passed, event.metadata['message']] : [],
    );
  };
  expect(await outcome()).toEqual([true, '1 columns, recorded for the next time']);
  expect(await outcome()).toEqual([false, 'added added']);
  expect(await outcome()).toEqual([true, '2 columns, as before']);
});

it('a script that does not start is told as without checks, one that says it failed is not checked', async () => {
  const missing = await test.run([
    script('', check('row_count', { min: 1 }), { command: ['no-such-program'] }),
  ]);
  expect((await stateOf(missing, 'a')).step.error).toMatchObject({
    failureClass: 'config',
    message: expect.stringContaining('no-such-program'),
  });
  const failing = await test.run([script('raise SystemExit(3)', check('row_count', { min: 1 }))]);
  expect((await stateOf(failing, 'a')).step.error).toMatchObject({ exitCode: 3, failureClass: 'user' });
  const types = [...(await events(missing)), ...(await events(failing))].map((event) => event.type);
  expect(types).not.toContain('check');
});

it('a query that runs too long is a failed check', async () => {
  const code = `import sys
sys.path.insert(0, ${JSON.stringify(join(ROOT, 'python'))})
from elt_runner.checks.database import CheckError
from elt_runner.checks.duckdb_database import DuckDbDatabase
from elt_runner.checks.sqlite_database import SqliteDatabase
import duckdb, sqlite3
duckdb.connect("t.duckdb").close()
sqlite3.connect("t.db").execute("create table t (a)")
long = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
for database, query in ((DuckDbDatabase("t.duckdb", 0.2), "select count(*) from range(100000000000)"), (SqliteDatabase("t.db", 0.2), long)):
    try:
        database.rows(query, {}, 1)
    except CheckError as error:
        print(error)
`;
  const { stdout } = await promisify(execFile)(python, ['-c', code], { cwd: home });
  expect(stdout.trim().split('\n')).toEqual(
    Array.from({ length: 2 }, () => 'the query ran longer than 0.2 s and was ended'),
  );
});
