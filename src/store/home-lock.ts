import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { OperationalError } from '../lib/errors.ts';
import { sqliteError } from './dialects/sqlite-errors.ts';

export interface HomeLock {
  /** Gives the home to the next; also done by the kernel when this process ends in whatever way. */
  release(): void;
}

/**
 * One process per ELT_HOME. The lock is an exclusive transaction on `lock.db` that stays open: the kernel drops it with
 * the process, kill -9 included, and no file is left that would have to be judged stale.
 * Throws `OperationalError` `HOME_LOCKED` that names the holder (its address from `service.json`, once it serves).
 * @param home absolute path; made when needed
 */
export async function lockHome(home: string): Promise<HomeLock> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const file = join(home, 'lock.db');
  const database = openLock(file);
  try {
    database.pragma('locking_mode = EXCLUSIVE');
    database.exec('begin exclusive');
  } catch (error) {
    database.close();
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY') !== true) throw sqliteError(error, file);
    throw await locked(home);
  }
  try {
    const holder = join(home, 'lock.json');
    await writeFile(`${holder}.tmp`, JSON.stringify({ pid: process.pid }), { mode: 0o600 });
    await rename(`${holder}.tmp`, holder);
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    release() {
      database.close();
    },
  };
}

function openLock(file: string): SqliteDatabase.Database {
  try {
    return new SqliteDatabase(file, { timeout: 0 });
  } catch (error) {
    throw sqliteError(error, file);
  }
}

async function locked(home: string): Promise<OperationalError> {
  const { pid } = await readJson(join(home, 'lock.json'));
  const service = await readJson(join(home, 'service.json'));
  const url = service.pid === pid && typeof service.url === 'string' ? service.url : null;
  const who = typeof pid === 'number' ? `process ${pid}` : 'another process';
  return new OperationalError(
    'HOME_LOCKED',
    `${home} is used by ${who}${url === null ? '' : `, which serves ${url}`}`,
    { hint: 'use that service, stop it, or set ELT_HOME to another folder' },
  );
}

async function readJson(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
