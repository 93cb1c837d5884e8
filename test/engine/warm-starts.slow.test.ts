import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestEngine, type TestEngine, type TestStep } from '../helpers/engine.ts';
import { isRunning, processesOfRun } from '../helpers/step-processes.ts';
import { type WarmScripts, warmScripts } from '../helpers/warm-script.ts';

let home: string;
let test: TestEngine;
let scripts: WarmScripts;

async function open(...args: Parameters<typeof warmScripts>): Promise<void> {
  scripts = warmScripts(...args);
  test = await openTestEngine({ home, ...scripts });
}
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'elt-warm-home-'));
});
afterEach(async () => {
  await test.close();
  await scripts.remove();
  rmSync(home, { recursive: true, force: true });
});

const script = (text: string, step: Partial<TestStep> = {}): TestStep => ({
  stepKey: 'a',
  files: { 'main.py': text },
  ...step,
});

/** Runs one step and returns the lines that it printed. */
async function lines(step: TestStep): Promise<string[]> {
  const runId = await test.run([step]);
  expect((await test.store.runs.state(runId))!.status).toBe('SUCCESS');
  // A supervisor is gone a moment after its result is there.
  await expect.poll(() => processesOfRun(runId)).toEqual([]);
  return (await test.log(runId, step.stepKey)).map((line) => line.replace(/^stdout /, ''));
}

/** All that a program can ask about how it was started. */
const DUMP = `
import json, os, signal, sys, time, locale
environ = [line.split("=", 1) for line in open("/proc/self/environ").read().strip("\\0").split("\\0")]
targets = {}
for name in os.listdir("/proc/self/fd"):
    try:
        target = os.readlink("/proc/self/fd/" + name)
    except OSError:
        continue
    targets[name] = target.split(":")[0]
umask = os.umask(0)
print(json.dumps({
    "environ": dict(os.environ), "proc_environ": dict(environ), "cwd": os.getcwd(), "path": sys.path[1:],
    "executable": sys.executable, "prefix": sys.prefix, "umask": umask, "fds": targets,
    "signals": {str(each): str(signal.getsignal(each)).split(" at ")[0] for each in signal.Signals},
    "blocked": [str(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
    "leads": [os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid()],
    "zone": time.tzname, "locale": locale.setlocale(locale.LC_ALL), "nice": os.nice(0),
    "encodings": [sys.stdout.encoding, sys.stderr.errors, sys.getfilesystemencoding()],
    "buffers": [sys.stdout.line_buffering, sys.stdout.write_through],
    "recursion": sys.getrecursionlimit(), "switch": sys.getswitchinterval(), "warnings": sys.warnoptions,
    "threads": len(os.listdir("/proc/self/task")), "ctty": open("/proc/self/stat").read().rpartition(")")[2].split()[4],
}))
`;

/** Paths and ids of an attempt, which differ from one to the next. */
function withoutIds(dump: string): unknown {
  const { path, ...rest } = JSON.parse(dump) as { path: string[] };
  return JSON.parse(
    JSON.stringify({ ...rest, path: path.filter((folder) => !folder.includes('elt-warm-')) })
      .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}(?:\.[0-9a-f]{12}\.\d)?/g, 'ID')
      // What the test's own process left open reaches programs that it starts.
      .replace(/"fds":(\{[^}]*\})/, '"fds":""')
      .replaceAll(/"DAGSTER_PIPES_CONTEXT":"[^"]*"/g, '"":""')
      .replaceAll(/"DAGSTER_PIPES_MESSAGES":"[^"]*"/g, '"":""'),
  );
}

it('a forked process is as a started one: environment, streams, signals, session, working folder', async () => {
  await open();
  const step = script(DUMP, { config: { env: { TZ: 'Asia/Tokyo', SHARED: 'x' } } });
  const [warm] = await lines(step);
  expect(scripts.warmStarts.servers()).toHaveLength(1);
  const cold = await openTestEngine({ home: join(home, 'cold'), pythonDir: scripts.pythonDir });
  try {
    const runId = await cold.run([step]);
    const [line] = await cold.log(runId, 'a');
    const started = withoutIds(line!.replace(/^stdout /, ''));
    expect(withoutIds(warm!.replaceAll(home, join(home, 'cold')))).toEqual(started);
  } finally {
    await cold.close();
  }
});

/** Leaves behind whatever a step can. */
const PLANT = `
import logging, os, random, signal, sys, threading, time
import planted
os.chdir("/tmp")
os.umask(0o077)
os.environ["PLANTED"] = planted.WORD
sys.path.insert(0, "/planted-path")
kept = open(os.environ["KEPT"], "w")
kept.write("not flushed " + os.environ["TOKEN"])
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.alarm(3600)
random.seed(1)
logging.basicConfig(level=logging.DEBUG)
threading.Thread(target=time.sleep, args=(0.05,)).start()
print("planted")
`;
/** Looks for it, in its own memory too. The word that is looked for is put together there from `[::-1]`. */
const LOOK = `
import json, logging, os, random, signal, sys
needle = "22retnuh-detnalp"[::-1].encode()
found = 0
for line in open("/proc/self/maps"):
    place, modes, *_ = line.split()
    if not modes.startswith("rw") or "[v" in line:
        continue
    begin, end = (int(part, 16) for part in place.split("-"))
    with open("/proc/self/mem", "rb", 0) as memory:
        memory.seek(begin)
        found += memory.read(end - begin).count(needle + b"-of")
print(json.dumps({
    "memory": found,
    "environ": [name for name in os.environ if name in ("TOKEN", "PLANTED")],
    "proc": "TOKEN" in open("/proc/self/environ").read(),
    "cwd": os.path.basename(os.getcwd()),
    "modules": [name for name in sys.modules if "planted" in name],
    "path": [each for each in sys.path if "planted" in each],
    "files": sorted(os.listdir("/proc/self/fd")),
    "umask": os.umask(0o22),
    "signal": signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL,
    "alarm": signal.alarm(0),
    "handlers": len(logging.root.handlers),
}))
print(random.random())
`;

it('nothing of a step is found in the next one: variables, secrets, folder, modules, files, memory', async () => {
  await open();
  const kept = join(home, 'kept.txt');
  const secret = 'planted-hunter22-of-the-first';
  await lines({
    stepKey: 'first',
    files: { 'main.py': PLANT, 'planted.py': `WORD = "${secret}"` },
    config: { env: { TOKEN: secret, KEPT: kept } },
  });
  const [dump, chance] = await lines(script(LOOK, { stepKey: 'second' }));
  expect(JSON.parse(dump!)).toEqual({
    memory: 0,
    environ: [],
    proc: false,
    cwd: 'second',
    modules: [],
    path: [],
    // The last one is the list's own.
    files: ['0', '1', '2', '3'],
    umask: 0o22,
    signal: true,
    alarm: 0,
    handlers: 0,
  });
  expect(chance).not.toBe((await lines(script(LOOK, { stepKey: 'third' })))[1]);
  // What the first one left open was written to its end, as by an interpreter that ends.
  expect(readFileSync(kept, 'utf8')).toBe(`not flushed ${secret}`);
  expect(scripts.warmStarts.servers()).toHaveLength(1);
});

it('the look at the memory finds what a step itself was given', async () => {
  await open();
  const [dump] = await lines(script(LOOK, { config: { env: { TOKEN: 'planted-hunter22-of-its-own' } } }));
  const { memory, proc } = JSON.parse(dump!) as { memory: number; proc: boolean };
  expect(memory).toBeGreaterThan(0);
  expect(proc).toBe(true);
});

it('ends as a program does: functions of its end, output, the code and text of its exit', async () => {
  await open();
  const text = `
import atexit, sys
atexit.register(lambda: print("at exit"))
class Last:
    def __del__(self):
        print("finalized")
last = Last()
last.itself = last
sys.stdout.write("no line end")
raise SystemExit("the text")
`;
  const runId = await test.run([script(text)]);
  const state = (await test.store.runs.state(runId))!;
  expect(state.steps['a']!.error).toMatchObject({ exitCode: 1, signal: null });
  const log = await test.log(runId, 'a');
  expect(log).toContain('stderr the text');
  expect(log.join('\n')).toContain('stdout no line endat exit');
  expect(log.join('\n')).toContain('finalized');
});

it('a module of the folder goes before one of its name that only the server has imported', async () => {
  await open();
  const [said] = await lines({
    stepKey: 'a',
    files: { 'main.py': 'import hashlib\nprint(hashlib.WORD)', 'hashlib.py': 'WORD = "own"' },
  });
  expect(said).toBe('own');
  expect(scripts.warmStarts.servers()).toHaveLength(1);
});

/** Writes its pid, waits for a file, and goes on. */
function waiting(): TestStep {
  const path = (name: string) => JSON.stringify(join(home, name));
  return script(`
import json, os, time
open(${path('pids')}, "a").write(f"{os.getpid()} {os.getppid()}\\n")
with open(os.environ["ELT_EVENTS_FILE"], "a") as file:
    file.write(json.dumps({"type": "stage_start", "stage": "work"}) + "\\n")
while not os.path.exists(${path('go')}):
    time.sleep(0.01)
print("went on")
`);
}
const pids = (): number[][] =>
  readFileSync(join(home, 'pids'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number));

async function begun(): Promise<string> {
  const runId = await test.launch([waiting()]);
  await test.seen(runId, ({ event }) => event.type === 'stage_start');
  return runId;
}

describe('kill -9', () => {
  it('of the fork server: steps run on and are recorded, the next one gets a new server', async () => {
    await open();
    const runId = await begun();
    const [server] = scripts.warmStarts.servers();
    process.kill(server!, 'SIGKILL');
    await gone(server!);
    writeFileSync(join(home, 'go'), '');
    await test.engine.finished(runId);
    expect((await test.store.runs.state(runId))!.status).toBe('SUCCESS');
    expect(await test.log(runId, 'a')).toContain('stdout went on');
    expect((await test.store.runs.state(runId))!.steps['a']!.attempt).toBe(1);
    await lines(waiting());
    expect(scripts.warmStarts.servers()).toHaveLength(1);
    expect(scripts.warmStarts.servers()).not.toContain(server);
  });

  it('of the supervisor: its step ends with it, and is tried again', async () => {
    await open();
    const runId = await begun();
    const [[step, supervisor]] = pids() as [[number, number]];
    process.kill(supervisor, 'SIGKILL');
    await gone(step);
    writeFileSync(join(home, 'go'), '');
    await test.engine.finished(runId);
    const state = (await test.store.runs.state(runId))!;
    expect(state.status).toBe('SUCCESS');
    expect(state.steps['a']).toMatchObject({ attempt: 2, retriesSpent: 0 });
    expect(pids()).toHaveLength(2);
  });

  it('of a server that has taken a request and not answered: the step is started once, cold', async () => {
    await open();
    await lines(script('print("up")'));
    const [server] = scripts.warmStarts.servers();
    process.kill(server!, 'SIGSTOP');
    const runId = await test.launch([waiting()]);
    await test.seen(runId, ({ event }) => event.type === 'step_dispatched');
    // Marked right before the server is asked, which hears nothing.
    await expect.poll(() => wasMarked(runId)).toBe(true);
    process.kill(server!, 'SIGKILL');
    writeFileSync(join(home, 'go'), '');
    await test.engine.finished(runId);
    const state = (await test.store.runs.state(runId))!;
    expect(state.status).toBe('SUCCESS');
    expect(state.steps['a']!.attempt).toBe(1);
    expect(pids()).toHaveLength(1);
  });
});

describe('a fork server', () => {
  it('is shared by steps that ask while it comes up', async () => {
    await open({}, { preload: inServer('time.sleep(0.3)') });
    const said = await Promise.all(
      ['a', 'b', 'c'].map((stepKey) =>
        lines(
          script(
            'import os\nprint(open(f"/proc/{os.getppid()}/stat").read().rpartition(")")[2].split()[1])',
            { stepKey },
          ),
        ),
      ),
    );
    expect(said).toEqual(Array.from({ length: 3 }, () => [String(scripts.warmStarts.servers()[0])]));
  });

  it.each<[string, Parameters<typeof warmScripts>]>([
    ['when it was idle', [{ idleMs: 50 }]],
    ['with the service', [{}]],
  ])('ends %s', async (_name, args) => {
    await open(...args);
    await lines(script('print("up")'));
    const [server] = scripts.warmStarts.servers();
    if (args[0]?.idleMs === undefined) await scripts.warmStarts.close();
    if (server !== undefined) await gone(server);
    expect(scripts.warmStarts.servers()).toEqual([]);
  });

  it.each<[string, Parameters<typeof warmScripts>]>([
    ['after so many forks', [{ forks: 1 }]],
    ['when it is old', [{ ageMs: 0 }]],
    ['when it has grown', [{ growth: -1 }]],
  ])('makes room for a new one %s', async (_name, args) => {
    await open(...args);
    await lines(script('print("one")'));
    const [first] = scripts.warmStarts.servers();
    await lines(script('print("two")'));
    const [second] = scripts.warmStarts.servers();
    expect(second).toBeDefined();
    expect(second).not.toBe(first);
    await gone(first!);
  });

  it.each<[string, Parameters<typeof warmScripts>, Partial<TestStep>]>([
    ['its imports fail', [{}, { preload: inServer('raise RuntimeError("no")') }], {}],
    [
      'its imports start a thread',
      [
        {},
        {
          preload: inServer(
            'import threading; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()',
          ),
        },
      ],
      {},
    ],
    ['it does not come up in time', [{ startMs: 200 }, { preload: inServer('time.sleep(60)') }], {}],
    ['memory is short', [{}, { availableMemory: () => 1_000 }], {}],
    [
      'the step sets what imports read',
      [{}, { preload: inServer('os.environ.get("READ")') }],
      { config: { env: { READ: '1' } } },
    ],
    ['the step sets what the interpreter reads', [], { config: { env: { PYTHONWARNINGS: 'ignore' } } }],
  ])('is done without when %s', async (_name, args, step) => {
    await open(...args);
    // Whoever is forked has the server as the parent of its supervisor.
    const text =
      'import sys\nprint(sys.orig_argv[1].endswith("elt_runner"), "elt_runner.warm.server" in sys.modules)';
    for (const stepKey of ['a', 'b']) {
      const [said] = await lines(script(text, { stepKey, ...step }));
      expect(said).toBe('True False');
    }
  });
});

/** Runs when the server imports its tool, but not in a step that was started cold. */
function inServer(statement: string): string {
  return `import os, sys, time\nif sys.argv[1] == "warm":\n    ${statement}`;
}

function wasMarked(runId: string): boolean {
  const steps = join(home, 'steps');
  const [dir] = readdirSync(steps).filter((name) => name.startsWith(runId));
  return dir !== undefined && existsSync(join(steps, dir, 'supervise.json'));
}

async function gone(pid: number): Promise<void> {
  await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
}
