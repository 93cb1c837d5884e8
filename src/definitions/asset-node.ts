import type { AssetOverride, Dep, MetadataEntry, PipelineConfig } from '../discovery/pipeline-config.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import type { DiscoveredAsset, DiscoveredSource, PipelineState } from '../state/snapshot.ts';
import type { AssetCheck, AssetDep, AssetNode } from './definitions.ts';

const built = new WeakMap<
  PipelineState,
  { readonly component: string; readonly nodes: readonly AssetNode[] }
>();

/**
 * The assets of one pipeline, in its order. A pipeline that did not change is the same object from one revision to the
 * next, and so are its nodes.
 */
export function assetNodes(component: string, pipeline: PipelineState): readonly AssetNode[] {
  const known = built.get(pipeline);
  if (known?.component === component) return known.nodes;
  const nodes = pipeline.assets.map((asset) => assetNode(component, pipeline, asset));
  built.set(pipeline, { component, nodes });
  return nodes;
}

/**
 * One asset of a pipeline: what discovery found, the folder's `dagster.yaml` over it, and the asset's own section of
 * `assets:` over both.
 */
function assetNode(component: string, pipeline: PipelineState, asset: DiscoveredAsset): AssetNode {
  const { config } = pipeline;
  const over = overrideOf(config, asset);
  const partitions = partitionsOf(config, asset, over);
  const description = over.description ?? asset.description ?? config.description;
  const retryPolicy = config.retryPolicy;
  const automation = over.automation ?? config.automation;
  const freshness = over.freshness ?? config.freshness;
  return {
    key: asset.key,
    kind: 'materializable',
    component,
    pipeline: pipeline.name,
    tool: config.tool,
    code: pipeline.code,
    ...(asset.resource === undefined ? {} : { resource: asset.resource }),
    ...(asset.assetSet === undefined ? {} : { assetSet: asset.assetSet }),
    ...(description === undefined ? {} : { description }),
    group: over.group ?? asset.group ?? config.group,
    owners: over.owners ?? asset.owners ?? config.owners,
    tags: { ...config.tags, ...asset.tags, ...over.tags },
    kinds: over.kinds ?? union(config.kinds, asset.kinds ?? []),
    metadata: [...foundMetadata(asset), ...config.metadata, ...(over.metadata ?? [])],
    columns: asset.columns ?? [],
    ...(asset.compiledSql === undefined ? {} : { compiledSql: asset.compiledSql }),
    ...(partitions === undefined ? {} : { partitions }),
    backfillPolicy: config.backfillPolicy,
    ...depsOf(pipeline, asset, over),
    checks: checksOf(config, asset, over),
    codeVersion: over.codeVersion ?? config.codeVersion ?? asset.codeVersion ?? pipeline.code.contentDigest,
    ...(retryPolicy === undefined ? {} : { retryPolicy }),
    ...(automation === undefined ? {} : { automation }),
    ...(freshness === undefined ? {} : { freshness }),
    enabled: config.enabled,
    held: pipeline.status === 'held',
    source: asset.source ?? config.source,
  };
}

/** What discovery found beside the file's own entries: a stream's mode, a model's materialization. */
function foundMetadata(asset: DiscoveredAsset): MetadataEntry[] {
  return Object.entries(asset.metadata ?? {}).map(([key, value]) => {
    if (typeof value === 'number') return { key, value, type: Number.isInteger(value) ? 'int' : 'float' };
    return { key, value, type: typeof value === 'boolean' ? 'bool' : 'text' };
  });
}

/**
 * A key that somebody depends on and nobody here makes.
 * @param described what a folder that reads it says of it
 */
export function externalNode(
  key: string,
  component: string,
  named: AssetNode,
  described: DiscoveredSource | undefined,
): AssetNode {
  return {
    key,
    kind: 'external',
    component,
    pipeline: '',
    tool: null,
    code: null,
    group: 'external',
    owners: [],
    tags: {},
    kinds: [],
    metadata: [],
    columns: described?.columns ?? [],
    ...(described?.description === undefined ? {} : { description: described.description }),
    backfillPolicy: { type: 'multi_run', maxPartitionsPerRun: 1 },
    deps: [],
    checks: [],
    codeVersion: '',
    enabled: true,
    held: false,
    source: described?.source ?? named.source,
  };
}

function overrideOf(config: PipelineConfig, asset: DiscoveredAsset): AssetOverride {
  const lastPart = asset.key.slice(asset.key.lastIndexOf('/') + 1);
  for (const name of [asset.key, asset.resource, lastPart]) {
    const found = name === undefined ? undefined : config.assets[name];
    if (found !== undefined) return { ...asset.overrides, ...found };
  }
  return asset.overrides ?? {};
}

function partitionsOf(
  config: PipelineConfig,
  asset: DiscoveredAsset,
  over: AssetOverride,
): PartitionsDefinition | undefined {
  if (over.partitions !== undefined) return over.partitions ?? undefined;
  if (asset.partitions !== undefined) return asset.partitions ?? undefined;
  return config.partitions;
}

/** The pipeline's own `deps` hold for those of its assets that depend on no other asset of it: the roots. */
function depsOf(
  pipeline: PipelineState,
  asset: DiscoveredAsset,
  over: AssetOverride,
): Pick<AssetNode, 'deps' | 'selfMapping'> {
  const siblings = new Set(pipeline.assets.map((sibling) => sibling.key));
  const isRoot = !asset.deps.some((key) => siblings.has(key));
  const declared: readonly Dep[] = [...(isRoot ? pipeline.config.deps : []), ...(over.deps ?? [])];
  const deps = new Map<string, AssetDep>();
  for (const key of asset.deps) deps.set(key, { key });
  for (const { asset: key, partitionMapping } of declared) {
    deps.set(key, partitionMapping === undefined ? { key } : { key, mapping: partitionMapping });
  }
  const selfMapping = deps.get(asset.key)?.mapping;
  deps.delete(asset.key);
  return {
    deps: [...deps.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
    ...(selfMapping === undefined ? {} : { selfMapping }),
  };
}

/** A check of the asset's own section stands for the pipeline's check of that name. */
function checksOf(config: PipelineConfig, asset: DiscoveredAsset, over: AssetOverride): AssetCheck[] {
  const own = new Set(over.checks?.map((check) => check.name));
  const declared = [...config.checks.filter((check) => !own.has(check.name)), ...(over.checks ?? [])];
  return [
    ...declared.map((check) => ({ kind: 'declared' as const, ...check })),
    ...asset.checks.map((check) => ({ kind: 'tool' as const, ...check })),
  ];
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])];
}
