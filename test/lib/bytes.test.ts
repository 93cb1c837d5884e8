import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseBytes, roundedBytes, writtenBytes } from '../../src/lib/bytes.ts';

it.each([
  ['2GB', 2e9],
  ['2 gb', 2e9],
  ['512m', 512e6],
  ['1.5GiB', 1.5 * 2 ** 30],
  ['64Mi', 64 * 2 ** 20],
  ['1024', 1024],
  ['100B', 100],
  ['2 gigabytes', null],
  ['-1GB', null],
  ['', null],
  ['1e9', null],
  ['99999999TB', null],
])('%j is %s bytes', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

it('writes what it reads again, exactly', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (bytes) => {
      expect(parseBytes(writtenBytes(bytes))).toBe(bytes);
    }),
  );
});

it('rounds for people', () => {
  expect([1_532_000_000, 999, 64_000].map(roundedBytes)).toEqual(['1.53 GB', '999 B', '64 kB']);
});
