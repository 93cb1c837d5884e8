import type { Since } from '../../definitions/automation-condition/condition.ts';
import type { PartitionSubset } from '../../partitions/subset/partition-subset.ts';
import {
  emptySubset,
  intersectionOf,
  isEmpty,
  minus,
  unionOf,
} from '../../partitions/subset/partition-subset.ts';
import { subsetUnder } from '../cursor.ts';
import type { Entity, Evaluate, Evaluated, RootScope } from '../evaluation.ts';
import { everyPartition, timeless } from '../evaluation.ts';
import { triggeredAfterReset } from '../moment.ts';
import { stateId } from '../watch.ts';

/**
 * True of what the trigger was true of at least once since the reset was. Asked of every partition, so that no change
 * is missed. Where both came since the previous evaluation, the later one counts (Dagster: the reset, by which a
 * parent's update is lost when the child was written earlier between the same two evaluations).
 */
export function evaluateSince(
  evaluate: Evaluate,
  root: RootScope,
  condition: Since,
  entity: Entity,
  candidates: PartitionSubset,
): Evaluated {
  const id = `${stateId(condition)} ${entity.key}`;
  let whole = root.remembered.get(id);
  if (whole === undefined) {
    const all = everyPartition(root.scope, entity.partitions);
    const trigger = evaluate(root, condition.trigger, entity, all);
    const reset = evaluate(root, condition.reset, entity, all);
    const state = root.cursor?.states.get(id);
    const before = state === undefined ? emptySubset : subsetUnder(state, entity.partitions);
    let subset = minus(unionOf(intersectionOf(before, all), trigger.subset), reset.subset);
    const both = intersectionOf(trigger.subset, reset.subset);
    if (!isEmpty(both)) {
      subset = unionOf(subset, triggeredAfterReset(both, trigger.when(both), reset.when(both)));
    }
    root.states.set(id, { entity: entity.key, partitions: entity.partitions, subset });
    whole = { condition, entity, candidates: all, subset, children: [trigger, reset], when: timeless };
    root.remembered.set(id, whole);
  }
  const children = root.focused
    ? [condition.trigger, condition.reset].map((child) => evaluate(root, child, entity, candidates))
    : whole.children;
  return { ...whole, condition, candidates, children, subset: intersectionOf(whole.subset, candidates) };
}
