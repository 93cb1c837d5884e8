import {
  attemptsInAll,
  retryDelay,
  retryDelayRange,
  validateRetryPolicy,
} from '../../../src/engine/retry.ts';
import type { Mismatch, OracleCase } from '../oracle-case.ts';
import { Comparison } from '../oracle-case.ts';

interface Input {
  readonly max_retries: number;
  readonly delay: number | null;
  readonly backoff: 'EXPONENTIAL' | 'LINEAR' | null;
  readonly jitter: 'FULL' | 'PLUS_MINUS' | null;
}

interface Expected {
  readonly judged_right?: string;
  readonly attempts_in_all: number;
  readonly delays_seconds: readonly {
    readonly retry: number;
    readonly min: number;
    readonly max: number;
    readonly [atRandom: `at_random_${string}`]: number;
  }[];
}

type Case = OracleCase<Input, Expected> & { readonly input: Input };

/** Delays of the first retries. Where Dagster accepts and the oracle judges otherwise, the judgement counts. */
export function evaluateRetryPolicy({ input, expected }: Case): Mismatch[] {
  const comparison = new Comparison();
  const policy = {
    maxRetries: input.max_retries,
    ...(input.delay === null ? {} : { delay: input.delay }),
    ...(input.backoff === null ? {} : { backoff: input.backoff }),
    ...(input.jitter === null ? {} : { jitter: input.jitter }),
  };
  const valid = validateRetryPolicy(policy).length === 0;
  const wanted = expected.judged_right === undefined ? expected.valid : expected.judged_right !== 'rejected';
  comparison.equal('valid', wanted, valid);
  if (!valid || !wanted) return comparison.mismatches;
  comparison.equal('attempts_in_all', expected.attempts_in_all, attemptsInAll(policy));
  for (const { retry, min, max, ...values } of expected.delays_seconds) {
    const range = retryDelayRange(policy, retry);
    comparison.near(`retry ${retry}: min`, min, range.min);
    comparison.near(`retry ${retry}: max`, max, range.max);
    for (const [name, delay] of Object.entries(values)) {
      const random = Number(name.replace('at_random_', ''));
      comparison.near(
        `retry ${retry} at random ${random}`,
        delay,
        retryDelay(policy, retry, () => random),
      );
    }
  }
  return comparison.mismatches;
}
