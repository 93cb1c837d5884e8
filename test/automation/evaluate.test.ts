import { describe, expect, it } from 'vitest';
import type { AutomationView } from '../../src/automation/asset-view.ts';
import type { AutomationCursor } from '../../src/automation/cursor.ts';
import { decodeCursor, encodeCursor, partitionsIn } from '../../src/automation/cursor.ts';
import type { AutomationEvaluation } from '../../src/automation/evaluate.ts';
import { evaluateAutomation } from '../../src/automation/evaluate.ts';
import type { AutomationCondition } from '../../src/definitions/automation-condition/condition.ts';
import { parseAutomationCondition } from '../../src/definitions/automation-condition/parse.ts';
import type {
  PartitionsDefinition,
  StaticPartitions,
} from '../../src/partitions/definition/partitions-definition.ts';
import { emptySubset, rangeSubset } from '../../src/partitions/subset/partition-subset.ts';
import { keysOf } from '../../src/partitions/subset/subset-keys.ts';
import type { AssetScript } from '../helpers/automation-world.ts';
import { AutomationWorld } from '../helpers/automation-world.ts';

const MINUTE = 60_000;
const START = Date.parse('2024-03-06T10:00:00Z');

function condition(text: string): AutomationCondition {
  const parsed = parseAutomationCondition(text);
  if (!parsed.ok) throw new Error(parsed.problem.message);
  return parsed.condition;
}

function days(start: string, timezone = 'UTC'): PartitionsDefinition {
  return {
    kind: 'time',
    start,
    end: null,
    cron: '0 0 * * *',
    timezone,
    fmt: '%Y-%m-%d',
    endOffset: 0,
    exclusions: [],
  };
}

interface Given extends Partial<Omit<AssetScript, 'condition' | 'deps'>> {
  readonly deps?: readonly (string | AssetScript['deps'][number])[];
  readonly condition?: string;
}

/** A world and the evaluations of it, one after another. */
class Play {
  readonly world = new AutomationWorld();
  cursors: ReadonlyMap<string, AutomationCursor> = new Map();
  last: AutomationEvaluation | null = null;
  now = START;

  asset(key: string, given: Given = {}): this {
    const { deps = [], condition: text, ...rest } = given;
    this.world.addAsset({
      key,
      deps: deps.map((dep) => (typeof dep === 'string' ? { key: dep } : dep)),
      partitions: null,
      codeVersion: null,
      checks: [],
      external: false,
      ...rest,
      condition: text === undefined ? null : condition(text),
    });
    return this;
  }

  at(time: string): this {
    this.now = Date.parse(time);
    return this;
  }

  write(asset: string, partition: string | null = null): this {
    this.now += MINUTE;
    this.world.materialize(asset, partition, this.now);
    return this;
  }

  /** What is requested: `c`, or `c: 2024-01-01, 2024-01-02`. */
  evaluate(change: (view: AutomationView) => AutomationView = (view) => view): string[] {
    this.now += MINUTE;
    const view = change(this.world.view(this.now));
    this.last = evaluateAutomation({ graph: this.world.graph(), view, cursors: this.cursors });
    this.cursors = this.last.cursors;
    return this.last.results
      .filter(({ requested }) => requested.bounds.length > 0)
      .map(({ entity, partitions, requested }) =>
        partitions === null ? entity : `${entity}: ${[...keysOf(partitions, requested)].join(', ')}`,
      );
  }
}

describe('what Dagster loses and we do not', () => {
  it('a parent written after its child, between the same two evaluations', () => {
    const play = new Play().asset('p').asset('c', { deps: ['p'], condition: 'eager' });
    play.write('p').write('c').evaluate();
    expect(play.write('c').write('p').evaluate()).toEqual(['c']);
    expect(play.evaluate()).toEqual([]);
  });

  it('but a child written after its parent is up to date', () => {
    const play = new Play().asset('p').asset('c', { deps: ['p'], condition: 'eager' });
    play.write('p').write('c').evaluate();
    expect(play.write('p').write('c').evaluate()).toEqual([]);
  });

  it('of many partitions only those whose parent came later', () => {
    const partitions: StaticPartitions = { kind: 'static', keys: ['a', 'b', 'c'] };
    const play = new Play()
      .asset('p', { partitions })
      .asset('c', { partitions, deps: ['p'], condition: 'eager' });
    for (const key of partitions.keys) play.write('p', key).write('c', key);
    play.evaluate();
    play.write('p', 'a').write('c', 'a').write('c', 'b').write('p', 'b').write('c', 'c');
    expect(play.evaluate()).toEqual(['c: b']);
  });

  it('a tick that passed after the asset was last written', () => {
    const play = new Play().asset('c', { condition: 'on_schedule("0 11 * * *", "UTC")' });
    play.evaluate();
    play.at('2024-03-06T10:50:00Z').write('c').at('2024-03-06T11:05:00Z');
    expect(play.evaluate()).toEqual(['c']);
    play.at('2024-03-07T10:50:00Z').evaluate();
    play.at('2024-03-07T11:01:00Z').write('c');
    expect(play.evaluate()).toEqual([]);
  });

  it('a tick that passed while nobody evaluated, just after a request', () => {
    const play = new Play().asset('c', { condition: 'on_schedule("@hourly")' });
    play.evaluate();
    expect(play.at('2024-03-06T11:00:30Z').evaluate()).toEqual(['c']);
    expect(play.at('2024-03-06T15:00:30Z').evaluate()).toEqual(['c']);
    expect(play.evaluate()).toEqual([]);
  });

  it('an update of the parent in the same run as the child, when another partition was written last', () => {
    const partitions: StaticPartitions = { kind: 'static', keys: ['a', 'b'] };
    const play = new Play()
      .asset('p', { partitions })
      .asset('c', { partitions, deps: ['p'], condition: 'eager' });
    for (const key of partitions.keys) play.write('p', key).write('c', key);
    play.evaluate();
    for (const key of partitions.keys) {
      play.world.startRun(`r-${key}`, ['p', 'c'], key);
      play.world.writeInRun(`r-${key}`, 'p', play.now);
      play.world.finishRun(`r-${key}`, 'failure');
    }
    expect(play.evaluate()).toEqual([]);
  });
});

describe('a parent that is written between a request and the next evaluation', () => {
  it('is taken to be seen by the run that was requested: once is enough', () => {
    const play = new Play().asset('p').asset('c', { deps: ['p'], condition: 'eager' });
    play.write('p').write('c').evaluate();
    expect(play.write('p').evaluate()).toEqual(['c']);
    expect(play.write('p').evaluate()).toEqual([]);
    expect(play.write('p').evaluate()).toEqual(['c']);
  });

  it('counts for who asks exactly for what came after the request', () => {
    const text = 'asset_matches("p", newly_updated()).since(newly_requested())';
    const play = new Play().asset('p').asset('c', { condition: text });
    play.evaluate();
    expect(play.write('p').evaluate()).toEqual(['c']);
    expect(play.write('p').evaluate()).toEqual(['c']);
    expect(play.evaluate()).toEqual([]);
  });
});

describe('an external parent', () => {
  it('that nobody defines any more keeps what was written', () => {
    const play = new Play().asset('p').asset('c', { deps: ['p'], condition: 'eager' });
    play.write('p').write('c').evaluate();
    play.world.removeAsset('p');
    expect(play.evaluate()).toEqual([]);
    expect(play.write('p').evaluate()).toEqual(['c']);
  });
});

describe('ticks', () => {
  it('on the stroke of an evaluation pass once', () => {
    const play = new Play().asset('c', { condition: 'cron_tick_passed("@hourly")' });
    play.evaluate();
    expect(play.at('2024-03-06T10:59:00Z').evaluate()).toEqual(['c']);
    expect(play.now).toBe(Date.parse('2024-03-06T11:00:00Z'));
    expect(play.evaluate()).toEqual([]);
  });

  it('never pass at the first evaluation', () => {
    const play = new Play().asset('c', { condition: 'cron_tick_passed("* * * * *")' });
    expect(play.evaluate()).toEqual([]);
    expect(play.evaluate()).toEqual(['c']);
  });
});

describe('the latest time window', () => {
  it.each([
    ['in_latest_time_window()', ['2024-03-11']],
    ['in_latest_time_window("2d")', ['2024-03-10', '2024-03-11']],
    ['in_latest_time_window("49h")', ['2024-03-10', '2024-03-11']],
    ['in_latest_time_window("12h")', ['2024-03-11']],
    ['in_latest_time_window("10d")', ['2024-03-09', '2024-03-10', '2024-03-11']],
  ])('%s, the clocks having changed on 10 March', (text, keys) => {
    const partitions = days('2024-03-09', 'America/New_York');
    const play = new Play().at('2024-03-12T12:00:00Z').asset('a', { partitions, condition: text });
    expect(play.evaluate()).toEqual([`a: ${keys.join(', ')}`]);
  });

  it('of a 2-D set is every key of the other dimension', () => {
    const partitions: PartitionsDefinition = {
      kind: 'multi',
      dimensions: {
        region: { kind: 'static', keys: ['eu', 'us'] },
        date: days('2024-03-04') as never,
      },
    };
    const play = new Play().asset('a', { partitions, condition: 'in_latest_time_window()' });
    expect(play.evaluate()).toEqual(['a: 2024-03-05|eu, 2024-03-05|us']);
  });

  it('is nothing before the first one has ended', () => {
    const play = new Play().asset('a', {
      partitions: days('2024-03-06'),
      condition: 'in_latest_time_window()',
    });
    expect(play.evaluate()).toEqual([]);
  });
});

describe('code_version_changed', () => {
  it('is true once per change, and stays so for what missing_or_changed waits for', () => {
    const play = new Play().asset('a', { codeVersion: '1', condition: 'missing_or_changed' });
    play.write('a').evaluate();
    play.world.setAsset('a', { codeVersion: '2' });
    expect(play.evaluate()).toEqual(['a']);
    expect(play.evaluate()).toEqual([]);
    expect(play.write('a').evaluate()).toEqual([]);
  });

  it('is not undone by a write with the old code in the same interval', () => {
    const play = new Play().asset('a', { codeVersion: '1', condition: 'missing_or_changed' });
    play.write('a').evaluate();
    play.write('a').world.setAsset('a', { codeVersion: '2' });
    expect(play.evaluate()).toEqual(['a']);
  });

  it('is done by a write with the new code', () => {
    const play = new Play().asset('a', { codeVersion: '1', condition: 'missing_or_changed' });
    play.write('a').evaluate();
    play.world.setAsset('a', { codeVersion: '2' });
    expect(play.write('a').evaluate()).toEqual([]);
  });
});

describe('a whole chain', () => {
  it('is requested in one evaluation', () => {
    const play = new Play().asset('a');
    for (const [key, dep] of [
      ['b', 'a'],
      ['c', 'b'],
      ['d', 'c'],
    ] as const) {
      play.asset(key, { deps: [dep], condition: 'eager' });
    }
    play.evaluate();
    expect(play.write('a').evaluate()).toEqual(['b', 'c', 'd']);
  });

  it('stops where another partition of the parent is needed: that has to be written first', () => {
    const partitions = days('2024-03-01');
    const mapping = {
      kind: 'time_window',
      startOffset: -1,
      endOffset: -1,
      allowNonexistentUpstream: true,
    } as const;
    const text = 'eager().without(in_latest_time_window())';
    const play = new Play()
      .asset('a', { partitions })
      .asset('b', { partitions, deps: ['a'], condition: text })
      .asset('c', { partitions, deps: [{ key: 'b', mapping }], condition: text });
    play.evaluate();
    expect(play.write('a', '2024-03-03').evaluate()).toEqual(['b: 2024-03-03']);
    expect(play.write('b', '2024-03-03').evaluate()).toEqual(['c: 2024-03-04']);
  });
});

describe('lazy', () => {
  it('runs when something downstream would', () => {
    const play = new Play()
      .asset('raw')
      .asset('mid', { deps: ['raw'], condition: 'lazy' })
      .asset('end', { deps: ['mid'], condition: 'on_schedule("@hourly")' });
    play.write('raw').write('mid').write('end').evaluate();
    expect(play.write('raw').evaluate()).toEqual([]);
    expect(play.at('2024-03-06T11:00:30Z').evaluate()).toEqual(['mid', 'end']);
  });
});

describe('blocking checks', () => {
  const partitions: StaticPartitions = { kind: 'static', keys: ['a', 'b', 'c'] };
  const checks = [{ name: 'ok', blocking: true, condition: null }];

  it('per partition hold back only what needs a partition that has not passed', () => {
    const play = new Play()
      .asset('p', { partitions, checks })
      .asset('one', { partitions, deps: ['p'], condition: 'eager_with_deps_checks' })
      .asset('all', { deps: ['p'], condition: 'eager_with_deps_checks' });
    play.evaluate();
    for (const key of partitions.keys) play.write('p', key);
    const results = (passed: number) => (view: AutomationView) => ({
      ...view,
      check: () => ({
        partitioned: true,
        passed: rangeSubset(0, passed),
        failed: rangeSubset(passed, 3),
        inProgress: emptySubset,
        executionFailed: emptySubset,
        resultsSince: () => [],
      }),
    });
    expect(play.evaluate(results(2))).toEqual(['one: a, b']);
    play.world.checkResult('p', 'ok', true, play.now);
    expect(play.evaluate(results(3))).toEqual(['all', 'one: c']);
  });
});

describe('a definition that changes', () => {
  it('keeps the state of static keys by key, not by position', () => {
    const keys = (list: string[]): StaticPartitions => ({ kind: 'static', keys: list });
    const play = new Play().asset('a', { partitions: keys(['x', 'y']), condition: 'on_missing' });
    play.evaluate();
    play.world.setAsset('a', { partitions: keys(['new', 'y', 'x']) });
    expect(play.evaluate()).toEqual(['a: new']);
  });

  it('starts afresh with another condition: what came before is handled', () => {
    const play = new Play().asset('p').asset('c', { deps: ['p'], condition: 'eager & manual()' });
    play.write('p').write('c').evaluate();
    play.write('p').evaluate();
    play.world.setAsset('c', { condition: condition('eager') });
    expect(play.evaluate()).toEqual([]);
    expect(play.write('p').evaluate()).toEqual(['c']);
  });

  it('does not with another label', () => {
    const play = new Play().asset('p').asset('c', { deps: ['p'], condition: 'eager' });
    play.write('p').write('c').evaluate();
    play.world.setAsset('c', { condition: condition('eager().with_label("ours")') });
    expect(play.write('p').evaluate()).toEqual(['c']);
  });
});

describe('what nothing changed for', () => {
  it('is not evaluated again, until something it looks at changes', () => {
    const play = new Play()
      .asset('p')
      .asset('c', { deps: ['p'], condition: 'eager' })
      .asset('other');
    const evaluated = (): boolean | undefined => play.last?.results[0]?.evaluated;
    play.write('p').write('c').evaluate();
    play.evaluate();
    expect(evaluated()).toBe(true);
    play.evaluate();
    expect(evaluated()).toBe(false);
    play.write('other').evaluate();
    expect(evaluated()).toBe(false);
    expect(play.write('p').evaluate()).toEqual(['c']);
  });

  it('stays requested while it stays true', () => {
    const play = new Play().asset('a', { condition: 'missing()' });
    for (let times = 0; times < 4; times++) expect(play.evaluate()).toEqual(['a']);
    expect(play.write('a').evaluate()).toEqual([]);
  });
});

describe('the explanation', () => {
  it('says of each part what it was asked of and true of', () => {
    const partitions = days('2024-03-01');
    const play = new Play().asset('p', { partitions }).asset('c', {
      partitions,
      deps: ['p'],
      condition: 'any_deps_match(missing()).with_label("waiting") & ~missing()',
    });
    play.write('p', '2024-03-02').write('c', '2024-03-04').evaluate();
    expect(play.last?.results[0]?.explain()).toEqual({
      condition: 'and',
      label: null,
      entity: 'c',
      partitioned: true,
      candidates: 5,
      matched: 1,
      spans: [{ start: '2024-03-04', end: '2024-03-04', count: 1 }],
      children: [
        {
          condition: 'any_deps_match',
          label: 'waiting',
          entity: 'c',
          partitioned: true,
          candidates: 5,
          matched: 4,
          spans: [
            { start: '2024-03-01', end: '2024-03-01', count: 1 },
            { start: '2024-03-03', end: '2024-03-05', count: 3 },
          ],
          children: [
            expect.objectContaining({
              condition: 'missing()',
              entity: 'p',
              candidates: 5,
              matched: 4,
              children: [],
            }),
          ],
        },
        expect.objectContaining({
          condition: 'not',
          candidates: 4,
          matched: 1,
          children: [expect.objectContaining({ condition: 'missing()', entity: 'c', matched: 3 })],
        }),
      ],
    });
  });
});

describe('a cursor', () => {
  it('goes through the store and means the same, also under a definition that changed meanwhile', () => {
    const play = new Play().asset('p', { partitions: days('2024-03-01') }).asset('c', {
      partitions: days('2024-03-01'),
      deps: ['p'],
      condition: 'eager().without(in_latest_time_window())',
    });
    play.evaluate();
    play.world.startRun('r', ['c'], '2024-03-03');
    play.write('p', '2024-03-03').write('p', '2024-03-04');
    expect(play.evaluate()).toEqual(['c: 2024-03-04']);
    const noIds = (): Record<string, never> => ({});
    const stored = encodeCursor('c', play.cursors.get('c')!, noIds);
    const text = JSON.stringify(stored);
    expect(text.length).toBeLessThan(800);
    play.world.setAsset('p', { partitions: days('2024-02-20') });
    play.world.setAsset('c', { partitions: days('2024-02-20') });
    const cursor = decodeCursor(
      'c',
      JSON.parse(text) as typeof stored,
      partitionsIn(play.world.graph()),
      noIds,
    );
    play.cursors = new Map([['c', cursor]]);
    play.world.finishRun('r', 'canceled');
    expect(play.evaluate()).toEqual(['c: 2024-03-03']);
  });
});
