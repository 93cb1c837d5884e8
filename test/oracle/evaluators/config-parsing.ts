import { ConfigReader } from '../../../src/discovery/config/config-reader.ts';
import { folderFacts } from '../../../src/discovery/config/folder-facts.ts';
import {
  openPipelineFile,
  readPipelineConfig,
} from '../../../src/discovery/config/pipeline-config-schema.ts';
import type { PipelineConfig } from '../../../src/discovery/pipeline-config.ts';
import { parseYaml } from '../../../src/discovery/yaml/parse-yaml.ts';
import type { Diagnostic } from '../../../src/lib/diagnostics.ts';
import type { Mismatch, OracleCase } from '../oracle-case.ts';
import { Comparison } from '../oracle-case.ts';

interface Expected {
  readonly outcome: 'accepted' | 'rejected';
  readonly key_path?: string;
  readonly line?: number;
  /** What may reasonably be answered instead: either outcome is right then. */
  readonly also_good?: string;
  readonly normalized?: Readonly<Record<string, unknown>>;
}

type Case = OracleCase<unknown, Expected> & { readonly yaml?: string; readonly yaml_base64?: string };

/** A `dagster.yaml` of a dlt folder: accepted or not, the first error's place, and what was read. */
export function evaluateConfigParsing({ yaml, yaml_base64, expected }: Case): Mismatch[] {
  const comparison = new Comparison();
  const bytes = yaml === undefined ? Buffer.from(yaml_base64 ?? '', 'base64') : Buffer.from(yaml);
  const { errors, config } = read(bytes);
  const outcome = expected.valid === undefined ? expected.outcome : expected.valid ? 'accepted' : 'rejected';
  const got = errors.length === 0 ? 'accepted' : 'rejected';
  const free = expected.also_good !== undefined && expected.valid === undefined;
  if (!free) comparison.equal('outcome', outcome, got);
  if (outcome === 'rejected' && got === 'rejected') {
    const places = errors.map(({ path, line }) => ({ key_path: path ?? '', line }));
    if (expected.key_path !== undefined) {
      comparison.oneOf(
        'key_path',
        places.map((place) => place.key_path),
        expected.key_path,
      );
    }
    const here = places.filter((place) => place.key_path === expected.key_path).map((place) => place.line);
    if (expected.line !== undefined) comparison.oneOf('line', here, expected.line);
  }
  if (config !== null && got === 'accepted') {
    for (const [path, value] of Object.entries(expected.normalized ?? {})) {
      comparison.equal(path, value, normalised(config, path));
    }
  }
  return comparison.mismatches;
}

function read(bytes: Uint8Array): { errors: readonly Diagnostic[]; config: PipelineConfig | null } {
  const parsed = parseYaml('dagster.yaml', bytes);
  if (parsed.diagnostics.length > 0) return { errors: parsed.diagnostics, config: null };
  const reader = new ConfigReader('dagster.yaml');
  const root = openPipelineFile(reader, parsed.value);
  const folder = folderFacts('pipelines/dlt/example', ['pipeline.py', 'dagster.yaml']);
  const config =
    root === null ? null : readPipelineConfig(root, { tool: 'dlt', folder, sourceFile: 'dagster.yaml' });
  return { errors: reader.diagnostics.filter((one) => one.severity === 'error'), config };
}

/** A configuration's value by the name that it has in the file. */
function normalised(config: PipelineConfig, path: string): unknown {
  const { partitions, schedule, retryPolicy } = config;
  const [head, ...rest] = path.split('.');
  if (head === 'retries') return retryPolicy?.maxRetries ?? 0;
  if (head === 'retry_delay') return retryPolicy?.delay;
  if (head === 'schedule') {
    if (rest[0] === 'enabled') return schedule !== undefined;
    const crons = schedule?.cron;
    if (rest[0] === 'cron_schedule') return crons?.length === 1 ? crons[0] : crons;
    return schedule?.timezone;
  }
  if (head === 'partitions') {
    if (rest[0] === 'enabled') return partitions !== undefined;
    if (rest[0] === 'type') return partitions?.kind;
    const last = rest.at(-1) ?? '';
    if (last === 'partition_keys') return partitions?.kind === 'static' ? partitions.keys : undefined;
    const names: Record<string, string> = { cron_schedule: 'cron', end_offset: 'endOffset' };
    return (partitions as Record<string, unknown> | undefined)?.[names[last] ?? last];
  }
  const names: Record<string, keyof PipelineConfig> = { code_version: 'codeVersion' };
  const value: unknown = config[names[head ?? ''] ?? (head as keyof PipelineConfig)];
  return rest.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], value);
}
