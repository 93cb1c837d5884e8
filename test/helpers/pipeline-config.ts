import type { PipelineConfig, Tool } from '../../src/discovery/pipeline-config.ts';

/** A configuration with every default filled in; the test says only what it cares about. */
export function pipelineConfig(
  tool: Tool,
  name: string,
  config: Partial<PipelineConfig> = {},
): PipelineConfig {
  const dir = config.dir ?? `pipelines/${tool}/${name}`;
  return {
    name,
    tool,
    dir,
    enabled: true,
    group: 'default',
    owners: [],
    tags: {},
    kinds: [tool],
    metadata: [],
    deps: [],
    backfillPolicy: { type: 'multi_run', maxPartitionsPerRun: 1 },
    checks: [],
    pools: [],
    environment: {},
    env: {},
    assets: {},
    source: { file: `${dir}/dagster.yaml`, line: 1, column: 1 },
    ...config,
  };
}
