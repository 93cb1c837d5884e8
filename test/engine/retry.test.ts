import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayRetry, retryDelay, retryDelayRange, validateRetryPolicy } from '../../src/engine/retry.ts';

describe('the wait before a retry', () => {
  it.each([
    [{}, [10, 10, 10]],
    [{ backoff: 'LINEAR' }, [10, 20, 30]],
    [{ backoff: 'EXPONENTIAL' }, [10, 30, 70]],
  ] as const)('with %j is %j', (more, delays) => {
    const policy = { maxRetries: 3, delay: 10, ...more };
    expect([1, 2, 3].map((n) => retryDelay(policy, n, () => 0.7))).toEqual(delays);
  });

  it('E9: stays within its range, with FULL and with PLUS_MINUS jitter', () => {
    const policies = fc.record({
      maxRetries: fc.nat({ max: 20 }),
      delay: fc.float({ min: 0, max: 10_000, noNaN: true }),
      backoff: fc.constantFrom('LINEAR' as const, 'EXPONENTIAL' as const),
      jitter: fc.constantFrom('FULL' as const, 'PLUS_MINUS' as const),
    });
    const property = fc.property(
      policies,
      fc.integer({ min: 1, max: 2000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (policy, n, random) => {
        const { min, max } = retryDelayRange(policy, n);
        const delay = retryDelay(policy, n, () => random);
        expect(min).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(max)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(min);
        expect(delay).toBeLessThanOrEqual(max);
      },
    );
    fc.assert(property);
  });

  it('ends with the last retry', () => {
    expect([0, 1, 2, 3].map((n) => mayRetry({ maxRetries: 2, delay: 1 }, n))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});

describe('validateRetryPolicy', () => {
  it.each([
    [{ maxRetries: -1 }, ['max_retries is not a whole number from 0 on']],
    [{ maxRetries: 1, delay: -5 }, ['delay is not a number from 0 on']],
    [{ maxRetries: 1, backoff: 'LINEAR', jitter: 'FULL' }, ['backoff needs a delay', 'jitter needs a delay']],
    [{ maxRetries: 1 }, []],
  ] as const)('of %j finds %j', (policy, faults) => {
    expect(validateRetryPolicy(policy)).toEqual(faults);
  });
});
