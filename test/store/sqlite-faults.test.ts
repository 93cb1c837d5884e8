import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { Kysely } from 'kysely';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { openSqliteFile, sqliteDialect } from '../../src/store/dialects/sqlite.ts';
import { sqliteCare } from '../../src/store/dialects/sqlite-care.ts';
import { createKyselyStore } from '../../src/store/kysely-store/kysely-store.ts';
import type { Database } from '../../src/store/kysely-store/schema.ts';
import { migrate } from '../../src/store/migrations/migrate.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { SILENT, temporaryFolder } from './sqlite-store.ts';

const PAGE = 4096;

async function open(file: string): Promise<Store> {
  return openStore({ file, clock: systemClock(), logger: SILENT });
}

async function audits(store: Store, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    await store.operations.audit({ actor: 'ada', action: 'a', target: 'x'.repeat(3000), details: { n } });
  }
}

describe('SQLite', () => {
  it('syncs the log at every commit and checks what points to what', () => {
    const database = openSqliteFile(join(temporaryFolder(), 'elt.db'));
    const settings = ['journal_mode', 'synchronous', 'foreign_keys', 'auto_vacuum'].map((name) => [
      name,
      database.pragma(name, { simple: true }),
    ]);
    expect(Object.fromEntries(settings)).toEqual({
      journal_mode: 'wal',
      synchronous: 2,
      foreign_keys: 1,
      auto_vacuum: 2,
    });
    database.close();
  });
});

describe('SQLite in trouble (P6)', () => {
  it('says that a file is no database', async () => {
    const file = join(temporaryFolder(), 'elt.db');
    writeFileSync(
      file,
      'a text that somebody put here, long enough to be read as a page header: no.'.repeat(20),
    );
    await expect(open(file)).rejects.toMatchObject({
      code: 'DATABASE_FAILED',
      message: expect.stringContaining(file),
      hint: expect.stringContaining('backup'),
    });
  });

  it('says that a page is damaged, and integrityCheck too', async () => {
    const file = join(temporaryFolder(), 'elt.db');
    const store = await open(file);
    await audits(store, 40);
    await store.close();
    const bytes = readFileSync(file);
    for (let at = 0; at < bytes.length; at += PAGE) {
      if (bytes.subarray(at, at + PAGE).includes('x'.repeat(1000))) bytes.fill(0xff, at, at + 100);
    }
    writeFileSync(file, bytes);
    const damaged = await open(file);
    await expect(damaged.operations.auditLog({ limit: 100 })).rejects.toMatchObject({
      name: 'OperationalError',
      code: 'DATABASE_FAILED',
      message: expect.stringContaining('damaged'),
    });
    expect(await damaged.operations.integrityCheck()).toMatch(/page|malformed|corrupt/i);
    await damaged.close();
  });

  it('waits for another program that holds the database, a bounded time, and loses nothing', async () => {
    const file = join(temporaryFolder(), 'elt.db');
    await (await open(file)).close();
    const db = new Kysely<Database>({ dialect: sqliteDialect(openSqliteFile(file, 50)) });
    const store = createKyselyStore({ db, care: sqliteCare(db, file), clock: systemClock(), logger: SILENT });
    const other = new SqliteDatabase(file);
    other.exec('begin immediate');
    await expect(audits(store, 1)).rejects.toMatchObject({
      code: 'DATABASE_FAILED',
      next: 'retry',
      message: expect.stringContaining('locked'),
    });
    other.exec('rollback');
    other.close();
    await audits(store, 1);
    expect(await store.operations.auditLog({ limit: 5 })).toHaveLength(1);
    await store.close();
  });

  it('says that the disk is full, keeps what it has and goes on when there is space', async () => {
    const file = join(temporaryFolder(), 'elt.db');
    const database = openSqliteFile(file);
    const db = new Kysely<Database>({ dialect: sqliteDialect(database) });
    await migrate(db, file);
    const store = createKyselyStore({ db, care: sqliteCare(db, file), clock: systemClock(), logger: SILENT });
    await audits(store, 3);
    const pages = database.pragma('page_count', { simple: true }) as number;
    database.pragma(`max_page_count = ${pages}`);
    await expect(audits(store, 20)).rejects.toMatchObject({ code: 'DISK_FULL', next: 'retry' });
    const kept = await store.operations.auditLog({ limit: 100 });
    expect(kept.length).toBeGreaterThanOrEqual(3);
    database.pragma('max_page_count = 100000');
    await audits(store, 1);
    expect(await store.operations.auditLog({ limit: 100 })).toHaveLength(kept.length + 1);
    expect(await store.operations.integrityCheck()).toBe('ok');
    await store.close();
  });

  it('restores from a copy of a closed database', async () => {
    const folder = temporaryFolder();
    const store = await open(join(folder, 'elt.db'));
    await audits(store, 2);
    await store.close();
    writeFileSync(join(folder, 'restored.db'), readFileSync(join(folder, 'elt.db')));
    const restored = await open(join(folder, 'restored.db'));
    expect(await restored.operations.auditLog({ limit: 5 })).toHaveLength(2);
    await restored.close();
  });
});
