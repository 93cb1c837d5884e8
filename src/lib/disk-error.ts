import { OperationalError } from './errors.ts';

/** A file system's failure as an error of the catalogue: `DISK_FULL` where space or a quota is the reason. */
export function asDiskError(error: unknown, action: string): unknown {
  if (error instanceof OperationalError) return error;
  const code = errorCode(error);
  // EFBIG: a limit on the size of files (ulimit -f).
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new OperationalError('DISK_FULL', `cannot ${action}: no space is left on the disk`, {
      next: 'retry',
      hint: 'free space on the disk of ELT_HOME; what was served before still is',
      cause: error,
    });
  }
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') {
    const why = code === 'EROFS' ? 'the file system is read-only' : 'it may not be written';
    return new OperationalError('DISK_FULL', `cannot ${action}: ${why}`, {
      next: 'retry',
      hint: 'make ELT_HOME writable; what was served before still is',
      cause: error,
    });
  }
  return error;
}

/** `ENOENT` and its like; '' if the value carries none. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}
