/** Epoch milliseconds, UTC. */
export type Instant = number;

/** Time as a port: the core takes instants as arguments, shells take a `Clock`. */
export interface Clock {
  now(): Instant;
  /**
   * Resolves at or after `at`, or at once when `signal` aborts (it never rejects).
   * Long waits are cut into pieces so that a jump of the system's clock is noticed within a minute.
   */
  sleepUntil(at: Instant, signal?: AbortSignal): Promise<void>;
}

const LONGEST_PIECE_MS = 60_000;

export function systemClock(): Clock {
  return { now: () => Date.now(), sleepUntil };
}

async function sleepUntil(at: Instant, signal?: AbortSignal): Promise<void> {
  while (!signal?.aborted) {
    const left = at - Date.now();
    if (left <= 0) return;
    await pause(Math.min(left, LONGEST_PIECE_MS), signal);
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done, { once: true });
  });
}
