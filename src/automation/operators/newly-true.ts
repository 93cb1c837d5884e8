import type { NewlyTrue } from '../../definitions/automation-condition/condition.ts';
import type { PartitionSubset } from '../../partitions/subset/partition-subset.ts';
import { emptySubset, intersectionOf, isEmpty, minus } from '../../partitions/subset/partition-subset.ts';
import { subsetUnder } from '../cursor.ts';
import type { Entity, Evaluate, Evaluated, RootScope } from '../evaluation.ts';
import { everyPartition, present } from '../evaluation.ts';
import { stamped } from '../moment.ts';
import { stateId } from '../watch.ts';

/** What the condition is true of and was not at the previous evaluation. Asked of every partition. */
export function evaluateNewlyTrue(
  evaluate: Evaluate,
  root: RootScope,
  condition: NewlyTrue,
  entity: Entity,
  candidates: PartitionSubset,
): Evaluated {
  const id = `${stateId(condition)} ${entity.key}`;
  let whole = root.remembered.get(id);
  if (whole === undefined) {
    const all = everyPartition(root.scope, entity.partitions);
    const child = evaluate(root, condition.operand, entity, all);
    const state = root.cursor?.states.get(id);
    const before = state === undefined ? emptySubset : subsetUnder(state, entity.partitions);
    root.states.set(id, { entity: entity.key, partitions: entity.partitions, subset: child.subset });
    const when: Evaluated['when'] = (within) => {
      const { stamps } = child.when(within);
      const rest = minus(within, stamped(stamps));
      const now = isEmpty(rest) ? [] : [{ ...present(root.scope), partitions: rest }];
      return { stamps: [...stamps, ...now], timeless: emptySubset };
    };
    const subset = minus(child.subset, before);
    whole = { condition, entity, candidates: all, subset, children: [child], when };
    root.remembered.set(id, whole);
  }
  const children = root.focused ? [evaluate(root, condition.operand, entity, candidates)] : whole.children;
  return { ...whole, condition, candidates, children, subset: intersectionOf(whole.subset, candidates) };
}
