import type { FolderFacts } from '../config/folder-facts.ts';
import type { MapReader } from '../config/map-reader.ts';
import { readPipelineConfig } from '../config/pipeline-config-schema.ts';
import type { FolderSource } from '../folder-source.ts';
import { fullPath, textOf } from '../folder-source.ts';
import type { ToolReading } from '../tool-reading.ts';
import type { VariableRead } from './environment-reads.ts';
import { mayReadEnvironment, readEnvironmentReads } from './environment-reads.ts';
import { parsePython } from './python-tree.ts';

/** A folder with a script: its assets are those that `script.assets` names. */
export function readPythonFolder(
  source: FolderSource,
  folder: FolderFacts,
  root: MapReader,
  sourceFile: string,
): ToolReading {
  const config = readPipelineConfig(root, { tool: 'python', folder, sourceFile });
  const assets = (config.script?.assets ?? []).map((key) => ({
    key,
    kind: 'python' as const,
    deps: [],
    checks: [],
    tags: { elt_type: 'python', pipeline: source.name },
    kinds: ['python'],
    source: { file: sourceFile, line: 1, column: 1 },
  }));
  return { config, assets, method: 'declared', job: null, variables: readVariables(source) };
}

function readVariables(source: FolderSource): VariableRead[] {
  const paths = [...source.contents.keys()].filter((path) => path.endsWith('.py')).sort();
  return paths.flatMap((path) => {
    const text = textOf(source, path)!;
    return mayReadEnvironment(text) ? readEnvironmentReads(parsePython(text), fullPath(source, path)) : [];
  });
}
