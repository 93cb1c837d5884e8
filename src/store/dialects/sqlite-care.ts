import { stat } from 'node:fs/promises';
import { type Kysely, sql } from 'kysely';
import { OperationalError } from '../../lib/errors.ts';
import type { DatabaseCare } from '../kysely-store/operations.ts';

const PAGES_AT_ONCE = 5_000;

/** Size, free pages and soundness of a SQLite file. */
export function sqliteCare<DB>(db: Kysely<DB>, file: string): DatabaseCare {
  let durability = '';
  return {
    async setDurability(connection, wanted) {
      if (wanted === durability) return;
      // In WAL, NORMAL leaves out the fsync at a commit; the next FULL commit makes up for all before it.
      await sql`pragma synchronous = ${sql.raw(wanted === 'power' ? 'FULL' : 'NORMAL')}`.execute(connection);
      durability = wanted;
    },

    async sizeBytes() {
      const sizes = await Promise.all([file, `${file}-wal`, `${file}-shm`].map(sizeOf));
      return sizes.reduce((sum, size) => sum + size, 0);
    },

    async reclaim() {
      await sql`pragma incremental_vacuum(${sql.lit(PAGES_AT_ONCE)})`.execute(db);
      await sql`pragma wal_checkpoint(truncate)`.execute(db);
    },

    async optimize() {
      await sql`pragma optimize`.execute(db);
    },

    async integrityCheck() {
      try {
        const problems = [...(await brokenPages(db)), ...(await brokenLinks(db))];
        return problems.length === 0 ? 'ok' : problems.join('\n');
      } catch (error) {
        // A check that stumbles over the damage has found it.
        if (error instanceof OperationalError) return error.message;
        throw error;
      }
    },
  };
}

async function brokenPages<DB>(db: Kysely<DB>): Promise<string[]> {
  const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(db);
  return rows.map((row) => row.integrity_check).filter((text) => text !== 'ok');
}

async function brokenLinks<DB>(db: Kysely<DB>): Promise<string[]> {
  const { rows } = await sql<{
    table: string;
    rowid: number | null;
    parent: string;
  }>`pragma foreign_key_check`.execute(db);
  return rows.map(
    ({ table, rowid, parent }) =>
      `row ${rowid ?? '?'} of ${table} points to a row of ${parent} that is not there`,
  );
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    return 0;
  }
}
