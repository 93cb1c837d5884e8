import type { AutomationCondition } from './condition.ts';

const texts = new WeakMap<AutomationCondition, string>();

/**
 * A condition in the language of `parse.ts`, fully written out and without labels: equal texts mean the same. The
 * cursor names the state of a part of a condition by it.
 */
export function conditionText(condition: AutomationCondition): string {
  let text = texts.get(condition);
  if (text === undefined) {
    text = write(condition);
    texts.set(condition, text);
  }
  return text;
}

/** What a node is called where its parts are shown below it: `any_deps_match`, `and`, `cron_tick_passed("@daily", "UTC")`. */
export function conditionName(condition: AutomationCondition): string {
  switch (condition.kind) {
    case 'any_deps_match':
    case 'all_deps_match':
      return condition.kind + selections(condition);
    case 'asset_matches':
      return `asset_matches(${quoted(condition.asset)})`;
    case 'any_checks_match':
    case 'all_checks_match':
      return condition.blockingOnly ? `${condition.kind}(blocking_only=True)` : condition.kind;
    case 'and':
    case 'or':
    case 'not':
    case 'newly_true':
    case 'since':
      return condition.kind;
    default:
      return conditionText(condition);
  }
}

function write(condition: AutomationCondition): string {
  switch (condition.kind) {
    case 'and':
      return joined('and', ' & ', condition.operands);
    case 'or':
      return joined('or', ' | ', condition.operands);
    case 'not':
      return `~${grouped(condition.operand)}`;
    case 'newly_true':
      return `${grouped(condition.operand)}.newly_true()`;
    case 'since':
      return `${grouped(condition.trigger)}.since(${conditionText(condition.reset)})`;
    case 'any_deps_match':
    case 'all_deps_match': {
      const every = condition.everyPartition === true ? ', every_partition=True' : '';
      return `${condition.kind}(${conditionText(condition.operand)}${every})${selections(condition)}`;
    }
    case 'any_checks_match':
    case 'all_checks_match': {
      const blocking = condition.blockingOnly ? ', blocking_only=True' : '';
      return `${condition.kind}(${conditionText(condition.operand)}${blocking})`;
    }
    case 'asset_matches':
      return `asset_matches(${quoted(condition.asset)}, ${conditionText(condition.operand)})`;
    case 'cron_tick_passed':
      return `cron_tick_passed(${quoted(condition.cron)}, ${quoted(condition.timezone)})`;
    case 'in_latest_time_window': {
      const { lookbackSeconds } = condition;
      return `in_latest_time_window(${lookbackSeconds === undefined ? '' : `${lookbackSeconds}`})`;
    }
    default:
      return `${condition.kind}()`;
  }
}

/** A conjunction within a conjunction says the same without its parentheses. */
function joined(kind: 'and' | 'or', sign: string, operands: readonly AutomationCondition[]): string {
  return operands.map((one) => (one.kind === kind ? conditionText(one) : grouped(one))).join(sign);
}

function grouped(condition: AutomationCondition): string {
  const text = conditionText(condition);
  return ['and', 'or', 'not'].includes(condition.kind) ? `(${text})` : text;
}

function selections({ allow, ignore }: { allow?: readonly string[]; ignore?: readonly string[] }): string {
  const list = (name: string, keys: readonly string[] | undefined): string =>
    keys === undefined ? '' : `.${name}(${keys.map(quoted).join(', ')})`;
  return list('allow', allow) + list('ignore', ignore);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
