import { digestOf } from '../../lib/digest.ts';
import { ConfigReader } from '../config/config-reader.ts';
import type { MapReader } from '../config/map-reader.ts';
import { openDocument } from '../config/map-reader.ts';
import type { FolderSource } from '../folder-source.ts';
import { fullPath, yamlOf } from '../folder-source.ts';
import { SLING_CURSORS } from '../pipeline-config.ts';
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
const MODES = ['full-refresh', 'incremental', 'truncate', 'snapshot', 'backfill'] as const;
/** Newer Sling's, or such that need a token. */
const UNSUPPORTED_MODES = /^(?:definition-only|change-capture)$/;
const TOKENS = ['SLING_CLI_TOKEN', 'SLING_PROJECT_TOKEN'] as const;
/** Formats that Sling reads and writes with DuckDB's program. */
const DUCKDB_FORMATS = /^(?:parquet|iceberg|delta)$/;
/** Names that the runner puts into the `env:` block itself (runners.md §7). */
const GIVEN = /^(?:START|END|PARTITION_KEY|ELT_\w+)$/;

/**
 * Reads a `replication.yaml`. Mistakes are in `diagnostics`.
 * @param given names of variables that `dagster.yaml` gives to the steps
 */
export function readReplication(folder: FolderSource, path: string, given: ReadonlySet<string>): Replication {
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
  const allowed = { token: hasToken(given), duckdb: given.has('DUCKDB_PATH') };
  if (!allowed.token) refuseHooks(root);
  const defaults = root.section('defaults', null);
  if (defaults !== undefined && !allowed.token) refuseHooks(defaults);
  const streams = root.section('streams', null);
  if (streams === undefined && !root.has('streams')) root.missing('streams', 'a replication needs streams');
  const common = { source, target, env: root.has('env') ? plainValue(root.value('env')!) : null };
  const read = [...(streams?.map.entries.keys() ?? [])].map((name) =>
    readStream(streams!, name, defaults, common, allowed),
  );
  return {
    file,
    source,
    target,
    streams: read.flatMap((stream) => (stream.disabled ? [] : [stream.stream])),
    disabled: read.flatMap((stream) => (stream.disabled ? [stream.stream.name] : [])),
    variables: [...connections(root, file), ...readEnvBlock(root, file, allowed.token)],
    diagnostics: reader.diagnostics,
  };
}

function readStream(
  streams: MapReader,
  name: string,
  defaults: MapReader | undefined,
  common: unknown,
  allowed: Allowed,
): { readonly disabled: boolean; readonly stream: SlingStream } {
  const entry = streams.map.entries.get(name)!;
  const own = streams.section(name, null);
  if (own !== undefined && !allowed.token) refuseHooks(own);
  const either = (key: string): MapReader | undefined => (own?.has(key) === true ? own : defaults);
  const merged = {
    ...(defaults === undefined ? {} : (plainValue(defaults.map) as object)),
    ...(own === undefined ? {} : (plainValue(own.map) as object)),
  };
  const dagster = own?.section('meta', null)?.section('dagster', null);
  const mode = readMode(either('mode'));
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
  const written = object ?? '';
  if (mode === 'incremental' && written.startsWith('file://')) {
    const message =
      'a file cannot be loaded incrementally: Sling would need SLING_STATE, and for that a token';
    streams.reader.error('SLING_UNSUPPORTED', entry.at, `streams.${name}`, message, 'mode: full-refresh');
  }
  if (!allowed.duckdb) refuseDuckdb(streams, name, written, merged);
  (own ?? defaults)?.section('meta', null)?.section('dagster', null)?.oneOf('cursor', SLING_CURSORS);
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

interface Allowed {
  /** Hooks and SLING_STATE. */
  readonly token: boolean;
  readonly duckdb: boolean;
}

function readMode(map: MapReader | undefined): SlingStream['mode'] {
  const written = map?.text('mode') ?? '';
  if (!UNSUPPORTED_MODES.test(written)) return map?.oneOf('mode', MODES);
  map!.error('SLING_UNSUPPORTED', 'mode', `Sling 1.4 has no mode ${written}`, `one of ${MODES.join(', ')}`);
  return undefined;
}

function refuseDuckdb(
  streams: MapReader,
  name: string,
  object: string,
  merged: Readonly<Record<string, unknown>>,
): void {
  const formats = ['source_options', 'target_options'].map((key) => {
    const options = merged[key];
    return options !== null && typeof options === 'object'
      ? String((options as { format?: unknown }).format)
      : '';
  });
  const isAsked =
    [name, object].some((text) => /\.parquet$/i.test(text)) ||
    formats.some((one) => DUCKDB_FORMATS.test(one));
  if (!isAsked) return;
  const message = 'for this format Sling downloads a DuckDB program at run time';
  const hint =
    'use CSV or JSON lines, load it with dlt, or give the program in DUCKDB_PATH in env: of dagster.yaml';
  streams.reader.error(
    'SLING_UNSUPPORTED',
    streams.map.entries.get(name)!.at,
    `streams.${name}`,
    message,
    hint,
  );
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

export function hasToken(given: ReadonlySet<string>): boolean {
  return TOKENS.some((name) => given.has(name));
}

/** Without a token Sling only warns, and the stream is not incremental. */
export function refuseState(reader: ConfigReader, at: Position): void {
  const message = 'SLING_STATE needs a Sling token: without one the stream is silently not incremental';
  const hint = 'use mode: incremental with update_key';
  reader.error('SLING_UNSUPPORTED', at, 'env.SLING_STATE', message, hint);
}

function readEnvBlock(root: MapReader, file: string, hasToken: boolean): VariableRead[] {
  const env = root.section('env', null);
  const reads: VariableRead[] = [];
  for (const { key, at, value } of env?.map.entries.values() ?? []) {
    if (key === 'SLING_STATE' && !hasToken) refuseState(env!.reader, at);
    if (value.kind !== 'scalar') continue;
    const name = /^\$\{?(\w+)\}?$/.exec(value.text)?.[1];
    if (name === undefined || GIVEN.test(name)) continue;
    reads.push({ name, required: true, source: { file, line: value.line, column: value.column } });
  }
  return reads;
}
