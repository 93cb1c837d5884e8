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
  // Imported when git first runs: it is not on the path of a start that serves the last good revision.
  const { execa } = await import('execa');
  const subprocess = execa('git', command.args, {
    env: command.env,
    extendEnv: false,
    encoding: 'buffer',
    stripFinalNewline: false,
    reject: false,
    stdin: command.input === undefined ? 'ignore' : 'pipe',
    ...(command.input === undefined ? {} : { input: command.input }),
    maxBuffer: LARGEST_OUTPUT,
    timeout: command.deadlineMs,
    killDescendants: true,
    forceKillAfterDelay: KILL_AFTER_MS,
    ...(command.signal === undefined ? {} : { cancelSignal: command.signal }),
  });
  if (subprocess.pid !== undefined) command.onStart?.(subprocess.pid);
  const result = await subprocess;
  // Helpers that outlived git (git-remote-https of a killed fetch) share its group.
  if (result.timedOut || result.isCanceled) subprocess.kill('SIGKILL');
  if (result.timedOut) {
    throw new OperationalError(
      'GIT_TIMEOUT',
      `cannot ${command.action}: no answer within ${Math.round(command.deadlineMs / 1000)} s`,
      { next: 'retry', hint: 'check the address and the network; it is tried again by itself' },
    );
  }
  if (result.isCanceled) {
    throw new OperationalError('SHUTTING_DOWN', `${command.action} was stopped`, { next: 'retry' });
  }
  if (result.code === 'ENOENT') {
    throw new OperationalError('GIT_NOT_FOUND', 'git is not installed or not on PATH', {
      hint: 'install git 2.30 or newer',
    });
  }
  const stderr = Buffer.from(result.stderr ?? []).toString('utf8');
  if (result.exitCode === undefined) {
    throw new OperationalError(
      'GIT_FAILED',
      `cannot ${command.action}: ${result.shortMessage ?? 'git did not run'}`,
      {
        next: 'retry',
      },
    );
  }
  return { exitCode: result.exitCode, stdout: Buffer.from(result.stdout ?? []), stderr };
}
