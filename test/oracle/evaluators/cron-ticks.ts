import { nextTick, parseCron, previousTick } from '../../../src/partitions/cron.ts';
import type { Mismatch, OracleCase } from '../oracle-case.ts';
import { Comparison, isoOf } from '../oracle-case.ts';

interface Input {
  readonly cron: string | string[];
  readonly timezone: string;
  readonly start: string;
}

interface Expected {
  readonly next: readonly string[];
  readonly prev: readonly string[];
  readonly documented_rule_next?: readonly string[];
}

type Case = OracleCase<Input, Expected> & { readonly input: Input };

/** Ticks after and before an instant. A quirk: the documented rule is as good as Dagster's, and `prev` is not asked. */
export function evaluateCronTicks({ input, expected, quirk }: Case): Mismatch[] {
  const comparison = new Comparison();
  const crons = [input.cron].flat();
  const valid = crons.every((cron) => parseCron(cron).ok);
  comparison.equal('valid', expected.valid, valid);
  if (!valid || !expected.valid) return comparison.mismatches;
  const walk = (count: number, step: typeof nextTick): string[] => {
    const ticks: string[] = [];
    let at: number | null = step(input.cron, input.timezone, Date.parse(input.start));
    while (at !== null && ticks.length < count) {
      ticks.push(isoOf(at));
      at = step(input.cron, input.timezone, at, { inclusive: false });
    }
    return ticks;
  };
  const next = walk(expected.next.length, nextTick);
  if (quirk === undefined) {
    comparison.equal('next', expected.next, next);
    comparison.equal('prev', expected.prev, walk(expected.prev.length, previousTick));
  } else {
    comparison.oneOf('next', [expected.documented_rule_next ?? expected.next, expected.next], next);
  }
  return comparison.mismatches;
}
