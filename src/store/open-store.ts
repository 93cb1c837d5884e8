import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Kysely } from 'kysely';
import type { Clock } from '../lib/clock.ts';
import { OperationalError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { openSqliteFile, sqliteDialect } from './dialects/sqlite.ts';
import { sqliteCare } from './dialects/sqlite-care.ts';
import { createKyselyStore } from './kysely-store/kysely-store.ts';
import type { Database } from './kysely-store/schema.ts';
import { migrate } from './migrations/migrate.ts';
import type { Store } from './store.ts';

/**
 * Opens the database of a service, made or brought to this release as needed. The caller holds the lock of its
 * ELT_HOME (`home-lock.ts`).
 * Throws `OperationalError`: `HOME_NEWER` (nothing was changed), `DISK_FULL`, `DATABASE_FAILED` (damaged, locked,
 * unreadable).
 * @param file path of the SQLite file; its folder is made
 * @param clock the store's clock: every instant it writes is `clock.now()`
 */
export async function openStore(options: {
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<Store> {
  const { file, clock, logger } = options;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await keepPrivate(file);
  const db = new Kysely<Database>({ dialect: sqliteDialect(openSqliteFile(file)) });
  try {
    await migrate(db, file);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return createKyselyStore({ db, care: sqliteCare(db, file), clock, logger });
}

/** Readable for this user only; SQLite gives its side files the mode of the database. */
async function keepPrivate(file: string): Promise<void> {
  try {
    await (await open(file, 'a', 0o600)).close();
  } catch (error) {
    throw new OperationalError('DATABASE_FAILED', `${file} cannot be written`, {
      next: 'retry',
      hint: 'check that the disk works and that this user may write to the folder',
      cause: error,
    });
  }
}
