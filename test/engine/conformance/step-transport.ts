import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EventRecord, StepError } from '../../../src/events/run-event.ts';
import type { TestEngine, TestStep } from '../../helpers/engine.ts';
import { isRunning, processesOfRun } from '../../helpers/step-processes.ts';

/** What a transport needs for its tests: an engine on it, and a folder that steps and test share. */
export interface TransportUnderTest {
  readonly test: () => TestEngine;
  readonly folder: () => string;
}

/** Appends events by the protocol of our own runners. */
const EMIT = `
import json, os
def emit(**event):
    with open(os.environ["ELT_EVENTS_FILE"], "a") as file:
        file.write(json.dumps(event) + "\\n")
`;

/** Says that it is ready by an event, then works for a minute. */
const WORK = `${EMIT}
import time
emit(type="stage_start", stage="work")
time.sleep(60)
`;

/**
 * The laws of every step transport, with scripted steps: results, order of events, cancel, time-out, and that nothing
 * of a step outlives it.
 */
export function stepTransportConformance({ test, folder }: TransportUnderTest): void {
  async function errorOf(runId: string, stepKey = 'a'): Promise<StepError | null> {
    return (await test().store.runs.state(runId))!.steps[stepKey]!.error;
  }
  async function typesOf(runId: string): Promise<string[]> {
    return (await test().events(runId)).map((record) => record.event.type);
  }
  const script = (text: string, step: Partial<TestStep> = {}): TestStep[] => [
    { stepKey: 'a', files: { 'main.py': text }, ...step },
  ];
  const isReady = (record: EventRecord): boolean => record.event.type === 'stage_start';

  describe('results', () => {
    it.each<[string, string, Partial<TestStep>, string, Partial<StepError> | null]>([
      ['exit code 0', 'pass', {}, 'succeeded', null],
      [
        'exit code 3',
        'raise SystemExit(3)',
        {},
        'failed',
        { code: 'STEP_FAILED', exitCode: 3, failureClass: 'user' },
      ],
      [
        'an exception',
        'import os\ndef load():\n    raise KeyError("amount")\nload()',
        {},
        'failed',
        { message: "KeyError: 'amount'", file: 'main.py', line: 3 },
      ],
      [
        'a signal that is not ours',
        'import os\nos.kill(os.getpid(), 9)',
        {},
        'failed',
        { signal: 'SIGKILL', failureClass: 'transient' },
      ],
      [
        'a program that is not there',
        '',
        { command: ['no-such-program'] },
        'failed',
        { failureClass: 'config' },
      ],
      ['end and exit code 0', `${EMIT}\nemit(type="end", status="ok")`, { tool: 'dlt' }, 'succeeded', null],
      [
        'end, but exit code 1',
        `${EMIT}\nemit(type="end", status="ok")\nraise SystemExit(1)`,
        { tool: 'dlt' },
        'failed',
        { exitCode: 1 },
      ],
      [
        'a runner that says that it failed',
        `${EMIT}\nemit(type="end", status="failed", failure_class="config", error={"name": "E", "message": "no key"})`,
        { tool: 'dlt' },
        'failed',
        { message: 'E: no key', failureClass: 'config' },
      ],
    ])('%s', async (_name, text, step, status, error) => {
      const runId = await test().run(script(text, step));
      const state = await test().store.runs.state(runId);
      expect(state!.steps['a']!.status).toBe(status);
      if (error === null) expect(state!.steps['a']!.error).toBeNull();
      else expect(state!.steps['a']!.error).toMatchObject(error);
      expect(state!.status).toBe(status === 'succeeded' ? 'SUCCESS' : 'FAILURE');
    });

    it('E3: a runner that ends without saying so is lost, whatever its exit code', async () => {
      const runId = await test().launch(script('pass', { tool: 'dlt' }));
      await test().seen(runId, ({ event }) => event.type === 'step_retry_scheduled');
      expect(await errorOf(runId)).toMatchObject({ failureClass: 'lost' });
      await test().engine.cancel(runId, 'test');
      await test().engine.finished(runId);
    });

    it('a Pipes script reports materializations, checks and its exception', async () => {
      const message = (method: string, params: unknown) =>
        JSON.stringify({ __dagster_pipes_version: '0.1', method, params });
      const lines = [
        message('opened', {}),
        message('report_asset_materialization', {
          asset_key: 'a',
          data_version: null,
          metadata: { 'dagster/row_count': { raw_value: 7, type: 'int' } },
        }),
        message('report_asset_check', {
          asset_key: 'a',
          check_name: 'ok',
          passed: true,
          severity: 'WARN',
          metadata: {},
        }),
        message('closed', { exception: { name: 'ValueError', message: 'late', stack: ['x\n'] } }),
      ];
      const text = `${EMIT}\nfor line in ${JSON.stringify(lines)}:\n    emit(**json.loads(line))`;
      const runId = await test().run(script(text));
      expect(await errorOf(runId)).toMatchObject({ message: 'ValueError: late', failureClass: 'user' });
      const materialization = (await test().events(runId)).find(
        ({ event }) => event.type === 'materialization',
      );
      expect(materialization).toMatchObject({ n: 2, event: { asset_key: 'a', metadata: { rows: 7 } } });
    });

    it('a blocking check that fails fails the step and skips what lies below', async () => {
      const check = `${EMIT}\nemit(type="check", asset_key="a", check_name="rows", passed=False, severity="WARN", metadata={})`;
      const runId = await test().run([
        ...script(check, { blockingChecks: ['rows'] }),
        { stepKey: 'b', needs: ['a'], files: { 'main.py': 'open("ran", "w")' } },
      ]);
      const state = (await test().store.runs.state(runId))!;
      expect(state.status).toBe('FAILURE');
      expect(state.steps['a']!.error).toMatchObject({ code: 'BLOCKING_CHECK_FAILED', failureClass: 'data' });
      expect(state.steps['b']!.status).toBe('skipped');
      // What was checked is there all the same.
      expect(await typesOf(runId)).toContain('materialization');
    });
  });

  it('stores events in their order, before the result, and log lines in theirs', async () => {
    const text = `${EMIT}
for number in range(300):
    emit(type="log", level="info", message=str(number))
    print("line", number)
emit(type="materialization", asset_key="a", metadata={"rows": 300})
emit(type="end", status="ok")
`;
    const runId = await test().run(script(text, { tool: 'dlt' }));
    const events = await test().events(runId);
    const messages = events.flatMap(({ event }) => (event.type === 'log' ? [event.message] : []));
    expect(messages).toEqual(Array.from({ length: 300 }, (_, index) => String(index)));
    const order = events.map(({ event }) => event.type).filter((type) => type !== 'log');
    expect(order.filter((type) => type !== 'other')).toEqual([
      'run_enqueued',
      'run_started',
      'step_dispatched',
      'step_started',
      'materialization',
      'step_succeeded',
      'run_succeeded',
    ]);
    const log = await test().log(runId, 'a');
    expect(log).toEqual(Array.from({ length: 300 }, (_, index) => `stdout line ${index}`));
  });

  it('A12: shows output and events while the step runs', async () => {
    const go = join(folder(), 'go');
    const text = `${EMIT}
import time
print("working")
emit(type="progress", stage="load", rows=3)
while not os.path.exists(${JSON.stringify(go)}):
    time.sleep(0.01)
`;
    const runId = await test().launch(script(text));
    await test().seen(runId, ({ event }) => event.type === 'progress');
    await test().logged(runId, 'a', 'stdout working');
    expect((await test().store.runs.state(runId))!.status).toBe('STARTED');
    writeFileSync(go, '');
    await test().engine.finished(runId);
  });

  it('retries by the policy, counts attempts and says so to the script', async () => {
    const text = `${EMIT}
emit(type="log", level="info", message=os.environ["ELT_ATTEMPT"] + "/" + os.environ["ELT_RETRY_NUMBER"])
if os.environ["ELT_ATTEMPT"] != "3":
    raise SystemExit("not yet")
`;
    const runId = await test().run(script(text, { retry: { maxRetries: 2, delay: 0.05 } }));
    const state = (await test().store.runs.state(runId))!;
    expect(state.status).toBe('SUCCESS');
    expect(state.steps['a']).toMatchObject({ attempt: 3, retriesSpent: 2 });
    const said = (await test().events(runId)).flatMap(({ event }) =>
      event.type === 'log' ? [event.message] : [],
    );
    expect(said).toEqual(['1/0', '2/1', '3/2']);
  });

  it('A12: cancel: the tool hears the signal, ends by itself, and the run is canceled', async () => {
    const text = `${EMIT}
import signal, sys, time
def stop(*_):
    print("cleaning up")
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
emit(type="stage_start", stage="work")
time.sleep(60)
`;
    const runId = await test().launch([
      ...script(text),
      { stepKey: 'b', needs: ['a'], files: { 'main.py': '' } },
    ]);
    await test().seen(runId, isReady);
    await test().engine.cancel(runId, 'somebody');
    await test().engine.finished(runId);
    const state = (await test().store.runs.state(runId))!;
    expect(state).toMatchObject({ status: 'CANCELED', cancelRequestedBy: 'somebody' });
    expect([state.steps['a']!.status, state.steps['b']!.status]).toEqual(['canceled', 'canceled']);
    expect(await test().log(runId, 'a')).toContain('stdout cleaning up');
    expect(processesOfRun(runId)).toEqual([]);
  });

  it('E5, A12: a tool that ignores the signal is killed after the grace time, at a time-out too', async () => {
    const text = `import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n${WORK}`;
    const [canceled, timedOut] = await Promise.all([
      test().launch(script(text, { graceMs: 300 })),
      test().run(script(text, { graceMs: 300, timeoutSeconds: 1 })),
    ]);
    await test().seen(canceled, isReady);
    await test().engine.cancel(canceled, 'test');
    await test().engine.finished(canceled);
    const result = (await test().events(canceled)).find(({ event }) => event.type === 'step_canceled');
    expect(result?.event).toMatchObject({ forced: true });
    expect(await errorOf(timedOut)).toMatchObject({ code: 'STEP_TIMEOUT', failureClass: 'timeout' });
    expect([...processesOfRun(canceled), ...processesOfRun(timedOut)]).toEqual([]);
  });

  it('E6: cancel in a retry wait and cancel twice are terminal', async () => {
    const runId = await test().launch(
      script('raise SystemExit(1)', { retry: { maxRetries: 5, delay: 3600 } }),
    );
    await test().seen(runId, ({ event }) => event.type === 'step_retry_scheduled');
    await test().engine.cancel(runId, 'test');
    await test().engine.finished(runId);
    expect((await test().store.runs.state(runId))!.status).toBe('CANCELED');
    await expect(test().engine.cancel(runId, 'test')).rejects.toMatchObject({ code: 'RUN_NOT_CANCELABLE' });
  });

  it('ends grandchildren that ignore signals and daemons that forked twice', async () => {
    const pids = join(folder(), 'pids');
    const text = `${EMIT}
import os, signal, subprocess, sys, time
stubborn = """import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), file=open(${JSON.stringify(pids)}, "a"), flush=True)
time.sleep(60)"""
subprocess.Popen([sys.executable, "-c", stubborn])
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", stubborn])
    os._exit(0)
while not os.path.exists(${JSON.stringify(pids)}) or len(open(${JSON.stringify(pids)}).readlines()) < 2:
    time.sleep(0.01)
emit(type="stage_start", stage="work")
if sys.argv[1:] == ["wait"]:
    time.sleep(60)
`;
    const ended = await test().run(script(text));
    const first = readFileSync(pids, 'utf8').trim().split('\n').map(Number);
    expect(first).toHaveLength(2);
    expect(first.filter(isRunning)).toEqual([]);
    expect(processesOfRun(ended)).toEqual([]);

    writeFileSync(pids, '');
    const canceled = await test().launch(
      script(text, { command: ['python', 'main.py', 'wait'], graceMs: 300 }),
    );
    await test().seen(canceled, isReady);
    await test().engine.cancel(canceled, 'test');
    await test().engine.finished(canceled);
    expect(readFileSync(pids, 'utf8').trim().split('\n').map(Number).filter(isRunning)).toEqual([]);
    expect(processesOfRun(canceled)).toEqual([]);
  });

  it('E2: a pool of one place runs one step at a time', async () => {
    const lock = join(folder(), 'lock');
    const text = `
import os, time
os.close(os.open(${JSON.stringify(lock)}, os.O_CREAT | os.O_EXCL))
time.sleep(0.05)
os.unlink(${JSON.stringify(lock)})
`;
    const runs = await Promise.all(
      ['a', 'b', 'c', 'd'].map((stepKey) =>
        test().run([{ stepKey, files: { 'main.py': text }, pools: ['one'] }]),
      ),
    );
    for (const runId of runs) expect((await test().store.runs.state(runId))!.status).toBe('SUCCESS');
  });

  it('a step that waits for its slot starts when one is free, and none is left taken', async () => {
    const runIds = await Promise.all(
      Array.from({ length: 9 }, (_, index) =>
        test().run([{ stepKey: `s${index}`, files: { 'main.py': '' } }]),
      ),
    );
    for (const runId of runIds) expect((await test().store.runs.state(runId))!.status).toBe('SUCCESS');
    expect(await test().store.steps.leases()).toEqual([]);
  });
}
