import type { InstanceConfig } from '../../state/snapshot.ts';
import type { YamlValue } from '../yaml/yaml-value.ts';
import { readAlerts } from './alerts.ts';
import type { ConfigReader } from './config-reader.ts';
import { readCostRates } from './cost-rates.ts';
import { readLimits } from './limits.ts';
import type { MapReader } from './map-reader.ts';
import { openDocument } from './map-reader.ts';

/** What holds without a `dagster.yaml` at the root. */
export const DEFAULT_INSTANCE: InstanceConfig = {
  runRetries: { enabled: false, maxRetries: 0 },
  maxConcurrentRuns: null,
  pools: {},
};

/** Sections that other parts of the service will read; their names are known, their keys are not checked here. */
const ELSEWHERE = ['retention'] as const;

/** The `dagster.yaml` at the repository's root, with Dagster's keys. Mistakes go to the reader. */
export function readInstanceConfig(reader: ConfigReader, value: YamlValue | null): InstanceConfig {
  const root = openDocument(reader, value, [
    'run_retries',
    'concurrency',
    'limits',
    'alerts',
    'insights',
    ...ELSEWHERE,
  ]);
  if (root === null) return DEFAULT_INSTANCE;
  for (const key of ELSEWHERE) {
    if (root.section(key, null) === undefined) continue;
    reader.report(
      'info',
      'CONFIG_UNKNOWN_KEY',
      root.place(key),
      key,
      `"${key}" has no effect in this release`,
    );
  }
  const concurrency = root.section('concurrency', ['runs', 'pools']);
  const alerts = readAlerts(root);
  const runs = concurrency?.section('runs', ['max_concurrent_runs']);
  const limits = readLimits(root);
  const costRates = readCostRates(root);
  return {
    runRetries: readRunRetries(root),
    maxConcurrentRuns: runs?.integer('max_concurrent_runs', { min: 1, max: 100_000 }) ?? null,
    pools: concurrency === undefined ? {} : readPools(concurrency),
    ...(alerts === undefined ? {} : { alerts }),
    ...(limits === undefined ? {} : { limits }),
    ...(costRates === undefined ? {} : { costRates }),
  };
}

function readRunRetries(root: MapReader): InstanceConfig['runRetries'] {
  const map = root.section('run_retries', ['enabled', 'max_retries']);
  if (map === undefined) return DEFAULT_INSTANCE.runRetries;
  const maxRetries = map.integer('max_retries', { min: 0, max: 1000 }) ?? 0;
  return { enabled: map.boolean('enabled') ?? maxRetries > 0, maxRetries };
}

function readPools(concurrency: MapReader): Record<string, number> {
  const map = concurrency.section('pools', null);
  const pools: Record<string, number> = {};
  for (const name of map?.map.entries.keys() ?? []) {
    const limit = map!.integer(name, { min: 0, max: 100_000 });
    if (limit !== undefined) pools[name] = limit;
  }
  return pools;
}
