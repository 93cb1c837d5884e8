import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type DltShop, dltShop, rowsOf, told, WHOLE_SHOP } from '../helpers/dlt-shop.ts';
import type { StepOutcome } from '../helpers/run-step-command.ts';
import { testTools } from '../helpers/tool-environments.ts';

beforeAll(async () => void (await testTools()));

interface Facts {
  readonly state_from: string;
  readonly has_local_state: boolean;
  readonly stored_in_destination: boolean;
  readonly resources: {
    name: string;
    rows: number | null;
    tables: string[];
    cursors: { path: string; initial_value: unknown; last_value: unknown }[];
  }[];
  readonly pending: { tables: string[] }[];
  readonly loads: unknown[];
  readonly trace: { steps: { step: string }[] } | null;
  readonly unfinished_drop: { run_id: string } | null;
  readonly warnings: string[];
}

function factsOf(outcome: StepOutcome): Facts {
  expect(outcome.end, outcome.stderr).toMatchObject({ status: 'ok' });
  return told(outcome, 'dlt_state')[0]!['facts'] as Facts;
}

function ended(outcome: StepOutcome): StepOutcome {
  expect(outcome.end, outcome.stderr).toMatchObject({ status: 'ok' });
  return outcome;
}

describe('looking at a pipeline that never loaded', () => {
  it('finds it as its code makes it, and leaves everything as it is', async () => {
    const shop = await dltShop();
    await shop.folder.write('inbox.csv', 'new orders');
    const outcome = await shop.operate('read');
    const facts = factsOf(outcome);
    expect(facts).toMatchObject({
      has_local_state: false,
      stored_in_destination: false,
      pending: [],
      trace: null,
    });
    expect(facts.resources).toMatchObject([
      { name: 'customers', rows: null, cursors: [{ path: 'id', initial_value: 0, last_value: null }] },
      { name: 'orders', cursors: [{ path: 'updated_at', last_value: null }] },
    ]);
    // The script's last lines write a file and delete another one.
    expect(existsSync(shop.duckdb)).toBe(false);
    expect(readdirSync(shop.folder.work).toSorted()).toEqual(['inbox.csv', 'pipeline.py']);
    expect(facts.warnings[0]).toMatch(/only being looked at and must not write loads\.txt/);
  });
});

describe('a pipeline with state', () => {
  let shop: DltShop;
  beforeAll(async () => {
    shop = await dltShop();
    ended(await shop.load());
  });

  it('tells cursors, rows, tables and the last trace, also when only the destination has it', async () => {
    const here = await shop.operate('read');
    const facts = factsOf(here);
    expect(facts.resources).toMatchObject([
      { name: 'customers', rows: 3, cursors: [{ path: 'id', last_value: 3 }] },
      {
        name: 'orders',
        rows: 10,
        tables: ['orders', 'orders__items'],
        cursors: [{ initial_value: '2024-01-01T00:00:00Z', last_value: '2024-01-10T00:00:00Z' }],
      },
    ]);
    expect(facts.trace?.steps.map(({ step }) => step)).toEqual(['extract', 'normalize', 'load', 'run']);
    expect(facts.loads).toHaveLength(1);
    const tables = told(here, 'dlt_state_tables').flatMap(
      (part) => part['tables'] as { name: string; rows: number }[],
    );
    expect(Object.fromEntries(tables.map(({ name, rows }) => [name, rows]))).toEqual(WHOLE_SHOP);
    expect(JSON.stringify(told(here, 'dlt_state_json'))).toContain('2024-01-10T00:00:00Z');

    await rm(shop.folder.state, { recursive: true });
    const elsewhere = factsOf(await shop.operate('read'));
    expect(elsewhere).toMatchObject({
      has_local_state: false,
      stored_in_destination: true,
      state_from: 'destination',
    });
    expect(elsewhere.resources).toEqual(facts.resources);
    // Looked at, not restored: that is the next load's business.
    expect(existsSync(join(shop.folder.state, 'dlt/pipelines/shop/schemas/shop.schema.json'))).toBe(false);
  });

  it('loses the one resource that is dropped, by a preview nothing; a load brings it back, once', async () => {
    const preview = ended(await shop.operate('preview', ['orders']));
    const [plan] = told(preview, 'dlt_drop_preview')[0]!['pipelines'] as object[];
    expect(plan).toMatchObject({
      resources: ['orders'],
      tables: [
        { name: 'orders', rows: 10, nested: false },
        { name: 'orders__items', rows: 20, nested: true },
      ],
      cursors: [{ resource: 'orders', path: 'updated_at', last_value: '2024-01-10T00:00:00Z' }],
    });
    expect(await rowsOf(shop)).toEqual(WHOLE_SHOP);
    const dropped = ended(await shop.operate('drop', ['orders']));
    expect(told(dropped, 'dlt_dropped')).toMatchObject([{ finished_for: null, pipelines: [plan] }]);
    expect(await rowsOf(shop)).toEqual({ customers: 3 });
    ended(await shop.load());
    expect(await rowsOf(shop)).toEqual(WHOLE_SHOP);
  });

  it('is dropped whole where it was killed in the middle: the next load finishes that before it loads', async () => {
    const killed = await shop.operate('drop', undefined, { DIE_AT: 'tables_gone' });
    expect(killed.signal).toBe('SIGKILL');
    expect(await rowsOf(shop)).toEqual({});
    const loaded = ended(await shop.load());
    expect(told(loaded, 'dlt_dropped')).toMatchObject([{ pipelines: [{ pipeline: 'shop' }] }]);
    expect(loaded.materialized['dlt_shop']).toMatchObject({ rows: 13 });
    expect(await rowsOf(shop)).toEqual(WHOLE_SHOP);
    expect(factsOf(await shop.operate('read')).unfinished_drop).toBeNull();
  });
});
