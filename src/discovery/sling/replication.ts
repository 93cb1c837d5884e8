import { digestOf } from '../../lib/digest.ts';
import { ConfigReader } from '../config/config-reader.ts';
import type { MapReader } from '../config/map-reader.ts';
import { openDocument } from '../config/map-reader.ts';
import type { FolderSource } from '../folder-source.ts';
import { fullPath, yamlOf } from '../folder-source.ts';
import type { VariableRead } from '../python/environment-reads.ts';
import type { Position } from '../yaml/yaml-value.ts';
import { plainValue } from '../yaml/yaml-value.ts';

export interface SlingStream {
  readonly name: string;
  readonly at: Position;
  /** `meta.dagster.asset_key`, dot-separated. */
  readonly assetKey?: string;
  readonly deps: readonly string[];
  readonly description?: string;
  /** The name is a pattern: which tables it stands for is known only to the database. */
  readonly dynamic: boolean;
  /** Of everything that makes this stream's data: its settings with the defaults under them, source, target, `env:`. */
  readonly codeVersion: string;
  readonly mode?: string;
  readonly primaryKey?: readonly string[];
  readonly updateKey?: string;
  readonly object?: string;
}

export interface Replication {
  readonly file: string;
  readonly source: string;
  readonly target: string;
  /** In the file's order, without the disabled ones. */
  readonly streams: readonly SlingStream[];
  readonly disabled: readonly string[];
  readonly variables: readonly VariableRead[];
  readonly diagnostics: ConfigReader['diagnostics'];
}

const ROOT_KEYS = ['source', 'target', 'defaults', 'streams', 'env', 'hooks'];
const MODES = [
  'full-refresh',
  'incremental',
  'truncate',
  'snapshot',
  'backfill',
  'definition-only',
  'change-capture',
] as const;
/** Names that the runner puts into the `env:` block itself (runners.md §7). */
const GIVEN = /^(?:START|END|PARTITION_KEY|ELT_\w+)$/;

/** Reads a `replication.yaml`; null: it cannot be read at all. Mistakes are in `diagnostics` in both cases. */
export function readReplication(folder: FolderSource, path: string): Replication {
  const file = fullPath(folder, path);
  const reader = new ConfigReader(file);
  const parsed = yamlOf(folder, path) ?? { value: null, diagnostics: [] };
  reader.diagnostics.push(...parsed.diagnostics);
  const empty = {
    file,
    source: '',
    target: '',
    streams: [],
    disabled: [],
    variables: [],
    diagnostics: reader.diagnostics,
  };
  if (parsed.diagnostics.length > 0) return empty;
  const root = openDocument(reader, parsed.value, ROOT_KEYS);
  if (root === null) return empty;
  const source = root.text('source') ?? '';
  const target = root.text('target') ?? '';
  for (const key of ['source', 'target'] as const) {
    if (!root.has(key)) root.missing(key, `a replication needs a ${key}`, 'the name of a connection');
  }
  refuseHooks(root);
  const defaults = root.section('defaults', null);
  if (defaults !== undefined) refuseHooks(defaults);
  const streams = root.section('streams', null);
  if (streams === undefined && !root.has('streams')) root.missing('streams', 'a replication needs streams');
  const common = { source, target, env: root.has('env') ? plainValue(root.value('env')!) : null };
  const read = [...(streams?.map.entries.keys() ?? [])].map((name) =>
    readStream(streams!, name, defaults, common),
  );
  return {
    file,
    source,
    target,
    streams: read.flatMap((stream) => (stream.disabled ? [] : [stream.stream])),
    disabled: read.flatMap((stream) => (stream.disabled ? [stream.stream.name] : [])),
    variables: [...connections(root, file), ...readEnvBlock(root, file)],
    diagnostics: reader.diagnostics,
  };
}

function readStream(
  streams: MapReader,
  name: string,
  defaults: MapReader | undefined,
  common: unknown,
): { readonly disabled: boolean; readonly stream: SlingStream } {
  const entry = streams.map.entries.get(name)!;
  const own = streams.section(name, null);
  if (own !== undefined) refuseHooks(own);
  const either = (key: string): MapReader | undefined => (own?.has(key) === true ? own : defaults);
  const merged = {
    ...(defaults === undefined ? {} : (plainValue(defaults.map) as object)),
    ...(own === undefined ? {} : (plainValue(own.map) as object)),
  };
  const dagster = own?.section('meta', null)?.section('dagster', null);
  const mode = either('mode')?.oneOf('mode', MODES);
  const updateKey = either('update_key')?.text('update_key');
  const primaryKey = either('primary_key')?.texts('primary_key', { alone: true });
  if (mode === 'incremental' && primaryKey === undefined && updateKey === undefined) {
    const message = `the incremental stream "${name}" has neither primary_key nor update_key`;
    streams.reader.error(
      'CONFIG_MISSING_KEY',
      entry.at,
      `streams.${name}`,
      message,
      'update_key: updated_at',
    );
  }
  const description = own?.text('description') ?? dagster?.text('description') ?? readSql(own);
  const assetKey = dagster?.text('asset_key');
  const object = either('object')?.text('object');
  const stream: SlingStream = {
    name,
    at: entry.at,
    deps: dagster?.texts('deps', { alone: true }) ?? [],
    dynamic: name.includes('*') || name.includes('?'),
    codeVersion: digestOf({ ...(common as object), stream: merged }),
    ...(assetKey === undefined ? {} : { assetKey }),
    ...(description === undefined ? {} : { description }),
    ...(mode === undefined ? {} : { mode }),
    ...(primaryKey === undefined ? {} : { primaryKey }),
    ...(updateKey === undefined ? {} : { updateKey }),
    ...(object === undefined ? {} : { object }),
  };
  return { disabled: either('disabled')?.boolean('disabled') ?? false, stream };
}

function readSql(stream: MapReader | undefined): string | undefined {
  const sql = stream?.value('sql');
  return sql?.kind === 'scalar' && typeof sql.value === 'string' ? sql.value.trim() : undefined;
}

/** Hooks need a paid token: without one the stream fails (runners.md §3.2). */
function refuseHooks(map: MapReader): void {
  if (!map.has('hooks')) return;
  const entry = map.entry('hooks')!;
  const hint = 'remove them, or do their work in a python pipeline that depends on this one';
  map.reader.error('SLING_UNSUPPORTED', entry.at, map.pathOf('hooks'), 'hooks need a Sling token', hint);
}

/** Connections are variables of their name; addresses of files are not. */
function connections(root: MapReader, file: string): VariableRead[] {
  return (['source', 'target'] as const).flatMap((key) => {
    const name = root.text(key);
    if (name === undefined || !/^\w+$/.test(name) || name.toUpperCase() === 'LOCAL') return [];
    const { line, column } = root.place(key);
    return [{ name, required: true, source: { file, line, column } }];
  });
}

function readEnvBlock(root: MapReader, file: string): VariableRead[] {
  const env = root.section('env', null);
  const reads: VariableRead[] = [];
  for (const { key, at, value } of env?.map.entries.values() ?? []) {
    if (key === 'SLING_STATE') {
      const message = 'SLING_STATE needs a Sling token: without one the stream is silently not incremental';
      env!.reader.error(
        'SLING_UNSUPPORTED',
        at,
        'env.SLING_STATE',
        message,
        'use mode: incremental with update_key',
      );
    }
    if (value.kind !== 'scalar') continue;
    const name = /^\$\{?(\w+)\}?$/.exec(value.text)?.[1];
    if (name === undefined || GIVEN.test(name)) continue;
    reads.push({ name, required: true, source: { file, line: value.line, column: value.column } });
  }
  return reads;
}
