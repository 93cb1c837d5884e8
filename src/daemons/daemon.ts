import type { Clock, Instant } from '../lib/clock.ts';
import { OperationalError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { OperationsStore } from '../store/store.ts';

export interface DaemonIteration {
  /** What it did, for the log and for tests. */
  readonly counts: Readonly<Record<string, number>>;
  /** When to run next; absent: after the interval. */
  readonly nextAt?: Instant;
}

export interface DaemonOptions {
  readonly name: string;
  readonly intervalMs: number;
  readonly runOnce: (signal: AbortSignal) => Promise<DaemonIteration>;
  readonly clock: Clock;
  readonly operations: Pick<OperationsStore, 'heartbeat'>;
  readonly log: Logger;
}

/** A background service: the loop only ticks, logs and tells that it lives; what it does is `runOnce`. */
export interface Daemon {
  readonly name: string;
  start(): void;
  /** Runs again at once, or right after the iteration that is under way. */
  wake(): void;
  /** Resolves when the iteration under way has ended; its signal is aborted. */
  stop(): Promise<void>;
}

export function createDaemon(options: DaemonOptions): Daemon {
  const { name, intervalMs, runOnce, clock, operations, log } = options;
  const stopping = new AbortController();
  let nap = new AbortController();
  let loop: Promise<void> | null = null;

  async function iterate(): Promise<Instant> {
    const started = clock.now();
    try {
      const { counts, nextAt } = await runOnce(stopping.signal);
      await operations.heartbeat(name, 'ok', null);
      if (Object.values(counts).some((count) => count > 0))
        log.debug({ daemon: name, ...counts }, 'daemon iteration');
      return nextAt ?? started + intervalMs;
    } catch (error) {
      if (!stopping.signal.aborted) {
        const reason = error instanceof Error ? error.message : String(error);
        log.error({ daemon: name, ...told(error) }, 'daemon iteration failed');
        await operations.heartbeat(name, 'failed', reason).catch((failure: unknown) => {
          log.error({ daemon: name, ...told(failure) }, 'the heartbeat could not be written');
        });
      }
      return clock.now() + intervalMs;
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      // Before the iteration, so that a wake during it is not lost.
      nap = new AbortController();
      const until = await iterate();
      await clock.sleepUntil(until, AbortSignal.any([nap.signal, stopping.signal]));
    }
  }

  return {
    name,
    start() {
      loop ??= run();
    },
    wake: () => nap.abort(),
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}

/** A full disk is no defect: its stack, every few seconds, would bury what to do about it. */
function told(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof OperationalError)) return { err: error };
  const { code, message, hint } = error;
  return { code, reason: message, ...(hint === undefined ? {} : { hint }) };
}
