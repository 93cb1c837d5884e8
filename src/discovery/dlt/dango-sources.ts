import type { ConfigReader } from '../config/config-reader.ts';
import { ConfigReader as FileReader } from '../config/config-reader.ts';
import { MapReader } from '../config/map-reader.ts';
import type { DltDefaults } from '../config/tool-sections.ts';
import type { FolderSource } from '../folder-source.ts';
import { fullPath } from '../folder-source.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import { plainValue } from '../yaml/yaml-value.ts';

const FILES = ['.dango/sources.yml', 'sources.yml'];

/**
 * The source that a `sources.yml` of Dango declares (`type: dlt_native`); null: the folder has no such file, or none of
 * its sources is one. A folder is one pipeline, so a second enabled source is refused.
 */
export function readDangoSource(
  folder: FolderSource,
  reader: ConfigReader,
): Pick<DltDefaults, 'sourceModule' | 'sourceName' | 'sourceArgs'> | null {
  const path = FILES.find((file) => folder.contents.has(file));
  if (path === undefined) return null;
  const file = fullPath(folder, path);
  const parsed = parseYaml(file, folder.contents.get(path)!);
  reader.diagnostics.push(...parsed.diagnostics);
  if (parsed.value?.kind !== 'map') return null;
  const own = new FileReader(file);
  const root = new MapReader(own, parsed.value, '', parsed.value, null);
  const sources = (root.items('sources') ?? []).flatMap((item, index) => {
    if (item.kind !== 'map') return [];
    const source = root.child(item, `sources[${index}]`, null);
    return source.text('type') === 'dlt_native' && (source.boolean('enabled') ?? true) ? [source] : [];
  });
  const [first, second] = sources;
  if (second !== undefined) {
    const hint = 'give each source a folder of its own';
    own.error(
      'CONFIG_VALUE',
      second.map,
      second.path,
      'a folder is one pipeline, this is its second source',
      hint,
    );
  }
  const native = first?.section('dlt_native', null);
  if (first !== undefined && native === undefined) first.missing('dlt_native', 'the source needs dlt_native');
  const sourceModule = native?.text('source_module');
  const sourceName = native?.text('source_name');
  if (native !== undefined && !native.has('source_module'))
    native.missing('source_module', 'dlt_native needs source_module');
  if (native !== undefined && !native.has('source_name'))
    native.missing('source_name', 'dlt_native needs source_name');
  const args = native?.section('source_args', null);
  reader.diagnostics.push(...own.diagnostics);
  if (sourceModule === undefined || sourceName === undefined) return null;
  return {
    sourceModule,
    sourceName,
    ...(args === undefined ? {} : { sourceArgs: plainValue(args.map) as Record<string, unknown> }),
  };
}

/** Whether a `sources.yml` makes its folder a dlt pipeline. */
export function isDangoFolder(folder: FolderSource): boolean {
  return FILES.some((file) => {
    const bytes = folder.contents.get(file);
    return bytes !== undefined && new TextDecoder().decode(bytes).includes('dlt_native');
  });
}
