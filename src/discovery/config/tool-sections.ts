import {
  CONTRACT_MODES,
  type DbtAssetSet,
  type DbtConfig,
  type DltConfig,
  type DltDeclaredSource,
  type DltIncremental,
  type SchemaContract,
  type ScriptConfig,
  type SlingConfig,
} from '../pipeline-config.ts';
import { plainValue } from '../yaml/yaml-value.ts';
import { readAssetKey } from './asset-key.ts';
import { readCondition } from './automation.ts';
import type { FolderFacts } from './folder-facts.ts';
import type { MapReader } from './map-reader.ts';
import { readPartitions } from './partitions.ts';

const DLT_KEYS = [
  'script',
  'source_module',
  'source_name',
  'source_args',
  'pipeline_name',
  'destination',
  'dataset_name',
  'resources',
  'asset_per',
  'write_disposition',
  'incremental',
  'refresh',
  'schema_contract',
  'on_pending',
  'on_uncertain',
] as const;

/** What other files of the folder say about a dlt pipeline; `dagster.yaml` is laid over it. */
export interface DltDefaults {
  readonly script: string;
  readonly assetPer: DltConfig['assetPer'];
  readonly sourceModule?: string;
  readonly sourceName?: string;
  readonly sourceArgs?: Readonly<Record<string, unknown>>;
  readonly sources?: readonly DltDeclaredSource[];
  readonly pipelineName?: string;
  readonly datasetName?: string;
}

export function readDlt(root: MapReader, folder: FolderFacts, defaults: DltDefaults): DltConfig {
  const map = root.section('dlt', DLT_KEYS, { module: 'source_module', dataset: 'dataset_name' });
  const sourceModule = map?.text('source_module') ?? defaults.sourceModule;
  const sourceName = map?.text('source_name') ?? defaults.sourceName;
  if (map !== undefined) checkSource(map, folder, sourceModule, sourceName);
  const sourceArgs = map?.section('source_args', null);
  const optional = {
    sourceModule,
    sourceName,
    sources: sourceModule === undefined ? defaults.sources : undefined,
    pipelineName: map?.text('pipeline_name') ?? defaults.pipelineName,
    destination: map?.text('destination'),
    datasetName: map?.text('dataset_name') ?? defaults.datasetName,
    writeDisposition: map?.oneOf('write_disposition', ['append', 'replace', 'merge', 'skip'] as const),
    refresh: map?.oneOf('refresh', ['drop_sources', 'drop_resources', 'drop_data'] as const),
    schemaContract: map === undefined ? undefined : readContract(map),
    onPending: map?.oneOf('on_pending', ['load', 'abort'] as const),
    onUncertain: map?.oneOf('on_uncertain', ['fail', 'load', 'skip'] as const),
  };
  if (optional.sources !== undefined && map?.text('asset_per') === 'resource') {
    const hint = 'give each source a folder of its own';
    map.error('CONFIG_VALUE', 'asset_per', 'one asset per resource needs a single source', hint);
  }
  const script = map === undefined ? undefined : readFile(map, 'script', folder);
  return {
    script: script ?? defaults.script,
    sourceArgs:
      sourceArgs === undefined
        ? (defaults.sourceArgs ?? {})
        : (plainValue(sourceArgs.map) as Record<string, unknown>),
    resources: map?.texts('resources') ?? [],
    assetPer: map?.oneOf('asset_per', ['pipeline', 'resource'] as const) ?? defaults.assetPer,
    incremental: map === undefined ? {} : readIncremental(map),
    ...defined(optional),
  };
}

function readContract(map: MapReader): SchemaContract | undefined {
  const value = map.value('schema_contract');
  if (value?.kind !== 'map') return map.oneOf('schema_contract', CONTRACT_MODES);
  const parts = map.section('schema_contract', ['tables', 'columns', 'data_type'])!;
  return defined({
    tables: parts.oneOf('tables', CONTRACT_MODES),
    columns: parts.oneOf('columns', CONTRACT_MODES),
    dataType: parts.oneOf('data_type', CONTRACT_MODES),
  });
}

function checkSource(
  map: MapReader,
  folder: FolderFacts,
  module: string | undefined,
  name: string | undefined,
): void {
  if (name !== undefined && module === undefined) {
    map.missing('source_module', 'source_name needs source_module', 'the module that has the source');
  }
  if (module === undefined) return;
  if (name === undefined && !map.has('source_name')) {
    map.missing('source_name', 'source_module needs source_name', 'the function with @dlt.source');
  }
  if (!/^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/.test(module)) {
    const hint = 'write it as in an import: custom_sources.my_api';
    map.error('CONFIG_VALUE', 'source_module', `"${module}" is not the name of a Python module`, hint);
    return;
  }
  const path = module.replaceAll('.', '/');
  if (folder.files.has(`${path}.py`) || folder.files.has(`${path}/__init__.py`)) return;
  // A module of an installed package is none of the folder's files.
  const top = module.split('.')[0]!;
  const ours = folder.files.has(`${top}.py`) || [...folder.files].some((file) => file.startsWith(`${top}/`));
  if (ours) map.error('TOOL_FILE_MISSING', 'source_module', `the folder has no file ${path}.py`);
}

function readIncremental(map: MapReader): Record<string, DltIncremental> {
  const incremental: Record<string, DltIncremental> = {};
  const inner = map.section('incremental', null);
  for (const resource of inner?.map.entries.keys() ?? []) {
    const one = inner!.section(resource, ['cursor_path', 'initial_value', 'format'], {
      cursor: 'cursor_path',
    });
    if (one === undefined) continue;
    const cursorPath = one.text('cursor_path');
    if (!one.has('cursor_path')) one.missing('cursor_path', 'an incremental needs a cursor_path');
    const initial = one.value('initial_value');
    const initialValue =
      initial?.kind === 'scalar' && typeof initial.value === 'number'
        ? initial.value
        : one.text('initial_value');
    const format = one.text('format');
    if (cursorPath !== undefined)
      incremental[resource] = { cursorPath, ...defined({ initialValue, format }) };
  }
  return incremental;
}

export function readSling(root: MapReader, replication: string): SlingConfig {
  const map = root.section('sling', ['streams', 'asset_per']);
  return {
    replication,
    streams: map?.texts('streams', { alone: true }) ?? [],
    assetPer: map?.oneOf('asset_per', ['replication', 'stream'] as const) ?? 'replication',
  };
}

export function readDbt(root: MapReader): DbtConfig {
  const map = root.section('dbt', ['select', 'exclude', 'vars', 'target', 'asset_sets', 'translator']);
  const vars = map?.section('vars', null);
  const optional = {
    select: map?.text('select'),
    exclude: map?.text('exclude'),
    target: map?.text('target'),
  };
  return {
    ...defined(optional),
    vars: vars === undefined ? {} : (plainValue(vars.map) as Record<string, unknown>),
    assetSets: map === undefined ? [] : readAssetSets(map),
    translator: readTranslator(map),
  };
}

function readAssetSets(map: MapReader): DbtAssetSet[] {
  return (map.items('asset_sets') ?? []).flatMap((item, index) => {
    const path = `${map.pathOf('asset_sets')}[${index}]`;
    if (item.kind !== 'map') {
      map.wrongType(item, path, 'a mapping', 'write { select: "tag:daily" }');
      return [];
    }
    const set = map.child(item, path, ['select', 'exclude', 'partitions']);
    const select = set.text('select');
    if (!set.has('select')) set.missing('select', 'an asset set needs a selection', 'select: "tag:daily"');
    const exclude = set.text('exclude');
    const partitions = readPartitions(set) ?? undefined;
    return select === undefined ? [] : [{ select, ...defined({ exclude, partitions }) }];
  });
}

function readTranslator(map: MapReader | undefined): DbtConfig['translator'] {
  const inner = map?.section('translator', [
    'source_key',
    'source_keys',
    'model_key',
    'group',
    'automation_condition',
  ]);
  const sourceKeys = inner?.textMap('source_keys');
  const group = inner?.oneOf('group', ['folder'] as const);
  const automationCondition = inner === undefined ? undefined : readCondition(inner, 'automation_condition');
  return {
    sourceKey: inner?.oneOf('source_key', ['name', 'source_name'] as const) ?? 'name',
    modelKey: inner?.oneOf('model_key', ['name', 'schema_name'] as const) ?? 'name',
    ...defined({ sourceKeys, group, automationCondition }),
  };
}

/** The `script:` key; undefined: absent or wrong (then reported). */
export function readScript(root: MapReader, folder: FolderFacts): ScriptConfig | undefined {
  const value = root.value('script');
  if (value?.kind === 'scalar' && typeof value.value === 'string') {
    const hint = `script: { command: [python, ${value.value}] }`;
    root.error('CONFIG_TYPE', 'script', 'a mapping with a command is needed, this is text', hint);
    return undefined;
  }
  const map = root.section('script', ['command', 'assets'], { cmd: 'command', asset: 'assets' });
  if (map === undefined) return undefined;
  const assets = (map.items('assets') ?? []).flatMap((item, index) => {
    const key = readAssetKey(map, item, `${map.pathOf('assets')}[${index}]`);
    return key === undefined ? [] : [key];
  });
  const twice = assets.find((key, index) => assets.indexOf(key) < index);
  if (twice !== undefined) map.error('CONFIG_VALUE', 'assets', `the asset "${twice}" is listed twice`);
  const command = readCommand(map, folder);
  if (command === undefined) return undefined;
  return { command, assets: assets.length === 0 ? [folder.name] : assets };
}

function readCommand(map: MapReader, folder: FolderFacts): readonly string[] | undefined {
  const hint = 'command: [python, main.py]';
  if (!map.has('command')) {
    map.missing('command', 'a script needs a command', hint);
    return undefined;
  }
  const value = map.value('command')!;
  if (value.kind === 'scalar') {
    map.error('CONFIG_TYPE', 'command', 'a list is needed, this is text: no shell reads it', hint);
    return undefined;
  }
  const words = map.items('command')?.flatMap((item, index) => {
    // Arguments may be numbers; they reach the program as they are written.
    if (item.kind === 'scalar' && item.value !== null) return [item.text];
    map.wrongType(item, `${map.pathOf('command')}[${index}]`, 'text');
    return [];
  });
  if (words === undefined) return undefined;
  if (words.length === 0) {
    map.error('CONFIG_VALUE', 'command', 'the command is empty', hint);
    return undefined;
  }
  const file = words.slice(1).find((word) => !word.startsWith('-'));
  const isPython = /^python[\d.]*$/.test(words[0]!) && !words.includes('-m') && !words.includes('-c');
  if (isPython && file?.endsWith('.py') === true && !folder.files.has(file.replace(/^\.\//, ''))) {
    map.error('TOOL_FILE_MISSING', 'command', `the folder has no file ${file}`, folder.nearestFile(file));
  }
  return words;
}

/** A path of a file inside the folder. */
export function readFile(map: MapReader, key: string, folder: FolderFacts): string | undefined {
  const file = map.text(key)?.replace(/^\.\//, '');
  if (file === undefined) return undefined;
  if (folder.files.has(file)) return file;
  const escapes = file.startsWith('/') || file.split('/').includes('..');
  if (escapes) map.error('PATH_REFUSED', key, `"${file}" is not inside the folder`);
  else map.error('TOOL_FILE_MISSING', key, `the folder has no file ${file}`, folder.nearestFile(file));
  return undefined;
}

type Defined<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the keys that have no value. */
export function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}
