import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { z } from 'zod';
import { bootId, type ProcessIdentity } from '../process-identity.ts';

/** What an interpreter has imported that steps are forked from. */
export type WarmTool = 'dlt' | 'dbt' | 'sling';

/** What a fork needs to become a step's process; its supervisor gets `redact`, the step's own process does not. */
export interface ForkRequest {
  readonly dir: string;
  readonly cwd: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly redact: readonly string[];
}

/** A fork server (`python/elt_runner/warm/server.py`) that is ready. */
export interface WarmServer {
  readonly pid: number;
  /** Bytes of its own memory once it was ready. */
  readonly firstRss: number;
  readonly forks: () => number;
  readonly rss: () => number;
  readonly isGone: () => boolean;
  /** The variable because of which a step with this environment must not be forked from it; null: it may be. */
  unfitFor(env: Readonly<Record<string, string>>): string | null;
  /**
   * Forks a supervisor. Null: the server died or did not answer in time, and whether it forked is not known; a process that
   * it did fork can be found by the step's id by then.
   */
  fork(request: ForkRequest): Promise<ProcessIdentity | null>;
  /** Tells when a supervisor that was forked, or the server, ended. */
  onGone(pid: number, listener: () => void): void;
  /** It ends; steps that it forked run on. Resolves when it is gone. */
  end(): Promise<void>;
}

export type WarmStart =
  | { readonly ok: true; readonly server: WarmServer }
  | { readonly ok: false; readonly reason: string; readonly isFinal: boolean };

export interface WarmServerOptions {
  readonly python: string;
  /** Folder of the package `elt_runner`. */
  readonly pythonDir: string;
  readonly tool: WarmTool;
  /** What all steps have alike: PATH, language, time zone. */
  readonly env: Readonly<Record<string, string>>;
  readonly startMs: number;
  /** Ends one that is still coming up. */
  readonly signal: AbortSignal;
}

const Ready = z.discriminatedUnion('ready', [
  z.object({ ready: z.literal(true), names: z.array(z.string()), prefixes: z.array(z.string()) }),
  z.object({ ready: z.literal(false), reason: z.string() }),
]);
const Message = z.union([
  z.object({ pid: z.number(), start_time: z.string() }),
  z.object({ gone: z.number() }),
]);

/** Room for the arguments and the variables of a step where those of the server stood (`process_text.py`). */
const ROOM_OF_ARGUMENTS = 2_048;
const ROOM_OF_VARIABLES = 96 * 1024;
const LONGEST_ANSWER_MS = 10_000;
/** Read by the interpreter, by C libraries or by the loader when a program starts. */
const READ_AT_START =
  /^(?:PYTHON|LD_|DYLD_|LC_|LANG$|LANGUAGE$|MALLOC_|GLIBC_|OPENSSL_|OMP_|OPENBLAS_|MKL_|BLIS_|ARROW_)/;

/** Starts a fork server and waits until it has imported its tool, at most `startMs`. Linux only. */
export async function startWarmServer(options: WarmServerOptions): Promise<WarmStart> {
  const { python, pythonDir, tool } = options;
  const env: Record<string, string> = {
    ...options.env,
    HOME: '/nonexistent',
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const child = spawn(python, [`${pythonDir}/elt_runner`, 'warm', tool, ' '.repeat(ROOM_OF_ARGUMENTS)], {
    cwd: '/',
    env: { ...env, ELT_WARM_ROOM: ' '.repeat(ROOM_OF_VARIABLES) },
    // A session of its own: a Ctrl+C at the terminal is for the service, which then ends it.
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  child.on('error', () => undefined);
  const socket = child.stdio[3] as Socket;
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  const lines = readLines(socket);
  const giveUp = AbortSignal.any([options.signal, AbortSignal.timeout(options.startMs)]);
  const kill = (): void => void child.kill('SIGKILL');
  giveUp.addEventListener('abort', kill);
  if (giveUp.aborted) kill();
  const first = await lines.first;
  // While it comes up it may be all that a command waits for; after that nobody stays for it.
  child.unref();
  socket.unref();
  giveUp.removeEventListener('abort', kill);
  const ready = Ready.safeParse(first);
  if (!ready.success) {
    child.kill('SIGKILL');
    await closed;
    return { ok: false, reason: 'it did not come up in time, or died', isFinal: false };
  }
  if (!ready.data.ready) return { ok: false, reason: ready.data.reason, isFinal: true };
  return { ok: true, server: serverOf(child, socket, lines, closed, env, ready.data) };
}

function serverOf(
  child: ChildProcess,
  socket: Socket,
  lines: Lines,
  closed: Promise<void>,
  env: Readonly<Record<string, string>>,
  imports: { readonly names: readonly string[]; readonly prefixes: readonly string[] },
): WarmServer {
  const pid = child.pid!;
  const names = new Set(imports.names);
  const listeners = new Map<number, Set<() => void>>();
  let answer: ((identity: ProcessIdentity | null) => void) | null = null;
  let isGone = false;
  let forks = 0;
  /** One request at a time. */
  let last: Promise<unknown> = Promise.resolve();

  lines.onLine((line) => {
    const message = Message.safeParse(line);
    if (!message.success) return;
    if ('gone' in message.data) {
      for (const listener of listeners.get(message.data.gone) ?? []) listener();
      listeners.delete(message.data.gone);
      return;
    }
    answer?.({ pid: message.data.pid, startTime: message.data.start_time, bootId: bootId() });
  });
  // All ends of the socket are closed: a process that it forked last closes its own only when its step's id leads to it.
  void closed.then(() => {
    isGone = true;
    answer?.(null);
    for (const each of listeners.values()) for (const listener of each) listener();
    listeners.clear();
  });

  async function forkNow(request: ForkRequest): Promise<ProcessIdentity | null> {
    if (isGone) return null;
    forks += 1;
    const body = Buffer.from(JSON.stringify(request));
    const size = Buffer.alloc(4);
    size.writeUInt32BE(body.length);
    const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_ANSWER_MS);
    try {
      return await new Promise((resolve) => {
        answer = resolve;
        socket.write(Buffer.concat([size, body]));
      });
    } finally {
      answer = null;
      clearTimeout(timer);
    }
  }

  return {
    pid,
    firstRss: rssOf(pid),
    forks: () => forks,
    rss: () => rssOf(pid),
    isGone: () => isGone || child.exitCode !== null || child.signalCode !== null,
    unfitFor(step) {
      const isRead = (name: string): boolean =>
        names.has(name) ||
        READ_AT_START.test(name) ||
        imports.prefixes.some((prefix) => name.startsWith(prefix));
      return (
        [...Object.keys(step), ...Object.keys(env)].find(
          (name) => isRead(name) && step[name] !== env[name],
        ) ?? null
      );
    },
    fork(request) {
      const result = last.then(() => forkNow(request));
      last = result;
      return result;
    },
    onGone(of, listener) {
      if (isGone) listener();
      else listeners.set(of, (listeners.get(of) ?? new Set()).add(listener));
    },
    async end() {
      child.ref();
      socket.ref();
      socket.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_ANSWER_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

interface Lines {
  /** Null: the socket ended before a line came. */
  readonly first: Promise<unknown>;
  onLine(listener: (line: unknown) => void): void;
}

function readLines(socket: Socket): Lines {
  const { promise: first, resolve } = Promise.withResolvers<unknown>();
  let listener: (line: unknown) => void = resolve;
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop()!;
    for (const part of parts) listener(parsed(part));
  });
  socket.once('close', () => resolve(null));
  return {
    first,
    onLine(next) {
      listener = next;
    },
  };
}

/** Null: not one of ours; something that a tool imports wrote into the socket. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** Bytes; 0 if it is gone. */
function rssOf(pid: number): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
