import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { tailFile, tailLines } from '../../../src/engine/local/file-tail.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'elt-tail-'));
  file = join(dir, 'x');
  writeFileSync(file, '');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('numbers whole lines, however they arrive', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }).map((line) => line.replaceAll('\n', ''))),
      fc.array(fc.integer({ min: 1, max: 30 })),
      (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        writeFileSync(file, '');
        const tail = tailLines(file, 1_000);
        const seen: { n: number; text: string | null }[] = [];
        let at = 0;
        // Cut anywhere, also inside a character.
        for (const cut of [...cuts, bytes.length]) {
          appendFileSync(file, bytes.subarray(at, Math.min(at + cut, bytes.length)));
          at = Math.min(at + cut, bytes.length);
          seen.push(...tail.next());
        }
        expect(seen).toEqual(lines.map((text, index) => ({ n: index + 1, text })));
        expect(tail.rest()).toBeNull();
        tail.close();
      },
    ),
    { numRuns: 50 },
  );
});

it('counts a line that is too long and drops it; gives the unfinished last one on demand', () => {
  const tail = tailLines(file, 10);
  appendFileSync(file, `short\n${'x'.repeat(11)}\nexactly 10\nhalf`);
  expect(tail.next()).toEqual([
    { n: 1, text: 'short' },
    { n: 2, text: null },
    { n: 3, text: 'exactly 10' },
  ]);
  expect(tail.rest()).toEqual({ n: 4, text: 'half' });
  tail.close();
});

it('reads on from an offset, in pieces', () => {
  appendFileSync(file, 'a'.repeat(3_000_000));
  const tail = tailFile(file, 1_000_000);
  let total = 0;
  for (let data = tail.next(); data.length > 0; data = tail.next()) total += data.length;
  expect(total).toBe(2_000_000);
  appendFileSync(file, 'more');
  expect(tail.next().toString()).toBe('more');
  tail.close();
});
