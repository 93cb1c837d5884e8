import { delimiter, dirname } from 'node:path';
import type { Logger } from '../../../lib/log.ts';
import { startWarmServer, type WarmServer, type WarmStart, type WarmTool } from './warm-server.ts';

/** Which interpreter a step could be forked from. */
export interface WarmNeed {
  readonly tool: WarmTool;
  readonly envKey: string;
  /** Absolute path of the environment's interpreter. */
  readonly python: string;
}

export interface WarmStarts {
  /**
   * The fork server for a step, started if there is none; steps that ask meanwhile wait for the same one. Null: the step
   * starts cold.
   */
  serverFor(
    need: WarmNeed,
    env: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<WarmServer | null>;
  /** Process ids of the servers that are ready. */
  servers(): readonly number[];
  /** Ends all servers; steps that were forked run on. */
  close(): Promise<void>;
}

export interface WarmLimits {
  /** Servers at once; the one that was used least lately makes room. */
  readonly servers: number;
  /** Without a step for this long a server ends. */
  readonly idleMs: number;
  readonly ageMs: number;
  readonly forks: number;
  /** How much a server may grow beyond what it had when it was ready, bytes. */
  readonly growth: number;
  /** Below so much memory that the system can still give, bytes, there is no server. */
  readonly leastMemory: number;
  readonly startMs: number;
  /** A server that did not come up is not tried again for this long. */
  readonly pauseMs: number;
}

const WARM_LIMITS: WarmLimits = {
  servers: 4,
  idleMs: 3 * 60_000,
  ageMs: 60 * 60_000,
  forks: 1_000,
  growth: 64 * 1024 * 1024,
  leastMemory: 300 * 1024 * 1024,
  startMs: 30_000,
  pauseMs: 10 * 60_000,
};

export interface WarmStartsOptions {
  /** Folder of the package `elt_runner`. */
  readonly pythonDir: string;
  /** The service's: language, time zone and PATH are those of every step. */
  readonly environment: () => Readonly<Record<string, string>>;
  readonly logger: Logger;
  readonly limits?: Partial<WarmLimits>;
  /** Bytes that the system can still give. */
  readonly availableMemory?: () => number;
}

interface Entry {
  readonly key: string;
  readonly need: WarmNeed;
  readonly begun: number;
  /** Null: it did not come up. */
  readonly coming: Promise<WarmServer | null>;
  server: WarmServer | null;
  usedAt: number;
  idle: NodeJS.Timeout | null;
}

const SHARED = /^(?:LANG|LANGUAGE|LC_.*|TZ)$/;
const MEMORY_LOOK_MS = 15_000;

/**
 * Fork servers, one per environment and tool (`docs/adr/0010-warm-starts.md`): started when a step first needs one, ended
 * when none did for a while, when they are old or memory is short. What goes wrong with one makes a step start cold.
 */
export function createWarmStarts(options: WarmStartsOptions): WarmStarts {
  const { logger, pythonDir } = options;
  const limits: WarmLimits = { ...WARM_LIMITS, ...options.limits };
  const availableMemory = options.availableMemory ?? (() => process.availableMemory());
  const entries = new Map<string, Entry>();
  /** Until when a server is not tried again. */
  const pauses = new Map<string, number>();
  /** What servers said when they came up, kept beyond their end: a step that is unfit starts none. */
  const unfitness = new Map<string, (env: Readonly<Record<string, string>>) => string | null>();
  const told = new Set<string>();
  const ending = new Set<Promise<void>>();
  let memoryLook: NodeJS.Timeout | null = null;
  const closing = new AbortController();

  function begin(key: string, need: WarmNeed): Entry | null {
    if ((pauses.get(key) ?? 0) > performance.now() || isMemoryShort()) return null;
    makeRoom();
    const entry: Entry = {
      key,
      need,
      begun: performance.now(),
      coming: comeUp(),
      server: null,
      usedAt: performance.now(),
      idle: null,
    };
    entries.set(key, entry);
    memoryLook ??= setInterval(lookAtMemory, MEMORY_LOOK_MS).unref();
    return entry;

    async function comeUp(): Promise<WarmServer | null> {
      const started = await startServer(need);
      if (!started.ok) {
        if (entries.get(key) === entry) entries.delete(key);
        if (closing.signal.aborted) return null;
        pauses.set(key, started.isFinal ? Infinity : performance.now() + limits.pauseMs);
        logger.warn(
          { tool: need.tool, env_key: need.envKey, reason: started.reason },
          'no warm starts: steps of this tool start cold',
        );
        return null;
      }
      const ms = Math.round(performance.now() - entry.begun);
      logger.debug(
        { tool: need.tool, env_key: need.envKey, pid: started.server.pid, ms },
        'warm starts are ready',
      );
      entry.server = started.server;
      unfitness.set(key, (env) => started.server.unfitFor(env));
      // Whoever asked for it may not want it, or not any more.
      if (closing.signal.aborted || entries.get(key) !== entry) retire(entry);
      else use(entry);
      return started.server;
    }
  }

  /** Never rejects: without file handles or memory there is no process, and still a step that starts cold. */
  async function startServer({ python, tool }: WarmNeed): Promise<WarmStart> {
    try {
      const env = sharedEnvironment(options.environment(), python);
      return await startWarmServer({
        python,
        pythonDir,
        tool,
        env,
        startMs: limits.startMs,
        signal: closing.signal,
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { ok: false, reason, isFinal: false };
    }
  }

  /** Whether a server has served its time. One that is only just coming up has not. */
  function isSpent({ server, begun }: Entry): boolean {
    if (server === null) return false;
    if (server.isGone() || performance.now() - begun > limits.ageMs) return true;
    return server.forks() >= limits.forks || server.rss() > server.firstRss + limits.growth;
  }

  function retire(entry: Entry): void {
    if (entries.get(entry.key) === entry) entries.delete(entry.key);
    if (entry.idle !== null) clearTimeout(entry.idle);
    if (entries.size === 0 && memoryLook !== null) {
      clearInterval(memoryLook);
      memoryLook = null;
    }
    // One that is coming up sees that it is not wanted any more.
    if (entry.server === null) return;
    const end = entry.server.end().finally(() => ending.delete(end));
    ending.add(end);
  }

  function makeRoom(): void {
    if (entries.size < limits.servers) return;
    const ready = [...entries.values()].filter(({ server }) => server !== null);
    const oldest = ready.sort((a, b) => a.usedAt - b.usedAt)[0];
    if (oldest !== undefined) retire(oldest);
  }

  function isMemoryShort(): boolean {
    return availableMemory() < limits.leastMemory;
  }

  function lookAtMemory(): void {
    if (isMemoryShort()) for (const entry of entries.values()) retire(entry);
  }

  function use(entry: Entry): void {
    entry.usedAt = performance.now();
    if (entry.idle !== null) clearTimeout(entry.idle);
    entry.idle = setTimeout(() => retire(entry), limits.idleMs).unref();
  }

  /** Because of a variable; false as long as no server of this kind ever came up. */
  function isUnfit(key: string, tool: WarmTool, env: Readonly<Record<string, string>>): boolean {
    const variable = unfitness.get(key)?.(env) ?? null;
    if (variable === null) return false;
    // Once for each, not for each step.
    const message = `${variable} is read when ${tool} is imported: steps that set it start cold`;
    if (!told.has(message)) logger.info({ tool, variable }, message);
    told.add(message);
    return true;
  }

  return {
    async serverFor(need, env, signal) {
      const key = `${need.tool} ${need.envKey}`;
      if (closing.signal.aborted || signal.aborted) return null;
      if (isUnfit(key, need.tool, env)) return null;
      const known = entries.get(key);
      if (known !== undefined && isSpent(known)) retire(known);
      const entry = entries.get(key) ?? begin(key, need);
      if (entry === null) return null;
      const server = await unlessAborted(entry.coming, signal);
      if (server === null) return null;
      if (isUnfit(key, need.tool, env)) return null;
      use(entry);
      return server;
    },
    servers: () =>
      [...entries.values()].flatMap(({ server }) => (server === null || server.isGone() ? [] : [server.pid])),
    async close() {
      closing.abort();
      const all = [...entries.values()];
      for (const entry of all) retire(entry);
      await Promise.all(all.map(({ coming }) => coming));
      await Promise.all(ending);
    },
  };
}

/** What a server is started with: nothing that one step has and another has not. */
function sharedEnvironment(
  environment: Readonly<Record<string, string>>,
  python: string,
): Record<string, string> {
  const programs = dirname(python);
  const shared = Object.entries(environment).filter(([name]) => SHARED.test(name));
  return {
    ...Object.fromEntries(shared),
    PATH: [programs, environment['PATH'] ?? ''].join(delimiter),
    VIRTUAL_ENV: dirname(programs),
  };
}

/** Null when the step is not wanted any more. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const { promise: aborted, resolve } = Promise.withResolvers<null>();
  const listener = (): void => resolve(null);
  signal.addEventListener('abort', listener, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', listener);
  }
}
