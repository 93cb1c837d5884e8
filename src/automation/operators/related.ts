import type {
  AssetMatches,
  AutomationCondition,
  ChecksMatch,
  DepsMatch,
} from '../../definitions/automation-condition/condition.ts';
import type { PartitionSubset } from '../../partitions/subset/partition-subset.ts';
import {
  emptySubset,
  intersectionOf,
  isEmpty,
  minus,
  unionOf,
  unionOfAll,
} from '../../partitions/subset/partition-subset.ts';
import type { Entity, Evaluate, Evaluated, RootScope } from '../evaluation.ts';
import { assetEntity, entityOfCheck, remembers } from '../evaluation.ts';
import type { Stamp } from '../moment.ts';
import { stamped } from '../moment.ts';
import type { Relation } from '../relation.ts';
import { checkRelation, downstreamRelation, upstreamRelation } from '../relation.ts';
import { depsOf } from '../watch.ts';

/** A condition asked of another entity, and the partitions here that the answer leads back to. */
interface Answer {
  readonly relation: Relation;
  readonly result: Evaluated;
  readonly subset: PartitionSubset;
}

/** `any_deps_match`, `all_deps_match`. The dependency of a check is its asset. */
export function evaluateDeps(
  evaluate: Evaluate,
  root: RootScope,
  condition: DepsMatch,
  entity: Entity,
  candidates: PartitionSubset,
): Evaluated {
  const { scope } = root;
  const relations =
    entity.check === null
      ? depsOf(scope.graph, condition, entity.asset).map((dep) =>
          upstreamRelation(scope, entity, assetEntity(dep)),
        )
      : [checkRelation(scope, entity, assetEntity(entity.asset))];
  const every = condition.everyPartition === true;
  const answers = relations.map((relation) =>
    ask(evaluate, root, condition.operand, relation, candidates, every),
  );
  return together(condition, condition.kind === 'any_deps_match', entity, candidates, answers);
}

/** `any_checks_match`, `all_checks_match`: of the asset's own checks. */
export function evaluateChecks(
  evaluate: Evaluate,
  root: RootScope,
  condition: ChecksMatch,
  entity: Entity,
  candidates: PartitionSubset,
): Evaluated {
  const { scope } = root;
  const checks = entity.check === null ? entity.asset.checks : [];
  const answers = checks
    .filter(({ blocking }) => blocking || !condition.blockingOnly)
    .map((check) => checkRelation(scope, entity, entityOfCheck(scope, entity.asset, check)))
    .map((relation) => ask(evaluate, root, condition.operand, relation, candidates, false));
  return together(condition, condition.kind === 'any_checks_match', entity, candidates, answers);
}

/** `asset_matches`: of an asset upstream, downstream, or neither (then as if it were upstream). None: false. */
export function evaluateAssetMatches(
  evaluate: Evaluate,
  root: RootScope,
  condition: AssetMatches,
  entity: Entity,
  candidates: PartitionSubset,
): Evaluated {
  const { scope } = root;
  const other = scope.graph.assets.get(condition.asset);
  if (other === undefined) return together(condition, true, entity, candidates, []);
  const isReader = other.key !== entity.asset.key && other.deps.some(({ key }) => key === entity.asset.key);
  const relation = (isReader ? downstreamRelation : upstreamRelation)(scope, entity, assetEntity(other));
  const answer = ask(evaluate, root, condition.operand, relation, candidates, false);
  return together(condition, true, entity, candidates, [answer]);
}

function ask(
  evaluate: Evaluate,
  root: RootScope,
  operand: AutomationCondition,
  relation: Relation,
  candidates: PartitionSubset,
  every: boolean,
): Answer {
  const asked = relation.there(candidates);
  if (isEmpty(asked) && !remembers(operand)) {
    const nothing = { candidates: asked, subset: emptySubset, children: [] };
    const when: Evaluated['when'] = (within) => ({ stamps: [], timeless: within });
    return {
      relation,
      result: { condition: operand, entity: relation.to, ...nothing, when },
      subset: emptySubset,
    };
  }
  const result = evaluate(root, operand, relation.to, asked);
  let subset = intersectionOf(relation.back(result.subset), candidates);
  if (every && !isEmpty(subset)) subset = minus(subset, relation.back(minus(asked, result.subset)));
  return { relation, result, subset };
}

function together(
  condition: AutomationCondition,
  any: boolean,
  entity: Entity,
  candidates: PartitionSubset,
  answers: readonly Answer[],
): Evaluated {
  const subset = any
    ? unionOfAll(answers.map((answer) => answer.subset))
    : answers.reduce((left, answer) => intersectionOf(left, answer.subset), candidates);
  const when: Evaluated['when'] = (within) => {
    const stamps: Stamp[] = [];
    let lasting = emptySubset;
    for (const { relation, result } of answers) {
      const there = intersectionOf(relation.there(within), result.subset);
      if (isEmpty(there)) continue;
      const answer = result.when(there);
      for (const stamp of answer.stamps) {
        const partitions = intersectionOf(relation.back(stamp.partitions), within);
        if (!isEmpty(partitions)) stamps.push({ ...stamp, partitions });
      }
      lasting = unionOf(lasting, intersectionOf(relation.back(answer.timeless), within));
    }
    return { stamps, timeless: any ? lasting : minus(within, stamped(stamps)) };
  };
  return { condition, entity, candidates, subset, children: answers.map(({ result }) => result), when };
}
