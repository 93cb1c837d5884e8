/**
 * When an asset (or a check) is to be run by itself: a tree of plain, JSON-able data. The words are Dagster's
 * (`AutomationCondition`); what each means stands in `docs/automation.md`, how it is evaluated in `src/automation`.
 */
export type AutomationCondition = (
  | PlainCondition
  | CronTickPassed
  | InLatestTimeWindow
  | Conjunction
  | Negation
  | NewlyTrue
  | Since
  | DepsMatch
  | ChecksMatch
  | AssetMatches
) & {
  /** What people call it; it changes nothing but what is shown, and what `replace` finds. */
  readonly label?: string;
};

export const PLAIN_CONDITIONS = [
  'missing',
  'run_in_progress',
  'backfill_in_progress',
  'execution_failed',
  'newly_updated',
  'newly_requested',
  'will_be_requested',
  'code_version_changed',
  'data_version_changed',
  'initial_evaluation',
  'executed_with_root_target',
  'check_passed',
  'check_failed',
  'any_downstream_conditions',
  'manual',
] as const;
export type PlainKind = (typeof PLAIN_CONDITIONS)[number];

/** An operand without arguments. `manual` is never true. */
export interface PlainCondition {
  readonly kind: PlainKind;
}

/** A tick of the cron passed since the previous evaluation. */
export interface CronTickPassed {
  readonly kind: 'cron_tick_passed';
  readonly cron: string;
  readonly timezone: string;
}

/** The newest time window, or those that start within the lookback before its end. True of all that has no time. */
export interface InLatestTimeWindow {
  readonly kind: 'in_latest_time_window';
  readonly lookbackSeconds?: number;
}

export interface Conjunction {
  readonly kind: 'and' | 'or';
  readonly operands: readonly AutomationCondition[];
}

export interface Negation {
  readonly kind: 'not';
  readonly operand: AutomationCondition;
}

/** Became true with this evaluation. */
export interface NewlyTrue {
  readonly kind: 'newly_true';
  readonly operand: AutomationCondition;
}

/** The trigger was true at least once since the reset was. */
export interface Since {
  readonly kind: 'since';
  readonly trigger: AutomationCondition;
  readonly reset: AutomationCondition;
}

/** Of the dependencies one (or each) has a partition that matches, among those that the partition in question needs. */
export interface DepsMatch {
  readonly kind: 'any_deps_match' | 'all_deps_match';
  readonly operand: AutomationCondition;
  /** With `all_deps_match`: every partition that is needed has to match, not only one of each dependency. */
  readonly everyPartition?: true;
  /** Asset keys or selections: only these dependencies are looked at. */
  readonly allow?: readonly string[];
  /** Asset keys or selections: these dependencies are not looked at. */
  readonly ignore?: readonly string[];
}

/** Of the asset's own checks one (or each) matches. */
export interface ChecksMatch {
  readonly kind: 'any_checks_match' | 'all_checks_match';
  readonly operand: AutomationCondition;
  readonly blockingOnly: boolean;
}

/** A named asset matches. */
export interface AssetMatches {
  readonly kind: 'asset_matches';
  readonly asset: string;
  readonly operand: AutomationCondition;
}

/** The conditions directly below one. */
export function childrenOf(condition: AutomationCondition): readonly AutomationCondition[] {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.operands;
    case 'since':
      return [condition.trigger, condition.reset];
    case 'not':
    case 'newly_true':
    case 'any_deps_match':
    case 'all_deps_match':
    case 'any_checks_match':
    case 'all_checks_match':
    case 'asset_matches':
      return [condition.operand];
    default:
      return [];
  }
}
