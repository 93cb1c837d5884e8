import type { Diagnostic } from '../../lib/diagnostics.ts';
import type { DiscoveredAsset, DiscoveredCheck } from '../../state/snapshot.ts';
import type { PipelineConfig } from '../pipeline-config.ts';
import type { ParsedManifest, ParsedNode } from './parsed-manifest.ts';

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
  const outside: string[] = [];
  const assets: DiscoveredAsset[] = [];
  for (const node of manifest.nodes) {
    if (node.materialized === 'ephemeral' || selected?.has(node.unique_id) === false) continue;
    const assetSet = setOf.get(node.unique_id);
    if (dbt.assetSets.length > 0 && assetSet === undefined) outside.push(keys.get(node.unique_id)!);
    else assets.push(assetOf(node, nodes, keys, checksOf(node, manifest, nodes), config, assetSet));
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
  const { sourceKey, modelKey } = config.dbt!.translator;
  const keys = new Map<string, string>();
  for (const source of manifest.sources) {
    const parts = sourceKey === 'source_name' ? [source.source_name, source.name] : [source.name];
    keys.set(source.unique_id, (source.asset_key ?? parts).join('/'));
  }
  for (const node of manifest.nodes) {
    const name = node.version === null ? node.name : (node.alias ?? node.name);
    const parts = modelKey === 'schema_name' && node.schema !== null ? [node.schema, name] : [name];
    keys.set(node.unique_id, (node.asset_key ?? parts).join('/'));
  }
  return keys;
}

function assetOf(
  node: ParsedNode,
  nodes: ReadonlyMap<string, ParsedNode>,
  keys: ReadonlyMap<string, string>,
  checks: readonly DiscoveredCheck[],
  config: PipelineConfig,
  assetSet: number | undefined,
): DiscoveredAsset {
  const key = keys.get(node.unique_id)!;
  const deps = new Set<string>();
  collectDeps(node, nodes, keys, deps, new Set());
  deps.delete(key);
  const folder = config.dbt!.translator.group === 'folder' && node.fqn.length > 2 ? node.fqn[1] : undefined;
  const group = node.group ?? folder;
  return {
    key,
    kind: 'dbt',
    resource: node.unique_id,
    deps: [...deps].sort(),
    checks,
    tags: { elt_type: 'dbt', pipeline: config.name },
    kinds: ['dbt'],
    metadata: {
      ...(node.materialized === null ? {} : { materialized: node.materialized }),
      ...(node.tags.length === 0 ? {} : { dbt_tags: node.tags.join(', ') }),
    },
    ...(assetSet === undefined ? {} : { assetSet }),
    ...(node.checksum === null ? {} : { codeVersion: node.checksum }),
    ...(node.description === '' ? {} : { description: node.description }),
    ...(node.columns.length === 0 ? {} : { columns: node.columns.map(columnOf) }),
    ...(group === undefined ? {} : { group }),
    ...(node.owners === null ? {} : { owners: node.owners }),
    source: { file: `${config.dir}/${node.path}`, line: 1, column: 1 },
  };
}

function columnOf(column: ParsedNode['columns'][number]): NonNullable<DiscoveredAsset['columns']>[number] {
  return {
    name: column.name,
    ...(column.type === null ? {} : { type: column.type }),
    ...(column.description === '' ? {} : { description: column.description }),
  };
}

function collectDeps(
  node: ParsedNode,
  nodes: ReadonlyMap<string, ParsedNode>,
  keys: ReadonlyMap<string, string>,
  deps: Set<string>,
  seen: Set<string>,
): void {
  for (const id of node.depends_on) {
    if (seen.has(id)) continue;
    seen.add(id);
    const parent = nodes.get(id);
    if (parent?.materialized === 'ephemeral') collectDeps(parent, nodes, keys, deps, seen);
    else if (keys.has(id)) deps.add(keys.get(id)!);
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
