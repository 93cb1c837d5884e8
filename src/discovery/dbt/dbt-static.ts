import type { DiscoveredAsset } from '../../state/snapshot.ts';
import { digestOfFile } from '../content-digest.ts';
import type { FolderSource } from '../folder-source.ts';
import { fullPath, textOf } from '../folder-source.ts';
import type { DbtConfig } from '../pipeline-config.ts';
import type { YamlMap, YamlValue } from '../yaml/yaml-value.ts';
import type { DbtProject } from './dbt-project.ts';
import type { DbtProperties } from './dbt-properties.ts';
import { readProperties, tagsAt } from './dbt-properties.ts';
import type { SqlFacts } from './dbt-sql.ts';
import { readModelSql } from './dbt-sql.ts';
import { dbtTags, sourceAssetKey } from './manifest-assets.ts';
import { matchesSelection } from './simple-selection.ts';

interface Node {
  readonly name: string;
  readonly path: string;
  /** Path from the models folder, as dbt's fqn: `marts/mart_daily`. */
  readonly fqn: readonly string[];
  readonly kind: 'model' | 'seed' | 'snapshot';
  readonly sql: SqlFacts;
  readonly tags: ReadonlySet<string>;
  readonly properties: DbtProperties | undefined;
  readonly ephemeral: boolean;
}

const NO_SQL: SqlFacts = { tags: [], refs: [], sources: [] };

/**
 * Assets of a dbt project by its files alone: good enough to be shown until `dbt parse` says exactly. Selections are
 * understood as far as `tag:`, `path:` and names go.
 */
export function dbtAssetsFromFiles(
  folder: FolderSource,
  project: DbtProject,
  dbt: DbtConfig,
): DiscoveredAsset[] {
  const paths = [...project.modelPaths, ...project.seedPaths, ...project.snapshotPaths];
  const properties = readProperties(folder, paths);
  const nodes = new Map<string, Node>();
  for (const path of [...folder.files.keys()].sort()) {
    const node = nodeAt(folder, project, path, properties.nodes);
    if (node !== null && !nodes.has(node.name)) nodes.set(node.name, node);
  }
  const keyOf = (node: Node): string => (node.properties?.assetKey ?? [node.name]).join('/');
  const sourceKey = (source: string, table: string): string => {
    const given = properties.sourceKeys.get(`${source}.${table}`)?.join('/');
    return sourceAssetKey(dbt, source, table, given);
  };
  const assets: DiscoveredAsset[] = [];
  for (const node of nodes.values()) {
    if (node.ephemeral) continue;
    const assetSet = setOf(node, dbt);
    if (assetSet === null) continue;
    const deps = new Set<string>();
    collectDeps(node, nodes, keyOf, sourceKey, deps, new Set());
    deps.delete(keyOf(node));
    assets.push(assetOf(folder, project, node, keyOf(node), [...deps].sort(), assetSet, dbt));
  }
  return assets.sort((a, b) => (a.key < b.key ? -1 : 1));
}

function nodeAt(
  folder: FolderSource,
  project: DbtProject,
  path: string,
  properties: ReadonlyMap<string, DbtProperties>,
): Node | null {
  const kinds = [
    ['model', project.modelPaths, /\.(?:sql|py)$/],
    ['seed', project.seedPaths, /\.csv$/],
    ['snapshot', project.snapshotPaths, /\.sql$/],
  ] as const;
  for (const [kind, roots, extension] of kinds) {
    const root = roots.find((one) => path.startsWith(`${one}/`));
    if (root === undefined || !extension.test(path)) continue;
    const inside = path.slice(root.length + 1).replace(extension, '');
    const fqn = inside.split('/');
    const text = kind === 'seed' ? null : textOf(folder, path);
    const snapshot = kind === 'snapshot' ? /\{%-?\s*snapshot\s+(\w+)/.exec(text ?? '')?.[1] : undefined;
    const name = snapshot ?? fqn.at(-1)!;
    const sql = text === null || path.endsWith('.py') ? NO_SQL : readModelSql(text);
    const own = properties.get(name);
    const settings = folderSettings(kind === 'seed' ? project.seeds : project.models, [project.name, ...fqn]);
    const materialized = sql.materialized ?? settings.materialized;
    if ((sql.enabled ?? own?.enabled ?? settings.enabled) === false) return null;
    return {
      name,
      path,
      fqn,
      kind,
      sql,
      tags: new Set([...settings.tags, ...(own?.tags ?? []), ...sql.tags]),
      properties: own,
      ephemeral: materialized === 'ephemeral',
    };
  }
  return null;
}

/** Settings of `dbt_project.yml` on the way from the project to a node: tags add up, the nearest of the others holds. */
function folderSettings(
  root: YamlMap | null,
  path: readonly string[],
): { tags: string[]; materialized?: string; enabled?: boolean } {
  const tags: string[] = [];
  let materialized: string | undefined;
  let enabled: boolean | undefined;
  let at: YamlMap | null = root;
  for (let depth = 0; at !== null; depth++) {
    tags.push(...tagsAt(at));
    const own = at.entries.get('+materialized')?.value ?? at.entries.get('materialized')?.value;
    if (own?.kind === 'scalar') materialized = own.text;
    const on = at.entries.get('+enabled')?.value ?? at.entries.get('enabled')?.value;
    if (on?.kind === 'scalar' && typeof on.value === 'boolean') enabled = on.value;
    const next: YamlValue | undefined = at.entries.get(path[depth] ?? '')?.value;
    at = next?.kind === 'map' ? next : null;
  }
  return {
    tags,
    ...(materialized === undefined ? {} : { materialized }),
    ...(enabled === undefined ? {} : { enabled }),
  };
}

/** Index of the asset set that has the node; undefined: the project has no sets; null: it is in none of them. */
function setOf(node: Node, dbt: DbtConfig): number | undefined | null {
  const facts = { name: node.name, path: node.path, fqn: node.fqn, tags: node.tags };
  if (!matchesSelection(dbt.select, dbt.exclude, facts)) return null;
  if (dbt.assetSets.length === 0) return undefined;
  const index = dbt.assetSets.findIndex((set) => matchesSelection(set.select, set.exclude, facts));
  return index === -1 ? null : index;
}

/** An ephemeral model is no asset: what it reads is read by those that use it. */
function collectDeps(
  node: Node,
  nodes: ReadonlyMap<string, Node>,
  keyOf: (node: Node) => string,
  sourceKey: (source: string, table: string) => string,
  deps: Set<string>,
  seen: Set<string>,
): void {
  if (seen.has(node.name)) return;
  seen.add(node.name);
  for (const { source, table } of node.sql.sources) deps.add(sourceKey(source, table));
  for (const name of node.sql.refs) {
    const parent = nodes.get(name);
    if (parent === undefined) continue;
    if (parent.ephemeral) collectDeps(parent, nodes, keyOf, sourceKey, deps, seen);
    else deps.add(keyOf(parent));
  }
}

function assetOf(
  folder: FolderSource,
  project: DbtProject,
  node: Node,
  key: string,
  deps: readonly string[],
  assetSet: number | undefined,
  dbt: DbtConfig,
): DiscoveredAsset {
  const { properties } = node;
  const group = dbt.translator.group === 'folder' && node.fqn.length > 1 ? node.fqn[0] : undefined;
  return {
    key,
    kind: 'dbt',
    resource: `${node.kind}.${project.name}.${node.name}`,
    codeVersion: digestOfFile(folder, node.path, folder.files.get(node.path)!.oid),
    deps,
    checks: properties?.checks ?? [],
    tags: dbtTags(node.tags, folder.name),
    kinds: ['dbt'],
    ...(assetSet === undefined ? {} : { assetSet }),
    ...(properties?.description === undefined ? {} : { description: properties.description }),
    ...(properties === undefined || properties.columns.length === 0 ? {} : { columns: properties.columns }),
    ...(group === undefined ? {} : { group }),
    source: { file: fullPath(folder, node.path), line: 1, column: 1 },
  };
}
