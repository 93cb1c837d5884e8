import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CrashPoint } from '../../src/engine/step-machine.ts';
import type { EventRecord } from '../../src/events/run-event.ts';
import type { RunState } from '../../src/events/run-state.ts';
import { openTestEngine, type TestStep } from '../helpers/engine.ts';
import { processesOfRun } from '../helpers/step-processes.ts';
import { warmPackage } from '../helpers/warm-script.ts';

const SERVICE = join(import.meta.dirname, '..', 'helpers', 'mortal-service.ts');
const LINES = 200;

let home: string;
/** What services logged from `warn` on: a service that only recovers from its own mistake is not good enough. */
let complaints: string;
/** Folder of the package for warm starts; null: cold ones. */
let pythonDir: string | null = null;

/** A load that leaves its pid, prints numbered lines, appends its rows once, and reports as our runners do. */
function load(): TestStep {
  const path = (name: string) => JSON.stringify(join(home, name));
  return {
    stepKey: 'load',
    tool: 'dlt',
    files: {
      'main.py': `
import json, os, sys, time
def emit(**event):
    with open(os.environ["ELT_EVENTS_FILE"], "a") as file:
        file.write(json.dumps(event) + "\\n")
open(${path('pids')}, "a").write(str(os.getpid()) + "\\n")
open(${path('starts')}, "a").write("warm " if "elt_runner.warm.server" in sys.modules else "cold ")
emit(type="stage_start", stage="load")
for line in range(1, ${LINES} + 1):
    print("line", line)
    time.sleep(0.004)
    if line == ${LINES / 2}:
        open(${path('midway')}, "w")
open(${path('rows')}, "a").write("row\\n" * 10)
emit(type="materialization", asset_key="load", metadata={"rows": 10})
emit(type="end", status="ok")
print("the end")
time.sleep(0.2)
`,
    },
  };
}

interface Service {
  readonly process: ChildProcess;
  readonly exited: Promise<unknown>;
  readonly said: () => string;
}

function start(crashAt: CrashPoint | ''): Service {
  const runFile = join(home, 'run.json');
  writeFileSync(runFile, JSON.stringify([load()]));
  const child = spawn(
    process.execPath,
    [SERVICE, home, runFile, crashAt, ...(pythonDir === null ? [] : [pythonDir])],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  return { process: child, exited: once(child, 'close'), said: () => said };
}

function fileMade(name: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watcher = watch(home, look);
  function look(): void {
    if (existsSync(join(home, name))) resolve();
  }
  look();
  return promise.finally(() => watcher.close());
}

interface Aftermath {
  readonly state: RunState;
  readonly events: readonly EventRecord[];
  readonly logs: readonly (readonly string[])[];
  readonly pids: readonly string[];
  readonly rows: number;
}

async function aftermath(): Promise<Aftermath> {
  const starts = readFileSync(join(home, 'starts'), 'utf8').trim().split(' ');
  expect(new Set(starts)).toEqual(new Set([pythonDir === null ? 'cold' : 'warm']));
  const test = await openTestEngine({ home });
  const [run] = await test.store.runs.list({ limit: 1 });
  const state = (await test.store.runs.state(run!.runId))!;
  const logs: string[][] = [];
  for (let attempt = 1; attempt <= state.steps['load']!.attempt; attempt++) {
    logs.push([...(await test.log(run!.runId, 'load', attempt))]);
  }
  const events = await test.events(run!.runId);
  await test.close();
  expect(processesOfRun(run!.runId)).toEqual([]);
  expect(readdirSync(join(home, 'steps'))).toEqual([]);
  return {
    state,
    events,
    logs,
    pids: readFileSync(join(home, 'pids'), 'utf8').trim().split('\n'),
    rows: readFileSync(join(home, 'rows'), 'utf8').split('\n').length - 1,
  };
}

const WHOLE_LOG = [
  ...Array.from({ length: LINES }, (_, index) => `stdout line ${index + 1}`),
  'stdout the end',
];

function countOf(events: readonly EventRecord[], type: string): number {
  return events.filter(({ event }) => event.type === type).length;
}

function expectOneSuccess({ state, events, logs, pids, rows }: Aftermath): void {
  expect(state.status).toBe('SUCCESS');
  expect(state.steps['load']).toMatchObject({ status: 'succeeded', attempt: 1 });
  expect(logs).toEqual([WHOLE_LOG]);
  expect(rows).toBe(10);
  // One process, from its start to its end.
  expect(pids).toHaveLength(1);
  for (const type of ['step_dispatched', 'materialization', 'step_succeeded', 'run_succeeded']) {
    expect([type, countOf(events, type)]).toEqual([type, 1]);
  }
  const started = events.find(({ event }) => event.type === 'step_started');
  expect(started?.event).toMatchObject({ pid: Number(pids[0]) });
}

/**
 * What a service that is killed leaves behind, and what the next one makes of it: the same for both ways to start a step.
 * @param isWanted chooses cases by their name; all of them unless said otherwise
 */
export function killServiceSuite(
  starts: 'cold' | 'warm',
  isWanted: (name: string) => boolean = () => true,
): void {
  const test = (name: string, body: () => Promise<void>): void => {
    if (isWanted(name)) it(name, body);
  };

  describe(`P2: kill -9 of the service, ${starts} starts`, () => {
    beforeEach(() => {
      if (starts === 'warm') pythonDir ??= warmPackage();
      complaints = '';
      home = mkdtempSync(join(tmpdir(), 'elt-kill-'));
    });
    afterEach(() => {
      rmSync(home, { recursive: true, force: true });
      expect(complaints).toBe('');
    });

    afterAll(() => {
      if (pythonDir !== null) rmSync(pythonDir, { recursive: true, force: true });
      pythonDir = null;
    });

    const points = (
      ['acquired', 'before_spawn', 'spawned', 'started', 'end_seen', 'exit_seen', 'finished'] as const
    ).filter((point) => isWanted(`at ${point}`));
    it.each<CrashPoint>(points)(
      'at "%s": the next one ends the run once, with the same process',
      async (point) => {
        const first = start(point);
        await first.exited;
        expect(first.process.signalCode).toBe('SIGKILL');
        const second = start('');
        await second.exited;
        expect(second.said()).toContain('finished SUCCESS');
        expectOneSuccess(await aftermath());
      },
    );

    test('in user code, again and again: the process keeps its id, its log and its rows are whole', async () => {
      const first = start('');
      await fileMade('pids');
      first.process.kill('SIGKILL');
      await first.exited;
      const second = start('');
      await fileMade('midway');
      second.process.kill('SIGKILL');
      await second.exited;
      const third = start('');
      await third.exited;
      expect(third.said()).toContain('"adopted":1,"lost":0');
      expectOneSuccess(await aftermath());
    });

    test('after which the step ends alone: its end is read from what the supervisor left', async () => {
      const first = start('');
      await fileMade('midway');
      first.process.kill('SIGKILL');
      await first.exited;
      const [name] = readdirSync(join(home, 'steps'));
      const dir = join(home, 'steps', name!);
      const { promise, resolve } = Promise.withResolvers<void>();
      const watcher = watch(dir, () => existsSync(join(dir, 'exit.json')) && resolve());
      if (existsSync(join(dir, 'exit.json'))) resolve();
      await promise.finally(() => watcher.close());
      const second = start('');
      await second.exited;
      expectOneSuccess(await aftermath());
    });

    test('P3: together with its supervisor: the orphan is ended and the step tried again, without spending a retry', async () => {
      const first = start('');
      await fileMade('midway');
      const [name] = readdirSync(join(home, 'steps'));
      const { pid } = JSON.parse(readFileSync(join(home, 'steps', name!, 'supervisor.json'), 'utf8')) as {
        pid: number;
      };
      first.process.kill('SIGKILL');
      process.kill(pid, 'SIGKILL');
      await first.exited;
      const second = start('');
      await second.exited;
      expect(second.said()).toContain('"adopted":0,"lost":1');
      const { state, events, logs, pids, rows } = await aftermath();
      expect(state.status).toBe('SUCCESS');
      expect(state.steps['load']).toMatchObject({ attempt: 2, retriesSpent: 0 });
      expect(pids).toHaveLength(2);
      expect(rows).toBe(10);
      expect(logs[1]).toEqual(WHOLE_LOG);
      expect(countOf(events, 'materialization')).toBe(1);
    });

    test('P3: kill -9 of the supervisor alone is found at once', async () => {
      const first = start('');
      await fileMade('midway');
      const [name] = readdirSync(join(home, 'steps'));
      const { pid } = JSON.parse(readFileSync(join(home, 'steps', name!, 'supervisor.json'), 'utf8')) as {
        pid: number;
      };
      process.kill(pid, 'SIGKILL');
      await first.exited;
      expect(first.said()).toContain('finished SUCCESS');
      const { state, rows } = await aftermath();
      expect(state.steps['load']).toMatchObject({ attempt: 2, retriesSpent: 0 });
      expect(rows).toBe(10);
    });
  });
}
