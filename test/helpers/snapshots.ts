import type { PipelineConfig } from '../../src/discovery/pipeline-config.ts';
import { snapshotDigest } from '../../src/state/codec.ts';
import type { PipelineState, Snapshot } from '../../src/state/snapshot.ts';
import { pipelineConfig } from './pipeline-config.ts';

/** A folder as discovery would give it, with one asset `<name>`. */
export function pipelineState(
  name: string,
  config: Partial<PipelineConfig> = {},
  more: Partial<PipelineState> = {},
): PipelineState {
  const dir = `pipelines/python/${name}`;
  return {
    name,
    config: pipelineConfig('python', name, { dir, ...config }),
    code: {
      component: 'shop',
      commit: 'a'.repeat(40),
      dir,
      treeId: 'b'.repeat(40),
      contentDigest: `content-of-${name}`,
    },
    status: 'current',
    assets: [{ key: name, kind: 'python', deps: [], checks: [] }],
    discovery: { method: 'declared', status: 'complete', inputsDigest: `inputs-of-${name}` },
    ...more,
  };
}

export function snapshotOf(pipelines: readonly PipelineState[], more: Partial<Snapshot> = {}): Snapshot {
  const content: Snapshot = {
    version: 1,
    component: 'shop',
    repo: {
      url: 'https://github.com/acme/pipelines',
      branch: 'main',
      commit: 'a'.repeat(40),
      author: 'Ada',
      message: 'first',
      committedAt: Date.UTC(2026, 0, 2),
    },
    takenAt: Date.UTC(2026, 0, 3),
    digest: '',
    instance: { runRetries: { enabled: false, maxRetries: 0 }, maxConcurrentRuns: null, pools: {} },
    pipelines,
    diagnostics: [],
    conditions: [],
    ...more,
  };
  return { ...content, digest: snapshotDigest(content) };
}
