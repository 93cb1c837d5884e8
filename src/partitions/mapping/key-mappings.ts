import { keyToOrdinal, ordinalExists, ordinalToKey } from '../definition/key-order.ts';
import type { PartitionsDefinition, StaticPartitions } from '../definition/partitions-definition.ts';
import { staticPositions } from '../definition/static.ts';
import type { Instant } from '../instant.ts';
import type { PartitionSubset } from '../subset/partition-subset.ts';
import { has, intersectionOf, subsetOfOrdinals } from '../subset/partition-subset.ts';
import { allPartitions, keysOf } from '../subset/subset-keys.ts';
import type { SpecificMapping, StaticMapping } from './partition-mapping.ts';
import type { UpstreamPartitions } from './upstream.ts';
import { createNeed, finishNeed, met, noteMissing, noUpstream } from './upstream.ts';

/** Mappings that go by the text of keys: identity, static and specific. */
export function identityUpstream(
  upstream: PartitionsDefinition,
  downstream: PartitionsDefinition,
  subset: PartitionSubset,
  now: Instant,
): UpstreamPartitions {
  if (sameDefinition(upstream, downstream)) {
    const existing = intersectionOf(subset, allPartitions(upstream, now));
    if (existing.bounds.length === subset.bounds.length) return met(existing);
  }
  return byKeys(upstream, keysOf(downstream, subset), now);
}

/** The downstream partitions with the same key texts. */
export function identityDownstream(
  upstream: PartitionsDefinition,
  downstream: PartitionsDefinition,
  subset: PartitionSubset,
  now: Instant,
): PartitionSubset {
  return byKeys(downstream, keysOf(upstream, subset), now).subset;
}

/** The upstream keys that a static map leads to these downstream keys. */
export function staticUpstream(
  upstream: StaticPartitions,
  downstream: StaticPartitions,
  mapping: StaticMapping,
  subset: PartitionSubset,
): UpstreamPartitions {
  const ordinals: number[] = [];
  for (const [from, to] of pairs(mapping)) {
    const target = staticPositions(downstream).get(to);
    const source = staticPositions(upstream).get(from);
    if (target !== undefined && source !== undefined && has(subset, target)) ordinals.push(source);
  }
  return met(subsetOfOrdinals(ordinals));
}

/** The downstream keys that a static map gives these upstream keys. */
export function staticDownstream(
  upstream: StaticPartitions,
  downstream: StaticPartitions,
  mapping: StaticMapping,
  subset: PartitionSubset,
): PartitionSubset {
  const ordinals: number[] = [];
  for (const [from, to] of pairs(mapping)) {
    const target = staticPositions(downstream).get(to);
    const source = staticPositions(upstream).get(from);
    if (target !== undefined && source !== undefined && has(subset, source)) ordinals.push(target);
  }
  return subsetOfOrdinals(ordinals);
}

/** The named upstream keys, as soon as anything downstream is asked for. */
export function specificUpstream(
  upstream: PartitionsDefinition,
  mapping: SpecificMapping,
  subset: PartitionSubset,
  now: Instant,
): UpstreamPartitions {
  return subset.bounds.length === 0 ? noUpstream : byKeys(upstream, mapping.keys, now);
}

/** Pairs of a static map: upstream key, downstream key. */
export function* pairs(mapping: StaticMapping): IterableIterator<[string, string]> {
  for (const [from, to] of Object.entries(mapping.map)) {
    if (typeof to === 'string') yield [from, to];
    else for (const one of to) yield [from, one];
  }
}

/** Whether two definitions say the same, so that their ordinals do too. */
export function sameDefinition(a: PartitionsDefinition, b: PartitionsDefinition): boolean {
  return a === b || JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, one]) => [name, sorted(one)]);
}

function byKeys(definition: PartitionsDefinition, keys: Iterable<string>, now: Instant): UpstreamPartitions {
  const need = createNeed();
  for (const key of keys) {
    const ordinal = keyToOrdinal(definition, key);
    const exact = ordinal !== null && ordinalToKey(definition, ordinal) === key;
    if (exact && ordinalExists(definition, ordinal, now)) need.ranges.push([ordinal, ordinal + 1]);
    else noteMissing(need, key);
  }
  return finishNeed(need);
}

/** Whether any ordinal is in the subset of named keys. */
export function touches(
  definition: PartitionsDefinition,
  keys: readonly string[],
  subset: PartitionSubset,
): boolean {
  return keys.some((key) => {
    const ordinal = keyToOrdinal(definition, key);
    return ordinal !== null && has(subset, ordinal);
  });
}
