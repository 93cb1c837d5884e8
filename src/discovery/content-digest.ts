import { digestOf, sha256 } from '../lib/digest.ts';
import type { FolderSource } from './folder-source.ts';
import { textOf, yamlOf } from './folder-source.ts';
import type { PipelineConfig } from './pipeline-config.ts';
import { stripPythonComments } from './python/strip-comments.ts';
import { plainValue } from './yaml/yaml-value.ts';

/** Files that say nothing about what a pipeline loads. */
const ASIDE = /(?:^|\/)(?:README|CHANGELOG|LICENSE)[^/]*$|^dagster\.yaml$/i;

/**
 * A folder's content, README and comments aside: path → digest. `dagster.yaml` is not in it: what it says about the work
 * itself is added by `contentDigest`, the rest (owners, schedules) does not make data stale.
 */
export function fileDigests(folder: FolderSource): Record<string, string> {
  const digests: Record<string, string> = {};
  for (const [path, file] of folder.files) {
    if (ASIDE.test(path)) continue;
    digests[path] =
      file.mode === '100755'
        ? `${digestOfFile(folder, path, file.oid)}+x`
        : digestOfFile(folder, path, file.oid);
  }
  return digests;
}

/** What staleness is judged by: the files, and those keys of `dagster.yaml` that change what is run. */
export function contentDigest(files: Readonly<Record<string, string>>, config: PipelineConfig): string {
  const { tool, dlt, sling, dbt, script, env, environment } = config;
  const { translator: _, assetSets, ...dbtWork } = dbt ?? { translator: null, assetSets: [] };
  const sets = assetSets.map(({ select, exclude }) => ({ select, exclude }));
  return digestOf({
    files,
    tool,
    dlt,
    sling,
    dbt: dbt === undefined ? null : { ...dbtWork, sets },
    script,
    env,
    environment,
  });
}

function digestOfFile(folder: FolderSource, path: string, oid: string): string {
  if (path.endsWith('.py')) {
    const text = textOf(folder, path);
    return text === null ? oid : sha256(stripPythonComments(text));
  }
  if (/\.ya?ml$/.test(path)) {
    const value = yamlOf(folder, path)?.value ?? null;
    return value === null ? oid : digestOf(plainValue(value));
  }
  return oid;
}
