import { deflateSync } from 'node:zlib';

/** The two variables of Dagster Pipes (protocol 0.1) as the engine sets them, with one partition key. */
export function pipesVariables(
  assetKeys: readonly string[],
  partitionKey: string | null,
  eventsFile: string,
): Record<string, string> {
  const context = {
    asset_keys: assetKeys,
    code_version_by_asset_key: Object.fromEntries(assetKeys.map((key) => [key, '1'])),
    provenance_by_asset_key: Object.fromEntries(assetKeys.map((key) => [key, null])),
    partition_key: partitionKey,
    partition_key_range: partitionKey === null ? null : { start: partitionKey, end: partitionKey },
    partition_time_window: null,
    run_id: 'run-1',
    job_name: 'job',
    retry_number: 0,
    extras: {},
  };
  return {
    DAGSTER_PIPES_CONTEXT: encode({ data: context }),
    DAGSTER_PIPES_MESSAGES: encode({ path: eventsFile }),
  };
}

function encode(value: unknown): string {
  return deflateSync(Buffer.from(JSON.stringify(value))).toString('base64');
}
