import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Limits } from '../../src/discovery/pipeline-config.ts';
import type { StepError } from '../../src/events/run-event.ts';
import { openTestEngine, type TestEngine, type TestEngineOptions, type TestStep } from '../helpers/engine.ts';
import { processesOfRun } from '../helpers/step-processes.ts';

let home: string;
let test: TestEngine;
const open = async (options: Partial<TestEngineOptions> = {}): Promise<TestEngine> => {
  test = await openTestEngine({ home, ...options });
  return test;
};
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'elt-limits-'));
});
afterEach(async () => {
  await test.close();
  rmSync(home, { recursive: true, force: true });
});

const MB = 1_000_000;
function step(text: string, limits: Limits, fields: Partial<TestStep> = {}): TestStep {
  return {
    stepKey: 'a',
    files: { 'main.py': text },
    config: { limits, dir: 'pipelines/a' },
    spec: { limits },
    ...fields,
  };
}
async function failure(runId: string): Promise<StepError> {
  const { a } = (await test.store.runs.state(runId))!.steps;
  expect(a!.status).toBe('failed');
  return a!.error!;
}

/** A child that eats, so that what the step's own process uses does not tell. */
const IN_CHILDREN = (count: number, work: string) => `
import os, time
for _ in range(${count}):
    if os.fork() == 0:
        break
${work}
time.sleep(60)
`;

describe('without a cgroup', () => {
  it.each<[string, string, Limits, string]>([
    [
      'memory that one process asks for',
      'x = []\nwhile True: x.append(bytearray(10_000_000))',
      { memoryBytes: 200 * MB },
      'it asked for more memory than the 200MB that are allowed',
    ],
    [
      'memory of all processes together',
      IN_CHILDREN(3, `x = bytearray(${90 * MB})`),
      { memoryBytes: 200 * MB },
      'of memory, 200MB are allowed',
    ],
    [
      'processor time of one process',
      'while True: pass',
      { cpuTimeSeconds: 0.4 },
      'of processor time, 0.4 s are allowed',
    ],
    [
      'processor time of processes that have ended too',
      `import os, subprocess, sys
work = "import time\\nwhile time.process_time() < 0.1: pass"
while True: subprocess.run([sys.executable, "-c", work])`,
      { cpuTimeSeconds: 0.4 },
      'of processor time, 0.4 s are allowed',
    ],
  ])('%s', async (_, text, limits, told) => {
    await open();
    const runId = await test.run([step(text, limits)]);
    const error = await failure(runId);
    expect(error).toMatchObject({
      code: 'STEP_LIMIT',
      failureClass: 'limit',
    });
    expect(error.message).toContain(told);
    expect(error.message).toMatch(/raise limits\.(?:memory|cpu_time) in pipelines\/a\/dagster\.yaml/);
    expect(processesOfRun(runId)).toEqual([]);
  });

  it('memory that processes share counts once, and what is below the limits is not disturbed', async () => {
    await open();
    const text = `
import os
x = bytearray(${120 * MB})
for _ in range(4):
    if os.fork() == 0:
        x = None if len(x) == 1 else x
        break
import time
time.sleep(1.2)`;
    const limits = { memoryBytes: 300 * MB, cpuTimeSeconds: 100, cpus: 1 };
    const runId = await test.run([step(text, limits)]);
    expect((await test.store.runs.state(runId))!.status).toBe('SUCCESS');
    expect(await test.log(runId, 'a')).toEqual(['system limits.cpus is not kept here: not in these tests']);
    const { event } = (await test.events(runId)).find((record) => record.event.type === 'step_succeeded')!;
    expect(event).toMatchObject({ metadata: { cpu_seconds: expect.any(Number) as number } });
  });
});

describe('a limit that was met', () => {
  const hungry = 'print(1, flush=True)\nx = bytearray(900_000_000)';

  it('is retried only by the policy of the pipeline, never by run_retries', async () => {
    await open();
    const limits = { memoryBytes: 200 * MB };
    const once = await test.run([step(hungry, limits)], { runRetriesLeft: 2 });
    expect((await test.store.runs.state(once))!.steps['a']).toMatchObject({ attempt: 1 });
    expect(await test.store.runs.list({ limit: 10 })).toHaveLength(1);
    const thrice = await test.run([step(hungry, limits, { retry: { maxRetries: 2, delay: 0 } })]);
    expect((await test.store.runs.state(thrice))!.steps['a']).toMatchObject({ attempt: 3, retriesSpent: 2 });
  });

  it('does not undo what came to its end', async () => {
    await open();
    const text = `
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
while True: time.process_time()`;
    const runId = await test.run([step(text, { cpuTimeSeconds: 0.4 })]);
    // A script that ends well when it is told to stop may not be through: its word is not enough.
    expect(await failure(runId)).toMatchObject({ code: 'STEP_LIMIT' });
    const done = text.replace('os._exit(0)', '(emit(type="end", status="ok"), os._exit(0))');
    const emit = `import json, os
def emit(**event):
    open(os.environ["ELT_EVENTS_FILE"], "a").write(json.dumps(event) + "\\n")`;
    const finished = await test.run([step(`${emit}\n${done}`, { cpuTimeSeconds: 0.4 }, { tool: 'dlt' })]);
    expect((await test.store.runs.state(finished))!.status).toBe('SUCCESS');
  });
});

describe('with a cgroup', () => {
  /** Files as the kernel would show them; it is the service that writes them. */
  const group = () => join(home, 'group');
  const cgroups = { groupOf: group, problem: () => null };

  it('puts the step in it before it runs anything, and reads there what was met', async () => {
    await open({ cgroups });
    const text = `
import os
group = ${JSON.stringify(group())}
for name in ("memory.max", "memory.oom.group", "cpu.max", "cgroup.procs"):
    print(name, open(os.path.join(group, name)).read())
open(os.path.join(group, "memory.events"), "w").write("low 0\\noom 1\\noom_kill 1\\n")
open(os.path.join(group, "memory.peak"), "w").write("2000000000\\n")
open(os.path.join(group, "cpu.stat"), "w").write("usage_usec 5\\n")
os.kill(os.getpid(), 9)`;
    const runId = await test.run([step(text, { memoryBytes: 2e9, cpus: 1.5, cpuTimeSeconds: 9 })]);
    expect(await test.log(runId, 'a')).toEqual([
      'stdout memory.max 2000000000',
      'stdout memory.oom.group 1',
      'stdout cpu.max 150000 100000',
      'stdout cgroup.procs 0',
    ]);
    expect(await failure(runId)).toMatchObject({
      code: 'STEP_LIMIT',
      signal: 'SIGKILL',
      message: expect.stringContaining('it used 2 GB of memory, 2GB are allowed') as string,
    });
  });

  it('reads the time of all processes there', async () => {
    await open({ cgroups });
    const text = `
import time
open(${JSON.stringify(`${group()}/cpu.stat`)}, "w").write("usage_usec 90000000\\nuser_usec 1\\n")
time.sleep(60)`;
    expect(await failure(await test.run([step(text, { cpuTimeSeconds: 2 })]))).toMatchObject({
      message: expect.stringContaining('it used 90 s of processor time, 2 s are allowed') as string,
    });
  });

  it('removes it when the step is over; goes on with the other means where none can be made', async () => {
    await open({ cgroups });
    // A group that the kernel made can be removed although there are files in it; this one has to be emptied first.
    const empty = `import os; os.remove(${JSON.stringify(`${group()}/cgroup.procs`)}); os.mkdir("seen")`;
    await test.run([step(empty, { cpuTimeSeconds: 60 })]);
    writeFileSync(group(), 'in the way');
    const runId = await test.run([step('x = bytearray(900_000_000)', { memoryBytes: 200 * MB, cpus: 1 })]);
    expect(await failure(runId)).toMatchObject({ code: 'STEP_LIMIT' });
    expect((await test.log(runId, 'a'))[0]).toMatch(
      /limits\.cpus is not kept here: no cgroup could be made: /,
    );
    expect(readFileSync(group(), 'utf8')).toBe('in the way');
  });
});
