import type { Clock } from '../../src/lib/clock.ts';

export interface FakeClock extends Clock {
  /** Moves the time, backwards too, and wakes who waited for an instant that has come. */
  set(now: number): void;
  advance(ms: number): void;
  /** How many wait. */
  waiting(): number;
}

/** Time that only the test moves. */
export function fakeClock(start: number): FakeClock {
  let current = start;
  const waiters = new Set<{ at: number; wake: () => void }>();
  const clock: FakeClock = {
    now: () => current,
    sleepUntil(at, signal) {
      if (at <= current || signal?.aborted === true) return Promise.resolve();
      return new Promise((resolve) => {
        const waiter = {
          at,
          wake: () => {
            waiters.delete(waiter);
            signal?.removeEventListener('abort', waiter.wake);
            resolve();
          },
        };
        waiters.add(waiter);
        signal?.addEventListener('abort', waiter.wake, { once: true });
      });
    },
    set(now) {
      current = now;
      for (const waiter of waiters) if (waiter.at <= now) waiter.wake();
    },
    advance: (ms) => clock.set(current + ms),
    waiting: () => waiters.size,
  };
  return clock;
}
