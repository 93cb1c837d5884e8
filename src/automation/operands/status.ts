import type { PartitionSubset } from '../../partitions/subset/partition-subset.ts';
import { emptySubset, minus, unionOf } from '../../partitions/subset/partition-subset.ts';
import type { Entity, Scope } from '../evaluation.ts';
import { checkView } from '../evaluation.ts';

/** What was never written; of a check: what has no result on the newest write, and none on the way. */
export function missing(
  scope: Scope,
  { asset, check }: Entity,
  candidates: PartitionSubset,
): PartitionSubset {
  if (check === null) return minus(candidates, scope.view.asset(asset.key).materialized);
  const { passed, failed, inProgress, executionFailed } = checkView(scope, asset.key, check.name);
  const known = unionOf(unionOf(passed, failed), unionOf(inProgress, executionFailed));
  return minus(candidates, known);
}

export function runInProgress(scope: Scope, { asset, check }: Entity): PartitionSubset {
  const view = check === null ? scope.view.asset(asset.key) : checkView(scope, asset.key, check.name);
  return view.inProgress;
}

/** Checks are not backfilled. */
export function backfillInProgress(scope: Scope, { asset, check }: Entity): PartitionSubset {
  return check === null ? scope.view.asset(asset.key).backfillInProgress : emptySubset;
}

export function executionFailed(scope: Scope, { asset, check }: Entity): PartitionSubset {
  const view = check === null ? scope.view.asset(asset.key) : checkView(scope, asset.key, check.name);
  return view.executionFailed;
}

/** A check's result on the newest write; of an asset nothing: it has no result. */
export function checkResult(scope: Scope, { asset, check }: Entity, passed: boolean): PartitionSubset {
  if (check === null) return emptySubset;
  const view = checkView(scope, asset.key, check.name);
  return passed ? view.passed : view.failed;
}
