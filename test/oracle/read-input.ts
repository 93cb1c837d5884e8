import { defaultFmt } from '../../src/partitions/definition/default-fmt.ts';
import type {
  MultiPartitions,
  PartitionsDefinition,
  StaticPartitions,
  TimeWindowPartitions,
} from '../../src/partitions/definition/partitions-definition.ts';
import type { PartitionMapping } from '../../src/partitions/mapping/partition-mapping.ts';
import type { Json } from './oracle-case.ts';

/** A definition as the oracle writes it. */
export function readDefinition(input: Json): PartitionsDefinition {
  if (input.type === 'static') return readStatic(input);
  if (input.type === 'time') return readTime(input);
  const dimensions = Object.entries(input.dimensions as Record<string, Json>).map(([name, dimension]) => [
    name,
    dimension.type === 'static' ? readStatic(dimension) : readTime(dimension),
  ]);
  return { kind: 'multi', dimensions: Object.fromEntries(dimensions) as MultiPartitions['dimensions'] };
}

function readStatic(input: Json): StaticPartitions {
  return { kind: 'static', keys: input.partition_keys as string[] };
}

function readTime(input: Json): TimeWindowPartitions {
  const cron = input.cron_schedule as string;
  return {
    kind: 'time',
    start: input.start as string,
    end: (input.end ?? null) as string | null,
    cron,
    timezone: (input.timezone ?? 'UTC') as string,
    fmt: (input.fmt ?? defaultFmt(cron)) as string,
    endOffset: (input.end_offset ?? 0) as number,
    exclusions: (input.exclusions ?? []) as string[],
  };
}

/** A mapping as the oracle writes it. */
export function readMapping(input: Json): PartitionMapping {
  switch (input.type) {
    case 'time_window':
      return {
        kind: 'time_window',
        startOffset: (input.start_offset ?? 0) as number,
        endOffset: (input.end_offset ?? 0) as number,
        allowNonexistentUpstream: (input.allow_nonexistent_upstream_partitions ?? false) as boolean,
      };
    case 'static':
      return { kind: 'static', map: input.map as Record<string, string | string[]> };
    case 'specific':
      return { kind: 'specific', keys: input.partition_keys as string[] };
    case 'multi_to_single':
      return input.dimension == null
        ? { kind: 'multi_to_single' }
        : { kind: 'multi_to_single', dimension: input.dimension as string };
    case 'multi': {
      const dimensions = input.dimensions as Record<string, { dimension: string; mapping: Json }>;
      const entries = Object.entries(dimensions).map(([name, one]) => [
        name,
        { dimension: one.dimension, mapping: readMapping(one.mapping) },
      ]);
      return { kind: 'multi', dimensions: Object.fromEntries(entries) };
    }
    case 'identity':
    case 'all':
    case 'last':
      return { kind: input.type };
    default:
      throw new Error(`the oracle has a mapping of an unknown type: ${String(input.type)}`);
  }
}
