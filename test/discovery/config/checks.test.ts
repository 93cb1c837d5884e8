import { describe, expect, it } from 'vitest';
import { discover, linesOf } from '../../helpers/discover.ts';

type Tool = 'dlt' | 'python';

async function read(checks: string, tool: Tool = 'dlt', more = '') {
  const folder = `pipelines/${tool}/orders`;
  const script = tool === 'python' ? 'script: { command: [python, main.py] }\n' : '';
  const output = await discover({
    [`${folder}/dagster.yaml`]: `${script}${more}checks:\n  - { name: c, ${checks} }\n`,
    [`${folder}/${tool === 'python' ? 'main.py' : 'pipeline.py'}`]: 'import dlt\n\ndef run(): pass\n',
  });
  return { output, lines: linesOf(output).map((line) => line.replace(`${folder}/dagster.yaml:`, '')) };
}

describe('checks that can work', () => {
  it.each<[string, Tool, string, Record<string, unknown>]>([
    ['type: freshness, column: at, max_age: 1h30m', 'dlt', '', { column: 'at', max_age: 5_400 }],
    ['type: freshness, max_age: 60', 'python', '', { max_age: 60 }],
    [
      'type: row_count, min: 1, connection: SHOP_DB, table: raw.orders',
      'python',
      '',
      { min: 1, connection: 'SHOP_DB', table: 'raw.orders' },
    ],
    [
      `type: unique, column: id, table: '"odd.name"."a ""b"""'`,
      'dlt',
      '',
      { column: 'id', table: '"odd.name"."a ""b"""' },
    ],
    [
      'type: sql, sql: "-- dear\\n with x as (select 1) select * from x", connection: SHOP_DB',
      'python',
      '',
      { sql: '-- dear\n with x as (select 1) select * from x', connection: 'SHOP_DB' },
    ],
    [
      `type: not_null, column: id, where: "a = 'x' and at >= {start} and b = 'it''s' -- don't {end}"`,
      'dlt',
      'partitions: { enabled: true, type: static, static: { partition_keys: [a] } }\n',
      { column: 'id', where: "a = 'x' and at >= {start} and b = 'it''s' -- don't {end}" },
    ],
    ['type: no_schema_change, allow_new_columns: yes', 'dlt', '', { allow_new_columns: true }],
  ])('%s', async (checks, tool, more, settings) => {
    const { output, lines } = await read(checks, tool, more);
    expect(lines).toEqual([]);
    const [folder] = output.folders;
    expect(folder?.ok === true && folder.state.config.checks[0]?.settings).toEqual(settings);
  });
});

describe('checks that cannot work are told with their place', () => {
  it.each<[string, Tool, string]>([
    [
      'type: row_count, min: 1, table: orders',
      'python',
      '3:5 error CONFIG_MISSING_KEY the check needs a connection: nobody can see into which database a script writes (connection: …)',
    ],
    [
      'type: row_count, min: 1, connection: SHOP_DB',
      'python',
      '3:5 error CONFIG_MISSING_KEY the check needs a table: nobody can see which table a script writes (table: …)',
    ],
    [
      'type: sql, sql: select 1',
      'python',
      '3:5 error CONFIG_MISSING_KEY the check needs a connection: nobody can see into which database a script writes (connection: …)',
    ],
    [
      'type: row_count, min: 1, connection: "postgres://u:p@h/d"',
      'dlt',
      '2:53 error CONFIG_VALUE a connection is named here, and its address stands in a variable of that name (write connection: SHOP_DB, and SHOP_DB=<address> in .env)',
    ],
    [
      'type: row_count, min: 1, connection: DATABASE_URL',
      'dlt',
      '2:53 error CONFIG_VALUE DATABASE_URL is never handed to a step (use a variable of another name)',
    ],
    [
      'type: row_count, min: 1, table: a.b.c',
      'dlt',
      '2:48 error CONFIG_VALUE "a.b.c" is not the name of a table (write <table> or <schema>.<table>; the database is that of the connection)',
    ],
    ['type: not_null, columns: []', 'dlt', '2:41 error CONFIG_VALUE no column is named'],
    [
      'type: not_null, column: id, where: 3',
      'dlt',
      '2:51 error CONFIG_TYPE text is needed, this is a number (3) (put it in quotes: "3")',
    ],
    [
      `type: not_null, column: id, where: "at >= '{start}'"`,
      'dlt',
      '2:51 error CONFIG_VALUE {start} stands inside quotes, where it is only text (write {start} without quotes: it stands for a whole value)',
    ],
    [
      'type: not_null, column: id, where: "at >= {start}"',
      'dlt',
      '2:51 error CONFIG_VALUE {start} is used, and nothing here has partitions (set partitions:, or leave the placeholder out)',
    ],
    [
      'type: sql, sql: "/* all */ Delete from orders"',
      'dlt',
      '2:32 error CONFIG_VALUE a check only reads, and this begins with Delete (write a query that gives the rows at fault)',
    ],
    [
      'type: no_schema_change, allow_new_columns: 1',
      'dlt',
      '2:59 error CONFIG_TYPE true or false is needed, this is a number (1)',
    ],
    ['type: freshness', 'dlt', '2:5 error CONFIG_MISSING_KEY a freshness check needs max_age (max_age: 24h)'],
  ])('%s', async (checks, tool, expected) => {
    expect((await read(checks, tool)).lines).toEqual([expected]);
  });
});
