import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { advance } from '../../src/engine/advance.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { openTestEngine, type TestEngine, type TestEngineOptions, type TestStep } from '../helpers/engine.ts';
import { dayPartition } from '../helpers/run-step-command.ts';
import { isRunning, processesOfRun } from '../helpers/step-processes.ts';

let home: string;
let test: TestEngine;
const open = async (options: Partial<TestEngineOptions> = {}): Promise<TestEngine> => {
  test = await openTestEngine({ home, ...options });
  return test;
};
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'elt-engine-'));
});
afterEach(async () => {
  await test.close();
  rmSync(home, { recursive: true, force: true });
});

const step = (stepKey: string, text: string, fields: Partial<TestStep> = {}): TestStep => ({
  stepKey,
  files: { 'main.py': text },
  ...fields,
});
const statusOf = async (runId: string) => (await test.store.runs.state(runId))?.status;
const BY = { kind: 'cli', user: 'me' } as const;
/** Fails until the file is there. */
const needsFile = (name: string) =>
  `import os, sys\nsys.exit(0 if os.path.exists(${JSON.stringify(join(home, name))}) else "no file")`;

describe('runs again', () => {
  it('from the failure, at the same code, with what had succeeded left alone', async () => {
    await open();
    const steps = [
      step('a', 'pass'),
      step('b', needsFile('go'), { needs: ['a'] }),
      step('c', 'pass', { needs: ['b'] }),
    ];
    const first = await test.run(steps);
    expect(await statusOf(first)).toBe('FAILURE');
    writeFileSync(join(home, 'go'), '');
    const { runIds } = await test.engine.retry(first, { fromFailure: true, latest: false, by: BY });
    await test.engine.finished(runIds[0]!);
    const plan = (await test.store.runs.plan(runIds[0]!))!;
    expect(plan.steps.map(({ stepKey, needs }) => [stepKey, needs])).toEqual([
      ['b', []],
      ['c', ['b']],
    ]);
    expect(plan.cause).toEqual({ kind: 'retry', runId: first, by: 'cli:me' });
    expect(await statusOf(runIds[0]!)).toBe('SUCCESS');
    await expect(
      test.engine.retry(runIds[0]!, { fromFailure: true, latest: false, by: BY }),
    ).rejects.toMatchObject({ code: 'RUN_NOT_RETRYABLE' });
    await expect(
      test.engine.retry('nope', { fromFailure: true, latest: false, by: BY }),
    ).rejects.toMatchObject({
      code: 'RUN_NOT_FOUND',
    });
  });

  it('by itself as often as run_retries says, each time once', async () => {
    await open();
    const first = await test.run([step('a', 'pass'), step('b', 'raise SystemExit(1)')], {
      runRetriesLeft: 2,
    });
    const runs = () => test.store.runs.list({ limit: 10 });
    for (let known = 0; known < 3; ) {
      const listed = await runs();
      for (const run of listed) await test.engine.finished(run.runId);
      known = listed.length;
    }
    const [third, second] = (await runs()).map((run) => run.cause);
    expect(await runs()).toHaveLength(3);
    expect(second).toEqual({ kind: 'run_retry', runId: first });
    expect(third).toMatchObject({ kind: 'run_retry' });
    const plan = (await test.store.runs.plan((await runs())[0]!.runId))!;
    expect(plan.steps.map(({ stepKey }) => stepKey)).toEqual(['b']);
    expect(plan.runRetriesLeft).toBe(0);
  });

  it('but not what wrote all of its rows and was found bad: they would be there twice', async () => {
    await open();
    const events = [
      { type: 'materialization', asset_key: 'a', metadata: { rows: 3 } },
      { type: 'check', asset_key: 'a', check_name: 'c', passed: false, severity: 'ERROR', metadata: {} },
      { type: 'end', status: 'ok' },
    ];
    const text = `import json, os
with open(os.environ["ELT_EVENTS_FILE"], "a") as file:
    for event in json.loads(${JSON.stringify(JSON.stringify(events))}): file.write(json.dumps(event) + "\\n")`;
    const runId = await test.run([step('a', text, { tool: 'dlt', blockingChecks: ['c'] })], {
      runRetriesLeft: 2,
    });
    expect((await test.store.runs.state(runId))!).toMatchObject({
      status: 'FAILURE',
      steps: { a: { error: { code: 'BLOCKING_CHECK_FAILED' } } },
    });
    expect(await test.store.runs.list({ limit: 10 })).toHaveLength(1);
  });
});

describe('several runs', () => {
  it('one waits for another of its launch, and does not start when that failed', async () => {
    await open();
    const ok = await test.launch([step('a', 'import time; time.sleep(0.2)')]);
    const below = await test.launch([step('b', 'pass')], { after: [ok] });
    await test.engine.finished(below);
    const a = (await test.store.runs.state(ok))!;
    const b = (await test.store.runs.state(below))!;
    expect([a.status, b.status]).toEqual(['SUCCESS', 'SUCCESS']);
    expect(b.startedAt).toBeGreaterThanOrEqual(a.endedAt!);

    const bad = await test.launch([step('a', 'raise SystemExit(1)')]);
    const skipped = await test.launch([step('b', 'pass')], { after: [bad] });
    await test.engine.finished(skipped);
    expect((await test.store.runs.state(skipped))!).toMatchObject({
      status: 'FAILURE',
      steps: { b: { status: 'skipped', attempt: 0 } },
    });
  });

  it('the one with the highest priority is next, then the oldest', async () => {
    await open({ limits: { maxSteps: 1 } });
    const order = join(home, 'order');
    const append = (name: string) => `open(${JSON.stringify(order)}, "a").write("${name} ")`;
    const hold = `import os, time\nwhile not os.path.exists(${JSON.stringify(join(home, 'go'))}): time.sleep(0.01)`;
    const first = await test.launch([step('hold', hold)]);
    await test.seen(first, ({ event }) => event.type === 'step_started');
    const runs = [
      await test.launch([step('low', append('low'))], { priority: -10 }),
      await test.launch([step('old', append('old'))]),
      await test.launch([step('new', append('new'))]),
      await test.launch([step('high', append('high'))], { priority: 10 }),
    ];
    writeFileSync(join(home, 'go'), '');
    for (const runId of runs) await test.engine.finished(runId);
    expect(readFileSync(order, 'utf8')).toBe('high old new low ');
  });

  it('no more are in flight than allowed', async () => {
    await open({ limits: { maxConcurrentRuns: 2 } });
    const runs = [];
    for (let index = 0; index < 5; index++) runs.push(await test.launch([step('a', 'pass')]));
    for (const runId of runs) await test.engine.finished(runId);
    const events = (await Promise.all(runs.map((runId) => test.events(runId)))).flat();
    let running = 0;
    let most = 0;
    for (const { event } of events.sort((a, b) => a.eventId - b.eventId)) {
      if (event.type === 'run_started') running += 1;
      if (event.type === 'run_succeeded') running -= 1;
      most = Math.max(most, running);
    }
    expect([most, running]).toEqual([2, 0]);
  });
});

describe('P7: the service ends', () => {
  const work = `import os, time
open(${'__PIDS__'}, "a").write(str(os.getpid()) + "\\n")
while not os.path.exists(${'__GO__'}): time.sleep(0.01)
print("done")`;
  const script = () =>
    work
      .replace('__PIDS__', JSON.stringify(join(home, 'pids')))
      .replace('__GO__', JSON.stringify(join(home, 'go')));

  it('and leaves its steps to the next one, which goes on with the same process', async () => {
    await open();
    const runId = await test.launch([step('a', script())]);
    await test.seen(runId, ({ event }) => event.type === 'step_started');
    await test.close(false);
    expect(processesOfRun(runId)).toHaveLength(2);
    const lease = join(home, 'steps', readdirSync(join(home, 'steps'))[0]!, 'lease');
    utimesSync(lease, 0, 0);
    await open();
    expect(await test.engine.adopt()).toEqual({ adopted: 1, lost: 0, resumed: 1 });
    // The supervisor is told at once that somebody wants the step, not at the next renewal minutes later.
    expect(statSync(lease).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
    writeFileSync(join(home, 'go'), '');
    await test.engine.finished(runId);
    expect(await statusOf(runId)).toBe('SUCCESS');
    expect(readFileSync(join(home, 'pids'), 'utf8').trim().split('\n')).toHaveLength(1);
  });

  it('and takes its steps with it: they are run again without spending a retry', async () => {
    await open();
    const runId = await test.launch([step('a', script())]);
    await test.seen(runId, ({ event }) => event.type === 'step_started');
    await test.close(true);
    expect(processesOfRun(runId)).toEqual([]);
    await open();
    writeFileSync(join(home, 'go'), '');
    expect(await test.engine.adopt()).toMatchObject({ resumed: 1 });
    await test.engine.finished(runId);
    expect((await test.store.runs.state(runId))!).toMatchObject({
      status: 'SUCCESS',
      steps: { a: { attempt: 2, retriesSpent: 0 } },
    });
  });

  it('E9: and its steps are tried again as often as their policy says, no matter how often it ends', async () => {
    await open();
    const runId = await test.launch([
      step('a', 'raise SystemExit(1)', { retry: { maxRetries: 2, delay: 0.2, jitter: 'PLUS_MINUS' } }),
    ]);
    for (const attempt of [1, 2]) {
      await test.seen(
        runId,
        ({ event }) => event.type === 'step_retry_scheduled' && event.attempt === attempt,
      );
      await test.close(false);
      await open();
      await test.engine.adopt();
    }
    await test.engine.finished(runId);
    expect((await test.store.runs.state(runId))!).toMatchObject({
      status: 'FAILURE',
      steps: { a: { attempt: 3, retriesSpent: 2 } },
    });
    const waits = (await test.events(runId)).flatMap(({ event }) =>
      event.type === 'step_retry_scheduled' ? [event.delaySeconds] : [],
    );
    expect(waits).toHaveLength(2);
    for (const seconds of waits) {
      expect(seconds).toBeGreaterThanOrEqual(0);
      expect(seconds).toBeLessThanOrEqual(0.4);
    }
  });

  it('a canceled step stays canceled when the service dies before it ended', async () => {
    await open();
    const stubborn = `import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n${script()}`;
    const runId = await test.launch([step('a', stubborn, { graceMs: 1_500 })]);
    await test.seen(runId, ({ event }) => event.type === 'step_started');
    await test.engine.cancel(runId, 'me');
    await test.close(false);
    await open();
    await test.engine.adopt();
    await test.engine.finished(runId);
    expect(await statusOf(runId)).toBe('CANCELED');
    expect(processesOfRun(runId)).toEqual([]);
  });
});

describe('never two live attempts of a step', () => {
  /** The system's clock, moved by the test: what a machine sees that slept. */
  function jumpingClock(): Clock & { jump: (ms: number) => void } {
    let offset = 0;
    const clock = systemClock();
    return {
      now: () => clock.now() + offset,
      sleepUntil: (at, signal) => clock.sleepUntil(at - offset, signal),
      jump(ms) {
        offset += ms;
      },
    };
  }
  const path = (name: string) => JSON.stringify(join(home, name));
  /** Fails if another one of it lives; ends when told to. */
  const alone = () => `import os, sys, time
try:
    os.close(os.open(${path('alone')}, os.O_CREAT | os.O_EXCL))
except FileExistsError:
    other = int(open(${path('pid')}).read())
    try:
        state = open(f"/proc/{other}/stat").read().rsplit(")", 1)[1].split()[0]
    except OSError:
        state = "gone"
    if state not in ("Z", "X", "gone"):
        open(${path('two')}, "w")
open(${path('pid')}, "w").write(str(os.getpid()))
open(${path('begun')}, "a").write("x")
print("begun")
while not os.path.exists(${path('go')}): time.sleep(0.01)`;

  it('T2: a machine that slept for longer than the leases goes on with its steps', async () => {
    const clock = jumpingClock();
    await open({ clock });
    const runId = await test.launch([step('a', alone())]);
    await test.seen(runId, ({ event }) => event.type === 'step_started');
    clock.jump(3 * 86_400_000);
    test.engine.wake(runId);
    const other = await test.run([step('b', 'pass')]);
    expect(await statusOf(other)).toBe('SUCCESS');
    writeFileSync(join(home, 'go'), '');
    await test.engine.finished(runId);
    expect((await test.store.runs.state(runId))!).toMatchObject({
      status: 'SUCCESS',
      steps: { a: { attempt: 1 } },
    });
  });

  it('an attempt that was declared lost is ended before the next one starts', async () => {
    const clock = jumpingClock();
    await open({ clock });
    const runId = await test.launch([step('a', alone())]);
    await test.logged(runId, 'a', 'stdout begun');
    clock.jump(3 * 86_400_000);
    // Somebody else decides, who does not know that the process lives.
    await advance(test.store, runId, { maxSteps: 4, maxConcurrentRuns: null, pools: {} });
    test.engine.wake(runId);
    await test.seen(runId, ({ event }) => event.type === 'step_started' && event.attempt === 2);
    writeFileSync(join(home, 'go'), '');
    await test.engine.finished(runId);
    expect((await test.store.runs.state(runId))!).toMatchObject({
      status: 'SUCCESS',
      steps: { a: { attempt: 2 } },
    });
    expect(readFileSync(join(home, 'begun'), 'utf8')).toBe('xx');
    expect(existsSync(join(home, 'two'))).toBe(false);
  });
});

it('removes what an attempt left that nobody knows any more, and ends its process', async () => {
  await open();
  const runId = await test.launch([step('a', 'import time; time.sleep(60)')]);
  const { event } = await test.seen(runId, (record) => record.event.type === 'step_started');
  await test.close(false);
  for (const name of ['elt.db', 'elt.db-wal', 'elt.db-shm']) rmSync(join(home, name), { force: true });
  await open();
  expect(await test.engine.adopt()).toEqual({ adopted: 0, lost: 0, resumed: 0 });
  expect(event.type === 'step_started' && isRunning(event.pid)).toBe(false);
  expect(processesOfRun(runId)).toEqual([]);
});

it('advance says the same twice and does nothing the second time', async () => {
  await open({ limits: { maxSteps: 0 } });
  const runId = await test.launch([step('a', 'pass'), step('b', 'pass')]);
  const limits = { maxSteps: 1, maxConcurrentRuns: null, pools: {} };
  // No transport acts between the two: the reply of the first could have been lost.
  const first = await advance(test.store, runId, limits);
  const second = await advance(test.store, runId, limits);
  expect(first!.dispatch.map(({ stepKey, attempt }) => [stepKey, attempt])).toEqual([['a', 1]]);
  expect(second!.dispatch.map(({ stepKey, attempt }) => [stepKey, attempt])).toEqual([['a', 1]]);
  expect(second!.commands).toEqual([]);
  expect(await advance(test.store, 'nope', limits)).toBeNull();
});

it('never shows a secret: not in the log, an event, an error, nor on the disk', async () => {
  const secretsDir = join(home, 'secrets');
  mkdirSync(join(secretsDir, 'a', '.dlt'), { recursive: true });
  writeFileSync(join(secretsDir, 'a', '.dlt', 'secrets.toml'), 'api_key = "from-the-file"\n');
  await open({
    secretsDir,
    environment: { PATH: process.env['PATH']!, MY_PASSWORD: 'correct horse/battery' },
  });
  const text = `
import base64, json, os, urllib.parse
secret = os.environ["PASSWORD"]
with open(os.environ["ELT_EVENTS_FILE"], "a") as file:
    file.write(json.dumps({"type": "log", "level": "info", "message": "using " + secret}) + "\\n")
print(secret, urllib.parse.quote(secret, safe=""), base64.b64encode(secret.encode()).decode())
print(open(".dlt/secrets.toml").read())
raise ValueError("cannot log in with " + secret)
`;
  const runId = await test.run([step('a', text, { config: { env: { PASSWORD: '${MY_PASSWORD}' } } })]);
  const said = JSON.stringify([await test.log(runId, 'a'), await test.events(runId)]);
  expect(said).toContain('using ***');
  expect(said).toContain('ValueError: cannot log in with ***');
  for (const secret of [
    'correct horse',
    'correct%20horse',
    btoa('correct horse/battery').slice(0, 20),
    'from-the-file',
  ]) {
    expect(said).not.toContain(secret);
    const found = grep(secret, [join(home, 'logs'), join(home, 'elt.db'), join(home, 'data')]);
    expect(found).toBe('');
  }
});

it('gives a step what it is promised, and its files', async () => {
  await open({ environment: { PATH: process.env['PATH']!, MINE: '1' } });
  const text = `
import json, os
with open(os.environ["ELT_EVENTS_FILE"], "a") as file:
    file.write(json.dumps({"type": "env", **os.environ, "cwd": os.getcwd(), "read": open("in.txt").read()}) + "\\n")
open("out.txt", "w").write("kept")
`;
  const files = { 'main.py': text, 'in.txt': 'content' };
  const spec = { ...dayPartition('2026-01-05'), timezone: 'Europe/Vienna' };
  const runId = await test.run([{ stepKey: 'a', pipeline: 'shop', files, spec, assets: ['shop/a'] }]);
  const other = (await test.events(runId)).find(({ event }) => event.type === 'other');
  const env = other?.event.type === 'other' ? (other.event.payload as Record<string, string>) : {};
  expect(env).toMatchObject({
    ELT_RUN_ID: runId,
    ELT_STEP_KEY: 'a',
    ELT_PIPELINE: 'shop',
    ELT_COMMIT: 'c'.repeat(40),
    ELT_ATTEMPT: '1',
    ELT_RETRY_NUMBER: '0',
    ELT_ASSET_KEYS: '["shop/a"]',
    ELT_ASSET_KEY: 'shop/a',
    ELT_PARTITION_KEY: '2026-01-05',
    ELT_PARTITION_KEYS: '["2026-01-05"]',
    ELT_PARTITION_RANGE_START: '2026-01-05',
    ELT_PARTITION_RANGE_END: '2026-01-05',
    ELT_PARTITION_START: '2026-01-05T01:00:00+01:00',
    ELT_PARTITION_TIMEZONE: 'Europe/Vienna',
    cwd: join(home, 'data', 'elt_pipelines', 'shop'),
    read: 'content',
  });
  expect(Object.keys(env)).not.toContain('MINE');
  expect(Object.keys(env).filter((name) => name.startsWith('ELT_REDACT'))).toEqual([]);
  for (const name of ['DAGSTER_PIPES_CONTEXT', 'DAGSTER_PIPES_MESSAGES']) expect(env).toHaveProperty(name);
  expect(readFileSync(join(home, 'data', 'elt_pipelines', 'shop', 'out.txt'), 'utf8')).toBe('kept');
  const rows = await test.store.assets.materializations('shop/a', { limit: 1 });
  expect(rows[0]).toMatchObject({
    partition: '2026-01-05',
    metadata: { commit: 'c'.repeat(40), partition: '2026-01-05' },
  });
});

it('says which line of .env is missing, and does not try again', async () => {
  await open();
  const runId = await test.run([
    step('a', 'pass', { config: { env: { KEY: '${API_KEY}' } }, retry: { maxRetries: 3, delay: 0 } }),
  ]);
  const { a } = (await test.store.runs.state(runId))!.steps;
  expect(a).toMatchObject({ attempt: 1, error: { code: 'SECRET_MISSING', failureClass: 'config' } });
  expect(a!.error!.message).toContain('add the line API_KEY=<value> to .env');
});

it('tells of a file that a run wrote where the next revision has its own', async () => {
  await open();
  await test.run([{ stepKey: 'a', treeId: 'one', files: { 'main.py': 'open("x.csv", "w").write("mine")' } }]);
  const second = await test.run([
    { stepKey: 'a', treeId: 'two', files: { 'main.py': 'print(open("x.csv").read())', 'x.csv': 'git' } },
  ]);
  expect(await test.log(second, 'a')).toEqual(['stdout mine']);
  const [first] = (await test.events(second)).filter(({ event }) => event.type === 'log');
  expect(first).toMatchObject({ n: 1, event: { level: 'warning' } });
  expect(JSON.stringify(first)).toContain('FILE_COLLISION x.csv');
});

/** Lines of files below that hold the text; '' if none does. */
function grep(text: string, paths: readonly string[]): string {
  try {
    return execFileSync('grep', ['-rlaF', text, ...paths], { encoding: 'utf8' });
  } catch (error) {
    if ((error as { status?: number }).status === 1) return '';
    throw error;
  }
}
