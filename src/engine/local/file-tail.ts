import { closeSync, openSync, readSync } from 'node:fs';

const CHUNK = 1024 * 1024;

/** Reads on in a file that somebody else appends to. */
export interface FileTail {
  /** What came since the last call, at most 1 MiB of it; empty at the file's present end. */
  next(): Buffer;
  close(): void;
}

export function tailFile(path: string, offset: number): FileTail {
  const descriptor = openSync(path, 'r');
  let position = offset;
  let buffer = Buffer.alloc(64 * 1024);
  return {
    next() {
      const count = readSync(descriptor, buffer, 0, buffer.length, position);
      position += count;
      const data = Buffer.from(buffer.subarray(0, count));
      if (count === buffer.length && buffer.length < CHUNK) buffer = Buffer.alloc(CHUNK);
      return data;
    },
    close: () => closeSync(descriptor),
  };
}

export interface NumberedLine {
  /** From 1. */
  readonly n: number;
  /** Null: longer than allowed, and dropped. */
  readonly text: string | null;
}

export interface LineTail {
  /** Whole lines that came since the last call. */
  next(): NumberedLine[];
  /** What stands behind the last newline: half a line that its writer did not live to end. */
  rest(): NumberedLine | null;
  close(): void;
}

/** @param longest bytes of a line; a longer one is counted and dropped */
export function tailLines(path: string, longest: number): LineTail {
  const tail = tailFile(path, 0);
  let n = 0;
  let partial: Buffer[] = [];
  let size = 0;

  function take(bytes: Buffer): void {
    size += bytes.length;
    if (size <= longest) partial.push(bytes);
    else partial = [];
  }

  function end(): NumberedLine {
    n += 1;
    const text = size <= longest ? Buffer.concat(partial).toString('utf8') : null;
    partial = [];
    size = 0;
    return { n, text };
  }

  return {
    next() {
      const lines: NumberedLine[] = [];
      for (let data = tail.next(); data.length > 0; data = tail.next()) {
        let start = 0;
        for (let at = data.indexOf(10); at !== -1; at = data.indexOf(10, start)) {
          take(data.subarray(start, at));
          lines.push(end());
          start = at + 1;
        }
        if (start < data.length) take(data.subarray(start));
      }
      return lines;
    },
    rest: () => (size === 0 ? null : end()),
    close: () => tail.close(),
  };
}
