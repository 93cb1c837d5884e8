import type { MapReader } from './config/map-reader.ts';
import { readTool } from './config/pipeline-config-schema.ts';
import { isDangoFolder } from './dlt/dango-sources.ts';
import { configuresResources } from './dlt/dlt-code.ts';
import type { FolderSource } from './folder-source.ts';
import { textOf } from './folder-source.ts';
import type { Tool } from './pipeline-config.ts';

/** A file or key that makes its folder a pipeline of a tool. */
interface Marker {
  readonly tool: Tool;
  readonly what: string;
}

/**
 * The tool of a folder, by interfaces.md §3: `tool:` if it is said, else its markers, which must agree. null: it cannot
 * be told, which is reported.
 * @param root its `dagster.yaml`, or an empty mapping
 */
export function detectTool(folder: FolderSource, root: MapReader): Tool | null {
  if (root.has('tool')) return readTool(root) ?? null;
  const markers = markersOf(folder, root);
  const [first] = markers;
  if (first === undefined) {
    const hint = 'add pipeline.py, replication.yaml, dbt_project.yml, or a script: to dagster.yaml';
    const message = 'nothing in this folder says which tool it is for';
    root.reader.error('TOOL_FILE_MISSING', root.at, 'tool', message, hint);
    return null;
  }
  const other = markers.find((marker) => marker.tool !== first.tool);
  if (other === undefined) return first.tool;
  const message = `${first.what} makes this a ${first.tool} pipeline, ${other.what} a ${other.tool} one`;
  root.reader.error(
    'TOOL_AMBIGUOUS',
    root.at,
    'tool',
    message,
    `add "tool: ${first.tool}" or "tool: ${other.tool}"`,
  );
  return null;
}

function markersOf(folder: FolderSource, root: MapReader): Marker[] {
  const { files } = folder;
  const markers: Marker[] = [];
  if (files.has('dbt_project.yml')) markers.push({ tool: 'dbt', what: 'dbt_project.yml' });
  const replication = ['replication.yaml', 'replication.yml'].find((file) => files.has(file));
  if (replication !== undefined) markers.push({ tool: 'sling', what: replication });
  if (configuresResources(textOf(folder, 'definitions.py') ?? '')) {
    markers.push({ tool: 'dlt', what: 'definitions.py' });
  }
  if (files.has('pipeline.py')) markers.push({ tool: 'dlt', what: 'pipeline.py' });
  if (isDangoFolder(folder)) markers.push({ tool: 'dlt', what: 'sources.yml' });
  if (root.has('dlt')) markers.push({ tool: 'dlt', what: '"dlt:" in dagster.yaml' });
  if (root.has('script')) markers.push({ tool: 'python', what: '"script:" in dagster.yaml' });
  if (markers.length > 0) return markers;
  // `dlt init` names the script after its source.
  const named = [...files.keys()].find(
    (path) =>
      /^\w+_pipeline\.py$/.test(path) && /\bimport dlt\b|\bfrom dlt\b/.test(textOf(folder, path) ?? ''),
  );
  return named === undefined ? [] : [{ tool: 'dlt', what: named }];
}
