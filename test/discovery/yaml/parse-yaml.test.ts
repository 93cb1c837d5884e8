import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseYaml, YAML_LIMITS } from '../../../src/discovery/yaml/parse-yaml.ts';
import { plainValue } from '../../../src/discovery/yaml/yaml-value.ts';

const encoder = new TextEncoder();

function parse(text: string | Uint8Array): { value: unknown; lines: string[] } {
  const { value, diagnostics } = parseYaml('f.yaml', typeof text === 'string' ? encoder.encode(text) : text);
  return {
    value: value === null ? null : plainValue(value),
    lines: diagnostics.map(
      ({ line, column, code, message, path }) =>
        `${line}:${column} ${code} ${message}${path === undefined ? '' : ` [${path}]`}`,
    ),
  };
}

describe('C3: what is read', () => {
  it.each([
    ['a byte order mark', '\uFEFFa: 1', { a: 1 }],
    ['CRLF', 'a: 1\r\nb:\r\n  - x\r\n', { a: 1, b: ['x'] }],
    ['a document marker before it', '---\na: 1\n...\n', { a: 1 }],
    ['a date without quotes', 'start: 2024-01-01', { start: '2024-01-01' }],
    ['text in quotes stays text', 'a: "yes"\nb: \'1\'', { a: 'yes', b: '1' }],
    ['block text', 'a: |\n  one\n  two\n', { a: 'one\ntwo\n' }],
    ['JSON', '{"a": [1, true, null]}', { a: [1, true, null] }],
    ['an anchor and its alias', 'a: &x [1]\nb: *x', { a: [1], b: [1] }],
    ['a merge key', 'a: &x {p: 1, q: 1}\nb:\n  <<: *x\n  q: 2', { a: { p: 1, q: 1 }, b: { q: 2, p: 1 } }],
    ['!!str', 'a: !!str 12', { a: '12' }],
    ['words as keys', 'on: 1\n2024-01-01: 2', { on: 1, '2024-01-01': 2 }],
    ['an empty file', '', null],
    ['only a comment', '# nothing\n', null],
  ])('%s', (_, text, value) => {
    expect(parse(text)).toEqual({ value, lines: [] });
  });

  it('keeps the place of keys and values', () => {
    const { value } = parseYaml('f', encoder.encode('a:\r\n  b: [1, "x"]\n'));
    const a = value?.kind === 'map' ? value.entries.get('a') : undefined;
    const b = a?.value.kind === 'map' ? a.value.entries.get('b') : undefined;
    expect([a?.at, b?.at]).toEqual([
      { line: 1, column: 1 },
      { line: 2, column: 3 },
    ]);
    expect(b?.value.kind === 'list' ? b.value.items.map(({ line, column }) => [line, column]) : []).toEqual([
      [2, 7],
      [2, 10],
    ]);
  });
});

describe('C3: what is refused, with its place', () => {
  const deep = YAML_LIMITS.depth * 3;
  it.each([
    ['a tab', 'a:\n\tb: 1', ['2:1 YAML_SYNTAX tabs are not allowed as indentation']],
    ['a second document', 'a: 1\n---\nb: 2', ['2:1 YAML_SYNTAX a second YAML document begins here']],
    [
      'keys that stand twice',
      'a: 1\nb:\n  c: 1\n  c: 2\na: 3',
      [
        '4:3 YAML_DUPLICATE_KEY the key "c" stands twice [b.c]',
        '5:1 YAML_DUPLICATE_KEY the key "a" stands twice [a]',
      ],
    ],
    [
      'an alias without its anchor',
      'a: *x',
      ['1:4 YAML_SYNTAX there is no anchor "&x" before this alias [a]'],
    ],
    [
      'a value that contains itself',
      'tags: &t\n  a: *t',
      ['2:6 YAML_SYNTAX the value contains itself through "*t" [tags.a]'],
    ],
    [
      'a tag of Python',
      'a: !!python/name:os.system x',
      ['1:28 YAML_SYNTAX the tag "!!python/name:os.system" is not read here [a]'],
    ],
    [
      'a control character',
      'a: b\n\u0007',
      ['2:1 YAML_SYNTAX the control character U+0007 is not allowed in YAML'],
    ],
    ['__proto__', 'a:\n  __proto__: 1', ['2:3 YAML_SYNTAX the key "__proto__" is not allowed [a]']],
    ['a mapping as key', '? {a: b}\n: c', ['1:1 YAML_SYNTAX a key must be a word']],
    ['a quote that is not closed', 'a: "b', ['1:6 YAML_SYNTAX missing closing "quote']],
    [
      'nesting in brackets',
      '['.repeat(deep),
      [`1:${2 * YAML_LIMITS.depth + 1} YAML_TOO_LARGE the file is nested too deeply`],
    ],
    [
      'nesting in dashes',
      '- '.repeat(deep),
      [`1:${4 * YAML_LIMITS.depth} YAML_TOO_LARGE the file is nested too deeply`],
    ],
  ])('%s', (_, text, lines) => {
    expect(parse(text)).toEqual({ value: null, lines });
  });

  it('bytes that are not UTF-8, by their line', () => {
    const bytes = new Uint8Array([...encoder.encode('a: 1\nb: '), 0xff, 0x0a]);
    expect(parse(bytes).lines).toEqual(['2:1 YAML_SYNTAX the file is not UTF-8 text']);
  });

  it('a file that is too large, without parsing it', () => {
    expect(parse(new Uint8Array(50_000_000).fill(97)).lines).toEqual([
      '1:1 YAML_TOO_LARGE the file has 50000000 bytes',
    ]);
  });

  it('an alias bomb, within a second', () => {
    const levels = Array.from({ length: 10 }, (_, n) =>
      n === 0
        ? 'a0: &a0 [x,x,x,x,x,x,x,x,x,x]'
        : `a${n}: &a${n} [${Array(10)
            .fill(`*a${n - 1}`)
            .join(',')}]`,
    );
    const before = performance.now();
    expect(parse(levels.join('\n')).lines.join()).toMatch(
      /YAML_TOO_LARGE the file has more than 50000 keys and values/,
    );
    expect(performance.now() - before).toBeLessThan(1000);
  });

  it('more aliases than a person writes', () => {
    const text = `a: &a 1\nb: [${Array(YAML_LIMITS.aliases + 1)
      .fill('*a')
      .join(', ')}]`;
    expect(parse(text).lines).toHaveLength(1);
    expect(parse(text).lines[0]).toMatch(/YAML_TOO_LARGE the file has more than 100 aliases/);
  });
});

describe('C3: any bytes', () => {
  const pieces = fc.constantFrom(
    'a',
    ': ',
    '- ',
    '\n',
    '  ',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '&x ',
    '*x',
    '? ',
    '|',
    '>',
    '#',
    '!!str ',
    '<<: ',
    '---',
    '\t',
    '\r\n',
    ', ',
    'é',
    '%YAML 1.1',
    '...',
  );
  it.each([
    ['random', fc.uint8Array({ maxLength: 300 })],
    [
      'made of YAML’s signs',
      fc.array(pieces, { maxLength: 80 }).map((parts) => encoder.encode(parts.join(''))),
    ],
  ])('%s: read or refused with a place inside the file, never thrown', (_, bytes) => {
    fc.assert(
      fc.property(bytes, (content) => {
        const { value, diagnostics } = parseYaml('f.yaml', content);
        const lines = new TextDecoder().decode(content).split('\n').length;
        for (const { line, column, code } of diagnostics) {
          expect(code).toMatch(/^YAML_/);
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines);
          expect(column).toBeGreaterThanOrEqual(1);
        }
        expect(diagnostics.length > 0 && value !== null).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});
