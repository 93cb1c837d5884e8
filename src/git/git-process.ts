import { type ChildProcess, spawn } from 'node:child_process';
import { OperationalError } from '../lib/errors.ts';

export interface GitCommand {
  readonly args: readonly string[];
  /** The whole environment; nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** After it the whole process group is ended: SIGTERM, a second later SIGKILL. */
  readonly deadlineMs: number;
  /** What is tried, for the error: `fetch https://…`. */
  readonly action: string;
  readonly input?: string;
  readonly signal?: AbortSignal;
  readonly onStart?: (pid: number) => void;
}

export interface GitOutput {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const LARGEST_OUTPUT = 512 * 1024 * 1024;
const KILL_AFTER_MS = 1_000;

/**
 * Runs git once, in a process group of its own. A non-zero exit is a value; errors are `GIT_NOT_FOUND`, `GIT_TIMEOUT`,
 * and `SHUTTING_DOWN` when the signal aborts.
 */
export async function runGit(command: GitCommand): Promise<GitOutput> {
  const ended = await endOf(command);
  if (ended.stopped === 'deadline') {
    throw new OperationalError(
      'GIT_TIMEOUT',
      `cannot ${command.action}: no answer within ${Math.round(command.deadlineMs / 1000)} s`,
      { next: 'retry', hint: 'check the address and the network; it is tried again by itself' },
    );
  }
  if (ended.stopped === 'canceled') {
    throw new OperationalError('SHUTTING_DOWN', `${command.action} was stopped`, { next: 'retry' });
  }
  if (ended.error?.code === 'ENOENT') {
    throw new OperationalError('GIT_NOT_FOUND', 'git is not installed or not on PATH', {
      hint: 'install git 2.30 or newer',
    });
  }
  if (ended.exitCode === null) {
    const reason = ended.error?.message ?? `git was ended by ${ended.signal}`;
    throw new OperationalError('GIT_FAILED', `cannot ${command.action}: ${reason}`, { next: 'retry' });
  }
  return { exitCode: ended.exitCode, stdout: ended.stdout, stderr: ended.stderr.toString('utf8') };
}

interface Ended {
  /** Null: it did not start, or a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error: NodeJS.ErrnoException | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly stopped: 'deadline' | 'canceled' | null;
}

/**
 * Plain child_process: git is the one program that a service at rest runs, and a library for processes would cost it
 * 10 MB for as long as it lives.
 */
function endOf(command: GitCommand): Promise<Ended> {
  const { input, signal } = command;
  if (signal?.aborted === true) {
    const nothing = Buffer.alloc(0);
    const none = { exitCode: null, signal: null, error: null, stdout: nothing, stderr: nothing };
    return Promise.resolve({ ...none, stopped: 'canceled' });
  }
  const child = spawn('git', command.args, { env: command.env, detached: true, stdio: 'pipe' });
  const stdout = collect(child, 'stdout');
  const stderr = collect(child, 'stderr');
  // Git may end before it has read all of its input.
  child.stdin.on('error', () => undefined).end(input);
  return new Promise((resolve) => {
    let stopped: Ended['stopped'] = null;
    let force: NodeJS.Timeout | undefined;
    const stop = (reason: NonNullable<Ended['stopped']>): void => {
      stopped ??= reason;
      killGroup(child, 'SIGTERM');
      force ??= setTimeout(() => killGroup(child, 'SIGKILL'), KILL_AFTER_MS);
    };
    const cancel = (): void => stop('canceled');
    const deadline = setTimeout(() => stop('deadline'), command.deadlineMs);
    signal?.addEventListener('abort', cancel, { once: true });
    const end = (exitCode: number | null, by: NodeJS.Signals | null, error: Ended['error']): void => {
      clearTimeout(deadline);
      clearTimeout(force);
      signal?.removeEventListener('abort', cancel);
      // Helpers that outlived git (git-remote-https of a killed fetch) share its group.
      if (stopped !== null) killGroup(child, 'SIGKILL');
      resolve({
        exitCode,
        signal: by,
        error,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr),
        stopped,
      });
    };
    child.once('error', (error) => end(null, null, error));
    child.once('close', (exitCode, by) => end(exitCode, by, null));
    if (child.pid !== undefined) command.onStart?.(child.pid);
  });
}

function collect(child: ChildProcess, name: 'stdout' | 'stderr'): Buffer[] {
  const chunks: Buffer[] = [];
  let size = 0;
  child[name]?.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= LARGEST_OUTPUT) chunks.push(chunk);
    else killGroup(child, 'SIGKILL');
  });
  return chunks;
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}
