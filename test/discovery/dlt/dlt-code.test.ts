import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDltCode } from '../../../src/discovery/dlt/dlt-code.ts';
import { readEnvironmentReads } from '../../../src/discovery/python/environment-reads.ts';
import { parsePython } from '../../../src/discovery/python/python-tree.ts';

function read(code: string): ReturnType<typeof readDltCode> {
  return readDltCode(parsePython(code));
}

describe('resources in code', () => {
  it.each([
    [
      'a bare decorator',
      'import dlt\n@dlt.resource\ndef items(): yield 1',
      { name: 'items', at: { line: 3, column: 1 } },
    ],
    [
      'under another name of the module',
      'import dlt as d\n@d.resource(name="x")\ndef items(): yield 1',
      { name: 'x' },
    ],
    ['imported by name', 'from dlt import resource as r\n@r\ndef items(): yield 1', { name: 'items' }],
    [
      'from dlt.sources',
      'from dlt.sources import incremental\nimport dlt\n@dlt.resource\ndef i(u=incremental("updated")): yield 1',
      { name: 'i', cursorPath: 'updated' },
    ],
    [
      'with hints',
      'import dlt\n@dlt.resource(write_disposition={"disposition": "merge", "strategy": "scd2"}, primary_key=["a", "b"])\ndef i(): yield 1',
      { name: 'i', writeDisposition: 'merge', primaryKey: ['a', 'b'] },
    ],
    [
      'with a docstring',
      'import dlt\n@dlt.resource\ndef i():\n    # first\n    """What it is.\n\n    More."""\n    yield 1',
      { name: 'i', description: 'What it is.\n\nMore.' },
    ],
    [
      'a transformer',
      'import dlt\n@dlt.transformer(data_from=users)\ndef details(u): yield u',
      { name: 'details', parent: 'users' },
    ],
    [
      'a call',
      'import dlt\ndlt.resource(gen, name="schema.table", write_disposition="replace")',
      { name: 'schema.table', writeDisposition: 'replace' },
    ],
    [
      'inside a source, async',
      'import dlt\n@dlt.source\ndef s():\n    @dlt.resource\n    async def deep(): yield 1\n    return deep',
      { name: 'deep' },
    ],
  ])('%s', (_, code, resource) => {
    expect(read(code).resources).toEqual([expect.objectContaining(resource)]);
  });

  it('ConfigurableDltResource brings kinds and settings (seed of definitions.py)', () => {
    const { resources, dynamic } = read(`
from .data import api_generator
from platform.dlt import ConfigurableDltResource
import dlt
a = ConfigurableDltResource.config(
    dlt.resource(api_generator, name="schema.table", primary_key="id", write_disposition="merge"),
    kinds={"api"},
    meta={"dagster": {"automation_condition": "on_schedule", "freshness_lower_bound_delta_seconds": 108000}},
)
`);
    expect(dynamic).toBe(false);
    expect(resources).toEqual([
      {
        name: 'schema.table',
        at: { line: 6, column: 5 },
        primaryKey: ['id'],
        writeDisposition: 'merge',
        kinds: ['api'],
        meta: {
          dagster: { automation_condition: 'on_schedule', freshness_lower_bound_delta_seconds: 108000 },
        },
      },
    ]);
  });

  it.each([
    ['a name that is computed', 'import dlt\n@dlt.resource(name=f"x_{y}")\ndef i(): yield 1'],
    ['resources in a loop', 'import dlt\nfor t in tables:\n    dlt.resource(gen(t), name="a")'],
    [
      'a source of dlt’s own',
      'import dlt\nfrom dlt.sources.rest_api import rest_api_source\nsource = rest_api_source({})',
    ],
  ])('%s is only known by running it', (_, code) => {
    expect(read(code).dynamic).toBe(true);
  });
});

it('reads pipelines with literal arguments', () => {
  const code =
    'import dlt\ndef run():\n    p = dlt.pipeline("shop", destination="duckdb", dataset_name=NAME)\n';
  expect(read(code).pipelines).toEqual([{ at: { line: 3, column: 9 }, name: 'shop', destination: 'duckdb' }]);
});

describe('whether running the file does something', () => {
  it.each([
    ['def run(partition_key=None): pass', true],
    ['if __name__ == "__main__":\n    main()', true],
    ['load()', true],
    ['info = pipeline.run(source())', true],
    ['def load(): pass\nX = 1\n', false],
    ['import dlt\n', false],
  ])('%j: %s', (code, runs) => {
    expect(read(code).runs).toBe(runs);
  });
});

describe('broken code', () => {
  it.each(['def (', '@dlt.resource\ndef', 'x = "', '((((', '\u0000', 'from\nimport', 'dlt.resource('])(
    '%j is read as far as it goes',
    (code) => {
      expect(() => read(`import dlt\n${code}`)).not.toThrow();
    },
  );

  it('of any kind is', () => {
    const part = fc.constantFrom(
      'import dlt\n',
      'from dlt import resource',
      '@dlt.resource',
      '(',
      ')',
      '\n',
      '    ',
      'def x',
      ':',

      'name=',
      '"a"',
      "'''",
      '[',
      ']',
      '{',
      '}',
      ',',
      'os.environ',
      '["K"]',
      '.get(',
      'dlt.pipeline(',
      '=',

      'ConfigurableDltResource.config(',
      'dlt.resource(',
      'for a in b:',
      '*',
      '# c',
      'f"{',
      'yield',
      'as',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        const tree = parsePython(parts.join(''));
        expect(readDltCode(tree).resources.every((one) => one.name !== '' || one.at.line > 0)).toBe(true);
        expect(readEnvironmentReads(tree, 'f.py').every((one) => one.source.line > 0)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});
