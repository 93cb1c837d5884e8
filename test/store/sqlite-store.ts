import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { createLogger } from '../../src/lib/log.ts';
import { openStore } from '../../src/store/open-store.ts';
import { type FakeClock, fakeClock } from '../helpers/fake-clock.ts';
import { NOON, type OpenedStore } from './conformance/harness.ts';

const PROJECTIONS = [
  'run',
  'run_step',
  'materialization',
  'asset_partition',
  'partition_activity',
  'partition_count',
  'asset_check',
  'check_latest',
];

export const SILENT = createLogger('silent');

const ROOT = mkdtempSync(join(tmpdir(), 'elt-store-'));
process.once('exit', () => rmSync(ROOT, { recursive: true, force: true }));

/** A new folder, gone with the test process. */
export function temporaryFolder(): string {
  return mkdtempSync(join(ROOT, 'case-'));
}

/** A store of its own on a new SQLite file. */
export async function openSqlite(): Promise<OpenedStore> {
  return openFile(join(temporaryFolder(), 'elt.db'), fakeClock(NOON));
}

async function openFile(file: string, clock: FakeClock): Promise<OpenedStore> {
  const store = await openStore({ file, clock, logger: SILENT });
  return {
    store,
    clock,
    async projections() {
      const database = new SqliteDatabase(file, { readonly: true });
      try {
        return Object.fromEntries(PROJECTIONS.map((table) => [table, rowsOf(database, table)]));
      } finally {
        database.close();
      }
    },
    async reopen() {
      await store.close();
      return openFile(file, clock);
    },
    close: async () => store.close(),
  };
}

/** Sorted, without statuses that nothing has: a count of 0 is the same as none. */
function rowsOf(database: SqliteDatabase.Database, table: string): unknown[] {
  const rows = database.prepare(`select * from ${table}`).all() as Record<string, unknown>[];
  const texts = rows.filter((row) => row.n !== 0).map((row) => JSON.stringify(row));
  return texts.sort().map((text) => JSON.parse(text) as unknown);
}
