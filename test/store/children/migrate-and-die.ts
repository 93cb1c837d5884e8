import { Kysely, sql } from 'kysely';
import { openSqliteFile, sqliteDialect } from '../../../src/store/dialects/sqlite.ts';
import { migrate } from '../../../src/store/migrations/migrate.ts';
import { MIGRATIONS } from '../../../src/store/migrations/migrations.ts';

/** Dies without a word in the middle of a migration. */
const file = process.argv[2]!;
const db = new Kysely<unknown>({ dialect: sqliteDialect(openSqliteFile(file)) });
await migrate(db, file, {
  ...MIGRATIONS,
  '9999-next': {
    async up(trx: Kysely<unknown>) {
      await sql`create table half (x integer)`.execute(trx);
      await sql`update audit set actor = 'nobody'`.execute(trx);
      process.kill(process.pid, 'SIGKILL');
      await new Promise(() => undefined);
    },
  },
});
