import type { Limits, PipelineConfig, ScheduleConfig } from '../discovery/pipeline-config.ts';
import { writtenBytes } from '../lib/bytes.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';

type Shape = Readonly<Record<string, unknown>>;

/** Maps whose keys are the user's own names: what stands under them is compared name by name and kept as written. */
const VERBATIM = new Set(['tags', 'env', 'settings', 'sourceArgs', 'vars', 'map', 'value']);
/** Maps from the user's names to objects of ours. */
const NAMED = new Set(['assets', 'incremental', 'dimensions']);

/**
 * A pipeline's configuration with the keys of `dagster.yaml` (`docs/spec/dagster-yaml.md`), so that what is said of it is
 * what its author wrote: `schedule.cron_schedule`, not the name of a field of ours. Places in files are left out.
 */
export function configShape(config: PipelineConfig): Shape {
  const { source: _, schedule, partitions, name: _name, dir: _dir, assets, ...rest } = config;
  return {
    ...common(rest),
    partitions: partitions === undefined ? undefined : partitionsShape(partitions),
    schedule: schedule === undefined ? undefined : scheduleShape(schedule),
    assets: Object.fromEntries(Object.entries(assets).map(([key, over]) => [key, common(over)])),
  };
}

export function scheduleShape(schedule: ScheduleConfig): Shape {
  const { cron, timezone, defaultStatus, catchUp, overlap, jitterSeconds } = schedule;
  return {
    cron_schedule: cron.length === 1 ? cron[0] : cron,
    timezone,
    default_status: defaultStatus,
    catch_up: catchUp,
    overlap,
    jitter: `${jitterSeconds}s`,
  };
}

export function limitsShape({ memoryBytes, cpus, cpuTimeSeconds }: Limits): Shape {
  return {
    memory: memoryBytes === undefined ? undefined : writtenBytes(memoryBytes),
    cpus,
    cpu_time: cpuTimeSeconds === undefined ? undefined : `${cpuTimeSeconds}s`,
  };
}

export function partitionsShape(partitions: PartitionsDefinition): Shape {
  switch (partitions.kind) {
    case 'time': {
      const { start, end, cron, timezone, fmt, endOffset, exclusions } = partitions;
      const time = { start, end, cron_schedule: cron, timezone, fmt, end_offset: endOffset, exclusions };
      return { type: 'time', time };
    }
    case 'static':
      return { type: 'static', static: { partition_keys: partitions.keys } };
    case 'multi': {
      const dimensions = Object.entries(partitions.dimensions).map(([key, one]) => [
        key,
        partitionsShape(one),
      ]);
      return { type: 'multi', multi: { dimensions: Object.fromEntries(dimensions) as Shape } };
    }
  }
}

/** What pipelines, the overrides of their assets and discovered assets have in common. */
export function common(value: object): Record<string, unknown> {
  const shape: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value as Shape)) {
    if (key === 'source') continue;
    if (key === 'automation') Object.assign(shape, automationShape(part as PipelineConfig['automation']));
    else if (key === 'timeoutSeconds')
      shape['timeout'] = part === undefined ? undefined : `${part as number}s`;
    else if (key === 'limits') shape['limits'] = part === undefined ? undefined : limitsShape(part as Limits);
    else shape[snakeCase(key)] = shaped(part, key);
  }
  return shape;
}

function automationShape(automation: PipelineConfig['automation']): Shape {
  if (automation === undefined) return {};
  const { condition, cron, timezone } = automation;
  const config = cron === undefined ? undefined : { cron_schedule: cron, cron_timezone: timezone };
  return { automation_condition: condition, automation_condition_config: config };
}

function shaped(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.map((item) => shaped(item, ''));
  if (typeof value !== 'object' || value === null || VERBATIM.has(key)) return value;
  if (key === 'partitions') return partitionsShape(value as PartitionsDefinition);
  const isNamed = NAMED.has(key);
  const entries = Object.entries(value).filter(([name]) => name !== 'source');
  return Object.fromEntries(
    entries.map(([name, part]) => [isNamed ? name : snakeCase(name), shaped(part, isNamed ? '' : name)]),
  );
}

function snakeCase(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
