import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { OracleCase } from './oracle-case.ts';
import type { OracleSet } from './run-oracle.ts';
import { readSets, runSet } from './run-oracle.ts';

const root = join(import.meta.dirname, '..', '..');
const samples = join(import.meta.dirname, 'cases');
const whole = join(root, '..', 'shared', 'oracle');
const cli = join(import.meta.dirname, 'oracle-cli.ts');

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true });
});

/** A directory with one set in which one expectation of the sample is wrong. */
function directoryWith(set: OracleSet): string {
  const directory = mkdtempSync(join(tmpdir(), 'oracle-'));
  made.push(directory);
  writeFileSync(join(directory, 'set.json'), JSON.stringify(set));
  return directory;
}

function failuresOf(set: OracleSet): string[] {
  const result = runSet(set);
  if (!result.run) throw new Error(`${set.set} was not run`);
  expect(result.scored).toBeGreaterThan(0);
  return result.failures.map(
    ({ id, mismatches }) => `${id}: ${mismatches.map(({ what }) => what).join(', ')}`,
  );
}

describe('the sample', () => {
  it.each(readSets(samples).map((set) => [set.set, set] as const))('of %s passes', (_, set) => {
    expect(failuresOf(set)).toEqual([]);
  });

  it('has every set that can be run', () => {
    expect(readSets(samples).map(({ set }) => set)).toEqual([
      'automation',
      'backfill',
      'config_parsing',
      'cron_ticks',
      'freshness',
      'partition_mappings',
      'partitioned_schedules',
      'partitions',
      'retry_policy',
    ]);
  });
});

describe.skipIf(!existsSync(whole))('the whole oracle', () => {
  const sets = existsSync(whole) ? readSets(whole).filter((set) => runSet({ ...set, cases: [] }).run) : [];
  it.each(sets.map((set) => [set.set, set] as const))('of %s passes', (_, set) => {
    expect(failuresOf(set)).toEqual([]);
  });
});

/**
 * Replaces what `find` finds in the expectations of one case, the nth that has it.
 * @param id null: the case keeps its own
 */
function altered(set: OracleSet, find: RegExp, put: string, id: string | null = 'altered', nth = 0) {
  const one = set.cases.filter(
    ({ quirk, unstable, ...rest }) =>
      quirk === undefined &&
      unstable === undefined &&
      find.test(JSON.stringify(expectationOf(rest as OracleCase))),
  )[nth];
  if (one === undefined) throw new Error(`${set.set} has nothing to alter`);
  const index = set.cases.findIndex((candidate) => candidate.id === one.id);
  const expectation: unknown = JSON.parse(JSON.stringify(expectationOf(one)).replace(find, put));
  const field = 'steps' in one ? { steps: expectation } : { expected: expectation };
  const changed = { ...set.cases[index], ...field, id: id ?? one.id } as OracleCase;
  return { ...set, cases: set.cases.with(index, changed), altered: changed.id };
}

/** The expectations of a script stand in its steps. */
function expectationOf(one: OracleCase): unknown {
  return 'steps' in one ? one.steps : one.expected;
}

const alterations: [string, RegExp, string][] = [
  ['automation', /"requested":{"\w+":null/, '"requested":{"nobody":null'],
  ['backfill', /"run_count":\d+/, '"run_count":99'],
  ['config_parsing', /"line":\d+/, '"line":999'],
  ['cron_ticks', /"next":\["\d{4}/, '"next":["1999'],
  ['freshness', /"passed":true/, '"passed":false'],
  ['partition_mappings', /"keys":\["/, '"keys":["x'],
  ['partitioned_schedules', /"partition_keys":\["/, '"partition_keys":["x'],
  ['partitions', /"count":\d+/, '"count":99999'],
  ['retry_policy', /"max":\d+/, '"max":99999'],
];

describe('an altered expectation', () => {
  it.each(alterations)('of %s is reported', (name, find, put) => {
    const set = readSets(samples).find((one) => one.set === name);
    if (set === undefined) throw new Error(`no sample of ${name}`);
    expect(failuresOf(altered(set, find, put)).join()).toMatch(/^altered: /);
  });

  it('of every case of a set is reported, so that nothing is passed unseen', () => {
    for (const set of readSets(samples)) {
      const flipped = set.cases.map((one) => {
        const { judged_right, ...expected } = (one.expected ?? {}) as {
          judged_right?: string;
          outcome?: string;
          valid?: boolean;
        };
        const judged = judged_right !== 'rejected' && expected.outcome !== 'rejected';
        return { ...one, expected: { ...expected, valid: !(expected.valid ?? judged) } };
      });
      const result = runSet({ ...set, cases: flipped.filter((one) => one.tolerate_invalid !== true) });
      expect(result.run && result.passed, set.set).toBe(0);
    }
  });
});

describe('the command', () => {
  const run = (...args: string[]) => spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' });

  it('reports exactly the ten expectations that were altered in a copy', () => {
    const directory = mkdtempSync(join(tmpdir(), 'oracle-'));
    made.push(directory);
    const wanted: string[] = [];
    // One of each set, and one more of the first.
    const chosen = [...alterations.map((one) => [...one, 0] as const), [...alterations[0]!, 1] as const];
    for (const name of readdirSync(samples).filter((one) => one.endsWith('.json'))) {
      let set = JSON.parse(readFileSync(join(samples, name), 'utf8')) as OracleSet;
      for (const [of, find, put, nth] of chosen) {
        if (of !== set.set) continue;
        const { altered: id, ...changed } = altered(set, find, put, null, nth);
        set = changed;
        wanted.push(`${of} ${id}`);
      }
      writeFileSync(join(directory, name), JSON.stringify(set));
    }
    expect(new Set(wanted).size).toBe(10);
    const { status, stdout } = run(directory);
    expect(status).toBe(1);
    let set = '';
    const reported = new Set<string>();
    for (const line of stdout.split('\n')) {
      const heading = /^(\w+): \d+ \/ \d+/.exec(line);
      if (heading !== null) set = heading[1]!;
      const failure = /^ {2}(\S+) {2}/.exec(line);
      if (failure !== null) reported.add(`${set} ${failure[1]}`);
    }
    expect([...reported].toSorted()).toEqual(wanted.toSorted());
    expect(stdout.match(/^ {4}expected .+\n {4}got {6}.+$/gm)?.length).toBeGreaterThanOrEqual(10);
  });

  it('prints passed / scored and ends with 0', () => {
    const output = execFileSync(process.execPath, [cli, samples, '--set', 'freshness'], { encoding: 'utf8' });
    expect(output).toMatch(/^freshness: (\d+) \/ \1\n$/);
  });

  it('prints what failed and ends with 1', () => {
    const set = JSON.parse(readFileSync(join(samples, 'freshness.json'), 'utf8')) as OracleSet;
    const { status, stdout } = run(directoryWith(altered(set, /"passed":true/, '"passed":false')));
    expect(status).toBe(1);
    expect(stdout).toContain('  altered  passed\n    expected false\n    got      true\n');
  });

  it('claims nothing of a set that it cannot judge', () => {
    const { status, stdout } = run(directoryWith({ set: 'prophecies', cases: [{ id: 'x', expected: {} }] }));
    expect([status, stdout]).toEqual([0, 'prophecies: not run (no evaluator yet), 1 cases\n']);
  });

  it('ends with 2 when there is nothing to run', () => {
    expect(run(samples, '--set', 'nothing').status).toBe(2);
    expect(run().status).toBe(2);
  });
});
