import type { Conjunction, Negation } from '../../definitions/automation-condition/condition.ts';
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
import { present, remembers, timeless } from '../evaluation.ts';
import { stamped } from '../moment.ts';

/** What all are true of. Each is asked of what is left by those before it; what remembers is asked in any case. */
export function evaluateAnd(
  evaluate: Evaluate,
  root: RootScope,
  condition: Conjunction,
  entity: Entity,
  candidates: PartitionSubset,
): Evaluated {
  const children: Evaluated[] = [];
  let subset = candidates;
  for (const operand of condition.operands) {
    if (isEmpty(subset) && !remembers(operand)) {
      children.push(notAsked(operand, entity));
      continue;
    }
    const child = evaluate(root, operand, entity, subset);
    children.push(child);
    subset = child.subset;
  }
  const when: Evaluated['when'] = (within) => {
    const stamps = children.flatMap((child) => child.when(within).stamps);
    return { stamps, timeless: minus(within, stamped(stamps)) };
  };
  return { condition, entity, candidates, subset, children, when };
}

/**
 * What any is true of. Where it says "requested or updated", as `since_last_handled` does, a request is the beginning of
 * what the update ends: the run that it asked for is taken to see what parents write meanwhile.
 */
export function evaluateOr(
  evaluate: Evaluate,
  root: RootScope,
  condition: Conjunction,
  entity: Entity,
  candidates: PartitionSubset,
): Evaluated {
  const children = condition.operands.map((operand) => evaluate(root, operand, entity, candidates));
  const subset = unionOfAll(children.map((child) => child.subset));
  const handled = condition.operands.some(({ kind }) => kind === 'newly_updated');
  const when: Evaluated['when'] = (within) => {
    const answers = children.map((child) => {
      const answer = child.when(intersectionOf(within, child.subset));
      if (!handled || child.condition.kind !== 'newly_requested') return answer;
      const seesUntil = present(root.scope);
      return { ...answer, stamps: answer.stamps.map((stamp) => ({ ...stamp, seesUntil })) };
    });
    return {
      stamps: answers.flatMap(({ stamps }) => stamps),
      timeless: answers.reduce((sum, answer) => unionOf(sum, answer.timeless), emptySubset),
    };
  };
  return { condition, entity, candidates, subset, children, when };
}

/** The candidates that it is not true of. */
export function evaluateNot(
  evaluate: Evaluate,
  root: RootScope,
  condition: Negation,
  entity: Entity,
  candidates: PartitionSubset,
): Evaluated {
  const child = evaluate(root, condition.operand, entity, candidates);
  const subset = minus(candidates, child.subset);
  return { condition, entity, candidates, subset, children: [child], when: timeless };
}

/** In place of a result that could not change anything. */
function notAsked(condition: Evaluated['condition'], entity: Entity): Evaluated {
  return { condition, entity, candidates: emptySubset, subset: emptySubset, children: [], when: timeless };
}
