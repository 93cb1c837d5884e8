import { digestOf, sha256 } from '../lib/digest.ts';
import type { FolderSource } from './folder-source.ts';
import { textOf, yamlOf } from './folder-source.ts';
import { linesMeaning } from './meaning/lines-meaning.ts';
import { pythonMeaning } from './meaning/python-meaning.ts';
import { sqlMeaning } from './meaning/sql-meaning.ts';
import type { PipelineConfig } from './pipeline-config.ts';
import { plainValue } from './yaml/yaml-value.ts';

/** Files that say nothing about what a pipeline loads. */
const ASIDE = /(?:^|\/)(?:README|CHANGELOG|LICENSE)[^/]*$|^dagster\.yaml$/i;

/** Whether a file of a folder says nothing about what is run; `dagster.yaml` is told key by key. */
export function isAside(path: string): boolean {
  return ASIDE.test(path);
}

/**
 * A folder's content, README, comments and formatting aside: path → digest. `dagster.yaml` is not in it: what it says about the work
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
    // Which assets a script writes is what they are called.
    command: script?.command,
    env,
    environment,
  });
}

/** Of one file by what it means; of a kind that is not understood by its bytes. */
export function digestOfFile(folder: FolderSource, path: string, oid: string): string {
  if (/\.ya?ml$/.test(path)) {
    const value = yamlOf(folder, path)?.value ?? null;
    return value === null ? oid : digestOf(plainValue(value));
  }
  const meaning = MEANINGS.find(([pattern]) => pattern.test(path))?.[1];
  const text = meaning === undefined ? null : textOf(folder, path);
  return meaning === undefined || text === null ? oid : sha256(meaning(text));
}

const MEANINGS: readonly (readonly [RegExp, (text: string) => string])[] = [
  [/\.py$/, pythonMeaning],
  [/\.sql$/, sqlMeaning],
  [/\.toml$|(?:^|\/)requirements[\w.-]*\.txt$/, linesMeaning],
];
