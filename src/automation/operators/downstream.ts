import type { AutomationCondition } from '../../definitions/automation-condition/condition.ts';
import type { PartitionSubset } from '../../partitions/subset/partition-subset.ts';
import {
  emptySubset,
  intersectionOf,
  unionOf,
  unionOfAll,
} from '../../partitions/subset/partition-subset.ts';
import type { Entity, Evaluate, Evaluated, RootScope } from '../evaluation.ts';
import { downstreamConditions } from '../watch.ts';

/**
 * `any_downstream_conditions`: any distinct condition of an asset downstream is true of this one. Within one of those
 * it adds nothing, as the outermost has asked all of them.
 */
export function evaluateDownstream(
  evaluate: Evaluate,
  root: RootScope,
  condition: AutomationCondition,
  entity: Entity,
  candidates: PartitionSubset,
): Evaluated {
  const conditions =
    root.downstream || entity.check !== null ? [] : downstreamConditions(root.scope.graph, entity.asset);
  const inside: RootScope = { ...root, downstream: true };
  const children = conditions.map((one) => evaluate(inside, one, entity, candidates));
  const when: Evaluated['when'] = (within) => {
    const answers = children.map((child) => child.when(intersectionOf(within, child.subset)));
    return {
      stamps: answers.flatMap(({ stamps }) => stamps),
      timeless: answers.reduce((sum, answer) => unionOf(sum, answer.timeless), emptySubset),
    };
  };
  return {
    condition,
    entity,
    candidates,
    subset: unionOfAll(children.map(({ subset }) => subset)),
    children,
    when,
  };
}
