import type { AssetColumn, DiscoveredCheck } from '../../state/snapshot.ts';
import type { FolderSource } from '../folder-source.ts';
import { fullPath, yamlOf } from '../folder-source.ts';
import type { Position, YamlMap, YamlValue } from '../yaml/yaml-value.ts';
import { plainValue } from '../yaml/yaml-value.ts';

/** What a properties file (`schema.yml`) says about a model, seed or snapshot. */
export interface DbtProperties {
  readonly file: string;
  readonly at: Position;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly enabled?: boolean;
  readonly assetKey?: readonly string[];
  readonly columns: readonly AssetColumn[];
  readonly checks: readonly DiscoveredCheck[];
}

export interface DbtPropertyFiles {
  readonly nodes: ReadonlyMap<string, DbtProperties>;
  /** `<source>.<table>` → its asset key, where `meta.dagster.asset_key` gives one. */
  readonly sourceKeys: ReadonlyMap<string, readonly string[]>;
}

/** Longer names are hashed by dbt. */
const LONGEST_TEST_NAME = 63;

/** All properties files below the given folders. Files that cannot be read are left to `dbt parse`. */
export function readProperties(folder: FolderSource, paths: readonly string[]): DbtPropertyFiles {
  const nodes = new Map<string, DbtProperties>();
  const sourceKeys = new Map<string, readonly string[]>();
  for (const path of [...folder.contents.keys()].sort()) {
    if (!/\.ya?ml$/.test(path) || !paths.some((one) => path.startsWith(`${one}/`))) continue;
    const file = fullPath(folder, path);
    const value = yamlOf(folder, path)?.value;
    if (value?.kind !== 'map') continue;
    for (const kind of ['models', 'seeds', 'snapshots']) {
      for (const item of listOf(value, kind)) {
        const name = textAt(item, 'name');
        if (name !== undefined) nodes.set(name, propertiesOf(item, name, file));
      }
    }
    for (const source of listOf(value, 'sources')) readSource(source, sourceKeys);
  }
  return { nodes, sourceKeys };
}

function propertiesOf(item: YamlMap, name: string, file: string): DbtProperties {
  const description = textAt(item, 'description');
  const config = mapAt(item, 'config');
  const enabled = config?.entries.get('enabled')?.value;
  const assetKey = assetKeyOf(item);
  const columns = listOf(item, 'columns').flatMap((column): AssetColumn[] => {
    const columnName = textAt(column, 'name');
    const about = textAt(column, 'description');
    const type = textAt(column, 'data_type');
    if (columnName === undefined) return [];
    return [
      {
        name: columnName,
        ...(type === undefined ? {} : { type }),
        ...(about === undefined ? {} : { description: about }),
      },
    ];
  });
  return {
    file,
    at: { line: item.line, column: item.column },
    ...(description === undefined ? {} : { description }),
    tags: [...tagsAt(item), ...(config === undefined ? [] : tagsAt(config))],
    ...(enabled?.kind === 'scalar' && typeof enabled.value === 'boolean' ? { enabled: enabled.value } : {}),
    ...(assetKey === undefined ? {} : { assetKey }),
    columns,
    checks: listOf(item, 'columns').flatMap((column) => plainTests(name, column)),
  };
}

/** `not_null` and `unique` without settings: their names are certain without dbt. */
function plainTests(model: string, column: YamlMap): DiscoveredCheck[] {
  const name = textAt(column, 'name');
  const tests = column.entries.get('data_tests')?.value ?? column.entries.get('tests')?.value;
  if (name === undefined || tests?.kind !== 'list') return [];
  return tests.items.flatMap((test): DiscoveredCheck[] => {
    if (test.kind !== 'scalar' || (test.value !== 'not_null' && test.value !== 'unique')) return [];
    const check = `${test.value}_${model}_${name}`;
    return check.length > LONGEST_TEST_NAME ? [] : [{ name: check, severity: 'ERROR', blocking: true }];
  });
}

function readSource(source: YamlMap, keys: Map<string, readonly string[]>): void {
  const name = textAt(source, 'name');
  if (name === undefined) return;
  for (const table of listOf(source, 'tables')) {
    const tableName = textAt(table, 'name');
    // A key on the source itself is inherited by every table (runners.md §4.1): dbt does the same.
    const key = assetKeyOf(table) ?? assetKeyOf(source);
    if (tableName !== undefined && key !== undefined) keys.set(`${name}.${tableName}`, key);
  }
}

function assetKeyOf(item: YamlMap): readonly string[] | undefined {
  const meta = mapAt(mapAt(item, 'config') ?? item, 'meta') ?? mapAt(item, 'meta');
  const dagster = meta === undefined ? undefined : mapAt(meta, 'dagster');
  const key = dagster?.entries.get('asset_key')?.value;
  if (key === undefined) return undefined;
  const plain = plainValue(key);
  return Array.isArray(plain) ? plain.map(String) : undefined;
}

export function tagsAt(item: YamlMap): string[] {
  const value = item.entries.get('tags')?.value ?? item.entries.get('+tags')?.value;
  if (value?.kind === 'scalar' && value.value !== null) return [value.text];
  return value?.kind === 'list'
    ? value.items.flatMap((one) => (one.kind === 'scalar' ? [one.text] : []))
    : [];
}

function listOf(map: YamlMap, key: string): YamlMap[] {
  const value = map.entries.get(key)?.value;
  return value?.kind === 'list' ? value.items.filter((item: YamlValue) => item.kind === 'map') : [];
}

function mapAt(map: YamlMap, key: string): YamlMap | undefined {
  const value = map.entries.get(key)?.value;
  return value?.kind === 'map' ? value : undefined;
}

function textAt(map: YamlMap, key: string): string | undefined {
  const value = map.entries.get(key)?.value;
  return value?.kind === 'scalar' && typeof value.value === 'string' ? value.value.trim() : undefined;
}
