import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { findPython } from '../../src/runners/environments/find-python.ts';
import { isRunning } from '../helpers/step-processes.ts';

const SCRIPT = join(import.meta.dirname, '..', '..', 'python', 'elt_supervise.py');

interface Settings {
  readonly cancel_signal?: string;
  readonly grace_seconds?: number;
  readonly timeout_seconds?: number | null;
  readonly lease_ttl_seconds?: number;
  readonly log_cap_bytes?: number;
}

let python: string;
let dir: string;
beforeAll(async () => {
  python = (await findPython(process.env)).executable;
});
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'elt-supervisor-'));
  writeFileSync(join(dir, 'lease'), '');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function start(
  argv: readonly string[],
  settings: Settings = {},
  env: Record<string, string> = {},
): ChildProcess {
  writeFileSync(
    join(dir, 'supervise.json'),
    JSON.stringify({
      cancel_signal: 'SIGTERM',
      grace_seconds: 5,
      timeout_seconds: null,
      lease_ttl_seconds: 600,
      log_cap_bytes: 100 * 1024 * 1024,
      ...settings,
    }),
  );
  return spawn(python, ['-I', '-S', SCRIPT, dir, ...argv], {
    env: { PATH: process.env['PATH']!, ELT_STEP_ID: `test/${dir}`, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  });
}

async function run(
  argv: readonly string[],
  settings?: Settings,
  env?: Record<string, string>,
): Promise<Record<string, unknown>> {
  await once(start(argv, settings, env), 'exit');
  return exit();
}

const exit = (): Record<string, unknown> => JSON.parse(readFileSync(join(dir, 'exit.json'), 'utf8')) as never;
const script = (text: string): string[] => [python, '-c', text];
const lines = (): string[] => readFileSync(join(dir, 'output.log'), 'utf8').split('\n').slice(0, -1);
const texts = (): string[] => lines().map((line) => line.replace(/^\d+ [oes] /, ''));

/** Resolves when the file is there. */
async function fileMade(name: string): Promise<void> {
  if (existsSync(join(dir, name))) return;
  await new Promise<void>((resolve) => {
    const watcher = watch(dir, () => {
      if (!existsSync(join(dir, name))) return;
      watcher.close();
      resolve();
    });
    if (existsSync(join(dir, name))) resolve();
  });
}

it('writes whole lines with time and stream, repairs what is not UTF-8, keeps the last line without an end', async () => {
  await run(
    script('import os\nos.write(1, b"caf\\xc3\\xa9\\nbad \\xff\\r\\n\\nlast"); os.write(2, b"oops\\n")'),
  );
  for (const line of lines()) expect(line).toMatch(/^\d{13} [oe] /);
  expect(lines().filter((line) => line.includes(' e '))).toHaveLength(1);
  expect(texts().filter((text) => text !== 'oops')).toEqual(['café', 'bad �', '', 'last']);
});

it('masks secrets, also across the pieces in which output arrives, and passwords in addresses', async () => {
  const text =
    'import sys,time\nsys.stdout.write("key=hun"); sys.stdout.flush(); time.sleep(0.1)\nprint("ter22 end")\n' +
    'print("postgres://me:other@db/x")\nimport os\nprint([name for name in os.environ if "REDACT" in name])';
  await run(script(text), {}, { ELT_REDACT_0: 'hunter22\n' });
  expect(texts()).toEqual(['key=*** end', 'postgres://me:***@db/x', '[]']);
});

it('E4: cuts a line of more than 10 MB, masking a secret that lies across the cut', async () => {
  const size = 10 * 1024 * 1024;
  const text = `import sys\nsys.stdout.write("x" * ${size - 4} + "hunter22" + "y" * ${size} + "\\nnext\\n")`;
  await run(script(text), {}, { ELT_REDACT_0: 'hunter22\n' });
  const [cut, next] = texts();
  expect(cut!.length).toBeLessThan(size + 100);
  expect(cut).toContain('[line cut at 10 MB]');
  expect(cut).not.toContain('hunt');
  expect(next).toBe('next');
});

it('E4: stops writing at the cap, says so, and counts what it drops; the step goes on', async () => {
  const result = await run(script('for i in range(200_000): print("line", i)'), {
    log_cap_bytes: 1024 * 1024,
  });
  expect(result).toMatchObject({ exit_code: 0, reason: 'exited' });
  const said = texts();
  const kept = said.filter((text) => text.startsWith('line'));
  expect(kept).toEqual(kept.map((_, index) => `line ${index}`));
  expect(result['dropped_lines']).toBe(200_000 - kept.length);
  expect(said.join('\n')).toContain('what follows is dropped');
  expect(readFileSync(join(dir, 'output.log')).length).toBeLessThan(1024 * 1024 + 500);
});

it('ends the tree when nobody renews the lease, and keeps it while somebody does', async () => {
  const supervisor = start(script('import time\ntime.sleep(60)'), { lease_ttl_seconds: 0.6 });
  await fileMade('supervisor.json');
  const { child_pid: child } = JSON.parse(readFileSync(join(dir, 'supervisor.json'), 'utf8')) as {
    child_pid: number;
  };
  const began = performance.now();
  const renewing = setInterval(() => utimesSync(join(dir, 'lease'), new Date(), new Date()), 100);
  const ended = once(supervisor, 'exit');
  // Renewed for longer than the lease is.
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1_500))]);
  expect(isRunning(child)).toBe(true);
  clearInterval(renewing);
  await ended;
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(exit()).toMatchObject({ reason: 'lease_expired', exit_code: null, forced: true });
  expect(isRunning(child)).toBe(false);
});

it('waits with its result for a disk that takes no files: what was done must not be done again', async () => {
  mkdirSync(join(dir, 'exit.json.tmp'));
  const supervisor = start(script('pass'));
  const ended = once(supervisor, 'exit');
  // Longer than the step takes, so that the first attempt to write has failed.
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1_500))]);
  expect(supervisor.exitCode).toBeNull();
  rmSync(join(dir, 'exit.json.tmp'), { recursive: true });
  await ended;
  expect(exit()).toMatchObject({ reason: 'exited', exit_code: 0 });
});

it('P6: counts what a full disk does not take, and ends the line that it cut off', async () => {
  const text = `
import importlib.util, os, sys
spec = importlib.util.spec_from_file_location("supervisor", sys.argv[1])
supervisor = importlib.util.module_from_spec(spec)
spec.loader.exec_module(supervisor)
real, room = os.write, [40]
def write(descriptor, data):
    if room[0] == 0: raise OSError(28, "No space left on device")
    count = real(descriptor, data[:room[0]])
    room[0] -= count
    return count
supervisor.os.write = write
log = supervisor.Log("output.log", set(), 1_000_000)
log.write(b"o", b"first line\\nsecond line\\nthird line")
log.tell_dropped()
room[0] = 1_000_000
log.write(b"o", b"fourth line")
log.tell_dropped()
log.tell_dropped()
print(log.dropped, log.lines)`;
  const child = spawn(python, ['-c', text, SCRIPT.replace('supervise.', 'supervisor.')], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const told = (await child.stdout.toArray()).join('');
  expect(told.trim()).toBe('2 3');
  const [first, torn, fourth, dropped] = lines();
  expect([first, fourth, dropped].map((line) => line!.slice(16))).toEqual([
    'first line',
    'fourth line',
    '2 lines were dropped',
  ]);
  expect(torn).toMatch(/^\d{13}$/);
});

it('starts nothing when its lease was taken away before it began', async () => {
  rmSync(join(dir, 'lease'));
  const made = join(dir, 'made');
  await once(start(script(`open(${JSON.stringify(made)}, "w")`)), 'exit');
  expect(existsSync(made)).toBe(false);
  expect(existsSync(join(dir, 'exit.json'))).toBe(false);
});

it('cancels with the signal of the tool, and tells an order of the system apart from it', async () => {
  const text = `
import os, signal, time
signal.signal(signal.SIGINT, lambda *_: os._exit(2))
signal.signal(signal.SIGTERM, lambda *_: os._exit(9))
open(${JSON.stringify(join(dir, 'ready'))}, "w")
time.sleep(60)`;
  const canceled = start(script(text), { cancel_signal: 'SIGINT' });
  await fileMade('ready');
  writeFileSync(join(dir, 'cancel'), '');
  canceled.kill('SIGTERM');
  await once(canceled, 'exit');
  expect(exit()).toMatchObject({ reason: 'cancelled', exit_code: 2, forced: false });

  for (const name of ['ready', 'cancel', 'exit.json']) rmSync(join(dir, name));
  const told = start(script(text));
  await fileMade('ready');
  told.kill('SIGTERM');
  await once(told, 'exit');
  expect(exit()).toMatchObject({ reason: 'terminated', exit_code: 9 });
});

it('waits for no process that the step left behind with its output open', async () => {
  mkdirSync(join(dir, 'home'));
  const result = await run(['sh', '-c', 'echo one; setsid sleep 60 & exit 4']);
  expect(result).toMatchObject({ exit_code: 4, reason: 'exited' });
  expect(result['seconds']).toBeLessThan(10);
  expect(texts()[0]).toBe('one');
});

it('does not keep what writes to a closed pipe alive: SIGPIPE is as in a shell', async () => {
  const result = await run(['sh', '-c', 'yes | head -n 1']);
  expect(result).toMatchObject({ exit_code: 0 });
  expect(texts()).toEqual(['y']);
});
