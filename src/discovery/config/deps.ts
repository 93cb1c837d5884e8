import type { Dep, PartitionMappingConfig } from '../pipeline-config.ts';
import type { YamlValue } from '../yaml/yaml-value.ts';
import { readAssetKey } from './asset-key.ts';
import type { MapReader } from './map-reader.ts';

const MAPPINGS = [
  'identity',
  'all',
  'last',
  'time_window',
  'static',
  'specific',
  'multi_to_single',
  'multi',
] as const;

/** The `deps:` list: asset keys, or `{ asset, partition_mapping }`. */
export function readDeps(map: MapReader): readonly Dep[] | undefined {
  return map.items('deps')?.flatMap((item, index) => {
    const dep = readDep(map, item, `${map.pathOf('deps')}[${index}]`);
    return dep === undefined ? [] : [dep];
  });
}

function readDep(parent: MapReader, item: YamlValue, path: string): Dep | undefined {
  if (item.kind !== 'map') {
    const asset = readAssetKey(parent, item, path);
    return asset === undefined ? undefined : { asset };
  }
  const map = parent.child(item, path, ['asset', 'partition_mapping'], {
    key: 'asset',
    mapping: 'partition_mapping',
  });
  const value = map.value('asset');
  if (value === undefined) map.missing('asset', 'a dependency needs the key of an asset');
  const asset = value === undefined ? undefined : readAssetKey(map, value, map.pathOf('asset'));
  const partitionMapping = readMapping(map, 'partition_mapping');
  if (asset === undefined) return undefined;
  return partitionMapping === undefined ? { asset } : { asset, partitionMapping };
}

function readMapping(parent: MapReader, key: string): PartitionMappingConfig | undefined {
  const value = parent.value(key);
  if (value === undefined) return undefined;
  if (value.kind === 'scalar') {
    // `partition_mapping: last` says all that such a mapping has to say.
    const word = parent.oneOf(key, MAPPINGS);
    if (word === 'identity' || word === 'all' || word === 'last') return { kind: word };
    if (word !== undefined)
      parent.error('CONFIG_VALUE', key, `a mapping of type ${word} needs more than its name`);
    return undefined;
  }
  const untyped = parent.section(key, null);
  if (untyped === undefined) return undefined;
  if (!untyped.has('type')) untyped.missing('type', 'a partition mapping needs a type', MAPPINGS.join(', '));
  const kind = untyped.oneOf('type', MAPPINGS);
  return kind === undefined ? undefined : readMappingOf(kind, untyped);
}

function readMappingOf(
  kind: (typeof MAPPINGS)[number],
  untyped: MapReader,
): PartitionMappingConfig | undefined {
  const open = (...keys: string[]): MapReader => untyped.withKeys(['type', ...keys]);
  switch (kind) {
    case 'time_window': {
      const map = open('start_offset', 'end_offset');
      const limits = { min: -100_000, max: 100_000 };
      const startOffset = map.integer('start_offset', limits) ?? 0;
      return { kind, startOffset, endOffset: map.integer('end_offset', limits) ?? 0 };
    }
    case 'static': {
      const map = open('map');
      const inner = map.section('map', null);
      if (inner === undefined) {
        if (!map.has('map'))
          map.missing('map', 'a static mapping needs a map of upstream to downstream keys');
        return undefined;
      }
      const pairs: Record<string, string | readonly string[]> = {};
      for (const upstream of inner.map.entries.keys()) {
        const list = inner.value(upstream)?.kind === 'list';
        const keys = list ? inner.texts(upstream) : inner.text(upstream);
        if (keys !== undefined) pairs[upstream] = keys;
      }
      return { kind, map: pairs };
    }
    case 'specific': {
      const map = open('partition_keys');
      const partitionKeys = map.texts('partition_keys', { alone: true });
      if (!map.has('partition_keys'))
        map.missing('partition_keys', 'a specific mapping needs partition_keys');
      return partitionKeys === undefined ? undefined : { kind, partitionKeys };
    }
    case 'multi_to_single': {
      const map = open('dimension');
      const dimension = map.text('dimension');
      if (!map.has('dimension')) map.missing('dimension', 'a multi_to_single mapping needs a dimension');
      return dimension === undefined ? undefined : { kind, dimension };
    }
    case 'multi':
      return readMulti(open('dimensions'));
    default:
      open();
      return { kind };
  }
}

function readMulti(map: MapReader): PartitionMappingConfig | undefined {
  const inner = map.section('dimensions', null);
  if (inner === undefined) {
    if (!map.has('dimensions')) map.missing('dimensions', 'a multi mapping needs dimensions');
    return undefined;
  }
  const dimensions: Record<string, { dimension: string; mapping: PartitionMappingConfig }> = {};
  for (const upstream of inner.map.entries.keys()) {
    const one = inner.section(upstream, ['dimension', 'mapping'], { partition_mapping: 'mapping' });
    if (one === undefined) continue;
    const dimension = one.text('dimension') ?? upstream;
    dimensions[upstream] = { dimension, mapping: readMapping(one, 'mapping') ?? { kind: 'identity' } };
  }
  return { kind: 'multi', dimensions };
}
