import { closeSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFileLogStore } from '../../src/store/file-log-store.ts';
import type { LogRef, LogStore } from '../../src/store/log-store.ts';
import { temporaryFolder } from './sqlite-store.ts';

const REF: LogRef = { runId: 'run-1', stepKey: 'orders', attempt: 1 };

function stored(from: number, to: number): Buffer {
  let text = '';
  for (let n = from; n <= to; n++) text += `${1000 + n} ${'oes'[n % 3]!} line ${n}\n`;
  return Buffer.from(text);
}

async function numbers(logs: LogStore, options: Parameters<LogStore['read']>[1]): Promise<number[]> {
  return (await logs.read(REF, options)).lines.map((line) => Number(line.text.replace('line ', '')));
}

describe('file log store', () => {
  it('reads lines by number, with time and stream', async () => {
    const logs = createFileLogStore(temporaryFolder());
    await logs.append(REF, 0, stored(1, 5));
    expect(await logs.read(REF, { fromLine: 2, limit: 2 })).toEqual({
      lines: [
        { line: 2, at: 1002, stream: 'system', text: 'line 2' },
        { line: 3, at: 1003, stream: 'stdout', text: 'line 3' },
      ],
      nextLine: 4,
      complete: false,
    });
    expect(await logs.read(REF, { limit: 100 })).toMatchObject({ nextLine: 6, complete: false });
    expect(await logs.read(REF, { fromLine: 6, limit: 100 })).toEqual({
      lines: [],
      nextLine: 6,
      complete: false,
    });
    expect(await logs.read({ ...REF, attempt: 9 }, { limit: 5 })).toEqual({
      lines: [],
      nextLine: 1,
      complete: false,
    });
  });

  it('passes over bytes that are there and refuses a gap', async () => {
    const logs = createFileLogStore(temporaryFolder());
    const all = stored(1, 4);
    await logs.append(REF, 0, all.subarray(0, 20));
    await logs.append(REF, 0, all.subarray(0, 20));
    await logs.append(REF, 10, all);
    expect(await logs.size(REF)).toBe(10 + all.length);
    await expect(logs.append(REF, 11 + all.length, all)).rejects.toThrow(/are missing/);
  });

  it('shows the line that has no end yet only when the log is sealed', async () => {
    const logs = createFileLogStore(temporaryFolder());
    await logs.append(REF, 0, Buffer.from('5 o whole\n6 e cut sho'));
    expect(await logs.read(REF, { limit: 9 })).toMatchObject({ lines: [{ text: 'whole' }], nextLine: 2 });
    await logs.append(REF, 21, Buffer.from('rt'));
    await logs.seal(REF);
    expect(await logs.read(REF, { limit: 9 })).toEqual({
      lines: [
        { line: 1, at: 5, stream: 'stdout', text: 'whole' },
        { line: 2, at: 6, stream: 'stderr', text: 'cut short' },
      ],
      nextLine: 3,
      complete: true,
    });
    expect(await logs.read(REF, { fromLine: 1, limit: 1 })).toMatchObject({ nextLine: 2, complete: false });
    expect(await logs.read(REF, { tail: 1, limit: 9 })).toMatchObject({
      lines: [{ line: 2 }],
      complete: true,
    });
  });

  it('keeps empty texts, spaces and lines of another form', async () => {
    const logs = createFileLogStore(temporaryFolder());
    await logs.append(REF, 0, Buffer.from('1 o \n2 e   two  spaces\nTraceback\n3 s é\n'));
    expect((await logs.read(REF, { limit: 9 })).lines).toEqual([
      { line: 1, at: 1, stream: 'stdout', text: '' },
      { line: 2, at: 2, stream: 'stderr', text: '  two  spaces' },
      { line: 3, at: 0, stream: 'system', text: 'Traceback' },
      { line: 4, at: 3, stream: 'system', text: 'é' },
    ]);
  });

  it('gives any page of any log, however its bytes came, before and after a restart', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 1500 }),
        fc.array(fc.integer({ min: 1, max: 9000 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 1600 }),
        fc.integer({ min: 1, max: 700 }),
        fc.boolean(),
        async (count, cuts, fromLine, limit, sealed) => {
          const dir = temporaryFolder();
          const logs = createFileLogStore(dir);
          const bytes = stored(1, count);
          let offset = 0;
          for (const cut of [...cuts, bytes.length]) {
            const piece = bytes.subarray(offset, Math.min(bytes.length, offset + cut));
            if (piece.length > 0) await logs.append(REF, offset, piece);
            offset += piece.length;
          }
          if (sealed) await logs.seal(REF);
          const all = Array.from({ length: count }, (_, index) => index + 1);
          for (const reader of [logs, createFileLogStore(dir)]) {
            expect(await numbers(reader, { fromLine, limit })).toEqual(
              all.slice(fromLine - 1, fromLine - 1 + limit),
            );
            expect(await numbers(reader, { tail: limit, limit: 10_000 })).toEqual(all.slice(-limit));
            expect(await numbers(reader, { tail: 10_000, limit })).toEqual(all.slice(-limit));
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('reads the end of 100,000 lines without reading them all again', async () => {
    const dir = temporaryFolder();
    const writer = createFileLogStore(dir);
    await writer.append(REF, 0, stored(1, 100_000));
    await writer.seal(REF);
    const logs = createFileLogStore(dir);
    expect(await numbers(logs, { tail: 2, limit: 10 })).toEqual([99_999, 100_000]);
    // What lies before the last stretch is not looked at: blank it, and the end still reads.
    const file = join(dir, 'run-1', 'orders.1.log');
    const blank = Buffer.alloc(statSync(file).size - 20_000, 'x');
    const handle = openSync(file, 'r+');
    writeSync(handle, blank, 0, blank.length, 0);
    closeSync(handle);
    const fresh = createFileLogStore(dir);
    expect(await numbers(fresh, { tail: 2, limit: 10 })).toEqual([99_999, 100_000]);
    expect(await numbers(fresh, { fromLine: 99_500, limit: 1 })).toEqual([99_500]);
  });

  it('goes on after a seal', async () => {
    const logs = createFileLogStore(temporaryFolder());
    await logs.append(REF, 0, stored(1, 2));
    await logs.seal(REF);
    await logs.seal(REF);
    const { length } = stored(1, 2);
    await logs.append(REF, length, stored(3, 3));
    expect(await logs.read(REF, { limit: 9 })).toMatchObject({ nextLine: 4, complete: false });
  });

  it('knows the attempts of a run, tells who listens, and forgets a run', async () => {
    const dir = temporaryFolder();
    const logs = createFileLogStore(dir);
    const heard: LogRef[] = [];
    const stop = logs.subscribe('run-1', (ref) => heard.push(ref));
    const odd = { runId: 'run-1', stepKey: '../a/b c|d.2', attempt: 3 };
    await logs.append(odd, 0, stored(1, 1));
    await logs.append(REF, 0, stored(1, 1));
    await logs.append({ ...REF, attempt: 2 }, 0, stored(1, 1));
    await logs.append({ ...REF, runId: 'run-2' }, 0, stored(1, 1));
    await logs.seal(REF);
    stop();
    await logs.append(REF, stored(1, 1).length, stored(2, 2));
    expect(heard).toEqual([odd, REF, { ...REF, attempt: 2 }, REF]);
    expect(await logs.attempts('run-1')).toEqual([odd, REF, { ...REF, attempt: 2 }]);
    expect(readdirSync(dir).sort()).toEqual(['run-1', 'run-2']);
    expect(statSync(join(dir, 'run-1', 'orders.1.log')).mode & 0o777).toBe(0o600);
    await logs.remove('run-1');
    expect(await logs.attempts('run-1')).toEqual([]);
    expect(await logs.size(REF)).toBe(0);
    expect(readdirSync(dir)).toEqual(['run-2']);
  });

  it('takes appends in the order of the calls', async () => {
    const dir = temporaryFolder();
    const logs = createFileLogStore(dir);
    const pieces = Array.from({ length: 50 }, (_, index) => stored(index * 10 + 1, index * 10 + 10));
    let offset = 0;
    await Promise.all(
      pieces.map(async (piece) => {
        const at = offset;
        offset += piece.length;
        await logs.append(REF, at, piece);
      }),
    );
    expect(readFileSync(join(dir, 'run-1', 'orders.1.log'))).toEqual(stored(1, 500));
  });
});
