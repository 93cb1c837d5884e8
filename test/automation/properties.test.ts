import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AutomationCursor } from '../../src/automation/cursor.ts';
import { decodeCursor, encodeCursor, partitionsIn } from '../../src/automation/cursor.ts';
import { type AutomationInput, evaluateAutomation, explainNow } from '../../src/automation/evaluate.ts';
import type { AutomationCondition } from '../../src/definitions/automation-condition/condition.ts';
import { parseAutomationCondition } from '../../src/definitions/automation-condition/parse.ts';
import type { StaticPartitions } from '../../src/partitions/definition/partitions-definition.ts';
import {
  emptySubset,
  has,
  type PartitionSubset,
  rangeSubset,
} from '../../src/partitions/subset/partition-subset.ts';
import { AutomationWorld } from '../helpers/automation-world.ts';

const KEYS = ['a', 'b', 'c'];
const partitions: StaticPartitions = { kind: 'static', keys: KEYS };
const ids = { '': new Map(KEYS.map((key, index) => [key, index + 10])) };

type Event =
  | { readonly do: 'write' | 'wipe' | 'run' | 'fail'; readonly asset: string; readonly key: string }
  | { readonly do: 'evaluate' | 'hour' };

const events: fc.Arbitrary<Event[]> = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constantFrom('write', 'write', 'write', 'wipe', 'run', 'fail'),
      asset: fc.constantFrom('p', 'q', 'c'),
      key: fc.constantFrom(...KEYS),
    }),
    fc.record({ do: fc.constantFrom('evaluate', 'evaluate', 'hour') }),
  ),
  { maxLength: 30 },
);

function condition(text: string): AutomationCondition {
  const parsed = parseAutomationCondition(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.problem.message}`);
  return parsed.condition;
}

interface Options {
  readonly all?: boolean;
  readonly stored?: boolean;
  /** Told each evaluation: what went into it, and what it asks for. */
  readonly seen?: (input: AutomationInput, requested: PartitionSubset) => void;
}

/** Plays a script; what was requested of `c` by each evaluation. */
function play(
  script: readonly Event[],
  text: string,
  { all = false, stored = false, seen }: Options = {},
): number[][] {
  const world = new AutomationWorld();
  const common = { partitions, codeVersion: null, checks: [], external: false };
  world.addAsset({ ...common, key: 'p', deps: [], condition: condition('on_missing') });
  world.addAsset({ ...common, key: 'q', deps: [{ key: 'p' }], condition: condition('eager') });
  world.addAsset({ ...common, key: 'c', deps: [{ key: 'p' }, { key: 'q' }], condition: condition(text) });
  let now = Date.parse('2024-03-06T10:30:00Z');
  let runs = 0;
  let cursors: ReadonlyMap<string, AutomationCursor> = new Map();
  const requested: number[][] = [];
  for (const event of [...script, { do: 'evaluate' }, { do: 'evaluate' }, { do: 'evaluate' }] as Event[]) {
    now += 1000;
    switch (event.do) {
      case 'hour':
        now += 3_600_000;
        break;
      case 'write':
        world.materialize(event.asset, event.key, now);
        break;
      case 'wipe':
        world.wipe(event.asset);
        break;
      case 'run':
      case 'fail':
        runs += 1;
        world.startRun(`r${runs}`, ['p', event.asset], event.key);
        world.writeInRun(`r${runs}`, 'p', now);
        if (event.do === 'fail') world.finishRun(`r${runs}`, 'failure');
        break;
      default: {
        const graph = world.graph();
        const input = { graph, view: world.view(now), cursors };
        const evaluation = evaluateAutomation({ ...input, all });
        const result = evaluation.results.find(({ entity }) => entity === 'c');
        requested.push([...(result?.requested.bounds ?? [])]);
        seen?.(input, result?.requested ?? emptySubset);
        cursors = evaluation.cursors;
        if (!stored) break;
        cursors = new Map(
          [...cursors].map(([entity, cursor]) => {
            const text = JSON.stringify(encodeCursor(entity, cursor, () => ids));
            return [entity, decodeCursor(entity, JSON.parse(text) as never, partitionsIn(graph), () => ids)];
          }),
        );
      }
    }
  }
  return requested;
}

const CONDITIONS = [
  'eager',
  'on_cron("@hourly")',
  'on_schedule("@hourly")',
  'on_missing',
  'lazy',
  'missing()',
  'newly_updated()',
  'newly_requested() | missing()',
  'any_deps_match(newly_requested() & ~in_progress())',
  'any_deps_match(newly_missing() | will_be_requested())',
  'all_deps_match(newly_updated().since(cron_tick_passed("@hourly")) | will_be_requested())',
  'asset_matches("q", execution_failed()).newly_true().since(newly_updated())',
  'any_deps_updated().since(newly_updated() | newly_requested())',
  'initial_evaluation() | execution_failed()',
];

/** Without memory: true or false by the present state alone. */
const STATES = [
  'missing()',
  'in_progress()',
  'execution_failed()',
  'any_deps_match(missing())',
  'all_deps_match(~missing())',
  'asset_matches("q", in_progress())',
  'manual()',
];

describe('evaluating only what changed', () => {
  it.each(CONDITIONS)('comes to the same as evaluating everything: %s', (text) => {
    fc.assert(
      fc.property(events, (script) => {
        expect(play(script, text)).toEqual(play(script, text, { all: true }));
      }),
      { numRuns: 60 },
    );
  });

  it.each(CONDITIONS)('comes to the same with cursors that were stored: %s', (text) => {
    fc.assert(
      fc.property(events, (script) => {
        expect(play(script, text, { stored: true })).toEqual(play(script, text));
      }),
      { numRuns: 30 },
    );
  });
});

describe('explaining one partition', () => {
  it.each(CONDITIONS)('says what the next evaluation says of it: %s', (text) => {
    fc.assert(
      fc.property(events, (script) => {
        play(script, text, {
          seen(input, requested) {
            for (const ordinal of KEYS.keys()) {
              const partitions = rangeSubset(ordinal, ordinal + 1);
              const tree = explainNow({ ...input, entity: 'c', partitions })!;
              const matched = has(requested, ordinal) ? 1 : 0;
              expect([ordinal, tree.candidates, tree.matched]).toEqual([ordinal, 1, matched]);
            }
          },
        });
      }),
      { numRuns: 30 },
    );
  });
});

describe('and, or, not', () => {
  const state = fc.constantFrom(...STATES);
  it.each<[string, (a: string, b: string, c: string) => [string, string]]>([
    ['a double negation is none', (a) => [`~~(${a})`, a]],
    ['De Morgan', (a, b) => [`~(${a} & ${b})`, `~(${a}) | ~(${b})`]],
    ['De Morgan, the other way', (a, b) => [`~(${a} | ${b})`, `~(${a}) & ~(${b})`]],
    ['and does not care for order', (a, b) => [`${a} & ${b}`, `${b} & ${a}`]],
    ['or does not care for order', (a, b) => [`${a} | ${b}`, `${b} | ${a}`]],
    ['and distributes', (a, b, c) => [`${a} & (${b} | ${c})`, `${a} & ${b} | ${a} & ${c}`]],
    ['a thing and its contrary is nothing', (a) => [`${a} & ~(${a})`, 'manual()']],
    ['any is not all-not', (a) => [`any_deps_match(${a})`, `~all_deps_match(~(${a}))`]],
  ])('%s', (_, law) => {
    fc.assert(
      fc.property(events, state, state, state, (script, a, b, c) => {
        const [left, right] = law(a, b, c);
        expect(play(script, left)).toEqual(play(script, right));
      }),
      { numRuns: 60 },
    );
  });
});

describe('since', () => {
  const writes = fc.array(
    fc.record({
      asset: fc.constantFrom('x', 'c'),
      key: fc.constantFrom(...KEYS),
      evaluate: fc.boolean(),
      sameInstant: fc.boolean(),
    }),
    { maxLength: 25 },
  );

  it('goes by what came last, however many writes lie between two evaluations', () => {
    fc.assert(
      fc.property(writes, (script) => {
        const world = new AutomationWorld();
        const common = { partitions, codeVersion: null, checks: [], external: false, deps: [] };
        world.addAsset({ ...common, key: 'x', condition: null });
        const text = 'asset_matches("x", newly_updated()).since(newly_updated())';
        world.addAsset({ ...common, key: 'c', condition: condition(text) });
        let now = 0;
        let cursors: ReadonlyMap<string, AutomationCursor> = new Map();
        const evaluate = (): number[] => {
          const evaluation = evaluateAutomation({ graph: world.graph(), view: world.view(now), cursors });
          cursors = evaluation.cursors;
          return [...evaluation.results[0]!.requested.bounds];
        };
        evaluate();
        const expected = new Set<string>();
        for (const { asset, key, evaluate: evaluated, sameInstant } of script) {
          if (!sameInstant) now += 1000;
          world.materialize(asset, key, now);
          if (asset === 'x') expected.add(key);
          else expected.delete(key);
          if (evaluated) evaluate();
        }
        const bounds = evaluate();
        const got = KEYS.filter((_, ordinal) =>
          bounds.some((from, at) => at % 2 === 0 && from <= ordinal && ordinal < bounds[at + 1]!),
        );
        expect(got).toEqual(KEYS.filter((key) => expected.has(key)));
      }),
      { numRuns: 500 },
    );
  });
});
