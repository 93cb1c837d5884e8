import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationalError } from '../lib/errors.ts';
import { type LogFile, openLogFile } from './log-files/log-file.ts';
import { parseLogLine } from './log-files/log-line.ts';
import type { LogRef, LogStore } from './log-store.ts';

const OPEN_FILES = 200;
const FILE_NAME = /^(.+)\.(\d+)\.log$/;

interface OpenLog {
  readonly file: LogFile;
  /** The last piece of work on this file: reads and writes of one log take turns. */
  busy: Promise<unknown>;
  pending: number;
}

/**
 * Logs as files, `<dir>/<run id>/<step key, percent-encoded>.<attempt>.log`, private to the service's user.
 * Throws `OperationalError` `DISK_FULL` when no space is left; what was appended before stays readable.
 * @param dir `ELT_HOME/logs`; made when needed
 */
export function createFileLogStore(dir: string): LogStore {
  /** Least recently used first. */
  const openLogs = new Map<string, OpenLog>();
  const listeners = new Map<string, Set<(ref: LogRef) => void>>();

  /** One at a time per log, in the order of the calls. */
  async function withLog<T>(ref: LogRef, work: (file: LogFile) => Promise<T>): Promise<T> {
    const path = pathOf(dir, ref);
    const log = openLogs.get(path) ?? { file: openLogFile(path), busy: Promise.resolve(), pending: 0 };
    openLogs.delete(path);
    openLogs.set(path, log);
    forgetIdle();
    log.pending += 1;
    const result = log.busy.then(async () => work(log.file));
    log.busy = result
      .catch(() => undefined)
      .finally(() => {
        log.pending -= 1;
      });
    return result.catch((error: unknown) => {
      throw storageError(error, path);
    });
  }

  function forgetIdle(): void {
    for (const [path, log] of openLogs) {
      if (openLogs.size <= OPEN_FILES) return;
      if (log.pending === 0) openLogs.delete(path);
    }
  }

  function tell(ref: LogRef): void {
    for (const listener of listeners.get(ref.runId) ?? []) listener(ref);
  }

  return {
    async append(ref, offset, bytes) {
      await withLog(ref, async (file) => {
        await mkdir(join(dir, ref.runId), { recursive: true, mode: 0o700 });
        await file.append(offset, bytes);
      });
      tell(ref);
    },

    async size(ref) {
      return withLog(ref, async (file) => file.size());
    },

    async read(ref, { fromLine = 1, tail, limit }) {
      const read = await withLog(ref, async (file) =>
        file.lines({ fromLine, limit, ...(tail === undefined ? {} : { tail }) }),
      );
      const lines = read.texts.map((text, index) => parseLogLine(text, read.first + index));
      return { lines, nextLine: read.first + lines.length, complete: read.complete };
    },

    async seal(ref) {
      await withLog(ref, async (file) => {
        await mkdir(join(dir, ref.runId), { recursive: true, mode: 0o700 });
        await file.seal();
      });
      tell(ref);
    },

    async attempts(runId) {
      const names = await readdir(join(dir, runId)).catch(() => []);
      const refs = names.flatMap((name) => {
        const match = FILE_NAME.exec(name);
        if (match === null) return [];
        return [{ runId, stepKey: decodeURIComponent(match[1] as string), attempt: Number(match[2]) }];
      });
      return refs.sort((a, b) =>
        a.stepKey === b.stepKey ? a.attempt - b.attempt : a.stepKey < b.stepKey ? -1 : 1,
      );
    },

    subscribe(runId, listener) {
      const ofRun = listeners.get(runId) ?? new Set();
      listeners.set(runId, ofRun.add(listener));
      return () => {
        ofRun.delete(listener);
        if (ofRun.size === 0 && listeners.get(runId) === ofRun) listeners.delete(runId);
      };
    },

    async remove(runId) {
      const folder = join(dir, runId);
      const open = [...openLogs].filter(([path]) => path.startsWith(`${folder}/`));
      await Promise.all(open.map(async ([, log]) => log.busy));
      for (const [path] of open) openLogs.delete(path);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A step key is one file name: no separator, no dot segment, whatever it holds. */
function pathOf(dir: string, { runId, stepKey, attempt }: LogRef): string {
  return join(dir, runId, `${encodeURIComponent(stepKey)}.${attempt}.log`);
}

function storageError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new OperationalError('DISK_FULL', `no space is left for ${path}`, {
    next: 'retry',
    hint: 'free some space; the step goes on and its log is completed then',
    cause: error,
  });
}
