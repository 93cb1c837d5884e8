import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linesMeaning } from '../../../src/discovery/meaning/lines-meaning.ts';
import { pythonMeaning } from '../../../src/discovery/meaning/python-meaning.ts';
import { sqlMeaning } from '../../../src/discovery/meaning/sql-meaning.ts';

const CODE = `"""Load orders."""
import dlt


@dlt.resource(name='orders', write_disposition="merge")
def orders(day):
    """One day."""
    # all of them
    for row in fetch(day, limit=10):
        yield {'id': row["id"], 'day': day}
`;

describe('Python code', () => {
  it.each([
    ['a comment', CODE.replace('# all of them', '# some of them')],
    ['no comment', CODE.replace('    # all of them\n', '')],
    ['a comment at the end of a line', CODE.replace('import dlt', 'import dlt  # the library')],
    ['a docstring', CODE.replace('One day.', 'A day of orders.')],
    ['no docstring', CODE.replace('    """One day."""\n', '')],
    ['blank lines', CODE.replace('import dlt\n\n\n', 'import dlt\n\n')],
    ['Windows line ends', CODE.replaceAll('\n', '\r\n')],
    ['spaces', CODE.replace('day, limit=10', 'day,limit = 10')],
    ['quotes', CODE.replaceAll("'", '"')],
    [
      'a broken line',
      CODE.replace('(day, limit=10)', '(\n            day,\n            limit=10,\n        )'),
    ],
    ['a continued line', CODE.replace('in fetch', 'in \\\n        fetch')],
    ['narrower indentation', CODE.replaceAll('    ', '  ')],
    ['tabs', CODE.replaceAll('    ', '\t')],
  ])('means the same with %s', (_, changed) => {
    expect(changed).not.toBe(CODE);
    expect(pythonMeaning(changed)).toBe(pythonMeaning(CODE));
  });

  it.each([
    ['another name', CODE.replace('fetch', 'fetch_all')],
    ['another number', CODE.replace('10', '100')],
    ['another text', CODE.replace("'orders'", "'order s'")],
    ['another block', CODE.replace('        yield', '    yield')],
    ['another operator', CODE.replace('limit=10', 'limit==10')],
  ])('means something else with %s', (_, changed) => {
    expect(pythonMeaning(changed)).not.toBe(pythonMeaning(CODE));
  });

  it.each([
    ['x = (1,)', 'x = (1)'],
    ['x[1,]', 'x[1]'],
    ['return (a,)', 'return (a)'],
    ['x = "a # b"', 'x = "a"'],
    ["x = 'it\\'s # no'", "x = 'it\\'s'"],
    ['x = "a  b"', 'x = "a b"'],
    ['x = b"a"', 'x = "a"'],
    ['x = f"{a}"', 'x = "{a}"'],
    ["x = f'{d['a  b']}'", "x = f'{d['a b']}'"],
    ['x = """\n  a"""', 'x = """\na"""'],
    ['not in', 'notin'],
    ['if a:\n  b\nc', 'if a:\n  b\n  c'],
  ])('%j is not %j', (a, b) => {
    expect(pythonMeaning(a)).not.toBe(pythonMeaning(b));
  });

  it.each([
    ['f(a,)', 'f(a)'],
    ['[a, b,]', '[a, b]'],
    ['{a,}', '{a}'],
    ['x = f"{d["a"]}" # c', 'x = f"{d["a"]}"'],
    ["x = f'{{}}' # it's", "x = f'{{}}'"],
    ['x = """a""" # b', 'x = """a"""'],
    ['', '# only\n'],
  ])('%j is %j', (a, b) => {
    expect(pythonMeaning(a)).toBe(pythonMeaning(b));
  });
});

describe('SQL', () => {
  const SQL =
    "select id, 'a  b' as \"x y\"\nfrom {{ ref('orders') }}\nwhere day >= '{{ var(\"start_time\") }}'\n";
  it.each([
    ['a comment', `-- all of it\n${SQL}`],
    ['a block comment', SQL.replace('from', "/* it isn't\n here */ from")],
    ['a comment of Jinja', SQL.replace('from', "{# ref('x') #}from")],
    ['other spaces', SQL.replace('select id,', 'select\n  id,').replace('from ', 'from\n  ')],
    ['Windows line ends', SQL.replaceAll('\n', '\r\n')],
  ])('means the same with %s', (_, changed) => {
    expect(sqlMeaning(changed)).toBe(sqlMeaning(SQL));
  });

  it.each([
    ['another text', SQL.replace('a  b', 'a b')],
    ['another quoted name', SQL.replace('x y', 'x  y')],
    ['a rendered comment', `-- depends_on: {{ ref('items') }}\n${SQL}`],
    ['a comment sign in a text', SQL.replace("'a  b'", "'a -- b'")],
    ['a suffix', SQL.replace('}}\n', '}}_old\n')],
    ['words together', SQL.replace('from ', 'from')],
    ['a text in dollars', `${SQL}$$ a  b $$`],
  ])('means something else with %s', (_, changed) => {
    expect(sqlMeaning(changed)).not.toBe(sqlMeaning(SQL));
    expect(sqlMeaning('$$ a  b $$')).not.toBe(sqlMeaning('$$ a b $$'));
  });
});

it('requirements and TOML mean what stands before a comment', () => {
  expect(linesMeaning('# tools\ndlt==1.2  # pinned\n\nx @ git+https://h/x#egg=y\r\n')).toBe(
    'dlt==1.2\nx @ git+https://h/x#egg=y',
  );
  expect(linesMeaning('name = "a # b" # c\n')).toBe('name = "a # b"');
  expect(linesMeaning('text = """\n # a\n"""')).toBe('text = """\n # a\n"""');
});

describe('whatever a file holds', () => {
  it('is read to its end, and comments never count', () => {
    const piece = fc.constantFrom(
      '"',
      "'",
      '#',
      '\n',
      '{',
      '}',
      '(',
      ')',
      '\\',
      ',',
      'f',
      'a',
      ' ',
      '$',
      '$$',
      '--',
      '/*',
      '*/',
      '{#',
      '`',
      '"""',
      '\t',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join('');
        expect(typeof pythonMeaning(text)).toBe('string');
        expect(typeof sqlMeaning(text)).toBe('string');
        expect(pythonMeaning(`# ${text.replaceAll('\n', ' ')}\nx = 1`)).toBe(pythonMeaning('x = 1'));
      }),
      { numRuns: 500 },
    );
  });

  it.each(["'\\", '$a$b', 'f"{', '"', '(', '{#', '/*', '`', '$x', '  \n', '#'])(
    'in linear time: %j',
    (piece) => {
      const text = Array.from({ length: 200_000 / piece.length }, (_, at) =>
        piece === '$x' ? `$x${at}$` : piece,
      ).join('');
      const at = performance.now();
      pythonMeaning(text);
      sqlMeaning(text);
      linesMeaning(text);
      expect(performance.now() - at).toBeLessThan(1500);
    },
  );
});
