import { isValidTimezone, parseCron } from '../../partitions/cron.ts';
import type { Argument } from './arguments.ts';
import { Arguments } from './arguments.ts';
import type { AutomationCondition } from './condition.ts';
import { PLAIN_CONDITIONS } from './condition.ts';
import { ConditionFault } from './lexer.ts';
import { newlyTrue, replace, select, since, sinceLastHandled, withLabel, without } from './operators.ts';
import {
  allDepsBlockingChecksPassed,
  allDepsUpdatedSinceCron,
  anyDepsInProgress,
  anyDepsMissing,
  anyDepsUpdated,
  eager,
  eagerWithDepsChecks,
  inProgress,
  lazy,
  lazyOnCron,
  missingOrChanged,
  newlyMissing,
  onCron,
  onMissing,
  onSchedule,
} from './presets.ts';

/** A cron and zone for those conditions that need one and name none (`automation_condition_config`). */
export interface CronDefaults {
  readonly cron?: string;
  readonly timezone?: string;
}

/** One call as written. */
export interface Call {
  readonly name: string;
  readonly index: number;
  readonly given: readonly Argument[];
  readonly defaults: CronDefaults;
}

type Build = (call: Call) => AutomationCondition;

const withoutArguments: Readonly<Record<string, () => AutomationCondition>> = {
  in_progress: inProgress,
  newly_missing: newlyMissing,
  any_deps_updated: anyDepsUpdated,
  any_deps_missing: anyDepsMissing,
  any_deps_in_progress: anyDepsInProgress,
  all_deps_blocking_checks_passed: allDepsBlockingChecksPassed,
  eager,
  on_missing: onMissing,
  missing_or_changed: missingOrChanged,
  lazy,
  eager_with_deps_checks: eagerWithDepsChecks,
};

const byCron: Readonly<Record<string, (cron: string, timezone: string) => AutomationCondition>> = {
  cron_tick_passed: (cron, timezone) => ({ kind: 'cron_tick_passed', cron, timezone }),
  all_deps_updated_since_cron: allDepsUpdatedSinceCron,
  on_cron: onCron,
  on_schedule: onSchedule,
  lazy_on_cron: lazyOnCron,
};

const others: Readonly<Record<string, Build>> = {
  in_latest_time_window({ name, index, given }) {
    const seconds = new Arguments(name, index, given, ['lookback_delta']).seconds('lookback_delta');
    return { kind: 'in_latest_time_window', ...(seconds === undefined ? {} : { lookbackSeconds: seconds }) };
  },
  any_deps_match: ({ name, index, given }) => ({
    kind: 'any_deps_match',
    operand: new Arguments(name, index, given, ['condition']).condition('condition'),
  }),
  all_deps_match({ name, index, given }) {
    const taken = new Arguments(name, index, given, ['condition', 'every_partition']);
    const operand = taken.condition('condition');
    const every = taken.boolean('every_partition') === true;
    return { kind: 'all_deps_match', operand, ...(every ? { everyPartition: true } : {}) };
  },
  any_checks_match: (call) => checksMatch('any_checks_match', call),
  all_checks_match: (call) => checksMatch('all_checks_match', call),
  asset_matches({ name, index, given }) {
    const taken = new Arguments(name, index, given, ['key', 'condition']);
    return {
      kind: 'asset_matches',
      asset: taken.requiredText('key'),
      operand: taken.condition('condition'),
    };
  },
};

/** What a condition can begin with. */
export const OPERANDS: readonly string[] = [
  ...PLAIN_CONDITIONS,
  ...Object.keys(withoutArguments),
  ...Object.keys(byCron),
  ...Object.keys(others),
];

/** What can follow a condition after a dot. */
export const OPERATORS = [
  'since',
  'since_last_handled',
  'newly_true',
  'without',
  'replace',
  'allow',
  'ignore',
  'with_label',
] as const;
export type Operator = (typeof OPERATORS)[number];

/** The condition that a known name (`OPERANDS`) stands for. Throws a `ConditionFault` for wrong arguments. */
export function operandOf(call: Call): AutomationCondition {
  const { name, index, given } = call;
  const plain = PLAIN_CONDITIONS.find((one) => one === name);
  if (plain !== undefined) {
    new Arguments(name, index, given, []);
    return { kind: plain };
  }
  const preset = withoutArguments[name];
  if (preset !== undefined) {
    new Arguments(name, index, given, []);
    return preset();
  }
  const ticking = byCron[name];
  if (ticking !== undefined) {
    const taken = new Arguments(name, index, given, ['cron_schedule', 'cron_timezone']);
    return ticking(...cronOf(call, taken));
  }
  return (others[name] as Build)(call);
}

function checksMatch(kind: 'any_checks_match' | 'all_checks_match', call: Call): AutomationCondition {
  const taken = new Arguments(call.name, call.index, call.given, ['condition', 'blocking_only']);
  return {
    kind,
    operand: taken.condition('condition'),
    blockingOnly: taken.boolean('blocking_only') ?? false,
  };
}

function cronOf({ name, index, defaults }: Call, taken: Arguments): [string, string] {
  const cron = taken.text('cron_schedule') ?? defaults.cron;
  if (cron === undefined) {
    const hint = 'automation_condition_config: { cron_schedule: "@daily" }';
    throw new ConditionFault(index, `"${name}" needs a cron`, hint);
  }
  const parsed = parseCron(cron);
  if (!parsed.ok) throw new ConditionFault(taken.indexOf('cron_schedule'), parsed.message, parsed.hint);
  const zone = taken.text('cron_timezone') ?? defaults.timezone ?? 'UTC';
  const timezone = zone.toUpperCase() === 'UTC' ? 'UTC' : zone;
  if (!isValidTimezone(timezone)) {
    const hint = 'write an IANA name, such as Europe/Berlin or UTC';
    throw new ConditionFault(taken.indexOf('cron_timezone'), `"${zone}" is not a known time zone`, hint);
  }
  return [cron, timezone];
}

/** A condition with an operator applied. Throws a `ConditionFault` for wrong arguments. */
export function applyOperator(
  condition: AutomationCondition,
  operator: Operator,
  call: Call,
): AutomationCondition {
  const { name, index, given } = call;
  switch (operator) {
    case 'since':
      return since(
        condition,
        new Arguments(name, index, given, ['reset_condition']).condition('reset_condition'),
      );
    case 'since_last_handled':
      new Arguments(name, index, given, []);
      return sinceLastHandled(condition);
    case 'newly_true':
      new Arguments(name, index, given, []);
      return newlyTrue(condition);
    case 'with_label':
      return withLabel(condition, new Arguments(name, index, given, ['label']).requiredText('label'));
    case 'allow':
    case 'ignore': {
      const selections = new Arguments(name, index, given, ['selection'], { rest: true }).texts('selection');
      return select(condition, operator, selections);
    }
    case 'replace': {
      const taken = new Arguments(name, index, given, ['old', 'new']);
      return replace(condition, taken.conditionOrText('old'), taken.condition('new'));
    }
    case 'without': {
      const taken = new Arguments(name, index, given, ['condition']);
      const rest = without(condition, taken.condition('condition'));
      if (rest !== null) return rest;
      const what = 'what "without" takes away is not joined by & in the condition before it';
      throw new ConditionFault(
        taken.indexOf('condition'),
        what,
        'docs/automation.md lists what each preset is made of',
      );
    }
  }
}
