import { ASSET_KEYS, readAssetSettings } from '../config/asset-settings.ts';
import { ConfigReader } from '../config/config-reader.ts';
import { MapReader } from '../config/map-reader.ts';
import type { AssetOverride } from '../pipeline-config.ts';
import type { PythonLiteral } from '../python/python-literal.ts';
import type { Position, YamlEntry, YamlMap, YamlValue } from '../yaml/yaml-value.ts';
import type { CodeResource } from './dlt-code.ts';

/** Partitions stand in the folder's `dagster.yaml`, which is read by itself. */
const IN_CODE = { tool: 'dlt', isPartitioned: true } as const;

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
  for (const { name, at, kinds, meta } of resources) {
    const dagster = meta?.['dagster'];
    const value = dagster === undefined ? undefined : yamlOf(dagster, at);
    const settings =
      value?.kind === 'map'
        ? readAssetSettings(new MapReader(inCode, value, 'meta.dagster', at, ASSET_KEYS), IN_CODE)
        : {};
    const own = { ...(kinds === undefined ? {} : { kinds }), ...settings };
    if (Object.keys(own).length > 0) assets[name] = own;
  }
  reader.diagnostics.push(...inCode.diagnostics);
  return assets;
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
