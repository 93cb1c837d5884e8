import { hasErrors } from '../../lib/diagnostics.ts';
import type { ConfigReader } from '../config/config-reader.ts';
import type { FolderFacts } from '../config/folder-facts.ts';
import type { MapReader } from '../config/map-reader.ts';
import { readPipelineConfig } from '../config/pipeline-config-schema.ts';
import type { DltDefaults } from '../config/tool-sections.ts';
import type { FolderSource } from '../folder-source.ts';
import { fullPath, textOf } from '../folder-source.ts';
import type { DltConfig } from '../pipeline-config.ts';
import type { VariableRead } from '../python/environment-reads.ts';
import { mayReadEnvironment, readEnvironmentReads } from '../python/environment-reads.ts';
import { parsePython } from '../python/python-tree.ts';
import type { ToolReading } from '../tool-reading.ts';
import { configuredAssets } from './configured-assets.ts';
import { readDangoSources } from './dango-sources.ts';
import { type DltResourceFacts, dltPipelineAsset, dltResourceAsset, dltSourceAsset } from './dlt-assets.ts';
import type { CodeResource, DltCode } from './dlt-code.ts';
import { configuresResources, readDltCode } from './dlt-code.ts';

interface CodeFile {
  readonly path: string;
  readonly code: DltCode;
}

/**
 * A dlt folder: a declared source (`dlt:`, `sources.yml`), `definitions.py`, or a script. With `asset_per: resource` and
 * no declared list the names come from the code, and a recorded run confirms them unless the code is plain.
 */
export function readDltFolder(
  source: FolderSource,
  folder: FolderFacts,
  root: MapReader,
  sourceFile: string,
): ToolReading {
  const { reader } = root;
  const variables: VariableRead[] = [];
  const codes = readCode(source, variables);
  const script = scriptOf(source);
  const isDefinitions = script === 'definitions.py';
  const dango = readDangoSources(source, reader);
  const defaults: DltDefaults = {
    script: script ?? 'pipeline.py',
    assetPer: isDefinitions ? 'resource' : 'pipeline',
    ...dango?.defaults,
  };
  const main = codes.find((file) => file.path === defaults.script);
  const assets = isDefinitions
    ? configuredAssets(reader, main?.code.resources ?? [], fullPath(source, script))
    : {};
  const read = readPipelineConfig(root, { tool: 'dlt', folder, sourceFile, dlt: defaults, assets });
  const limit = isDefinitions ? main?.code.maxConcurrent : undefined;
  const config =
    read.maxConcurrent !== undefined || limit === undefined ? read : { ...read, maxConcurrent: limit };
  const dlt = config.dlt!;
  if (!hasErrors(reader.diagnostics)) checkFiles(reader, root, source, dlt);
  for (const { path, code } of codes) checkNames(reader, fullPath(source, path), code, config.env);
  const own = codes.find((file) => file.path === dlt.script);
  const isDeclared = dlt.sourceModule !== undefined || dlt.sources !== undefined;
  if (own !== undefined && !isDeclared && !isDefinitions && !own.code.runs) {
    reader.diagnostics.push({
      code: 'DISCOVERY_FAILED',
      severity: 'warning',
      message: `${dlt.script} only defines things: running it loads nothing`,
      file: fullPath(source, own.path),
      line: 1,
      column: 1,
      hint: 'add def run(partition_key=None), a main guard, or dlt.source_module and dlt.source_name',
    });
  }
  const kinds = destinationKinds(dlt, own === undefined ? [] : own.code.pipelines);
  const at = { file: sourceFile, line: 1, column: 1 };
  if (dlt.assetPer === 'pipeline' || dlt.sources !== undefined) {
    return {
      config,
      assets: dlt.sources?.map(({ name }) =>
        dltSourceAsset(source.name, name, kinds, dango?.places.get(name) ?? at),
      ) ?? [dltPipelineAsset(source.name, kinds, at)],
      method: sourceFile.endsWith('.py') ? 'ast' : 'declared',
      job: null,
      variables,
    };
  }
  const known = resourcesInCode(source, codes, dlt);
  const declared = dlt.resources.length > 0;
  const names = declared ? dlt.resources : [...known.keys()];
  const settled = declared || (isDefinitions && main?.code.dynamic === false && names.length > 0);
  return {
    config,
    assets: names.map((name) => {
      const found = known.get(name);
      return dltResourceAsset(
        source.name,
        kinds,
        found ?? { name, source: { file: sourceFile, line: 1, column: 1 } },
      );
    }),
    method: declared ? 'declared' : 'ast',
    job: settled ? null : { kind: 'dlt_recorded', inputs: { dlt, environment: config.environment } },
    variables,
  };
}

/** As dagster-dlt has it, an asset is of the kind of its destination too; only one that the files name outright. */
function destinationKinds(dlt: DltConfig, pipelines: DltCode['pipelines']): readonly string[] {
  const named =
    dlt.destination ?? pipelines.find(({ destination }) => destination !== undefined)?.destination;
  return named === undefined || !/^[a-z]\w*$/.test(named) ? [] : [named];
}

function readCode(source: FolderSource, variables: VariableRead[]): CodeFile[] {
  const files: CodeFile[] = [];
  for (const path of [...source.contents.keys()].filter((one) => one.endsWith('.py')).sort()) {
    const text = textOf(source, path)!;
    const usesDlt = text.includes('dlt') || text.includes('Dlt');
    if (!usesDlt && !mayReadEnvironment(text)) continue;
    const tree = parsePython(text);
    if (mayReadEnvironment(text)) variables.push(...readEnvironmentReads(tree, fullPath(source, path)));
    if (usesDlt) files.push({ path, code: readDltCode(tree) });
  }
  return files;
}

function scriptOf(source: FolderSource): string | null {
  if (configuresResources(textOf(source, 'definitions.py') ?? '')) return 'definitions.py';
  if (source.files.has('pipeline.py')) return 'pipeline.py';
  const named = [...source.files.keys()].filter((path) => /^\w+_pipeline\.py$/.test(path)).sort();
  return named[0] ?? null;
}

function checkFiles(reader: ConfigReader, root: MapReader, source: FolderSource, dlt: DltConfig): void {
  if (dlt.sourceModule !== undefined || dlt.sources !== undefined || source.files.has(dlt.script)) return;
  const hint = `add ${dlt.script}, or dlt.source_module and dlt.source_name`;
  reader.error(
    'TOOL_FILE_MISSING',
    root.at,
    'dlt.script',
    'the dlt pipeline has no script and no source',
    hint,
  );
}

/** DuckDB cannot tell a catalog from a schema of the same name (runners.md §2.7). */
function checkNames(
  reader: ConfigReader,
  file: string,
  code: DltCode,
  env: Readonly<Record<string, string>>,
): void {
  const elsewhere = Object.keys(env).some((name) => /DESTINATION__(?:\w+__)?CREDENTIALS$/.test(name));
  for (const { name, dataset, destination, at } of code.pipelines) {
    if (name === undefined || name !== dataset || destination !== 'duckdb' || elsewhere) continue;
    reader.diagnostics.push({
      code: 'CONFIG_VALUE',
      severity: 'warning',
      message: `the pipeline and its dataset are both called "${name}": DuckDB cannot tell them apart`,
      file,
      line: at.line,
      column: at.column,
      hint: `dataset_name="${name}_raw"`,
    });
  }
}

function resourcesInCode(
  source: FolderSource,
  codes: readonly CodeFile[],
  dlt: DltConfig,
): Map<string, DltResourceFacts> {
  const module = dlt.sourceModule?.replaceAll('.', '/');
  const first = module === undefined ? [dlt.script] : [`${module}.py`, `${module}/__init__.py`];
  const ofFirst = codes.filter((file) => first.includes(file.path));
  const rest = codes.filter((file) => !first.includes(file.path));
  const own = ofFirst.some((file) => file.code.resources.length > 0) ? ofFirst : [...ofFirst, ...rest];
  const resources = new Map<string, DltResourceFacts>();
  for (const { path, code } of own) {
    for (const resource of code.resources) {
      if (!resources.has(resource.name))
        resources.set(resource.name, factsOf(resource, fullPath(source, path)));
    }
  }
  return resources;
}

function factsOf(resource: CodeResource, file: string): DltResourceFacts {
  const { at, kinds: _kinds, meta: _meta, parent: _parent, ...facts } = resource;
  return { ...facts, source: { file, ...at } };
}
