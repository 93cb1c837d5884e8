import type { PartitionMappingConfig } from '../discovery/pipeline-config.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import { defaultMapping } from '../partitions/mapping/default-mapping.ts';
import type { PartitionMapping } from '../partitions/mapping/partition-mapping.ts';
import { validateMapping } from '../partitions/mapping/validate-mapping.ts';

/**
 * How a dependency's partitions go with those of the asset that depends on it. The default for the two definitions when
 * none is written, and when the one written does not fit them (discovery has said so).
 */
export function mappingOf(
  upstream: PartitionsDefinition | null,
  downstream: PartitionsDefinition | null,
  config: PartitionMappingConfig | undefined,
): PartitionMapping {
  if (config === undefined) return defaultMapping(upstream, downstream);
  const mapping = read(config);
  return validateMapping(upstream, downstream, mapping).length === 0
    ? mapping
    : defaultMapping(upstream, downstream);
}

function read(config: PartitionMappingConfig): PartitionMapping {
  switch (config.kind) {
    case 'time_window':
      return { ...config, allowNonexistentUpstream: false };
    case 'specific':
      return { kind: 'specific', keys: config.partitionKeys };
    case 'multi': {
      const dimensions: Record<string, { dimension: string; mapping: PartitionMapping }> = {};
      for (const [name, { dimension, mapping }] of Object.entries(config.dimensions)) {
        dimensions[name] = { dimension, mapping: read(mapping) };
      }
      return { kind: 'multi', dimensions };
    }
    default:
      return config;
  }
}
