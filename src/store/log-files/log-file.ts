import { constants } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { invariant } from '../../lib/invariant.ts';
import { EMPTY_INDEX, extendIndex, type LineIndex, nearestBefore } from './line-index.ts';

const CHUNK = 256 * 1024;
const PRIVATE = 0o600;

/**
 * One attempt's log file. Its `.idx` beside it is written when the log is sealed, and says that no more will come;
 * before that the index is made by reading what is there, once.
 */
export interface LogFile {
  append(offset: number, bytes: Uint8Array): Promise<void>;
  size(): Promise<number>;
  /** Stored lines `from` … `from + limit - 1` (or the last `tail`), as text. */
  lines(options: { fromLine: number; tail?: number; limit: number }): Promise<{
    readonly texts: readonly string[];
    readonly first: number;
    readonly complete: boolean;
  }>;
  seal(): Promise<void>;
}

export function openLogFile(path: string): LogFile {
  const sealPath = `${path}.idx`;
  let index = EMPTY_INDEX;
  let sealed: boolean | null = null;

  async function refresh(): Promise<void> {
    if (sealed === null) {
      const stored = await readFile(sealPath, 'utf8').catch(() => null);
      sealed = stored !== null;
      if (stored !== null) index = JSON.parse(stored) as LineIndex;
    }
    const size = await sizeOf(path);
    if (size <= index.size) return;
    const file = await open(path, 'r');
    try {
      while (index.size < size) {
        const bytes = await readAt(file, index.size, Math.min(CHUNK, size - index.size));
        if (bytes.length === 0) return;
        index = extendIndex(index, bytes);
      }
    } finally {
      await file.close();
    }
  }

  return {
    async append(offset, bytes) {
      await refresh();
      invariant(offset <= index.size, `bytes ${index.size} to ${offset} of ${path} are missing`);
      const fresh = bytes.subarray(index.size - offset);
      if (fresh.length === 0) return;
      if (sealed === true) {
        await rm(sealPath, { force: true });
        sealed = false;
      }
      const file = await open(path, constants.O_WRONLY | constants.O_CREAT, PRIVATE);
      try {
        await writeAll(file, fresh, index.size);
      } finally {
        await file.close();
      }
      index = extendIndex(index, fresh);
    },

    async size() {
      return sizeOf(path);
    },

    async lines({ fromLine, tail, limit }) {
      await refresh();
      const open = sealed === true && index.openLineAt < index.size ? 1 : 0;
      const total = index.lines + open;
      const wanted = tail === undefined ? limit : Math.min(tail, limit);
      const first = tail === undefined ? Math.max(1, fromLine) : Math.max(1, total - wanted + 1);
      const count = Math.max(0, Math.min(wanted, total - first + 1));
      const texts = count === 0 ? [] : await readLines(path, index, first, count);
      return { texts, first, complete: sealed === true && first + count > total };
    },

    async seal() {
      await refresh();
      const file = await open(path, constants.O_WRONLY | constants.O_CREAT, PRIVATE);
      try {
        await file.sync();
      } finally {
        await file.close();
      }
      await writeFile(`${sealPath}.tmp`, JSON.stringify(index), { mode: PRIVATE });
      await rename(`${sealPath}.tmp`, sealPath);
      sealed = true;
    },
  };
}

async function readLines(path: string, index: LineIndex, first: number, count: number): Promise<string[]> {
  const start = nearestBefore(index, first);
  const file = await open(path, 'r');
  try {
    const texts: string[] = [];
    let { line, offset } = start;
    let rest: Buffer = Buffer.alloc(0);
    while (texts.length < count) {
      const bytes = await readAt(file, offset, Math.min(CHUNK, index.size - offset));
      if (bytes.length === 0) {
        if (line >= first && rest.length > 0) texts.push(rest.toString('utf8'));
        break;
      }
      offset += bytes.length;
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      let from = 0;
      for (let at = rest.indexOf('\n'); at !== -1 && texts.length < count; at = rest.indexOf('\n', from)) {
        if (line >= first) texts.push(rest.toString('utf8', from, at));
        line += 1;
        from = at + 1;
      }
      rest = rest.subarray(from);
    }
    return texts;
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
