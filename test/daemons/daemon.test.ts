import { expect, it } from 'vitest';
import { createDaemon, type DaemonIteration } from '../../src/daemons/daemon.ts';
import { createLogger } from '../../src/lib/log.ts';
import { fakeClock } from '../helpers/fake-clock.ts';

/** A daemon whose iterations and heartbeats the test awaits one by one. */
function watched(runOnce: (n: number) => Promise<DaemonIteration> | DaemonIteration) {
  const clock = fakeClock(0);
  const beats: string[] = [];
  const times: number[] = [];
  let tell: () => void = () => undefined;
  let beat = new Promise<void>((resolve) => (tell = resolve));
  const daemon = createDaemon({
    name: 'test',
    intervalMs: 1_000,
    clock,
    log: createLogger('silent'),
    runOnce: async () => {
      times.push(clock.now());
      return runOnce(times.length);
    },
    operations: {
      heartbeat: (_, status, error) => {
        beats.push(error === null ? status : `${status} ${error}`);
        tell();
        return Promise.resolve();
      },
    },
  });
  async function nextBeat(): Promise<void> {
    await beat;
    beat = new Promise((resolve) => (tell = resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { daemon, clock, beats, times, nextBeat };
}

it('runs at the start, then after each interval, and tells that it lives', async () => {
  const { daemon, clock, beats, times, nextBeat } = watched(() => ({ counts: {} }));
  daemon.start();
  daemon.start();
  await nextBeat();
  clock.advance(999);
  clock.advance(1);
  await nextBeat();
  clock.advance(1_000);
  await nextBeat();
  await daemon.stop();
  expect(times).toEqual([0, 1_000, 2_000]);
  expect(beats).toEqual(['ok', 'ok', 'ok']);
  expect(clock.waiting()).toBe(0);
});

it('an error is told and does not end it', async () => {
  const { daemon, clock, beats, nextBeat } = watched((n) => {
    if (n === 1) throw new Error('no disk');
    return { counts: { done: 1 } };
  });
  daemon.start();
  await nextBeat();
  clock.advance(1_000);
  await nextBeat();
  await daemon.stop();
  expect(beats).toEqual(['failed no disk', 'ok']);
});

it('wakes when asked, at its own time when it has one, and a wake during an iteration is not lost', async () => {
  const world = watched((n) => {
    if (n === 2) world.daemon.wake();
    return { counts: {}, ...(n === 3 ? { nextAt: 5_000 } : {}) };
  });
  world.daemon.start();
  await world.nextBeat();
  world.daemon.wake();
  await world.nextBeat();
  await world.nextBeat();
  world.clock.advance(4_999);
  world.clock.advance(1);
  await world.nextBeat();
  await world.daemon.stop();
  expect(world.times).toEqual([0, 0, 0, 5_000]);
});
