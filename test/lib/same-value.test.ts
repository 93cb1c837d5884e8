import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson } from '../../src/lib/digest.ts';
import { sameValue } from '../../src/lib/same-value.ts';

/** Few keys and leaves, so that two values are often equal, or nearly. */
const { value: values } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, 0, 'a'),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(
      fc.constantFrom('a', 'b', '__proto__'),
      fc.option(tie('value'), { nil: undefined, freq: 3 }),
      { maxKeys: 2 },
    ),
  ),
}));

it('says what the canonical JSON of both says', () => {
  const equal: boolean[] = [];
  fc.assert(
    fc.property(values, values, (a, b) => {
      const isEqual = canonicalJson(a) === canonicalJson(b);
      equal.push(isEqual);
      expect(sameValue(a, b)).toBe(isEqual);
      expect(sameValue(a, structuredClone(a))).toBe(true);
    }),
    { numRuns: 1000 },
  );
  expect(new Set(equal).size).toBe(2);
});

it('does not mind the order of members, nor those that are undefined', () => {
  expect(sameValue({ a: 1, b: [{ c: 2 }] }, { b: [{ c: 2, d: undefined }], a: 1 })).toBe(true);
  expect(sameValue({ a: 1, b: [{ c: 2 }] }, { a: 1, b: [{ c: 3 }] })).toBe(false);
  expect(sameValue({ a: undefined }, { b: 1 })).toBe(false);
});
