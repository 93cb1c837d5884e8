import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, it } from 'vitest';
import { findPython } from '../../src/runners/environments/find-python.ts';

/** Reads cases of `[[work, what, rows], …]`; says for each what is known when it asks, if others cannot write and if they can. */
const SCRIPT = `
import json, os, sys
from types import SimpleNamespace
from elt_runner.dbt_appends import Appends
from elt_runner.errors import Failure

def said(file, steps, hook, alone):
    config = SimpleNamespace(pre_hook=["delete"] if hook else [])
    node = SimpleNamespace(unique_id="m", name="m", relation_name="s.m", config=config)
    for work, what, rows in steps:
        appends = Appends(file, work, alone)
        if what == "begin":
            appends.begin("m", "p", rows)
        elif what == "end":
            appends.end("m", "p")
        elif not appends.knows("m", "p"):
            yield "not known"
        else:
            try:
                yield "written" if appends.was_written(node, "p", rows) else "not written"
            except Failure as failure:
                yield failure.failure_class

cases = json.loads(sys.argv[2])
print(json.dumps([
    [list(said(os.path.join(sys.argv[1], f"{at}{alone}", "appends.json"), steps, hook, alone)) for alone in (True, False)]
    for at, (steps, hook) in enumerate(cases)
]))
`;

type Step = readonly [work: string, what: 'begin' | 'end' | 'ask', rows?: number | null];
interface Case {
  readonly attempt: string;
  readonly steps: readonly Step[];
  /** It has a hook that runs before. */
  readonly hook?: boolean;
  readonly alone: readonly string[];
  readonly shared: readonly string[];
}

const CASES: readonly Case[] = [
  { attempt: 'was never begun', steps: [['a', 'ask', 5]], alone: ['not known'], shared: ['not known'] },
  {
    attempt: 'ended',
    steps: [
      ['a', 'begin', 5],
      ['a', 'end'],
      ['a', 'ask', 5],
    ],
    alone: ['written'],
    shared: ['written'],
  },
  {
    attempt: 'left as many rows as there were',
    steps: [
      ['a', 'begin', 5],
      ['a', 'ask', 5],
    ],
    alone: ['not written'],
    shared: ['not written'],
  },
  {
    attempt: 'left more rows',
    steps: [
      ['a', 'begin', 5],
      ['a', 'ask', 8],
    ],
    alone: ['written'],
    shared: ['data'],
  },
  {
    attempt: 'made the table',
    steps: [
      ['a', 'begin', -1],
      ['a', 'ask', 0],
    ],
    alone: ['written'],
    shared: ['data'],
  },
  {
    attempt: 'left fewer rows',
    steps: [
      ['a', 'begin', 5],
      ['a', 'ask', 2],
    ],
    alone: ['data'],
    shared: ['data'],
  },
  {
    attempt: 'left fewer rows, and a hook takes old ones away',
    steps: [
      ['a', 'begin', 5],
      ['a', 'ask', 2],
    ],
    hook: true,
    alone: ['not written'],
    shared: ['not written'],
  },
  {
    attempt: 'could not count before',
    steps: [
      ['a', 'begin', null],
      ['a', 'ask', 5],
    ],
    alone: ['data'],
    shared: ['data'],
  },
  {
    attempt: 'cannot count now',
    steps: [
      ['a', 'begin', 5],
      ['a', 'ask', null],
    ],
    alone: ['data'],
    shared: ['data'],
  },
  {
    attempt: 'left nothing, as the next work found, which then wrote',
    steps: [
      ['a', 'begin', 5],
      ['b', 'begin', 5],
      ['b', 'end'],
      ['a', 'ask', 8],
    ],
    alone: ['not written'],
    shared: ['data'],
  },
  {
    attempt: 'wrote, as the next work found, which then left nothing',
    steps: [
      ['a', 'begin', 5],
      ['b', 'begin', 8],
      ['a', 'ask', 8],
      ['b', 'ask', 8],
    ],
    alone: ['written', 'not written'],
    shared: ['data', 'not written'],
  },
  {
    attempt: 'was followed by work that could not count',
    steps: [
      ['a', 'begin', 5],
      ['b', 'begin', null],
      ['a', 'ask', 8],
    ],
    alone: ['data'],
    shared: ['data'],
  },
  {
    attempt: 'was tried twice and left nothing',
    steps: [
      ['a', 'begin', 5],
      ['a', 'ask', 5],
      ['a', 'begin', 5],
      ['a', 'ask', 5],
    ],
    alone: ['not written', 'not written'],
    shared: ['not written', 'not written'],
  },
];

let said: readonly (readonly [alone: readonly string[], shared: readonly string[]])[];
beforeAll(async () => {
  const { executable } = await findPython(process.env);
  const home = mkdtempSync(join(tmpdir(), 'elt-appends-'));
  try {
    const cases = JSON.stringify(
      CASES.map(({ steps, hook }) => [steps.map(([a, b, c]) => [a, b, c ?? null]), hook ?? false]),
    );
    const env = { PYTHONPATH: join(import.meta.dirname, '../../python') };
    const { stdout } = await execa(executable, ['-c', SCRIPT, home, cases], { env });
    said = JSON.parse(stdout) as typeof said;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

it.each(CASES.map((each, at) => ({ ...each, at })))(
  'a model whose attempt $attempt',
  ({ at, alone, shared }) => {
    expect(said[at]).toEqual([alone, shared]);
  },
);
