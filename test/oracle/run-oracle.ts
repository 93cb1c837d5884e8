import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { evaluateAutomationCase } from './evaluators/automation.ts';
import { evaluateBackfill } from './evaluators/backfill.ts';
import { evaluateConfigParsing } from './evaluators/config-parsing.ts';
import { evaluateCronTicks } from './evaluators/cron-ticks.ts';
import { evaluateFreshnessCase } from './evaluators/freshness.ts';
import { evaluatePartitionMappings } from './evaluators/partition-mappings.ts';
import { evaluatePartitionedSchedules } from './evaluators/partitioned-schedules.ts';
import { evaluatePartitions } from './evaluators/partitions.ts';
import { evaluateRetryPolicy } from './evaluators/retry-policy.ts';
import type { Evaluator, Mismatch, OracleCase } from './oracle-case.ts';

const EVALUATORS: Readonly<Record<string, Evaluator>> = {
  automation: evaluateAutomationCase,
  backfill: evaluateBackfill,
  config_parsing: evaluateConfigParsing,
  cron_ticks: evaluateCronTicks,
  freshness: evaluateFreshnessCase,
  partition_mappings: evaluatePartitionMappings,
  partitioned_schedules: evaluatePartitionedSchedules,
  partitions: evaluatePartitions,
  retry_policy: evaluateRetryPolicy,
};

/** A set as it lies in its file. */
export interface OracleSet {
  readonly set: string;
  readonly cases: readonly OracleCase[];
}

/** What came of a set. `run: false`: nothing can judge it yet, which is neither passed nor failed. */
export type SetResult =
  | { readonly set: string; readonly run: false; readonly cases: number }
  | {
      readonly set: string;
      readonly run: true;
      readonly passed: number;
      readonly scored: number;
      readonly unscored: number;
      readonly failures: readonly { readonly id: string; readonly mismatches: readonly Mismatch[] }[];
    };

/** Reads every set of a directory, by file name. Files that are not sets are left out. */
export function readSets(directory: string): OracleSet[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.json'));
  return names.sort().flatMap((name) => {
    const content = JSON.parse(readFileSync(join(directory, name), 'utf8')) as Partial<OracleSet>;
    return typeof content.set === 'string' && Array.isArray(content.cases) ? [content as OracleSet] : [];
  });
}

/** Runs every case of a set against the real modules. An exception is a failure of its case. */
export function runSet({ set, cases }: OracleSet): SetResult {
  const evaluate = EVALUATORS[set];
  if (evaluate === undefined) return { set, run: false, cases: cases.length };
  const scored = cases.filter((one) => one.unstable === undefined);
  const failures = scored.flatMap((one) => {
    const mismatches = runCase(evaluate, one);
    return mismatches.length === 0 ? [] : [{ id: one.id, mismatches }];
  });
  const passed = scored.length - failures.length;
  return { set, run: true, passed, scored: scored.length, unscored: cases.length - scored.length, failures };
}

function runCase(evaluate: Evaluator, oracleCase: OracleCase): Mismatch[] {
  try {
    const mismatches = evaluate(oracleCase as never);
    const onlyRejected = mismatches.every(({ what, got }) => what === 'valid' && got === false);
    return oracleCase.tolerate_invalid === true && onlyRejected ? [] : mismatches;
  } catch (error) {
    return [{ what: 'exception', expected: 'an answer', got: error instanceof Error ? error.stack : error }];
  }
}
