import type { AutomationCondition } from '../definitions/automation-condition/condition.ts';
import type { PartitionSubset } from '../partitions/subset/partition-subset.ts';
import { emptySubset, intersectionOf, isEmpty } from '../partitions/subset/partition-subset.ts';
import type { Entity, Evaluated, RootScope } from './evaluation.ts';
import { asOf, present, timeless } from './evaluation.ts';
import type { When } from './moment.ts';
import { newlyRequested, willBeRequested } from './operands/requests.ts';
import {
  backfillInProgress,
  checkResult,
  executionFailed,
  missing,
  runInProgress,
} from './operands/status.ts';
import { latestWindows, tickPassed } from './operands/time.ts';
import {
  codeVersionChanged,
  dataVersionChanged,
  executedWithRootTarget,
  newlyUpdated,
  whenCodeChanged,
  whenUpdated,
} from './operands/updates.ts';
import { evaluateAnd, evaluateNot, evaluateOr } from './operators/boolean.ts';
import { evaluateDownstream } from './operators/downstream.ts';
import { evaluateNewlyTrue } from './operators/newly-true.ts';
import { evaluateAssetMatches, evaluateChecks, evaluateDeps } from './operators/related.ts';
import { evaluateSince } from './operators/since.ts';

/** Which of the candidates a condition is true of. The state that it is to remember goes to `root.states`. */
export function evaluateCondition(
  root: RootScope,
  condition: AutomationCondition,
  entity: Entity,
  candidates: PartitionSubset,
): Evaluated {
  switch (condition.kind) {
    case 'and':
      return evaluateAnd(evaluateCondition, root, condition, entity, candidates);
    case 'or':
      return evaluateOr(evaluateCondition, root, condition, entity, candidates);
    case 'not':
      return evaluateNot(evaluateCondition, root, condition, entity, candidates);
    case 'since':
      return evaluateSince(evaluateCondition, root, condition, entity, candidates);
    case 'newly_true':
      return evaluateNewlyTrue(evaluateCondition, root, condition, entity, candidates);
    case 'any_deps_match':
    case 'all_deps_match':
      return evaluateDeps(evaluateCondition, root, condition, entity, candidates);
    case 'any_checks_match':
    case 'all_checks_match':
      return evaluateChecks(evaluateCondition, root, condition, entity, candidates);
    case 'asset_matches':
      return evaluateAssetMatches(evaluateCondition, root, condition, entity, candidates);
    case 'any_downstream_conditions':
      return evaluateDownstream(evaluateCondition, root, condition, entity, candidates);
    default: {
      const [truth, when] = operand(root, condition, entity, candidates);
      const subset = isEmpty(truth) ? emptySubset : intersectionOf(truth, candidates);
      return { condition, entity, candidates, subset, children: [], when };
    }
  }
}

type Operand = Exclude<
  AutomationCondition,
  { readonly operand: AutomationCondition } | { readonly operands: unknown } | { readonly trigger: unknown }
>;

function operand(
  root: RootScope,
  condition: Operand,
  entity: Entity,
  candidates: PartitionSubset,
): [PartitionSubset, (within: PartitionSubset) => When] {
  const { scope } = root;
  switch (condition.kind) {
    case 'missing':
      return [missing(scope, entity, candidates), timeless];
    case 'run_in_progress':
      return [runInProgress(scope, entity), timeless];
    case 'backfill_in_progress':
      return [backfillInProgress(scope, entity), timeless];
    case 'execution_failed':
      return [executionFailed(scope, entity), timeless];
    case 'check_passed':
      return [checkResult(scope, entity, true), timeless];
    case 'check_failed':
      return [checkResult(scope, entity, false), timeless];
    case 'newly_updated':
      return [newlyUpdated(root, entity), (within) => whenUpdated(root, entity, within)];
    case 'data_version_changed':
      return [dataVersionChanged(root, entity), (within) => whenUpdated(root, entity, within)];
    case 'executed_with_root_target':
      return [executedWithRootTarget(root, entity, candidates), timeless];
    case 'code_version_changed':
      return [
        codeVersionChanged(root, condition, entity, candidates),
        (within) => whenCodeChanged(root, entity, within),
      ];
    case 'newly_requested': {
      const before = scope.cursors.get(entity.key);
      if (before === undefined) return [emptySubset, timeless];
      const { at, eventId } = before;
      return [newlyRequested(root, entity), asOf({ at, eventId })];
    }
    case 'will_be_requested':
      return [willBeRequested(root, entity), asOf(present(scope))];
    case 'initial_evaluation':
      return [root.initial ? candidates : emptySubset, asOf(present(scope))];
    case 'cron_tick_passed': {
      const tick = tickPassed(root, condition);
      if (tick === null) return [emptySubset, timeless];
      // Before what was recorded at the same instant: a write on the stroke counts as after the tick.
      return [candidates, asOf({ at: tick, eventId: -1, needsOwnRun: true })];
    }
    case 'in_latest_time_window':
      return [latestWindows(scope, entity.partitions, condition.lookbackSeconds), timeless];
    default:
      return [emptySubset, timeless];
  }
}
