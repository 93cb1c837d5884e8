import type { DiscoveryJob, DiscoveryResult } from '../discovery/discover.ts';
import type { Clock } from '../lib/clock.ts';
import { OperationalError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';

export interface DiscoveryQueueOptions {
  /** Resolves also when the user's code fails; rejects for what is not the folder's fault. */
  readonly run: (job: DiscoveryJob, signal: AbortSignal) => Promise<DiscoveryResult>;
  /** Called before and after each job; makes a result durable and asks for a refresh. */
  readonly onStart: (component: string, job: DiscoveryJob) => Promise<void>;
  readonly onResult: (component: string, job: DiscoveryJob, result: DiscoveryResult) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Background discovery: one job at a time, the newest wish of each component. */
export interface DiscoveryQueue {
  /** Replaces what the component still waits for; a job that runs is not stopped. */
  offer(component: string, jobs: readonly DiscoveryJob[]): void;
  /** Resolves when nothing runs and nothing can run before a back-off has passed. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

const FIRST_DELAY_MS = 15_000;
const LONGEST_DELAY_MS = 10 * 60_000;

interface Wish {
  readonly component: string;
  readonly job: DiscoveryJob;
}

export function createDiscoveryQueue(options: DiscoveryQueueOptions): DiscoveryQueue {
  const { clock, log } = options;
  const closing = new AbortController();
  const wishes = new Map<string, readonly DiscoveryJob[]>();
  const backOff = new Map<string, { failures: number; notBefore: number }>();
  let working: Promise<void> | null = null;
  let waking = new AbortController();
  let waiting: Promise<void> | null = null;

  function due(): Wish | null {
    const now = clock.now();
    for (const [component, jobs] of wishes) {
      for (const job of jobs)
        if ((backOff.get(job.inputsDigest)?.notBefore ?? 0) <= now) return { component, job };
    }
    return null;
  }

  function forget(digest: string): void {
    for (const [component, jobs] of wishes) {
      wishes.set(
        component,
        jobs.filter((job) => job.inputsDigest !== digest),
      );
    }
  }

  async function work(): Promise<void> {
    for (let wish = due(); wish !== null && !closing.signal.aborted; wish = due()) await attempt(wish);
  }

  async function attempt({ component, job }: Wish): Promise<void> {
    try {
      await options.onStart(component, job);
      const result = await options.run(job, closing.signal);
      forget(job.inputsDigest);
      backOff.delete(job.inputsDigest);
      await options.onResult(component, job, result);
    } catch (error) {
      if (closing.signal.aborted) return;
      const failures = (backOff.get(job.inputsDigest)?.failures ?? 0) + 1;
      const delay = Math.min(FIRST_DELAY_MS * 2 ** (failures - 1), LONGEST_DELAY_MS);
      backOff.set(job.inputsDigest, { failures, notBefore: clock.now() + delay });
      log.warn(
        {
          component,
          pipeline: job.pipeline,
          retry_in_ms: delay,
          reason: error instanceof OperationalError ? error.message : String(error),
        },
        'background discovery could not run',
      );
    }
  }

  function start(): void {
    if (working !== null || closing.signal.aborted) return;
    working = work().finally(() => {
      working = null;
      sleep();
    });
  }

  /** Wakes for the earliest back-off that is over. */
  function sleep(): void {
    const times = [...wishes.values()].flat().map((job) => backOff.get(job.inputsDigest)?.notBefore ?? 0);
    if (waiting !== null || times.length === 0 || closing.signal.aborted) return;
    waking = new AbortController();
    waiting = clock
      .sleepUntil(Math.min(...times), AbortSignal.any([waking.signal, closing.signal]))
      .then(() => {
        waiting = null;
        start();
      });
  }

  return {
    offer(component, jobs) {
      wishes.set(component, jobs);
      waking.abort();
      start();
    },
    async idle() {
      while (working !== null) await working;
    },
    async close() {
      closing.abort();
      await working;
      await waiting;
    },
  };
}
