import fc from 'fast-check';
import { expect, it } from 'vitest';
import { interpolate } from '../../src/config/interpolate.ts';

const VALUES: Readonly<Record<string, string>> = { A: 'a', EMPTY: '', B_2: '${A}' };
const lookup = (name: string): string | undefined => VALUES[name];

it.each([
  ['plain', 'plain'],
  ['${A}', 'a'],
  ['x${A}y${A}', 'xaya'],
  ['${NONE:-d}', 'd'],
  ['${EMPTY:-d}', 'd'],
  ['${EMPTY}', ''],
  ['${A:-d}', 'a'],
  ['${NONE:-}', ''],
  ['${NONE:-a:-b}', 'a:-b'],
  ['${B_2}', '${A}'],
  ['$A $$ {A}', '$A $$ {A}'],
  ['$${A}', '${A}'],
])('%s becomes %s', (text, value) => {
  expect(interpolate(text, lookup)).toMatchObject({ value, problems: [] });
});

it('names every missing variable and unreadable reference at its offset', () => {
  expect(interpolate('${A}-${NONE}-${1x}-${OTHER', lookup).problems).toEqual([
    { offset: 5, variable: 'NONE', text: '${NONE}' },
    { offset: 13, variable: null, text: '${1x}' },
    { offset: 19, variable: null, text: '${OTHER' },
  ]);
});

it('leaves text without "${" alone, and never throws', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const { value } = interpolate(text, () => 'v');
      if (!text.includes('${')) expect(value).toBe(text);
    }),
  );
});
