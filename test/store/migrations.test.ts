import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { openSqliteFile, sqliteDialect } from '../../src/store/dialects/sqlite.ts';
import { migrate } from '../../src/store/migrations/migrate.ts';
import { MIGRATIONS } from '../../src/store/migrations/migrations.ts';
import { openStore } from '../../src/store/open-store.ts';
import { SILENT, temporaryFolder } from './sqlite-store.ts';

async function open(file: string) {
  return openStore({ file, clock: systemClock(), logger: SILENT });
}

function schemaOf(file: string): unknown[] {
  const database = new SqliteDatabase(file, { readonly: true });
  try {
    return database.prepare('select type, name, sql from sqlite_master order by name').all();
  } finally {
    database.close();
  }
}

async function migrateWith(file: string, more: Readonly<Record<string, Migration>>): Promise<void> {
  const db = new Kysely<unknown>({ dialect: sqliteDialect(openSqliteFile(file)) });
  try {
    await migrate(db, file, { ...MIGRATIONS, ...more });
  } finally {
    await db.destroy();
  }
}

describe('migrations (P8)', () => {
  it('run once', async () => {
    const file = join(temporaryFolder(), 'deep', 'elt.db');
    await (await open(file)).close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const before = schemaOf(file);
    const store = await open(file);
    expect(await store.operations.integrityCheck()).toBe('ok');
    await store.close();
    expect(schemaOf(file)).toEqual(before);
  });

  it('leave a database of a newer release alone, and name what it has', async () => {
    const file = join(temporaryFolder(), 'elt.db');
    await (await open(file)).close();
    await migrateWith(file, {
      '0099-future': {
        up: async (db: Kysely<unknown>) => {
          await sql`create table future (x integer)`.execute(db);
        },
      },
    });
    const before = readFileSync(file);
    await expect(open(file)).rejects.toMatchObject({
      code: 'HOME_NEWER',
      message: expect.stringContaining('0099-future'),
    });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('that fail in the middle leave everything as it was, and can be run again', async () => {
    const file = join(temporaryFolder(), 'elt.db');
    const store = await open(file);
    await store.operations.audit({ actor: 'ada', action: 'a', target: 't', details: {} });
    await store.close();
    const before = schemaOf(file);
    let fails = true;
    const next: Migration = {
      async up(db: Kysely<unknown>) {
        await sql`create table half (x integer)`.execute(db);
        await sql`alter table audit add column more text`.execute(db);
        await sql`update audit set actor = 'nobody'`.execute(db);
        if (fails) throw new Error('power cut');
      },
    };
    await expect(migrateWith(file, { '0099-next': next })).rejects.toMatchObject({
      code: 'DATABASE_FAILED',
      cause: expect.objectContaining({ message: 'power cut' }),
    });
    expect(schemaOf(file)).toEqual(before);
    const again = await open(file);
    expect(await again.operations.auditLog({ limit: 1 })).toMatchObject([{ actor: 'ada' }]);
    await again.close();
    fails = false;
    await migrateWith(file, { '0099-next': next });
    expect(schemaOf(file)).toContainEqual(expect.objectContaining({ name: 'half' }));
  });
});
