import { isDeepStrictEqual } from 'node:util';

/** One case of the oracle, as it lies in its file; the set's README says what `input` and `expected` hold. */
export interface OracleCase {
  readonly id: string;
  readonly tags?: readonly string[];
  readonly unstable?: string;
  readonly quirk?: string;
  readonly tolerate_invalid?: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: the shape differs by set, and evaluators are the ones to know it
  readonly [field: string]: any;
}

/** A difference between what was expected and what the modules answer. */
export interface Mismatch {
  readonly what: string;
  readonly expected: unknown;
  readonly got: unknown;
}

/** Runs one case against the real modules; no mismatch = passed. */
export type Evaluator = (oracleCase: OracleCase) => Mismatch[];

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
