import { expect, it } from 'vitest';
import { createRunMonitor } from '../../src/daemons/run-monitor.ts';
import { createLogger } from '../../src/lib/log.ts';
import type { LeaseRow } from '../../src/store/store.ts';
import { fakeClock } from '../helpers/fake-clock.ts';

function lease(runId: string, expires: number): LeaseRow {
  const ref = { runId, stepKey: 'a', attempt: 1, queue: 'default', timeoutMs: null, leaseTtlMs: 1000 };
  return { ref, holder: 'x', expires, cancel: false };
}

it('wakes runs whose lease ran out at once, and every unfinished run in its turn', async () => {
  const clock = fakeClock(1_000);
  const woken: string[] = [];
  const passes: (() => void)[] = [];
  let unfinished = ['r1', 'r2', 'r3', 'r4', 'r5'];
  const monitor = createRunMonitor({
    clock,
    logger: createLogger('silent'),
    engine: { wake: (runId) => void woken.push(runId) },
    config: { intervalMs: 10_000, batch: 2 },
    store: {
      now: () => Promise.resolve(clock.now()),
      steps: { leases: () => Promise.resolve([lease('r5', 5_000), lease('r1', 900_000)]) },
      runs: { unfinished: () => Promise.resolve(unfinished) },
      operations: {
        heartbeat: () => {
          passes.shift()?.();
          return Promise.resolve();
        },
      },
    },
  });
  const pass = () => new Promise<void>((resolve) => passes.push(resolve));
  const woke = async (act: () => void): Promise<string[]> => {
    woken.length = 0;
    const done = pass();
    act();
    await done;
    return [...woken];
  };
  expect(await woke(() => monitor.start())).toEqual(['r1', 'r2']);
  while (clock.waiting() === 0) await Promise.resolve();
  expect(await woke(() => clock.advance(10_000))).toEqual(['r5', 'r3', 'r4']);
  unfinished = ['r1', 'r5', 'r6'];
  while (clock.waiting() === 0) await Promise.resolve();
  expect(await woke(() => clock.advance(10_000))).toEqual(['r5', 'r6']);
  while (clock.waiting() === 0) await Promise.resolve();
  expect(await woke(() => clock.advance(10_000))).toEqual(['r5', 'r1']);
  await monitor.stop();
});
