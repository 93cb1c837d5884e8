import type { RetryPolicy } from '../pipeline-config.ts';
import type { MapReader } from './map-reader.ts';

const KEYS = ['max_retries', 'delay', 'backoff', 'jitter'] as const;
const SYNONYMS = { retries: 'max_retries', retry_delay: 'delay' } as const;
/** Beyond these a policy is a mistake: 1,000 retries, a year. */
const MOST_RETRIES = 1000;
const LONGEST_DELAY = 366 * 86_400;
const DEFAULT_DELAY = 60;

/**
 * `retry_policy:` in full, or its short form `retries:` and `retry_delay:`, which means exponential back-off with jitter
 * (semantics.md, Retries).
 */
export function readRetryPolicy(root: MapReader): RetryPolicy | undefined {
  const long = readLong(root);
  const retries = root.integer('retries', { min: 0, max: MOST_RETRIES });
  const delay = root.number('retry_delay', { min: 0, max: LONGEST_DELAY });
  if (root.has('retry_policy')) {
    for (const key of ['retries', 'retry_delay']) {
      if (root.has(key)) root.warning('CONFIG_VALUE', key, `"${key}" is ignored: retry_policy says it all`);
    }
    return long;
  }
  if (root.has('retry_delay') && !root.has('retries')) {
    root.warning('CONFIG_VALUE', 'retry_delay', 'without "retries" nothing is retried', 'add "retries: 3"');
  }
  if (retries === undefined || retries === 0) return undefined;
  return { maxRetries: retries, delay: delay ?? DEFAULT_DELAY, backoff: 'EXPONENTIAL', jitter: 'PLUS_MINUS' };
}

function readLong(root: MapReader): RetryPolicy | undefined {
  const map = root.section('retry_policy', KEYS, SYNONYMS);
  if (map === undefined) return undefined;
  const maxRetries = map.integer('max_retries', { min: 0, max: MOST_RETRIES });
  const delay = map.number('delay', { min: 0, max: LONGEST_DELAY }) ?? 0;
  const backoff = map.oneOf('backoff', ['EXPONENTIAL', 'LINEAR'] as const, true);
  const jitter = map.oneOf('jitter', ['FULL', 'PLUS_MINUS'] as const, true);
  // Dagster's RetryPolicy() retries once at once.
  return {
    maxRetries: maxRetries ?? 1,
    delay,
    ...(backoff === undefined ? {} : { backoff }),
    ...(jitter === undefined ? {} : { jitter }),
  };
}
