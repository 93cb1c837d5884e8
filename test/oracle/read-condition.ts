import type { AutomationCondition } from '../../src/definitions/automation-condition/condition.ts';
import { and, or, select, without } from '../../src/definitions/automation-condition/operators.ts';
import { parseAutomationCondition } from '../../src/definitions/automation-condition/parse.ts';
import type { Json } from './oracle-case.ts';

/** A condition as the oracle writes it, a tree `{c: name, …}`. Names without arguments go through the product's parser. */
export function readCondition(tree: Json): AutomationCondition {
  const name = tree.c as string;
  const child = (key: string): AutomationCondition => readCondition(tree[key] as Json);
  const children = (): AutomationCondition[] => (tree.args as Json[]).map(readCondition);
  switch (name) {
    case 'and':
      return and(...children());
    case 'or':
      return or(...children());
    case 'not':
      return { kind: 'not', operand: child('arg') };
    case 'newly_true':
      return { kind: 'newly_true', operand: child('arg') };
    case 'since':
      return { kind: 'since', trigger: child('trigger'), reset: child('reset') };
    case 'any_deps_match':
    case 'all_deps_match':
      return { kind: name, operand: child('arg') };
    case 'any_checks_match':
    case 'all_checks_match':
      return { kind: name, operand: child('arg'), blockingOnly: tree.blocking_only === true };
    case 'asset_matches':
      return { kind: 'asset_matches', asset: tree.asset as string, operand: child('arg') };
    case 'check_passed':
    case 'check_failed':
      return { kind: name };
    case 'allow':
    case 'ignore':
      return select(child('arg'), name, tree.assets as string[]);
    case 'without': {
      const rest = without(child('arg'), child('remove'));
      if (rest === null) throw new Error('nothing to take away');
      return rest;
    }
    case 'in_latest_time_window': {
      const seconds = tree.lookback_seconds as number | null | undefined;
      return seconds == null
        ? { kind: 'in_latest_time_window' }
        : { kind: 'in_latest_time_window', lookbackSeconds: seconds };
    }
    case 'since_last_handled':
      return {
        kind: 'since',
        trigger: child('arg'),
        reset: or({ kind: 'newly_requested' }, { kind: 'newly_updated' }, { kind: 'initial_evaluation' }),
      };
    default:
      return parsed(name, tree);
  }
}

function parsed(name: string, tree: Json): AutomationCondition {
  const { cron, timezone } = tree as { readonly cron?: string; readonly timezone?: string | null };
  const result = parseAutomationCondition(name, {
    ...(cron === undefined ? {} : { cron }),
    ...(timezone == null ? {} : { timezone }),
  });
  if (!result.ok) throw new Error(`${name}: ${result.problem.message}`);
  return result.condition;
}
