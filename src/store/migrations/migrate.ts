import { type Kysely, sql } from 'kysely';
import { DEFAULT_MIGRATION_TABLE, Migrator } from 'kysely/migration';
import { OperationalError } from '../../lib/errors.ts';
import { MIGRATIONS } from './migrations.ts';

/**
 * Brings a database to this release, in one transaction: a crash in the middle leaves it as it was.
 * A database that a newer release wrote is refused with `HOME_NEWER`, untouched.
 * @param file path, for messages
 */
export async function migrate<DB>(
  db: Kysely<DB>,
  file: string,
  migrations: typeof MIGRATIONS = MIGRATIONS,
): Promise<void> {
  const applied = await appliedMigrations(db);
  const unknown = applied.filter((name) => !Object.hasOwn(migrations, name));
  if (unknown.length > 0) {
    throw new OperationalError(
      'HOME_NEWER',
      `${file} was written by a newer release (${unknown.join(', ')})`,
      { hint: 'install that release, or restore the backup that was made before the upgrade' },
    );
  }
  if (applied.length === Object.keys(migrations).length) return;
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  if (error instanceof OperationalError) throw error;
  throw new OperationalError('DATABASE_FAILED', `${file} could not be brought to this release`, {
    hint: 'the database is as it was before; report this with the cause',
    cause: error,
  });
}

async function appliedMigrations<DB>(db: Kysely<DB>): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === DEFAULT_MIGRATION_TABLE)) return [];
  const { rows } = await sql<{
    name: string;
  }>`select name from ${sql.table(DEFAULT_MIGRATION_TABLE)} order by name`.execute(db);
  return rows.map(({ name }) => name);
}
