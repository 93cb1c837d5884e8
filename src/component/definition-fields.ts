import { configShape } from '../definitions/config-shape.ts';
import type { PipelineConfig } from '../discovery/pipeline-config.ts';
import { parseYaml } from '../discovery/yaml/parse-yaml.ts';
import type { YamlMap, YamlValue } from '../discovery/yaml/yaml-value.ts';

/** A setting as it counts, and where its author wrote it. */
export interface DefinitionField {
  /** Dotted, by the keys of `dagster.yaml`. */
  readonly path: string;
  /** Of `env`: the names that it is made of, never a value. */
  readonly value: unknown;
  /** Line of `dagster.yaml`, from 1; null: nobody wrote it, it is the default or told by the folder's files. */
  readonly line: number | null;
}

/** Other words that the file may use for a setting, by the setting's own path. */
const OTHER_WORDS: Readonly<Record<string, readonly string[]>> = {
  group: ['group_name'],
  'schedule.timezone': ['schedule.execution_timezone'],
  'retry_policy.max_retries': ['retries'],
  'retry_policy.delay': ['retry_delay'],
  'freshness.lower_bound_delta_seconds': ['freshness_lower_bound_delta_seconds'],
};
const MOST = 500;

/**
 * A pipeline's settings with their places in the text: those that stand in it first, in its order, then the defaults.
 * @param text null: there is no file
 */
export function definitionFields(text: string | null, config: PipelineConfig): DefinitionField[] {
  const file = config.source.file;
  const value = text === null ? null : parseYaml(file, Buffer.from(text)).value;
  const root = value?.kind === 'map' ? value : null;
  const { tool: _, ...shape } = configShape(config);
  const fields = [...leaves(shape, '', root)].map(([path, leaf]) => ({
    path,
    value: path.startsWith('env.') ? variablesOf(String(leaf)) : leaf,
    line: lineOf(root, path),
  }));
  const written = fields.filter(({ line }) => line !== null).sort((a, b) => a.line! - b.line!);
  return [...written, ...fields.filter(({ line }) => line === null)].slice(0, MOST);
}

/** What a value of `env` is made of: `from VAR`; a text of its own is not shown. */
function variablesOf(text: string): string {
  const names = [...text.matchAll(/(?<!\$)\$\{(\w+)/g)].map((match) => match[1]);
  return names.length === 0 ? 'a text of its own' : `from ${[...new Set(names)].join(', ')}`;
}

/** Settings that have a value; an object of settings is its parts, a list is one value. */
function* leaves(shape: object, prefix: string, at: YamlValue | null): IterableIterator<[string, unknown]> {
  for (const [key, value] of Object.entries(shape) as [string, unknown][]) {
    if (value === undefined || value === null) continue;
    const path = prefix === '' ? key : `${prefix}.${key}`;
    const below = at?.kind === 'map' ? (at.entries.get(key)?.value ?? null) : null;
    if (typeof value !== 'object' || Array.isArray(value)) {
      const isNothing = Array.isArray(value) && value.length === 0 && below === null;
      if (!isNothing) yield [path, value];
    } else yield* leaves(value, path, below);
  }
}

function lineOf(root: YamlMap | null, path: string): number | null {
  if (root === null) return null;
  for (const one of [path, ...(OTHER_WORDS[path] ?? [])]) {
    const line = find(root, one);
    if (line !== null) return line;
  }
  return null;
}

/** Keys may hold dots themselves (`assets.<stream>`): at each level the longest that fits. */
function find(map: YamlMap, path: string): number | null {
  const entry = map.entries.get(path);
  if (entry !== undefined) return entry.at.line;
  for (const [key, { value }] of map.entries) {
    if (!path.startsWith(`${key}.`) || value.kind !== 'map') continue;
    const line = find(value, path.slice(key.length + 1));
    if (line !== null) return line;
  }
  return null;
}
