import { ConfigReader } from '../config/config-reader.ts';
import { openDocument } from '../config/map-reader.ts';
import type { FolderSource } from '../folder-source.ts';
import { fullPath, yamlOf } from '../folder-source.ts';
import type { YamlMap } from '../yaml/yaml-value.ts';

export interface DbtProject {
  readonly name: string;
  readonly modelPaths: readonly string[];
  readonly seedPaths: readonly string[];
  readonly snapshotPaths: readonly string[];
  /** The `models:` and `seeds:` trees of folder settings. */
  readonly models: YamlMap | null;
  readonly seeds: YamlMap | null;
}

/** Reads `dbt_project.yml`; what dbt would refuse at once is reported as `DBT_PROJECT_INVALID`. null: it cannot be used. */
export function readDbtProject(folder: FolderSource, reader: ConfigReader): DbtProject | null {
  const file = fullPath(folder, 'dbt_project.yml');
  const parsed = yamlOf(folder, 'dbt_project.yml') ?? { value: null, diagnostics: [] };
  if (parsed.diagnostics.length > 0) {
    reader.diagnostics.push(...parsed.diagnostics.map((one) => ({ ...one, code: 'DBT_PROJECT_INVALID' })));
    return null;
  }
  const own = new ConfigReader(file);
  const root = parsed.value === null ? null : openDocument(own, parsed.value, null);
  const name = root?.text('name');
  if (root === null || name === undefined) {
    if (root?.has('name') !== true) {
      const at = { line: 1, column: 1 };
      own.error('DBT_PROJECT_INVALID', at, 'name', 'a dbt project needs a name', 'name: my_project');
    }
  } else if (!/^[A-Za-z_]\w*$/.test(name)) {
    root.error(
      'DBT_PROJECT_INVALID',
      'name',
      `"${name}" cannot name a dbt project`,
      'letters, digits and "_"',
    );
  } else if (!root.has('profile') && !folder.files.has('profiles.yml')) {
    root.warning(
      'DBT_PROJECT_INVALID',
      'name',
      'the project names no profile',
      'profile: <name in profiles.yml>',
    );
  }
  const errors = own.diagnostics.filter(
    (one) => one.severity === 'error' || one.code === 'DBT_PROJECT_INVALID',
  );
  reader.diagnostics.push(...errors);
  if (root === null || name === undefined || errors.some((one) => one.severity === 'error')) return null;
  const tree = (key: string): YamlMap | null => {
    const value = root.value(key);
    return value?.kind === 'map' ? value : null;
  };
  const paths = (key: string, fallback: string): readonly string[] =>
    (root.texts(key) ?? [fallback]).map((path) => path.replace(/^\.\/|\/$/g, ''));
  return {
    name,
    modelPaths: paths('model-paths', 'models'),
    seedPaths: paths('seed-paths', 'seeds'),
    snapshotPaths: paths('snapshot-paths', 'snapshots'),
    models: tree('models'),
    seeds: tree('seeds'),
  };
}
