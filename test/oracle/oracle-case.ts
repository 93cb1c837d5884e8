import { isDeepStrictEqual } from 'node:util';

/** One case of the oracle, as it lies in its file. What `input` and `expected` hold differs by set. */
export interface OracleCase<Input = unknown, Expected = unknown> {
  readonly id: string;
  readonly tags?: readonly string[];
  /** Dagster's answer is not reproducible: not scored. */
  readonly unstable?: string;
  /** Dagster departs from its own rule: either answer is right. */
  readonly quirk?: string;
  /** Dagster accepts it; refusing it is as good. */
  readonly tolerate_invalid?: boolean;
  readonly current_time?: string;
  readonly input?: Input;
  readonly expected: Expected & { readonly valid?: boolean };
}

/** An expectation of a case, by name. */
export type Json = Readonly<Record<string, unknown>>;

/** A difference between what was expected and what the modules answer. */
export interface Mismatch {
  readonly what: string;
  readonly expected: unknown;
  readonly got: unknown;
}

/**
 * Runs one case against the real modules; no mismatch = passed. A file holds any set: each evaluator knows the shape
 * of its own, so the caller vouches for it.
 */
export type Evaluator = (oracleCase: never) => Mismatch[];

/** Collects mismatches of one case. */
export class Comparison {
  readonly mismatches: Mismatch[] = [];

  equal(what: string, expected: unknown, got: unknown): void {
    if (!isDeepStrictEqual(expected, got)) this.mismatches.push({ what, expected, got });
  }

  oneOf(what: string, expected: readonly unknown[], got: unknown): void {
    if (!expected.some((one) => isDeepStrictEqual(one, got))) this.mismatches.push({ what, expected, got });
  }

  sameSet(what: string, expected: readonly string[], got: readonly string[]): void {
    this.equal(what, [...expected].sort(), [...got].sort());
  }

  near(what: string, expected: number, got: number): void {
    if (Math.abs(expected - got) > 1e-9) this.mismatches.push({ what, expected, got });
  }
}

/** `2024-03-10T07:00:00Z`, with the milliseconds only where there are some. */
export function isoOf(instant: number): string {
  return new Date(instant).toISOString().replace('.000Z', 'Z');
}
