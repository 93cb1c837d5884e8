import { buildDefinitions } from '../../src/definitions/build.ts';
import type { Definitions } from '../../src/definitions/definitions.ts';
import type { PipelineConfig, Tool } from '../../src/discovery/pipeline-config.ts';
import type { Diagnostic } from '../../src/lib/diagnostics.ts';
import type { PartitionsDefinition } from '../../src/partitions/definition/partitions-definition.ts';
import type { DiscoveredAsset, InstanceConfig, PipelineState, Snapshot } from '../../src/state/snapshot.ts';
import { pipelineConfig } from './pipeline-config.ts';

export const DAILY: PartitionsDefinition = {
  kind: 'time',
  start: '2026-01-01',
  end: null,
  cron: '0 0 * * *',
  timezone: 'UTC',
  fmt: '%Y-%m-%d',
  endOffset: 0,
  exclusions: [],
};
export const WEEKLY: PartitionsDefinition = { ...DAILY, start: '2026-01-05', cron: '0 0 * * 1' };
export const REGIONS: PartitionsDefinition = { kind: 'static', keys: ['us', 'eu'] };
export const DAILY_BY_CATEGORY: PartitionsDefinition = {
  kind: 'multi',
  dimensions: { date: DAILY, category: { kind: 'static', keys: ['A', 'B'] } },
};

export interface SamplePipeline {
  readonly tool?: Tool;
  readonly config?: Partial<PipelineConfig>;
  readonly held?: boolean;
  readonly assets: Readonly<Record<string, Partial<DiscoveredAsset>>>;
}

/** A pipeline state as discovery would give it, with everything that the test does not care about filled in. */
export function samplePipeline(name: string, sample: SamplePipeline): PipelineState {
  const tool = sample.tool ?? 'python';
  const dir = `pipelines/${tool}/${name}`;
  return {
    name,
    config: pipelineConfig(tool, name, sample.config),
    code: {
      component: 'main',
      commit: 'c'.repeat(40),
      dir,
      treeId: `tree-${name}`,
      contentDigest: `digest-${name}`,
    },
    status: sample.held === true ? 'held' : 'current',
    assets: Object.entries(sample.assets).map(([key, asset]) => ({
      key,
      kind: tool,
      deps: [],
      checks: [],
      ...asset,
    })),
    discovery: { method: 'declared', status: 'complete', inputsDigest: `inputs-${name}` },
  };
}

export function sampleSnapshot(
  pipelines: Readonly<Record<string, SamplePipeline>>,
  instance: Partial<InstanceConfig> = {},
): Snapshot {
  return {
    version: 1,
    component: 'main',
    repo: {
      url: 'https://github.com/shop/pipelines.git',
      branch: 'main',
      commit: 'c'.repeat(40),
      author: 'Ada',
      message: 'First',
      committedAt: 0,
    },
    takenAt: 0,
    digest: 'sha256:sample',
    instance: {
      runRetries: { enabled: false, maxRetries: 0 },
      maxConcurrentRuns: null,
      pools: {},
      ...instance,
    },
    pipelines: Object.entries(pipelines).map(([name, sample]) => samplePipeline(name, sample)),
    diagnostics: [],
    conditions: [],
  };
}

export function sampleDefinitions(
  pipelines: Readonly<Record<string, SamplePipeline>>,
  instance: Partial<InstanceConfig> = {},
): { definitions: Definitions; diagnostics: readonly Diagnostic[] } {
  return buildDefinitions([
    { component: 'main', revisionId: 1, snapshot: sampleSnapshot(pipelines, instance) },
  ]);
}
