import type { AutomationCondition } from './condition.ts';
import { conditionText } from './condition-text.ts';

/** `a & b`. Conjunctions without a label of their own are drawn into one, so that `without` finds their operands. */
export function and(...conditions: readonly AutomationCondition[]): AutomationCondition {
  return joined('and', conditions);
}

/** `a | b`. */
export function or(...conditions: readonly AutomationCondition[]): AutomationCondition {
  return joined('or', conditions);
}

function joined(kind: 'and' | 'or', conditions: readonly AutomationCondition[]): AutomationCondition {
  const operands = conditions.flatMap((one) =>
    one.kind === kind && one.label === undefined ? one.operands : [one],
  );
  return operands.length === 1 ? (operands[0] as AutomationCondition) : { kind, operands };
}

/** `~a`. */
export function not(operand: AutomationCondition): AutomationCondition {
  return { kind: 'not', operand };
}

export function since(trigger: AutomationCondition, reset: AutomationCondition): AutomationCondition {
  return { kind: 'since', trigger, reset };
}

export function newlyTrue(operand: AutomationCondition): AutomationCondition {
  return { kind: 'newly_true', operand };
}

/** Since the target was last requested or updated, and since its condition was last changed. */
export function sinceLastHandled(trigger: AutomationCondition): AutomationCondition {
  const handled = or({ kind: 'newly_requested' }, { kind: 'newly_updated' }, { kind: 'initial_evaluation' });
  return since(trigger, withLabel(handled, 'handled'));
}

export function withLabel(condition: AutomationCondition, label: string): AutomationCondition {
  return { ...condition, label };
}

/** Whether two conditions say the same, labels aside. */
export function sameCondition(a: AutomationCondition, b: AutomationCondition): boolean {
  return a === b || conditionText(a) === conditionText(b);
}

/** The conjunction without an operand (its label stays); null when it is none or has no such operand, or no other. */
export function without(
  condition: AutomationCondition,
  operand: AutomationCondition,
): AutomationCondition | null {
  if (condition.kind !== 'and') return null;
  const operands = condition.operands.filter((one) => !sameCondition(one, operand));
  return operands.length === condition.operands.length || operands.length === 0
    ? null
    : { ...condition, operands };
}

/** Every occurrence of a condition, or of a label, replaced. The same object when there was none. */
export function replace(
  condition: AutomationCondition,
  old: AutomationCondition | string,
  put: AutomationCondition,
): AutomationCondition {
  const found = typeof old === 'string' ? condition.label === old : sameCondition(condition, old);
  return found ? put : mapChildren(condition, (child) => replace(child, old, put));
}

/**
 * Restricts which dependencies are looked at: all conditions on dependencies within `&`, `|`, `~` and `since` (Dagster).
 * Repeated, the selections are united. Not below a condition on dependencies: `any_deps_match(any_deps_match(…))` keeps
 * its inner one.
 */
export function select(
  condition: AutomationCondition,
  how: 'allow' | 'ignore',
  selections: readonly string[],
): AutomationCondition {
  switch (condition.kind) {
    case 'any_deps_match':
    case 'all_deps_match':
      return { ...condition, [how]: [...new Set([...(condition[how] ?? []), ...selections])].sort() };
    case 'and':
    case 'or':
    case 'not':
    case 'since':
      return mapChildren(condition, (child) => select(child, how, selections));
    default:
      return condition;
  }
}

function mapChildren(
  condition: AutomationCondition,
  change: (child: AutomationCondition) => AutomationCondition,
): AutomationCondition {
  switch (condition.kind) {
    case 'and':
    case 'or': {
      const operands = condition.operands.map(change);
      return operands.every((one, index) => one === condition.operands[index])
        ? condition
        : { ...condition, operands };
    }
    case 'since': {
      const [trigger, reset] = [change(condition.trigger), change(condition.reset)];
      return trigger === condition.trigger && reset === condition.reset
        ? condition
        : { ...condition, trigger, reset };
    }
    case 'not':
    case 'newly_true':
    case 'any_deps_match':
    case 'all_deps_match':
    case 'any_checks_match':
    case 'all_checks_match':
    case 'asset_matches': {
      const operand = change(condition.operand);
      return operand === condition.operand ? condition : { ...condition, operand };
    }
    default:
      return condition;
  }
}
