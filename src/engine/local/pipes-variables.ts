import { deflateSync } from 'node:zlib';
import type { StepSpec } from '../../plan/step-spec.ts';
import { partitionRange, windowTexts } from './partition-variables.ts';

/**
 * The two variables by which a script that uses dagster-pipes finds us (`runners.md` §5). Both are
 * base64(zlib(JSON)); the messages go to the same file as our runners' events.
 */
export function pipesVariables(spec: StepSpec, eventsFile: string): Record<string, string> {
  const { partitions, window } = spec;
  const context = {
    asset_keys: spec.assets.map((asset) => asset.key),
    code_version_by_asset_key: Object.fromEntries(spec.assets.map((asset) => [asset.key, asset.codeVersion])),
    provenance_by_asset_key: Object.fromEntries(spec.assets.map((asset) => [asset.key, null])),
    partition_key: partitions.kind === 'key' ? partitions.key : null,
    partition_key_range: partitionRange(spec),
    partition_time_window: window === null ? null : windowTexts(window, spec.timezone),
    run_id: spec.ref.runId,
    job_name: spec.pipeline,
    retry_number: spec.retriesSpent,
    extras: spec.runConfig,
  };
  return {
    DAGSTER_PIPES_CONTEXT: encode({ data: context }),
    DAGSTER_PIPES_MESSAGES: encode({ path: eventsFile }),
  };
}

function encode(value: unknown): string {
  return deflateSync(Buffer.from(JSON.stringify(value))).toString('base64');
}
