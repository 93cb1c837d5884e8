import { stat } from 'node:fs/promises';
import { type Kysely, sql } from 'kysely';
import type { DatabaseCare } from '../kysely-store/operations.ts';

const PAGES_AT_ONCE = 5_000;

/** Size, free pages and soundness of a SQLite file. */
export function sqliteCare<DB>(db: Kysely<DB>, file: string): DatabaseCare {
  return {
    async sizeBytes() {
      const sizes = await Promise.all([file, `${file}-wal`, `${file}-shm`].map(sizeOf));
      return sizes.reduce((sum, size) => sum + size, 0);
    },

    async reclaim() {
      await sql`pragma incremental_vacuum(${sql.lit(PAGES_AT_ONCE)})`.execute(db);
      await sql`pragma wal_checkpoint(truncate)`.execute(db);
    },

    async integrityCheck() {
      const pages = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(db);
      const problems = pages.rows.map((row) => row.integrity_check).filter((text) => text !== 'ok');
      const links = await sql<{
        table: string;
        rowid: number;
        parent: string;
      }>`pragma foreign_key_check`.execute(db);
      for (const { table, rowid, parent } of links.rows) {
        problems.push(`row ${rowid} of ${table} points to a row of ${parent} that is not there`);
      }
      return problems.length === 0 ? 'ok' : problems.join('\n');
    },
  };
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    return 0;
  }
}
