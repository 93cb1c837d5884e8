import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { checkPython } from '../helpers/check-environment.ts';
import { dltShop, rowsOf, told, WHOLE_SHOP } from '../helpers/dlt-shop.ts';
import { startPostgres } from '../helpers/postgres.ts';
import type { StepOutcome } from '../helpers/run-step-command.ts';
import { testTools } from '../helpers/tool-environments.ts';

beforeAll(async () => void (await testTools()));

function ended(outcome: StepOutcome): StepOutcome {
  expect(outcome.end, outcome.stderr).toMatchObject({ status: 'ok' });
  return outcome;
}

function resourcesOf(outcome: StepOutcome) {
  const { facts } = told(ended(outcome), 'dlt_state')[0] as {
    facts: { resources: { name: string; rows: number | null; cursors: { last_value: unknown }[] }[] };
  };
  return facts.resources.map(({ name, rows, cursors }) => [name, rows, cursors[0]?.last_value ?? null]);
}

describe('a drop that is killed', () => {
  it.each(['begun', 'tables_gone', 'dropped', 'told'])(
    'when it has %s is finished by a second drop, and by a load',
    async (point) => {
      for (const next of ['drop', 'load'] as const) {
        const shop = await dltShop();
        ended(await shop.load());
        const killed = await shop.operate('drop', ['orders'], { DIE_AT: point });
        expect(killed.signal).toBe('SIGKILL');
        const unfinished = told(ended(await shop.operate('read')), 'dlt_state')[0]!['facts'];
        expect(unfinished).toMatchObject({ unfinished_drop: { resources: ['orders'] } });
        if (next === 'drop') {
          const again = ended(await shop.operate('drop', ['orders']));
          expect(told(again, 'dlt_dropped')).toHaveLength(1);
          expect(await rowsOf(shop)).toEqual({ customers: 3 });
        }
        ended(await shop.load());
        expect(await rowsOf(shop)).toEqual(WHOLE_SHOP);
        expect(existsSync(join(shop.folder.state, 'dlt/drop.json'))).toBe(false);
      }
    },
  );
});

describe('a load that is pending', () => {
  it('is not taken away for one of its resources; with the whole pipeline it goes', async () => {
    const shop = await dltShop();
    expect((await shop.load({ DIE_AT: 'load' })).signal).toBe('SIGKILL');
    const one = await shop.operate('drop', ['orders']);
    expect(one.end).toMatchObject({ status: 'failed', failure_class: 'config' });
    expect(JSON.stringify(one.end)).toMatch(/pending and holds rows of customers too/);
    const preview = told(ended(await shop.operate('preview')), 'dlt_drop_preview')[0]!['pipelines'];
    expect(preview).toMatchObject([
      { pending: [{ stage: 'normalized', tables: ['customers', 'orders', 'orders__items'] }] },
    ]);
    ended(await shop.operate('drop'));
    ended(await shop.load());
    expect(await rowsOf(shop)).toEqual(WHOLE_SHOP);
  });

  it('of a partition goes too', async () => {
    const shop = await dltShop();
    const partitions = join(shop.folder.state, 'dlt/partitions');
    expect((await shop.load({ DIE_AT: 'load' }, '2024-01-05')).signal).toBe('SIGKILL');
    expect(readdirSync(partitions)).toHaveLength(1);
    ended(await shop.operate('drop'));
    expect(readdirSync(partitions)).toEqual([]);
    ended(await shop.load({}, '2024-01-05'));
    expect(await rowsOf(shop)).toMatchObject({ orders: 1 });
  });
});

describe('code that is looked at', () => {
  it('reaches for credentials only where the pipeline cannot be made without them, and ends before the load', async () => {
    const vault = `import os, sqlite3, dlt
keys = sqlite3.connect("vault.db")
path = keys.execute("select path from place").fetchone()[0]
def rows():
    raise AssertionError("a generator was started")
pipeline = dlt.pipeline("shop", destination=dlt.destinations.duckdb(path), dataset_name="raw")
pipeline.run(rows, table_name="orders")
os.remove("vault.db")
`;
    const shop = await dltShop({}, { script: vault });
    await shop.folder.write(
      'make.py',
      `import sqlite3
db = sqlite3.connect("vault.db")
db.execute("create table place (path text)")
db.execute("insert into place values ('${shop.duckdb}')")
db.commit()
`,
    );
    const { python } = await testTools();
    await execa(python, [join(shop.folder.tree, 'make.py')], { cwd: shop.folder.work });
    expect(resourcesOf(await shop.operate('read'))).toEqual([['orders', null, null]]);
    expect(existsSync(join(shop.folder.work, 'vault.db'))).toBe(true);
  });

  it('refuses a resource that the pipeline does not have, and names the nearest', async () => {
    const shop = await dltShop();
    ended(await shop.load());
    const outcome = await shop.operate('drop', ['ordres']);
    expect(outcome.end).toMatchObject({ status: 'failed', failure_class: 'config' });
    expect(JSON.stringify(outcome.end)).toContain('no resource ordres; did you mean orders?');
    expect(await rowsOf(shop)).toEqual(WHOLE_SHOP);
  });
});

describe('resources that are loaded side by side, under names of their own', () => {
  it('are told and dropped one by one, also where only the destination knows of them', async () => {
    const shop = await dltShop({}, { parallel: true });
    const loadBoth = async () => {
      for (const resource of ['orders', 'customers']) ended(await shop.load({}, undefined, resource));
    };
    const namesOf = (outcome: StepOutcome) =>
      told(ended(outcome), 'dlt_state').map(({ pipeline, facts }) => [
        pipeline,
        ...(facts as { resources: { name: string; rows: number }[] }).resources.map(
          ({ name, rows }) => `${name} ${rows}`,
        ),
      ]);
    await loadBoth();
    const own = [
      ['shop__customers', 'customers 3'],
      ['shop__orders', 'orders 10'],
    ];
    expect(namesOf(await shop.operate('read')).filter((one) => one.length > 1)).toEqual(own);
    ended(await shop.operate('drop', ['orders']));
    expect(await rowsOf(shop)).toEqual({ customers: 3 });
    await loadBoth();
    expect(await rowsOf(shop)).toEqual(WHOLE_SHOP);

    await rm(shop.folder.state, { recursive: true });
    expect(namesOf(await shop.operate('read')).filter((one) => one.length > 1)).toEqual(own);
    ended(await shop.operate('drop', ['orders']));
    expect(await rowsOf(shop)).toEqual({ customers: 3 });
    await loadBoth();
    expect(await rowsOf(shop)).toEqual(WHOLE_SHOP);
    ended(await shop.operate('drop'));
    expect(await rowsOf(shop)).toEqual({});
    await loadBoth();
    expect(await rowsOf(shop)).toEqual(WHOLE_SHOP);
  });
});

describe('on Postgres', () => {
  it('tells and drops what stands there, by credentials that only the code has', async (context) => {
    const postgres = await startPostgres();
    if ('skip' in postgres) return context.skip(postgres.skip);
    onTestFinished(() => postgres.stop());
    const python = await checkPython();
    const shop = await dltShop({ SHOP_POSTGRES: postgres.url }, { python });
    ended(await shop.load());
    expect(resourcesOf(await shop.operate('read'))).toEqual([
      ['customers', 3, 3],
      ['orders', 10, '2024-01-10T00:00:00Z'],
    ]);
    const dropped = ended(await shop.operate('drop', ['orders']));
    expect(dropped.stdout.toString() + JSON.stringify(dropped.events)).not.toContain(postgres.password);
    expect(resourcesOf(await shop.operate('read'))).toEqual([
      ['customers', 3, 3],
      ['orders', null, null],
    ]);
    ended(await shop.load());
    expect(resourcesOf(await shop.operate('read'))).toEqual([
      ['customers', 3, 3],
      ['orders', 10, '2024-01-10T00:00:00Z'],
    ]);
  });
});
