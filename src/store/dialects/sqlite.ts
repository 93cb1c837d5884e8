import SqliteDatabase from 'better-sqlite3';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { sqliteError } from './sqlite-errors.ts';

type Statement = SqliteDatabase.Statement<unknown[], unknown>;

const CACHED_STATEMENTS = 500;

/**
 * One connection that reads and writes: WAL, an fsync at each commit (`synchronous = FULL`, until `sqlite-care.ts` says
 * otherwise), foreign keys on, bounded waits. Errors of SQLite arrive as `OperationalError` (`sqlite-errors.ts`).
 * @param file absolute path of the database
 * @param busyTimeoutMs how long a statement waits for another program that holds the file
 */
export function openSqliteFile(file: string, busyTimeoutMs = 5_000): SqliteDatabase.Database {
  let database: SqliteDatabase.Database | undefined;
  try {
    database = new SqliteDatabase(file, { timeout: busyTimeoutMs });
    // Said again later it would write to the file, which a newer release may own.
    const isNew = database.pragma('page_count', { simple: true }) === 0;
    if (isNew) database.pragma('auto_vacuum = INCREMENTAL');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    database.pragma('cache_size = -16000');
    database.pragma('journal_size_limit = 67108864');
    return database;
  } catch (error) {
    database?.close();
    throw sqliteError(error, file);
  }
}

/** Kysely's dialect on that connection: transactions begin IMMEDIATE, DDL is transactional, statements stay prepared. */
export function sqliteDialect(database: SqliteDatabase.Database): Dialect {
  return {
    createAdapter: () => new TransactionalDdlAdapter(),
    createDriver: () => new OneConnectionDriver(new CachingConnection(database)),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** SQLite rolls back DDL: a migration that dies in the middle leaves nothing behind. */
class TransactionalDdlAdapter extends SqliteAdapter implements DialectAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class OneConnectionDriver implements Driver {
  readonly #connection: CachingConnection;

  constructor(connection: CachingConnection) {
    this.#connection = connection;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  async beginTransaction(): Promise<void> {
    await this.#connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(): Promise<void> {
    await this.#connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(): Promise<void> {
    // A full disk or an I/O error rolls back by itself: a second rollback would hide the reason.
    if (this.#connection.inTransaction) {
      await this.#connection.executeQuery(CompiledQuery.raw('rollback'));
    }
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#connection.close();
  }
}

class CachingConnection implements DatabaseConnection {
  readonly #database: SqliteDatabase.Database;
  /** Least recently used first. */
  readonly #statements = new Map<string, Statement>();

  constructor(database: SqliteDatabase.Database) {
    this.#database = database;
  }

  get inTransaction(): boolean {
    return this.#database.inTransaction;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const statement = this.#prepare(query.sql);
      if (statement.reader) return { rows: statement.all([...query.parameters]) as R[] };
      const { changes, lastInsertRowid } = statement.run([...query.parameters]);
      return { rows: [], insertId: BigInt(lastInsertRowid), numAffectedRows: BigInt(changes) };
    } catch (error) {
      throw sqliteError(error, this.#database.name);
    }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepare(sql: string): Statement {
    // Many pragmas act when they are prepared, not when they run: one that is kept would act once.
    if (sql.startsWith('pragma')) return this.#database.prepare<unknown[], unknown>(sql);
    const known = this.#statements.get(sql);
    const statement = known ?? this.#database.prepare<unknown[], unknown>(sql);
    if (known !== undefined) this.#statements.delete(sql);
    this.#statements.set(sql, statement);
    if (this.#statements.size > CACHED_STATEMENTS) {
      this.#statements.delete(this.#statements.keys().next().value as string);
    }
    return statement;
  }
}
