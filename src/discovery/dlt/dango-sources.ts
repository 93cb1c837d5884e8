import type { ConfigReader } from '../config/config-reader.ts';
import { ConfigReader as FileReader } from '../config/config-reader.ts';
import { MapReader } from '../config/map-reader.ts';
import type { DltDefaults } from '../config/tool-sections.ts';
import type { FolderSource } from '../folder-source.ts';
import { fullPath } from '../folder-source.ts';
import type { DltDeclaredSource, SourceRef } from '../pipeline-config.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import { plainValue } from '../yaml/yaml-value.ts';

const FILES = ['.dango/sources.yml', 'sources.yml'];
/** It names a pipeline, whose name is that of a folder. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;

export interface DangoSources {
  readonly defaults: Pick<
    DltDefaults,
    'sourceModule' | 'sourceName' | 'sourceArgs' | 'sources' | 'pipelineName' | 'datasetName'
  >;
  /** Where each of several sources is declared, by its name. */
  readonly places: ReadonlyMap<string, SourceRef>;
}

/**
 * The sources that a `sources.yml` of Dango declares (`type: dlt_native`, not `enabled: false`); null: the folder has no
 * such file, or none of its sources is one. As there, a source `shop` is the pipeline `shop` with the dataset `raw_shop`.
 */
export function readDangoSources(folder: FolderSource, reader: ConfigReader): DangoSources | null {
  const path = FILES.find((file) => folder.contents.has(file));
  if (path === undefined) return null;
  const file = fullPath(folder, path);
  const parsed = parseYaml(file, folder.contents.get(path)!);
  reader.diagnostics.push(...parsed.diagnostics);
  if (parsed.value?.kind !== 'map') return null;
  const own = new FileReader(file);
  const root = new MapReader(own, parsed.value, '', parsed.value, null);
  const enabled = (root.items('sources') ?? []).flatMap((item, index) => {
    if (item.kind !== 'map') return [];
    const source = root.child(item, `sources[${index}]`, null);
    return source.text('type') === 'dlt_native' && (source.boolean('enabled') ?? true) ? [source] : [];
  });
  const places = new Map<string, SourceRef>();
  const sources = enabled.flatMap((map) => {
    const source = readSource(map, enabled.length > 1);
    if (source === null) return [];
    if (source.name !== '' && places.has(source.name)) {
      map.error(
        'CONFIG_VALUE',
        'name',
        `there are two sources "${source.name}"`,
        'give each a name of its own',
      );
      return [];
    }
    places.set(source.name, { file, line: map.at.line, column: map.at.column });
    return [source];
  });
  reader.diagnostics.push(...own.diagnostics);
  const [first, second] = sources;
  if (first === undefined) return null;
  if (second !== undefined) return { defaults: { sources }, places };
  const { name, datasetName, ...single } = first;
  return {
    defaults: { ...single, ...(name === '' ? {} : { pipelineName: name, datasetName }) },
    places: new Map(),
  };
}

function readSource(map: MapReader, isOneOfMany: boolean): DltDeclaredSource | null {
  const name = map.text('name') ?? '';
  if (name === '' && isOneOfMany) map.missing('name', 'each of several sources needs a name');
  if (name !== '' && !NAME.test(name)) {
    const hint = 'letters, digits, _ and - only: it names a dlt pipeline and a dataset';
    map.error('CONFIG_VALUE', 'name', `"${name}" cannot name a source`, hint);
  }
  const native = map.section('dlt_native', null);
  if (native === undefined) {
    map.missing('dlt_native', 'the source needs dlt_native');
    return null;
  }
  const sourceModule = native.text('source_module');
  const sourceName = native.text('source_name');
  if (!native.has('source_module')) native.missing('source_module', 'dlt_native needs source_module');
  if (!native.has('source_name')) native.missing('source_name', 'dlt_native needs source_name');
  if (sourceModule === undefined || sourceName === undefined) return null;
  const args = native.section('source_args', null);
  return {
    name,
    sourceModule,
    sourceName,
    sourceArgs: args === undefined ? {} : (plainValue(args.map) as Record<string, unknown>),
    datasetName: `raw_${name.replaceAll('-', '_')}`,
  };
}

/** Whether a `sources.yml` makes its folder a dlt pipeline. */
export function isDangoFolder(folder: FolderSource): boolean {
  return FILES.some((file) => {
    const bytes = folder.contents.get(file);
    return bytes !== undefined && new TextDecoder().decode(bytes).includes('dlt_native');
  });
}
