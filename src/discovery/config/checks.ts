import type { CheckConfig } from '../pipeline-config.ts';
import { CHECK_TYPES } from '../pipeline-config.ts';
import { plainValue } from '../yaml/yaml-value.ts';
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

/** The `checks:` list. */
export function readChecks(map: MapReader): readonly CheckConfig[] | undefined {
  const names = new Set<string>();
  return map.items('checks')?.flatMap((item, index) => {
    const path = `${map.pathOf('checks')}[${index}]`;
    if (item.kind !== 'map') {
      map.wrongType(item, path, 'a mapping', 'write { name: has_rows, type: row_count, min: 1 }');
      return [];
    }
    const check = readCheck(map.child(item, path, null));
    if (check === undefined) return [];
    if (names.has(check.name)) {
      map.reader.error('CONFIG_VALUE', item, `${path}.name`, `two checks are called "${check.name}"`);
      return [];
    }
    names.add(check.name);
    return [check];
  });
}

function readCheck(untyped: MapReader): CheckConfig | undefined {
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
  if (name === undefined) return undefined;
  const settings: Record<string, unknown> = {};
  for (const key of own) {
    const value = map.value(key);
    if (value !== undefined) settings[key] = plainValue(value);
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
    map.texts('columns');
    if (!map.has('column') && !map.has('columns')) map.missing('column', `a ${type} check needs a column`);
  } else if (type === 'sql') {
    map.text('sql');
    if (!map.has('sql')) map.missing('sql', 'a sql check needs a query', 'one that gives the rows at fault');
  } else if (type === 'freshness') {
    map.text('column');
    map.duration('max_age');
    if (!map.has('max_age')) map.missing('max_age', 'a freshness check needs max_age', 'max_age: 24h');
  }
}
