/**
 * How long a failed step waits before its next attempt. The formulas are Dagster's (`RetryPolicy.calculate_delay`):
 * without backoff `delay`, LINEAR `delay × n`, EXPONENTIAL `delay × (2^n − 1)` for the n-th retry; FULL jitter picks
 * between 0 and that, PLUS_MINUS moves it by up to `delay` to either side. Never below 0.
 */
export interface RetryDelayPolicy {
  /** Retries after the first attempt. */
  readonly maxRetries: number;
  /** Seconds. Absent = no wait; then neither backoff nor jitter has anything to work on. */
  readonly delay?: number;
  readonly backoff?: 'EXPONENTIAL' | 'LINEAR';
  readonly jitter?: 'FULL' | 'PLUS_MINUS';
}

/** Least and greatest wait, seconds. */
export interface DelayRange {
  readonly min: number;
  readonly max: number;
}

/** 2^n is past any wait that makes sense long before this; it keeps the arithmetic finite. */
const MOST_DOUBLINGS = 50;

/** What is wrong with a policy, all at once. Dagster lets a negative delay pass; here it is refused. */
export function validateRetryPolicy(policy: RetryDelayPolicy): string[] {
  const faults: string[] = [];
  const { maxRetries, delay, backoff, jitter } = policy;
  if (!Number.isSafeInteger(maxRetries) || maxRetries < 0)
    faults.push('max_retries is not a whole number from 0 on');
  if (delay !== undefined && !(delay >= 0 && Number.isFinite(delay)))
    faults.push('delay is not a number from 0 on');
  if (delay === undefined && backoff !== undefined) faults.push('backoff needs a delay');
  if (delay === undefined && jitter !== undefined) faults.push('jitter needs a delay');
  return faults;
}

/** Attempts in all, the first included. */
export function attemptsInAll(policy: RetryDelayPolicy): number {
  return policy.maxRetries + 1;
}

/** Whether the n-th retry (1 = the first) is still allowed. */
export function mayRetry(policy: RetryDelayPolicy, n: number): boolean {
  return n <= policy.maxRetries;
}

/** Bounds of the wait before the n-th retry (1 = the first), seconds. */
export function retryDelayRange(policy: RetryDelayPolicy, n: number): DelayRange {
  const full = computed(policy, n);
  if (policy.jitter === 'FULL') return { min: 0, max: full };
  if (policy.jitter !== 'PLUS_MINUS') return { min: full, max: full };
  const spread = policy.delay ?? 0;
  return { min: Math.max(0, full - spread), max: full + spread };
}

/** The wait before the n-th retry, seconds. `random` gives numbers in [0, 1). */
export function retryDelay(policy: RetryDelayPolicy, n: number, random: () => number): number {
  const { min, max } = retryDelayRange(policy, n);
  return min === max ? min : min + random() * (max - min);
}

function computed({ delay = 0, backoff }: RetryDelayPolicy, n: number): number {
  if (backoff === 'LINEAR') return delay * n;
  if (backoff === 'EXPONENTIAL') return delay * (2 ** Math.min(n, MOST_DOUBLINGS) - 1);
  return delay;
}
