import { ASSET_KEYS, readAssetSettings } from '../config/asset-settings.ts';
import { ConfigReader } from '../config/config-reader.ts';
import { MapReader } from '../config/map-reader.ts';
import type { AssetOverride } from '../pipeline-config.ts';
import type { PythonLiteral } from '../python/python-literal.ts';
import type { Position, YamlEntry, YamlMap, YamlValue } from '../yaml/yaml-value.ts';
import type { CodeResource } from './dlt-code.ts';

/** Partitions stand in the folder's `dagster.yaml`, which is read by itself. */
const IN_CODE = { tool: 'dlt', isPartitioned: true } as const;

/** What `ConfigurableDltResource.config(…)` was given beside a resource, read or recorded. */
interface Configured {
  readonly kinds?: readonly string[] | null | undefined;
  readonly meta?: Readonly<Record<string, PythonLiteral>> | null | undefined;
}

/**
 * Settings that `ConfigurableDltResource.config(…, kinds=…, meta={"dagster": {…}})` gives its resources. They are read by
 * the rules of `assets:` in `dagster.yaml`; mistakes are reported at the resource.
 */
export function configuredAssets(
  reader: ConfigReader,
  resources: readonly CodeResource[],
  file: string,
): Record<string, AssetOverride> {
  const assets: Record<string, AssetOverride> = {};
  const inCode = new ConfigReader(file);
  for (const { name, at, ...configured } of resources) {
    const own = settingsOf(inCode, configured, at);
    if (own !== undefined) assets[name] = own;
  }
  reader.diagnostics.push(...inCode.diagnostics);
  return assets;
}

/** The settings of one resource; undefined: it has none. Mistakes are told to the reader, at `at`. */
export function settingsOf(
  reader: ConfigReader,
  { kinds, meta }: Configured,
  at: Position,
): AssetOverride | undefined {
  const dagster = meta?.['dagster'];
  const value = dagster === undefined ? undefined : yamlOf(dagster, at);
  if (value !== undefined && value.kind !== 'map') {
    const hint = 'meta={"dagster": {"automation_condition": "eager"}}';
    reader.error('CONFIG_TYPE', at, 'meta.dagster', 'a mapping of settings is needed', hint);
  }
  const settings =
    value?.kind === 'map'
      ? readAssetSettings(new MapReader(reader, value, 'meta.dagster', at, ASSET_KEYS), IN_CODE)
      : {};
  const own = { ...(kinds == null ? {} : { kinds }), ...settings };
  return Object.keys(own).length === 0 ? undefined : own;
}

function yamlOf(value: PythonLiteral, at: Position): YamlValue {
  if (Array.isArray(value))
    return { kind: 'list', items: value.map((item: PythonLiteral) => yamlOf(item, at)), ...at };
  if (typeof value === 'object' && value !== null) {
    const entries = new Map<string, YamlEntry>();
    for (const [key, child] of Object.entries(value)) entries.set(key, { key, at, value: yamlOf(child, at) });
    const map: YamlMap = { kind: 'map', entries, ...at };
    return map;
  }
  // `block`: the place inside the text is not known.
  return {
    kind: 'scalar',
    value,
    text: String(value),
    style: 'block',
    ...at,
  };
}
