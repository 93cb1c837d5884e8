import type { BackfillPolicy } from '../../../src/partitions/backfill-runs.ts';
import { groupIntoRuns } from '../../../src/partitions/backfill-runs.ts';
import { rangeOfKeys } from '../../../src/partitions/partition-set.ts';
import { subsetOfKeys } from '../../../src/partitions/subset/subset-keys.ts';
import type { Json, Mismatch, OracleCase } from '../oracle-case.ts';
import { Comparison } from '../oracle-case.ts';
import { readDefinition } from '../read-input.ts';

interface Input {
  readonly kind: 'range' | 'grouping' | 'status';
  readonly partitions: Json;
  readonly start: string;
  readonly end: string;
  readonly keys: readonly string[];
  readonly backfill_policy: Policy | null;
  readonly select: string;
  readonly status: Readonly<Record<string, string>>;
}

type Policy =
  | { readonly type: 'single_run' }
  | { readonly type: 'multi_run'; readonly max_partitions_per_run: number };

interface Expected {
  readonly keys: readonly string[];
  readonly count?: number;
  readonly run_count: number;
  readonly runs: readonly { readonly keys: readonly string[] }[];
}

type Case = OracleCase<Input, Expected> & { readonly input: Input; readonly current_time: string };

/** Ranges, runs and selections by status. */
export function evaluateBackfill({ input, expected, current_time }: Case): Mismatch[] {
  const comparison = new Comparison();
  const definition = readDefinition(input.partitions);
  const now = Date.parse(current_time);
  if (input.kind === 'grouping') {
    const { unknown } = subsetOfKeys(definition, input.keys, now);
    comparison.equal('valid', expected.valid, unknown.length === 0);
    if (unknown.length > 0 || !expected.valid) return comparison.mismatches;
    const runs = groupIntoRuns(definition, input.keys, readPolicy(input.backfill_policy), now);
    const text = (keys: readonly string[]): string => [...keys].sort().join(' ');
    comparison.equal('run_count', expected.run_count, runs.length);
    comparison.sameSet(
      'runs',
      expected.runs.map((run) => text(run.keys)),
      runs.map((run) => text(run.keys)),
    );
    return comparison.mismatches;
  }
  // Dagster's range is one of the definition: it does not ask what exists yet.
  const range = rangeOfKeys(definition, input.start, input.end, null);
  comparison.equal('valid', expected.valid, range.ok);
  if (!range.ok || !expected.valid) return comparison.mismatches;
  let keys = [...range.keys()];
  if (input.kind === 'status')
    keys = keys.filter((key) => wanted(input.select, input.status[key] ?? 'missing'));
  comparison.equal('keys', expected.keys, keys);
  if ('count' in expected) comparison.equal('count', expected.count, keys.length);
  return comparison.mismatches;
}

function readPolicy(policy: Policy | null): BackfillPolicy | null {
  if (policy === null) return null;
  if (policy.type === 'single_run') return { type: 'single_run' };
  return { type: 'multi_run', maxPartitionsPerRun: policy.max_partitions_per_run };
}

function wanted(select: string, status: string): boolean {
  return select === 'all' || select.split('_and_').includes(status);
}
