import { OperationalError } from '../../lib/errors.ts';

const MAINTENANCE = 'stop the service and restore ELT_HOME from a backup, or run `sqlite3 elt.db .recover`';

/**
 * What SQLite says, as an operational error with what to do. Violated constraints and wrong SQL stay as they are:
 * they are defects of this product.
 * @param file path of the database, for the message
 */
export function sqliteError(error: unknown, file: string): unknown {
  const code = codeOf(error);
  if (code === null || !(error instanceof Error)) return error;
  if (code.startsWith('SQLITE_FULL')) {
    return new OperationalError('DISK_FULL', `no space is left for ${file}`, {
      next: 'retry',
      hint: 'free some space; what was acknowledged is kept, work goes on by itself',
      cause: error,
    });
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new OperationalError('DATABASE_FAILED', `${file} is locked by another program`, {
      next: 'retry',
      hint: 'close the program that holds the database open (a database browser, a backup)',
      cause: error,
    });
  }
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return new OperationalError('DATABASE_FAILED', `${file} is damaged: ${error.message}`, {
      hint: MAINTENANCE,
      cause: error,
    });
  }
  if (/^SQLITE_(IOERR|READONLY|CANTOPEN|PERM)/.test(code)) {
    return new OperationalError(
      'DATABASE_FAILED',
      `${file} cannot be read or written: ${error.message} (${code})`,
      {
        next: 'retry',
        hint: 'check that the disk works and that this user may write to the folder',
        cause: error,
      },
    );
  }
  return error;
}

function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' && error.code.startsWith('SQLITE_') ? error.code : null;
}
