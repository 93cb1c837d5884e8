import type { FolderFacts } from '../config/folder-facts.ts';
import type { MapReader } from '../config/map-reader.ts';
import { readPipelineConfig } from '../config/pipeline-config-schema.ts';
import { nearest } from '../config/suggest.ts';
import type { FolderSource } from '../folder-source.ts';
import type { SlingConfig } from '../pipeline-config.ts';
import type { ToolReading } from '../tool-reading.ts';
import type { Replication } from './replication.ts';
import { hasToken, readReplication, refuseState } from './replication.ts';
import { slingReplicationAsset, slingStreamAsset } from './sling-assets.ts';

/** A Sling folder: one asset for the replication, or one for each stream. */
export function readSlingFolder(
  source: FolderSource,
  folder: FolderFacts,
  root: MapReader,
  sourceFile: string,
): ToolReading {
  const path = source.files.has('replication.yaml') ? 'replication.yaml' : 'replication.yml';
  if (!source.files.has(path)) {
    const hint = 'add replication.yaml';
    root.reader.error('TOOL_FILE_MISSING', root.at, '', 'a sling pipeline needs a replication.yaml', hint);
  }
  const config = readPipelineConfig(root, { tool: 'sling', folder, sourceFile, replication: path });
  if (!source.files.has(path)) return { config, assets: [], method: 'declared', job: null, variables: [] };
  const given = new Set(Object.keys(config.env));
  const replication = readReplication(source, path, given);
  refuseGivenState(root, given);
  root.reader.diagnostics.push(...replication.diagnostics);
  const sling = config.sling!;
  checkStreams(root, sling, replication);
  const chosen =
    sling.streams.length === 0
      ? replication.streams
      : replication.streams.filter((stream) => sling.streams.includes(stream.name));
  const assets =
    sling.assetPer === 'replication'
      ? [slingReplicationAsset(source.name, { ...replication, streams: chosen })]
      : chosen.map((stream) => slingStreamAsset(source.name, replication, stream));
  return { config, assets, method: 'declared', job: null, variables: replication.variables };
}

function refuseGivenState(root: MapReader, given: ReadonlySet<string>): void {
  const env = root.value('env');
  const entry = env?.kind === 'map' ? env.entries.get('SLING_STATE') : undefined;
  if (entry !== undefined && !hasToken(given)) refuseState(root.reader, entry.at);
}

function checkStreams(root: MapReader, sling: SlingConfig, replication: Replication): void {
  if (replication.diagnostics.some((one) => one.severity === 'error')) return;
  const known = [...replication.streams.map((stream) => stream.name), ...replication.disabled];
  const section = root.value('sling');
  const list = section?.kind === 'map' ? section.entries.get('streams')?.value : undefined;
  for (const [index, name] of sling.streams.entries()) {
    if (known.includes(name)) continue;
    const at = (list?.kind === 'list' ? list.items[index] : list) ?? root.at;
    const near = nearest(name, known);
    const hint = near === null ? `known are ${known.join(', ')}` : `did you mean "${near}"?`;
    root.reader.error(
      'CONFIG_VALUE',
      at,
      `sling.streams[${index}]`,
      `the replication has no stream "${name}"`,
      hint,
    );
  }
  if (replication.streams.length > 0) return;
  const { file } = replication;
  root.reader.diagnostics.push({
    code: 'CONFIG_VALUE',
    severity: 'error',
    message:
      known.length === 0 ? 'the replication has no stream' : 'every stream of the replication is disabled',
    file,
    line: 1,
    column: 1,
    hint: 'add a stream, or "enabled: false" to dagster.yaml',
  });
}
