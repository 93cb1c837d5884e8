import { type Clock, systemClock } from '../../src/lib/clock.ts';

export interface MovingClock extends Clock {
  /** Goes forward to an instant at once; who waited for an earlier one wakes. */
  moveTo(instant: number): void;
}

/** Time that goes on as it does, from another instant, and jumps when the test says so: real processes need real seconds. */
export function movingClock(start: number): MovingClock {
  const real = systemClock();
  let offset = start - real.now();
  const naps = new Set<AbortController>();
  const clock: MovingClock = {
    now: () => real.now() + offset,
    async sleepUntil(at, signal) {
      while (signal?.aborted !== true && clock.now() < at) {
        const nap = new AbortController();
        naps.add(nap);
        const wake = signal === undefined ? nap.signal : AbortSignal.any([nap.signal, signal]);
        await real.sleepUntil(at - offset, wake);
        naps.delete(nap);
      }
    },
    moveTo(instant) {
      offset = instant - real.now();
      for (const nap of naps) nap.abort();
    },
  };
  return clock;
}
