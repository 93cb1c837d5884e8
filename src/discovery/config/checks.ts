import type { CheckConfig, Tool } from '../pipeline-config.ts';
import { CHECK_TYPES } from '../pipeline-config.ts';
import { plainValue } from '../yaml/yaml-value.ts';
import { checkSql } from './check-sql.ts';
import type { MapReader } from './map-reader.ts';

const COMMON = ['name', 'type', 'blocking', 'severity'];
const SETTINGS: Readonly<Record<CheckConfig['type'], readonly string[]>> = {
  row_count: ['min', 'max', 'connection', 'table'],
  freshness: ['column', 'max_age', 'connection', 'table'],
  no_schema_change: ['allow_new_columns', 'connection', 'table'],
  not_null: ['column', 'columns', 'connection', 'table', 'where'],
  unique: ['column', 'columns', 'connection', 'table', 'where'],
  sql: ['sql', 'connection'],
};

/** As the engine has it (`child-environment.ts`): variables that no step is given. */
const WITHHELD =
  /^(?:ELT_\w*(?:TOKEN|SECRET|KEY)|DATABASE_URL|(?:ELT_)?GITHUB_APP_\w+|GITHUB_TOKEN|GH_TOKEN)$/i;
/** `orders`, `raw.orders`, `"odd.name".orders`. */
const TABLE = /^(?:[^".\s][^".]*|"(?:[^"]|"")+")(?:\.(?:[^".\s][^".]*|"(?:[^"]|"")+"))?$/;

/** What decides whether a check can work, outside its own keys. */
export interface CheckSurroundings {
  readonly tool: Tool;
  /** Something in the file has partitions. */
  readonly isPartitioned: boolean;
}

/** The `checks:` list. */
export function readChecks(
  map: MapReader,
  surroundings: CheckSurroundings,
): readonly CheckConfig[] | undefined {
  const names = new Set<string>();
  return map.items('checks')?.flatMap((item, index) => {
    const path = `${map.pathOf('checks')}[${index}]`;
    if (item.kind !== 'map') {
      map.wrongType(item, path, 'a mapping', 'write { name: has_rows, type: row_count, min: 1 }');
      return [];
    }
    const check = readCheck(map.child(item, path, null), surroundings);
    if (check === undefined) return [];
    if (names.has(check.name)) {
      map.reader.error('CONFIG_VALUE', item, `${path}.name`, `two checks are called "${check.name}"`);
      return [];
    }
    names.add(check.name);
    return [check];
  });
}

function readCheck(untyped: MapReader, surroundings: CheckSurroundings): CheckConfig | undefined {
  const type = untyped.oneOf('type', CHECK_TYPES);
  if (!untyped.has('type')) untyped.missing('type', 'a check needs a type', CHECK_TYPES.join(', '));
  const own = type === undefined ? null : SETTINGS[type];
  const map = untyped.withKeys(own === null ? null : [...COMMON, ...own]);
  const name = map.text('name');
  if (!map.has('name')) map.missing('name', 'a check needs a name');
  else if (name !== undefined && !/^[\w.-]+$/.test(name)) {
    map.error(
      'CONFIG_VALUE',
      'name',
      `"${name}" cannot name a check`,
      'use letters, digits, "_", "-" and "."',
    );
  }
  const blocking = map.boolean('blocking') ?? false;
  const severity = map.oneOf('severity', ['WARN', 'ERROR'] as const, true) ?? 'ERROR';
  if (type === undefined || own === null) return undefined;
  checkSettings(map, type);
  checkPlace(map, type, surroundings);
  for (const key of ['sql', 'where'] as const) checkSql(map, key, surroundings.isPartitioned);
  if (name === undefined) return undefined;
  const settings: Record<string, unknown> = {};
  for (const key of own) {
    const value = map.value(key);
    if (value !== undefined) settings[key] = key === 'max_age' ? map.duration(key) : plainValue(value);
  }
  return { name, type, blocking, severity, settings };
}

function checkSettings(map: MapReader, type: CheckConfig['type']): void {
  if (type === 'row_count') {
    const min = map.integer('min', { min: 0 });
    const max = map.integer('max', { min: 0 });
    if (!map.has('min') && !map.has('max'))
      map.missing('min', 'a row_count check needs min or max', 'min: 1');
    if (min !== undefined && max !== undefined && max < min) {
      map.error('CONFIG_VALUE', 'max', `max ${max} is less than min ${min}`);
    }
  } else if (type === 'not_null' || type === 'unique') {
    map.text('column');
    if (map.texts('columns')?.length === 0) map.error('CONFIG_VALUE', 'columns', 'no column is named');
    if (!map.has('column') && !map.has('columns')) map.missing('column', `a ${type} check needs a column`);
  } else if (type === 'no_schema_change') {
    map.boolean('allow_new_columns');
  } else if (type === 'sql') {
    if (!map.has('sql')) map.missing('sql', 'a sql check needs a query', 'one that gives the rows at fault');
  } else if (type === 'freshness') {
    map.text('column');
    if (!map.has('max_age')) map.missing('max_age', 'a freshness check needs max_age', 'max_age: 24h');
  }
}

/** Where it looks. What a script writes, nobody but its author knows. */
function checkPlace(map: MapReader, type: CheckConfig['type'], { tool }: CheckSurroundings): void {
  const connection = map.text('connection');
  if (connection !== undefined && !/^[\w.-]+$/.test(connection)) {
    const message = 'a connection is named here, and its address stands in a variable of that name';
    map.error(
      'CONFIG_VALUE',
      'connection',
      message,
      'write connection: SHOP_DB, and SHOP_DB=<address> in .env',
    );
  } else if (connection !== undefined && WITHHELD.test(connection)) {
    const hint = 'use a variable of another name';
    map.error('CONFIG_VALUE', 'connection', `${connection} is never handed to a step`, hint);
  }
  const table = map.text('table');
  if (table !== undefined && !TABLE.test(table)) {
    const hint = 'write <table> or <schema>.<table>; the database is that of the connection';
    map.error('CONFIG_VALUE', 'table', `"${table}" is not the name of a table`, hint);
  }
  if (tool !== 'python' || (type === 'freshness' && !map.has('column'))) return;
  for (const key of type === 'sql' ? ['connection'] : ['connection', 'table']) {
    if (map.has(key)) continue;
    const what = key === 'table' ? 'which table' : 'into which database';
    map.missing(key, `the check needs a ${key}: nobody can see ${what} a script writes`, `${key}: …`);
  }
}
