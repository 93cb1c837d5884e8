import { expect, it } from 'vitest';
import type { Advanced } from '../../src/engine/advance.ts';
import { createRunDriver, type RunDriver } from '../../src/engine/run-driver.ts';
import { createLogger } from '../../src/lib/log.ts';
import type { Admission } from '../../src/store/store.ts';
import { type FakeClock, fakeClock } from '../helpers/fake-clock.ts';

interface World {
  readonly driver: RunDriver;
  readonly clock: FakeClock;
  readonly running: ReadonlySet<string>;
  readonly sleeps: Map<string, number>;
  readonly fail: (times: number) => void;
  readonly limitRuns: (limit: number) => void;
  /** Looks since the last call, once nothing moves any more. */
  readonly settled: () => Promise<string[]>;
  readonly end: (runId: string) => void;
  /** It ended, and nobody told the driver. */
  readonly free: (runId: string) => void;
}

/** A world of runs with one step each, and a pool `p` of one place. */
function world(
  runs: Readonly<Record<string, { pools?: string[]; after?: string[]; priority?: number }>>,
): World {
  const clock = fakeClock(0);
  const running = new Set<string>();
  const ended = new Set<string>();
  const looks: string[] = [];
  const sleeps = new Map<string, number>();
  let failures = 0;
  let maxRuns: number | null = null;

  function admission(): Admission {
    const held = [...running].filter((runId) => runs[runId]!.pools?.includes('p')).length;
    return {
      maxSteps: 3,
      stepsInFlight: running.size,
      pools: { p: { limit: 1, held } },
      maxConcurrentRuns: maxRuns,
      runsInFlight: running.size,
    };
  }

  const driver: RunDriver = createRunDriver({
    clock,
    logger: createLogger('silent'),
    onAdvanced: () => undefined,
    priorities: (runIds) =>
      Promise.resolve(new Map(runIds.map((runId) => [runId, runs[runId]?.priority ?? 0]))),
    async advance(runId) {
      looks.push(runId);
      await Promise.resolve();
      if (failures > 0) {
        failures -= 1;
        throw new Error('the store is away');
      }
      const run = runs[runId];
      if (run === undefined) return null;
      const now = admission();
      const isReady = (run.after ?? []).every((other) => ended.has(other));
      const fits =
        now.stepsInFlight < now.maxSteps &&
        (maxRuns === null || running.size < maxRuns) &&
        (run.pools ?? []).every((pool) => now.pools[pool]!.held < now.pools[pool]!.limit);
      const isWaiting = !running.has(runId) && !ended.has(runId);
      const started = isWaiting && isReady && fits;
      if (started) running.add(runId);
      return {
        plan: { runId, priority: run.priority ?? 0, after: run.after ?? [] },
        dispatch: [],
        cancel: [],
        sleepUntil: sleeps.get(runId) ?? null,
        finished: ended.has(runId) ? 'SUCCESS' : null,
        lack:
          isWaiting && isReady && !started
            ? { steps: [run.pools ?? []], runSlot: true }
            : { steps: [], runSlot: false },
        admission: admission(),
      } as unknown as Advanced;
    },
  });

  function free(runId: string): void {
    running.delete(runId);
    ended.add(runId);
  }

  return {
    driver,
    clock,
    running,
    sleeps,
    fail: (times: number) => (failures = times),
    limitRuns: (limit: number) => (maxRuns = limit),
    async settled(): Promise<string[]> {
      for (let turn = 0; turn < 200; turn++) await Promise.resolve();
      return looks.splice(0);
    },
    free,
    end(runId: string): void {
      free(runId);
      driver.wake(runId);
    },
  };
}

it('offers a place that came free to the best that waits for it, and to no more', async () => {
  const { driver, settled, end, running } = world({
    a: { pools: ['p'] },
    b: { pools: ['p'] },
    c: { pools: ['p'], priority: 5 },
    d: { pools: ['p'] },
  });
  for (const runId of ['a', 'b', 'c', 'd']) driver.start(runId);
  expect(await settled()).toEqual(['a', 'c', 'b', 'd']);
  expect([...running]).toEqual(['a']);
  end('a');
  expect(await settled()).toEqual(['a', 'c']);
  expect([...running]).toEqual(['c']);
  end('c');
  expect(await settled()).toEqual(['c', 'b']);
});

it('looks at new runs by priority, whatever their age', async () => {
  const { driver, settled, running } = world({
    a: { pools: ['p'], priority: -10 },
    b: { pools: ['p'], priority: -10 },
    c: { pools: ['p'] },
    d: { pools: ['p'], priority: 10 },
  });
  // The first is alone when it comes.
  for (const runId of ['a', 'b', 'c', 'd']) driver.start(runId);
  expect(await settled()).toEqual(['a', 'd', 'c', 'b']);
  expect([...running]).toEqual(['a']);
});

it('does not let a new run take a place from one that waits for it and comes first', async () => {
  const { driver, settled, free, running } = world({
    a: { pools: ['p'] },
    scheduled: { pools: ['p'] },
    elsewhere: { after: ['a'] },
    backfill: { pools: ['p'], priority: -10 },
  });
  for (const runId of ['a', 'scheduled', 'elsewhere']) driver.start(runId);
  await settled();
  // The place is free, and the driver does not know it yet.
  free('a');
  driver.start('backfill');
  expect(await settled()).toEqual(['scheduled', 'backfill']);
  expect([...running]).toEqual(['scheduled']);
});

it('does not look at thousands that wait when one of them ends', async () => {
  const names = Array.from({ length: 2_000 }, (_, index) => `r${String(index).padStart(4, '0')}`);
  const { driver, settled, end } = world(Object.fromEntries(names.map((name) => [name, { pools: ['p'] }])));
  for (const name of names) driver.start(name);
  let looks: string[] = [];
  for (let part = await settled(); part.length > 0; part = await settled()) looks = [...looks, ...part];
  expect(looks).toHaveLength(2_000);
  end('r0000');
  expect(await settled()).toEqual(['r0000', 'r0001']);
});

it('keeps to the runs in flight', async () => {
  const { driver, settled, end, running, limitRuns } = world({ a: {}, b: {}, c: {} });
  limitRuns(1);
  for (const runId of ['a', 'b', 'c']) driver.start(runId);
  await settled();
  expect([...running]).toEqual(['a']);
  end('a');
  expect(await settled()).toEqual(['a', 'b']);
});

it('looks at what waited for a run when that ends', async () => {
  const { driver, settled, end, running } = world({ a: {}, b: { after: ['a'] } });
  driver.start('b');
  driver.start('a');
  await settled();
  expect([...running]).toEqual(['a']);
  end('a');
  await settled();
  expect([...running]).toEqual(['b']);
});

it('looks again when it is time, and after the store was away', async () => {
  const { driver, settled, clock, sleeps, fail } = world({ a: {} });
  sleeps.set('a', 5_000);
  fail(2);
  driver.start('a');
  expect(await settled()).toEqual(['a']);
  clock.advance(1_000);
  expect(await settled()).toEqual(['a']);
  clock.advance(1_000);
  expect(await settled()).toEqual(['a']);
  clock.advance(2_000);
  expect(await settled()).toEqual([]);
  clock.advance(1_000);
  expect(await settled()).toEqual(['a']);
});

it('forgets runs that are over or are not there, and stops', async () => {
  const { driver, settled, end } = world({ a: {} });
  expect(driver.start('a')).toBe(true);
  expect(driver.start('a')).toBe(false);
  driver.start('nope');
  await settled();
  end('a');
  await settled();
  driver.wake('a');
  driver.wake('nope');
  expect(await settled()).toEqual([]);
  driver.start('a');
  await driver.close();
  driver.wake('a');
  await settled();
  expect(await settled()).toEqual([]);
});
