import type { AssetGraph, AssetKey, JobDefinition } from './definitions.ts';

/** One job per pipeline, one per group, one for everything; disabled and external assets are in none. */
export function buildJobs(graph: AssetGraph): ReadonlyMap<string, JobDefinition> {
  const byPipeline = new Map<string, AssetKey[]>();
  const byGroup = new Map<string, AssetKey[]>();
  const all: AssetKey[] = [];
  for (const node of graph.nodes.values()) {
    if (node.kind !== 'materializable' || !node.enabled) continue;
    push(byPipeline, pipelineJobName(node.pipeline), node.key);
    push(byGroup, `group_${node.group}_job`, node.key);
    all.push(node.key);
  }
  const jobs = new Map<string, JobDefinition>();
  for (const [name, assets] of byPipeline) jobs.set(name, { name, kind: 'pipeline', assets });
  for (const [name, assets] of byGroup) if (!jobs.has(name)) jobs.set(name, { name, kind: 'group', assets });
  if (all.length > 0) jobs.set('all_assets_job', { name: 'all_assets_job', kind: 'all', assets: all });
  return jobs;
}

export function pipelineJobName(pipeline: string): string {
  return `${pipeline}_job`;
}

function push(map: Map<string, AssetKey[]>, name: string, key: AssetKey): void {
  const list = map.get(name);
  if (list === undefined) map.set(name, [key]);
  else list.push(key);
}
