import { distance } from 'fastest-levenshtein';
import type { Limits } from '../discovery/pipeline-config.ts';
import type { Diagnostic } from '../lib/diagnostics.ts';
import { digestOf } from '../lib/digest.ts';
import type { DiscoveredSource, InstanceConfig, PipelineState, Snapshot } from '../state/snapshot.ts';
import { alertsMeaning, mergeAlerts } from './alerts.ts';
import { buildAssetGraph } from './asset-graph.ts';
import { assetNodes, externalNode } from './asset-node.ts';
import type { AssetKey, AssetNode, Definitions, ScheduleDefinition } from './definitions.ts';
import { buildJobs, pipelineJobName } from './jobs.ts';

export interface DefinitionsSource {
  readonly component: string;
  readonly revisionId: number;
  readonly snapshot: Snapshot;
}

const NEAR = 2;

/**
 * Snapshots of all components → one immutable `Definitions`. Pure: equal snapshots give equal definitions. What cannot
 * stand beside the rest (a key that another component already holds, a dependency that closes a cycle) is left out and
 * reported; the rest is built.
 */
export function buildDefinitions(sources: readonly DefinitionsSource[]): {
  readonly definitions: Definitions;
  readonly diagnostics: readonly Diagnostic[];
} {
  const diagnostics: Diagnostic[] = [];
  const pipelines = new Map<string, PipelineState>();
  const nodes = new Map<AssetKey, AssetNode>();
  for (const { component, snapshot } of sources) {
    for (const pipeline of snapshot.pipelines) {
      pipelines.set(`${component}/${pipeline.name}`, pipeline);
      for (const node of assetNodes(component, pipeline)) {
        const holder = nodes.get(node.key);
        if (holder === undefined) nodes.set(node.key, node);
        else diagnostics.push(duplicateAsset(node, holder));
      }
    }
  }
  const external = externalNodes(nodes, describedSources(pipelines), diagnostics);
  const { graph, broken } = buildAssetGraph([...nodes.values(), ...external]);
  for (const { key, on } of broken) diagnostics.push(cycle(graph.nodes.get(key)!, on));
  const jobs = buildJobs(graph);
  const schedules = buildSchedules(sources, graph.nodes);
  const instance = mergeInstances(sources);
  const alerts = mergeAlerts(
    sources.map(({ component, snapshot }) => ({ component, alerts: snapshot.instance.alerts })),
  );
  // Jobs follow from the assets.
  const meaning = {
    assets: [...graph.nodes.values()].map((node) => digestOnce(node, meaningOf)),
    schedules: [...schedules.values()].map((schedule) => ({
      ...schedule,
      config: digestOnce(schedule.config, (config) => config),
      source: null,
    })),
    instance,
    alerts: alertsMeaning(alerts),
  };
  const definitions: Definitions = {
    digest: digestOf(meaning),
    sources: sources.map(({ component, revisionId, snapshot }) => ({
      component,
      revisionId,
      commit: snapshot.repo.commit,
    })),
    assets: graph,
    jobs,
    schedules,
    pipelines,
    instance,
    alerts,
  };
  return { definitions, diagnostics };
}

const digests = new WeakMap<object, string>();

/** Of what is never edited: nearly all of it is the same object from one revision to the next. */
function digestOnce<T extends object>(part: T, meaning: (part: T) => unknown): string {
  const known = digests.get(part);
  if (known !== undefined) return known;
  const digest = digestOf(meaning(part));
  digests.set(part, digest);
  return digest;
}

/** Commit and line numbers change without a change of meaning. */
function meaningOf(node: AssetNode): unknown {
  return { ...node, source: null, code: node.code?.contentDigest ?? null };
}

/** The first folder that describes a source is heard. */
function describedSources(pipelines: ReadonlyMap<string, PipelineState>): Map<AssetKey, DiscoveredSource> {
  const described = new Map<AssetKey, DiscoveredSource>();
  for (const { assets } of pipelines.values()) {
    for (const { reads = [] } of assets) {
      for (const source of reads) if (!described.has(source.key)) described.set(source.key, source);
    }
  }
  return described;
}

function externalNodes(
  nodes: ReadonlyMap<AssetKey, AssetNode>,
  described: ReadonlyMap<AssetKey, DiscoveredSource>,
  diagnostics: Diagnostic[],
): AssetNode[] {
  const external = new Map<AssetKey, AssetNode>();
  for (const node of nodes.values()) {
    for (const { key } of node.deps) {
      if (nodes.has(key) || external.has(key)) continue;
      external.set(key, externalNode(key, node.component, node, described.get(key)));
      const near = nearest(key, nodes.keys());
      if (near !== null) diagnostics.push(unknownDependency(node, key, near));
    }
  }
  return [...external.values()];
}

function buildSchedules(
  sources: readonly DefinitionsSource[],
  nodes: ReadonlyMap<AssetKey, AssetNode>,
): Map<string, ScheduleDefinition> {
  const schedules = new Map<string, ScheduleDefinition>();
  for (const { component, snapshot } of sources) {
    for (const { name, config, assets } of snapshot.pipelines) {
      if (config.schedule === undefined || !config.enabled) continue;
      const keys = assets
        .map((asset) => asset.key)
        .filter((key) => nodes.get(key)?.component === component && nodes.get(key)?.pipeline === name);
      if (keys.length === 0) continue;
      const plain = `${name}_schedule`;
      const unique = schedules.has(plain) ? `${component}__${plain}` : plain;
      schedules.set(unique, {
        name: unique,
        component,
        pipeline: name,
        job: pipelineJobName(name),
        assets: keys.sort(),
        config: config.schedule,
        source: config.source,
      });
    }
  }
  return schedules;
}

/** Limits of several repositories: the strictest of each; run retries of the most generous. */
function mergeInstances(sources: readonly DefinitionsSource[]): Definitions['instance'] {
  const pools: Record<string, number> = {};
  let maxConcurrentRuns: number | null = null;
  let runRetries: InstanceConfig['runRetries'] = { enabled: false, maxRetries: 0 };
  for (const { snapshot } of sources) {
    const { instance } = snapshot;
    for (const [pool, limit] of Object.entries(instance.pools))
      pools[pool] = Math.min(pools[pool] ?? limit, limit);
    if (instance.maxConcurrentRuns !== null) {
      maxConcurrentRuns = Math.min(
        maxConcurrentRuns ?? instance.maxConcurrentRuns,
        instance.maxConcurrentRuns,
      );
    }
    if (instance.runRetries.enabled && instance.runRetries.maxRetries > runRetries.maxRetries) {
      runRetries = instance.runRetries;
    }
  }
  const limits = strictest(sources.map(({ snapshot }) => snapshot.instance.limits ?? {}));
  return {
    runRetries,
    maxConcurrentRuns,
    pools,
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  };
}

function strictest(all: readonly Limits[]): Limits {
  const least: { -readonly [K in keyof Limits]: Limits[K] } = {};
  for (const limits of all) {
    for (const [key, value] of Object.entries(limits) as [keyof Limits, number][])
      least[key] = Math.min(least[key] ?? value, value);
  }
  return least;
}

function nearest(key: string, candidates: Iterable<string>): string | null {
  let best: string | null = null;
  let bestDistance = NEAR + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - key.length) > NEAR) continue;
    const d = distance(key, candidate);
    if (d < bestDistance) [best, bestDistance] = [candidate, d];
  }
  return best;
}

function diagnosticAt(
  node: AssetNode,
  rest: Pick<Diagnostic, 'code' | 'severity' | 'message' | 'hint'>,
): Diagnostic {
  const { file, line, column } = node.source;
  return { ...rest, file, line, column, pipeline: node.pipeline };
}

function duplicateAsset(node: AssetNode, holder: AssetNode): Diagnostic {
  return diagnosticAt(node, {
    code: 'ASSET_DUPLICATE',
    severity: 'error',
    message: `asset key "${node.key}" belongs to pipeline ${holder.pipeline} of component ${holder.component}`,
    hint: 'rename one of the two; the older one keeps the key',
  });
}

function unknownDependency(node: AssetNode, key: AssetKey, near: AssetKey): Diagnostic {
  return diagnosticAt(node, {
    code: 'DEPENDENCY_UNKNOWN',
    severity: 'warning',
    message: `${node.key} depends on "${key}", which no pipeline here makes; it is shown as an external asset`,
    hint: `did you mean "${near}"?`,
  });
}

function cycle(node: AssetNode, on: AssetKey): Diagnostic {
  return diagnosticAt(node, {
    code: 'DEPENDENCY_CYCLE',
    severity: 'error',
    message: `the dependency of ${node.key} on ${on} closes a cycle and is left out`,
    hint: 'remove one dependency of the cycle',
  });
}
