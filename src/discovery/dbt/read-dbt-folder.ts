import type { FolderFacts } from '../config/folder-facts.ts';
import type { MapReader } from '../config/map-reader.ts';
import { readPipelineConfig } from '../config/pipeline-config-schema.ts';
import type { FolderSource } from '../folder-source.ts';
import { fullPath, textOf } from '../folder-source.ts';
import type { VariableRead } from '../python/environment-reads.ts';
import type { ToolReading } from '../tool-reading.ts';
import { readDbtProject } from './dbt-project.ts';
import { readEnvVars } from './dbt-sql.ts';
import { dbtAssetsFromFiles } from './dbt-static.ts';

/** A dbt folder: assets by its files at once, by its manifest when `dbt parse` has run. */
export function readDbtFolder(
  source: FolderSource,
  folder: FolderFacts,
  root: MapReader,
  sourceFile: string,
): ToolReading {
  const config = readPipelineConfig(root, { tool: 'dbt', folder, sourceFile });
  const variables = readVariables(source);
  if (!source.files.has('dbt_project.yml')) {
    const message = 'a dbt pipeline needs a dbt_project.yml';
    root.reader.error(
      'TOOL_FILE_MISSING',
      root.at,
      '',
      message,
      'run dbt init, or write another tool: into this file',
    );
    return { config, assets: [], method: 'manifest', job: null, variables };
  }
  const project = readDbtProject(source, root.reader);
  const dbt = config.dbt!;
  const { vars, target, select, exclude, translator } = dbt;
  const { automationCondition: _, ...keys } = translator;
  const sets = dbt.assetSets.map((set) => ({ select: set.select, exclude: set.exclude }));
  return {
    config,
    assets: project === null ? [] : dbtAssetsFromFiles(source, project, dbt),
    method: 'manifest',
    job: {
      kind: 'dbt_parse',
      inputs: { vars, target, select, exclude, translator: keys, sets, environment: config.environment },
    },
    variables,
  };
}

function readVariables(source: FolderSource): VariableRead[] {
  const reads: VariableRead[] = [];
  for (const path of [...source.contents.keys()].sort()) {
    const text = /\.(?:sql|ya?ml)$/.test(path) ? textOf(source, path)! : '';
    if (!text.includes('env_var')) continue;
    for (const { name, required, index } of readEnvVars(text)) {
      const before = text.slice(0, index).split('\n');
      const place = { line: before.length, column: before.at(-1)!.length + 1 };
      reads.push({ name, required, source: { file: fullPath(source, path), ...place } });
    }
  }
  return reads;
}
