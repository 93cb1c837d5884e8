import { type ReadonlySignal, signal } from '@preact/signals';
import { serverNow } from '../api/server-time.ts';

/** The service's time in epoch milliseconds, moving in steps, and only while something shows it. No request comes of it. */
function ticking(everyMs: number): ReadonlySignal<number> {
  let timer = 0;
  const time = signal(serverNow(), {
    watched() {
      time.value = serverNow();
      timer = window.setInterval(() => {
        if (!document.hidden) time.value = serverNow();
      }, everyMs);
    },
    unwatched() {
      window.clearInterval(timer);
    },
  });
  return time;
}

/** For "3 min ago". */
export const now = ticking(10_000);
/** For a duration that is running. */
export const second = ticking(1_000);
