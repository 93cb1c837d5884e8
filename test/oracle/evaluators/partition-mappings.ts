import type { PartitionsDefinition } from '../../../src/partitions/definition/partitions-definition.ts';
import { defaultMapping } from '../../../src/partitions/mapping/default-mapping.ts';
import { downstreamOf, unpartitioned, upstreamOf } from '../../../src/partitions/mapping/map-partitions.ts';
import { validateMapping } from '../../../src/partitions/mapping/validate-mapping.ts';
import type { PartitionSubset } from '../../../src/partitions/subset/partition-subset.ts';
import { keysOf, subsetOfKeys } from '../../../src/partitions/subset/subset-keys.ts';
import type { Json, Mismatch, OracleCase } from '../oracle-case.ts';
import { Comparison } from '../oracle-case.ts';
import { readDefinition, readMapping } from '../read-input.ts';

/** Long lists are given by their number and their ends. */
interface Keys {
  readonly keys?: readonly string[];
  readonly count?: number;
  readonly first?: readonly string[];
  readonly last?: readonly string[];
  readonly required_but_nonexistent?: readonly string[];
}

interface Expected {
  readonly upstream_of?: Readonly<Record<string, Keys>>;
  readonly upstream_of_set?: Keys & { readonly of: readonly string[] };
  readonly downstream_of?: Readonly<Record<string, Keys>>;
}

type Case = OracleCase<never, Expected> & {
  readonly upstream: Json | null;
  readonly downstream: Json | null;
  readonly mapping: Json | null;
  readonly current_time: string;
};

/** Upstream and downstream keys. `mapping_used` is not asked: for 2-D sets the default differs on purpose. */
export function evaluatePartitionMappings(oracleCase: Case): Mismatch[] {
  const { expected } = oracleCase;
  const comparison = new Comparison();
  const up = oracleCase.upstream === null ? null : readDefinition(oracleCase.upstream);
  const down = oracleCase.downstream === null ? null : readDefinition(oracleCase.downstream);
  const now = Date.parse(oracleCase.current_time);
  const mapping = oracleCase.mapping === null ? defaultMapping(up, down) : readMapping(oracleCase.mapping);
  const problems = validateMapping(up, down, mapping);
  comparison.equal('valid', expected.valid, problems.length === 0);
  if (!expected.valid || problems.length > 0) return comparison.mismatches;
  for (const [key, answer] of Object.entries(expected.upstream_of ?? {})) {
    const { subset, nonexistentKeys } = upstreamOf(up, down, mapping, subsetFor(down, [key], now), now);
    compareKeys(comparison, `upstream of ${key}`, answer, keysFor(up, subset));
    const missing = answer.required_but_nonexistent ?? [];
    comparison.sameSet(`nonexistent upstream of ${key}`, missing, nonexistentKeys);
  }
  if (expected.upstream_of_set) {
    const answer = expected.upstream_of_set;
    const { subset } = upstreamOf(up, down, mapping, subsetFor(down, answer.of, now), now);
    compareKeys(comparison, `upstream of ${answer.of.join(' and ')}`, answer, keysFor(up, subset));
  }
  for (const [key, answer] of Object.entries(expected.downstream_of ?? {})) {
    const subset = downstreamOf(up, down, mapping, subsetFor(up, [key], now), now);
    compareKeys(comparison, `downstream of ${key}`, answer, keysFor(down, subset));
  }
  return comparison.mismatches;
}

function subsetFor(
  definition: PartitionsDefinition | null,
  keys: readonly string[],
  now: number,
): PartitionSubset {
  return definition === null ? unpartitioned : subsetOfKeys(definition, keys, now).subset;
}

function keysFor(definition: PartitionsDefinition | null, subset: PartitionSubset): string[] {
  return definition === null ? [] : [...keysOf(definition, subset)];
}

function compareKeys(comparison: Comparison, what: string, expected: Keys, got: readonly string[]): void {
  if (expected.keys) {
    comparison.sameSet(what, expected.keys, got);
    return;
  }
  comparison.equal(`${what}: count`, expected.count, got.length);
  const listed = [...(expected.first ?? []), ...(expected.last ?? [])];
  comparison.equal(
    `${what}: ends`,
    listed,
    listed.filter((key) => got.includes(key)),
  );
}
