import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scratch } from './scratch.ts';

/** How a job's process ended; `answer` is the JSON that it wrote. */
export type PythonEnd =
  | { readonly kind: 'answer'; readonly answer: unknown }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'died'; readonly how: string };

const TAIL = 2000;

/**
 * Runs one of our discovery scripts in the folder's interpreter, in a process group of its own that is killed whole at the
 * time limit. What it prints is thrown away but for the last lines of an interpreter that died.
 * Rejects with the signal's reason if that comes first.
 */
export async function runPython(
  python: string,
  script: string,
  request: Readonly<Record<string, unknown>>,
  options: {
    readonly scratch: Scratch;
    readonly env: Readonly<Record<string, string>>;
    readonly seconds: number;
    readonly signal: AbortSignal;
  },
): Promise<PythonEnd> {
  const { scratch, env, seconds, signal } = options;
  const { execa } = await import('execa');
  signal.throwIfAborted();
  const output = join(scratch.root, 'answer.json');
  const requestFile = join(scratch.root, 'request.json');
  await writeFile(requestFile, JSON.stringify({ ...request, output, seconds }), { mode: 0o600 });
  const errors = join(scratch.root, 'stderr.log');
  const child = execa(python, ['-I', script, requestFile], {
    cwd: scratch.workDir,
    env: { ...env },
    extendEnv: false,
    detached: true,
    cleanup: false,
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: { file: errors },
  });
  let timedOut = false;
  const kill = (): void => killGroup(child.pid);
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, seconds * 1000);
  signal.addEventListener('abort', kill, { once: true });
  try {
    const result = await child;
    signal.throwIfAborted();
    if (timedOut) return { kind: 'timeout' };
    const written = await readFile(output, 'utf8').catch(() => null);
    if (written !== null) return { kind: 'answer', answer: JSON.parse(written) as unknown };
    const said = await readFile(errors, 'utf8').catch(() => '');
    const how = result.signal === undefined ? `exit code ${result.exitCode ?? '?'}` : result.signal;
    return { kind: 'died', how: `${how} ${said.slice(-TAIL).trim()}`.trim() };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', kill);
    kill();
  }
}

/** The group, so that nothing the folder's code started stays. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
