import type { Diagnostic } from '../lib/diagnostics.ts';
import { compareDiagnostics, hasErrors } from '../lib/diagnostics.ts';
import { digestOf } from '../lib/digest.ts';
import type { DiscoveredAsset, DiscoveryInfo } from '../state/snapshot.ts';
import { isAssetKey } from './config/asset-key.ts';
import { ConfigReader } from './config/config-reader.ts';
import { folderFacts } from './config/folder-facts.ts';
import type { MapReader } from './config/map-reader.ts';
import { openPipelineFile } from './config/pipeline-config-schema.ts';
import { contentDigest, fileDigests } from './content-digest.ts';
import { readDbtFolder } from './dbt/read-dbt-folder.ts';
import { detectTool } from './detect-tool.ts';
import type { DiscoveryJob } from './discover.ts';
import { readDltFolder } from './dlt/read-dlt-folder.ts';
import { environmentInputs } from './environment-job.ts';
import type { FolderSource } from './folder-source.ts';
import { fullPath, yamlOf } from './folder-source.ts';
import type { PipelineConfig, SourceRef, Tool } from './pipeline-config.ts';
import type { VariableRead } from './python/environment-reads.ts';
import { readPythonFolder } from './python/read-python-folder.ts';
import { readSlingFolder } from './sling/read-sling-folder.ts';
import { envReferences } from './step-variables.ts';
import type { ToolReading } from './tool-reading.ts';
import { checkTree } from './tree-safety.ts';

/** A new release that reads folders otherwise must not be served results of an older one's jobs. */
const FORMAT = 2;

/** All that one tree of a folder says by itself: the same for every commit, service and time. */
export type FolderReading =
  | {
      readonly ok: true;
      readonly config: PipelineConfig;
      readonly contentDigest: string;
      readonly assets: readonly DiscoveredAsset[];
      readonly method: DiscoveryInfo['method'];
      readonly inputsDigest: string;
      readonly job: DiscoveryJob['kind'] | null;
      readonly variables: readonly VariableRead[];
      readonly references: readonly VariableRead[];
      readonly overrides: readonly { readonly name: string; readonly source: SourceRef }[];
      /** Of a folder whose assets a job reads out of its files: their paths in the repository. */
      readonly files: readonly string[];
      readonly diagnostics: readonly Diagnostic[];
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

const READERS: Readonly<Record<Tool, typeof readDltFolder>> = {
  dlt: readDltFolder,
  sling: readSlingFolder,
  dbt: readDbtFolder,
  python: readPythonFolder,
};

/** Reads one pipeline folder: pure, from its files alone. */
export function readFolder(source: FolderSource): FolderReading {
  const diagnostics = checkTree(source);
  const file = fullPath(source, 'dagster.yaml');
  const reader = new ConfigReader(file);
  const finish = (): Diagnostic[] =>
    [...diagnostics, ...reader.diagnostics]
      .map((one) => ({ ...one, pipeline: source.name }))
      .sort(compareDiagnostics);
  const root = openConfig(source, reader);
  const tool = root === null ? null : detectTool(source, root);
  if (root === null || tool === null) return { ok: false, diagnostics: finish() };
  const folder = folderFacts(source.dir, source.files.keys());
  const reading = READERS[tool](
    source,
    folder,
    root,
    source.files.has('dagster.yaml') ? file : markerOf(source),
  );
  checkAssets(root, reading);
  const all = finish();
  if (hasErrors(all)) return { ok: false, diagnostics: all };
  const files = fileDigests(source);
  const { job } = reading;
  const environment = job === null ? environmentInputs(source, reading.config, files) : null;
  return {
    ok: true,
    config: reading.config,
    contentDigest: contentDigest(files, reading.config),
    assets: reading.assets,
    method: reading.method,
    inputsDigest: digestOf(
      environment !== null
        ? { format: FORMAT, kind: 'environment', ...environment }
        : job === null
          ? { format: FORMAT, tree: source.treeId }
          : { format: FORMAT, kind: job.kind, name: source.name, files, inputs: job.inputs },
    ),
    job: job?.kind ?? (environment === null ? null : 'environment'),
    variables: reading.variables,
    references: envReferences(root),
    overrides: overridesOf(root),
    files: job?.kind === 'dbt_parse' ? [...source.files.keys()].map((path) => fullPath(source, path)) : [],
    diagnostics: all,
  };
}

function openConfig(source: FolderSource, reader: ConfigReader): MapReader | null {
  if (!/^[A-Za-z0-9_][\w.-]*$/.test(source.name)) {
    const hint = 'name it with letters, digits, "_", "-" and "."';
    const message = `"${source.name}" cannot name a pipeline`;
    reader.error('PATH_REFUSED', { line: 0, column: 0 }, '', message, hint);
    return null;
  }
  if (source.files.has('dagster.yml') && !source.files.has('dagster.yaml')) {
    reader.diagnostics.push({
      code: 'TOOL_FILE_MISSING',
      severity: 'error',
      message: 'the configuration is called dagster.yaml, so this file would not be read',
      file: fullPath(source, 'dagster.yml'),
      line: 1,
      column: 1,
      hint: 'rename dagster.yml to dagster.yaml',
    });
    return null;
  }
  const parsed = yamlOf(source, 'dagster.yaml');
  reader.diagnostics.push(...(parsed?.diagnostics ?? []));
  if ((parsed?.diagnostics.length ?? 0) > 0) return null;
  return openPipelineFile(reader, parsed?.value ?? null);
}

function markerOf(source: FolderSource): string {
  const markers = ['dbt_project.yml', 'replication.yaml', 'replication.yml', 'definitions.py', 'pipeline.py'];
  const marker = markers.find((one) => source.files.has(one)) ?? [...source.files.keys()].sort()[0]!;
  return fullPath(source, marker);
}

/** Keys that cannot be keys, and keys that stand twice in the folder. */
function checkAssets(root: MapReader, reading: ToolReading): void {
  const seen = new Map<string, DiscoveredAsset>();
  for (const asset of reading.assets) {
    const at = asset.source ?? { file: root.reader.file, line: 1, column: 1 };
    if (!isAssetKey(asset.key)) {
      const hint = 'give it a key of its own in meta.dagster.asset_key, or rename it';
      root.reader.diagnostics.push(
        problem('CONFIG_VALUE', `"${asset.key}" cannot be an asset key`, at, hint),
      );
    }
    const earlier = seen.get(asset.key);
    if (earlier === undefined) {
      seen.set(asset.key, asset);
      continue;
    }
    const message = `the asset key "${asset.key}" stands twice: for ${asset.resource ?? '?'} and ${earlier.resource ?? '?'}`;
    root.reader.diagnostics.push(problem('ASSET_DUPLICATE', message, at, 'give one of them another key'));
  }
}

/** Where `assets:` has settings. */
function overridesOf(root: MapReader): { name: string; source: SourceRef }[] {
  const section = root.value('assets');
  const { file } = root.reader;
  return [...(section?.kind === 'map' ? section.entries.values() : [])].map(({ key, at }) => {
    return { name: key, source: { file, line: at.line, column: at.column } };
  });
}

function problem(
  code: string,
  message: string,
  at: { readonly file: string; readonly line: number; readonly column: number },
  hint: string,
): Diagnostic {
  return { code, severity: 'error', message, file: at.file, line: at.line, column: at.column, hint };
}
