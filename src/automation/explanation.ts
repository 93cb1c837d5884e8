import { conditionName } from '../definitions/automation-condition/condition-text.ts';
import type { PartitionSubset } from '../partitions/subset/partition-subset.ts';
import { countOf } from '../partitions/subset/partition-subset.ts';
import type { KeySpan } from '../partitions/subset/subset-keys.ts';
import { spansOf } from '../partitions/subset/subset-keys.ts';
import type { EntityKey } from './automation-graph.ts';
import type { Evaluated } from './evaluation.ts';

/** Why something was or was not requested: the tree of a condition with what each part was true of. Plain JSON. */
export interface Explanation {
  /** `and`, `missing()`, `any_deps_match`. */
  readonly condition: string;
  readonly label: string | null;
  /** What it was asked of: the asset itself, a dependency, a check. */
  readonly entity: EntityKey;
  readonly partitioned: boolean;
  /** How many partitions it was asked of (0: what came before had left none) and true of; 1 without partitions. */
  readonly candidates: number;
  readonly matched: number;
  /** What it was true of, the first `MOST_SPANS` stretches. */
  readonly spans: readonly KeySpan[];
  readonly children: readonly Explanation[];
}

const MOST_SPANS = 20;

/** The explanation of a result, ready to be stored and shown. */
export function explain({ condition, entity, candidates, subset, children }: Evaluated): Explanation {
  return {
    condition: conditionName(condition),
    label: condition.label ?? null,
    entity: entity.key,
    partitioned: entity.partitions !== null,
    candidates: countOf(candidates),
    matched: countOf(subset),
    spans: spans(entity.partitions, subset),
    children: children.map(explain),
  };
}

function spans(partitions: Evaluated['entity']['partitions'], subset: PartitionSubset): KeySpan[] {
  if (partitions === null) return [];
  const first: PartitionSubset = { bounds: subset.bounds.slice(0, 2 * MOST_SPANS) };
  return [...spansOf(partitions, first)].slice(0, MOST_SPANS);
}
