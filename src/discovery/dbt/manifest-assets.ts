import type { Diagnostic } from '../../lib/diagnostics.ts';
import type { DiscoveredAsset, DiscoveredCheck, DiscoveredSource } from '../../state/snapshot.ts';
import type { DbtConfig, PipelineConfig } from '../pipeline-config.ts';
import type { ParsedManifest, ParsedNode, ParsedSource } from './parsed-manifest.ts';

export interface ManifestAssets {
  readonly assets: readonly DiscoveredAsset[];
  readonly diagnostics: readonly Diagnostic[];
}

const MOST_NAMED = 8;

/**
 * Assets of a dbt project as dbt itself reads it. Keys: `meta.dagster.asset_key`, else a versioned model's alias, else the
 * name (with the schema before it if the translator says so). An ephemeral model is no asset: its parents become those of
 * its children.
 */
export function assetsFromManifest(manifest: ParsedManifest, config: PipelineConfig): ManifestAssets {
  const dbt = config.dbt!;
  const file = `${config.dir}/dagster.yaml`;
  const diagnostics: Diagnostic[] = [];
  const report = (severity: Diagnostic['severity'], code: string, message: string, hint: string): void => {
    diagnostics.push({ code, severity, message, file, line: 0, column: 0, hint });
  };
  const keys = keysOf(manifest, config);
  const nodes = new Map(manifest.nodes.map((node) => [node.unique_id, node]));
  const setOf = new Map<string, number>();
  for (const [index, members] of manifest.sets.entries()) {
    for (const id of members) {
      const earlier = setOf.get(id);
      if (earlier === undefined) setOf.set(id, index);
      else {
        const [a, b] = [dbt.assetSets[earlier]?.select, dbt.assetSets[index]?.select];
        const hint = 'narrow one of them with exclude:';
        report(
          'error',
          'ASSET_DUPLICATE',
          `${keys.get(id) ?? id} is in two asset sets: "${a}" and "${b}"`,
          hint,
        );
      }
    }
    if (members.length === 0) {
      const message = `the asset set "${dbt.assetSets[index]?.select}" selects nothing`;
      report('warning', 'CONFIG_VALUE', message, 'dbt ls --select shows what a selection means');
    }
  }
  const selected = manifest.selected === null ? null : new Set(manifest.selected);
  const sources = new Map(manifest.sources.map((source) => [source.unique_id, source]));
  const outside: string[] = [];
  const assets: DiscoveredAsset[] = [];
  for (const node of manifest.nodes) {
    if (node.materialized === 'ephemeral' || selected?.has(node.unique_id) === false) continue;
    const assetSet = setOf.get(node.unique_id);
    if (dbt.assetSets.length > 0 && assetSet === undefined) outside.push(keys.get(node.unique_id)!);
    else {
      const checks = [...checksOf(node, manifest, nodes), ...freshnessOf(node, sources)];
      assets.push(assetOf(node, { nodes, sources, keys, config }, checks, assetSet));
    }
  }
  if (outside.length > 0) {
    const named = outside.sort().slice(0, MOST_NAMED).join(', ');
    const more = outside.length > MOST_NAMED ? ` and ${outside.length - MOST_NAMED} more` : '';
    report(
      'warning',
      'CONFIG_VALUE',
      `no asset set selects ${named}${more}: they are not run`,
      'add an asset set',
    );
  }
  return { assets: assets.sort((a, b) => (a.key < b.key ? -1 : 1)), diagnostics };
}

function keysOf(manifest: ParsedManifest, config: PipelineConfig): Map<string, string> {
  const { modelKey } = config.dbt!.translator;
  const keys = new Map<string, string>();
  for (const source of manifest.sources) {
    const given = source.asset_key?.join('/');
    keys.set(source.unique_id, sourceAssetKey(config.dbt!, source.source_name, source.name, given));
  }
  for (const node of manifest.nodes) {
    const name = node.version === null ? node.name : (node.alias ?? node.name);
    const parts = modelKey === 'schema_name' && node.schema !== null ? [node.schema, name] : [name];
    keys.set(node.unique_id, (node.asset_key ?? parts).join('/'));
  }
  return keys;
}

/** The asset that a dbt source stands for: what `dagster.yaml` says, then the source's own `meta`, then its name. */
export function sourceAssetKey(
  { translator }: DbtConfig,
  source: string,
  table: string,
  given: string | undefined,
): string {
  const { sourceKey, sourceKeys } = translator;
  const said = sourceKeys?.[`${source}.${table}`] ?? sourceKeys?.[source];
  return said ?? given ?? (sourceKey === 'source_name' ? `${source}/${table}` : table);
}

interface Surroundings {
  readonly nodes: ReadonlyMap<string, ParsedNode>;
  readonly sources: ReadonlyMap<string, ParsedSource>;
  readonly keys: ReadonlyMap<string, string>;
  readonly config: PipelineConfig;
}

function assetOf(
  node: ParsedNode,
  { nodes, sources, keys, config }: Surroundings,
  checks: readonly DiscoveredCheck[],
  assetSet: number | undefined,
): DiscoveredAsset {
  const key = keys.get(node.unique_id)!;
  const parents = new Set<string>();
  collectParents(node, nodes, keys, parents, new Set());
  const deps = new Set([...parents].map((id) => keys.get(id)!));
  deps.delete(key);
  const reads = [...parents].flatMap((id) => {
    const source = sources.get(id);
    return source === undefined ? [] : [describedSource(source, keys.get(id)!, config)];
  });
  const folder = config.dbt!.translator.group === 'folder' && node.fqn.length > 2 ? node.fqn[1] : undefined;
  const group = node.group ?? node.dbt_group ?? folder;
  const owners = node.owners ?? (node.group_owner === null ? null : [node.group_owner]);
  return {
    key,
    kind: 'dbt',
    resource: node.unique_id,
    deps: [...deps].sort(),
    checks,
    tags: dbtTags(node.tags, config.name),
    kinds: ['dbt'],
    metadata: node.materialized === null ? {} : { materialized: node.materialized },
    ...(assetSet === undefined ? {} : { assetSet }),
    ...(node.checksum === null ? {} : { codeVersion: node.checksum }),
    ...(node.description === '' ? {} : { description: node.description }),
    ...(node.columns.length === 0 ? {} : { columns: node.columns.map(columnOf) }),
    ...(group === undefined ? {} : { group }),
    ...(owners === null ? {} : { owners }),
    ...(node.compiled === null ? {} : { compiledSql: node.compiled }),
    ...(reads.length === 0 ? {} : { reads }),
    source: { file: `${config.dir}/${node.path}`, line: 1, column: 1 },
  };
}

function describedSource(source: ParsedSource, key: string, config: PipelineConfig): DiscoveredSource {
  return {
    key,
    ...(source.description === '' ? {} : { description: source.description }),
    columns: source.columns.map(columnOf),
    source: { file: `${config.dir}/${source.path}`, line: 1, column: 1 },
  };
}

/** As dagster-dbt: a dbt tag is a tag without a value. */
export function dbtTags(tags: Iterable<string>, pipeline: string): Record<string, string> {
  return {
    ...Object.fromEntries([...tags].map((tag) => [tag, ''])),
    elt_type: 'dbt',
    pipeline,
  };
}

function columnOf(column: ParsedNode['columns'][number]): NonNullable<DiscoveredAsset['columns']>[number] {
  return {
    name: column.name,
    ...(column.type === null ? {} : { type: column.type }),
    ...(column.description === '' ? {} : { description: column.description }),
  };
}

/** Unique ids of what has a key: nodes and sources. */
function collectParents(
  node: ParsedNode,
  nodes: ReadonlyMap<string, ParsedNode>,
  keys: ReadonlyMap<string, string>,
  parents: Set<string>,
  seen: Set<string>,
): void {
  for (const id of node.depends_on) {
    if (seen.has(id)) continue;
    seen.add(id);
    const parent = nodes.get(id);
    if (parent?.materialized === 'ephemeral') collectParents(parent, nodes, keys, parents, seen);
    else if (keys.has(id)) parents.add(id);
  }
}

/**
 * dbt tests of a node. A singular test belongs to the first asset that it reads. `dbt build` skips what lies downstream of
 * a failed test, so one of severity ERROR is blocking.
 */
function checksOf(
  node: ParsedNode,
  manifest: ParsedManifest,
  nodes: ReadonlyMap<string, ParsedNode>,
): DiscoveredCheck[] {
  const own = manifest.tests.filter((test) => {
    const attached = test.attached_node ?? test.depends_on.find((id) => nodes.has(id));
    return attached === node.unique_id;
  });
  return own
    .map((test): DiscoveredCheck => {
      const severity = test.severity === 'WARN' ? 'WARN' : 'ERROR';
      return {
        name: test.name,
        severity,
        blocking: severity === 'ERROR',
        toolId: test.unique_id,
        ...(test.description === '' ? {} : { description: test.description }),
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * `dbt source freshness` of the sources that a node reads itself. dbt builds on whatever it says, so it never blocks; the
 * names are those that `dbt_runner.py` reports.
 */
function freshnessOf(node: ParsedNode, sources: ReadonlyMap<string, ParsedSource>): DiscoveredCheck[] {
  return node.depends_on.flatMap((id): DiscoveredCheck[] => {
    const source = sources.get(id);
    if (source === undefined || source.freshness === null) return [];
    const { source_name, name, freshness } = source;
    const description = `Whether the source ${source_name}.${name} is as fresh as it is to be`;
    const check = `source_freshness_${source_name}_${name}`;
    return [{ name: check, severity: freshness, blocking: false, toolId: id, description }];
  });
}
