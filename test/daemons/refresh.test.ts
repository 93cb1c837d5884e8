import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backOffMs, createRefreshDaemon, intervalMs, spread } from '../../src/daemons/refresh.ts';
import { createLogger } from '../../src/lib/log.ts';
import { componentWorld, pythonFolder, START } from '../helpers/component.ts';
import { createRepository } from '../helpers/git-repository.ts';

it('the interval is spread by 10 % either way', () => {
  expect([spread(60_000, 0), spread(60_000, 0.5), spread(60_000, 1)]).toEqual([54_000, 60_000, 66_000]);
});

it('the back-off doubles, is capped at 10 minutes or the interval, and keeps half of itself', () => {
  expect([1, 2, 3, 4, 5, 6].map((failures) => backOffMs(60_000, failures, 1))).toEqual([
    60_000, 120_000, 240_000, 480_000, 600_000, 600_000,
  ]);
  expect(backOffMs(3_600_000, 9, 1)).toBe(3_600_000);
  fc.assert(
    fc.property(
      fc.integer({ min: 1_000, max: 600_000 }),
      fc.integer({ min: 1, max: 1_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (interval, failures, random) => {
        const full = backOffMs(interval, failures, 1);
        const wait = backOffMs(interval, failures, random);
        expect(wait).toBeGreaterThanOrEqual(Math.floor(full / 2));
        expect(wait).toBeLessThanOrEqual(full);
      },
    ),
  );
});

/** A daemon on a real component; `nextLook` resolves after each look with the milliseconds until the next. */
async function watching() {
  const repository = createRepository();
  repository.push(pythonFolder('a'));
  const world = await componentWorld(repository.bare);
  const looked: string[] = [];
  let tell: () => void = () => undefined;
  let announced = new Promise<void>((resolve) => (tell = resolve));
  const daemon = createRefreshDaemon({
    service: {
      repositories: () => world.service.repositories(),
      requestRefresh: async (name, trigger) => {
        const outcome = await world.service.requestRefresh(name, trigger);
        looked.push(`${trigger.kind} ${outcome.status}`);
        return outcome;
      },
      announceNextRefresh: (name, at) => world.service.announceNextRefresh(name, at),
      webhookSeenAt: (name) => world.service.webhookSeenAt(name),
      control: (name) => world.service.control(name),
    },
    clock: world.clock,
    operations: {
      heartbeat: () => {
        tell();
        return Promise.resolve();
      },
    },
    log: createLogger('silent'),
    random: () => 0.5,
  });
  async function nextLook(): Promise<number> {
    await announced;
    announced = new Promise((resolve) => (tell = resolve));
    await new Promise((resolve) => setImmediate(resolve));
    return (world.service.component('shop')?.nextRefreshAt ?? 0) - world.clock.now();
  }
  return { repository, world, daemon, looked, nextLook };
}

it.each([
  ['no webhook ever came', null, -1, 60_000],
  ['one came just now', 0, -1, 300_000],
  ['the last came an hour ago', -3_600_000, -1 - 3_600_000, 300_000],
  ['the last came more than an hour ago', -3_600_001, -3_600_002, 60_000],
  ['one was missed after it', -1_000, -500, 60_000],
  ['they come again after a missed one', 0, -500, 300_000],
])('W6: the interval when %s', (_what, seenAt, distrustedAt, interval) => {
  expect(intervalMs(60_000, seenAt, distrustedAt, 0)).toBe(interval);
});

it('an interval that is relaxed is 10 minutes at most, and never shorter than it was', () => {
  expect(intervalMs(180_000, 0, -1, 0)).toBe(600_000);
  expect(intervalMs(3_600_000, 0, -1, 0)).toBe(3_600_000);
});

it('G1, A3: looks with the settings of its component at the start and after each interval, backs off on failure, keeps what it had', async () => {
  const { repository, world, daemon, looked, nextLook } = await watching();
  daemon.start();
  expect(await nextLook()).toBe(60_000);
  repository.push(pythonFolder('b'));
  world.clock.set(START + 60_000);
  expect(await nextLook()).toBe(60_000);
  repository.git('--git-dir', repository.bare, 'update-ref', '-d', 'refs/heads/main');
  world.clock.set(START + 120_000);
  expect(await nextLook()).toBe(45_000);
  world.clock.advance(45_000);
  expect(await nextLook()).toBe(90_000);
  await daemon.stop();
  expect(looked).toEqual(['startup applied', 'poll applied', 'poll failed', 'poll failed']);
  expect([...world.service.definitions().assets.nodes.keys()].sort()).toEqual(['a', 'b']);
});

it('W6: looks less often while webhooks come, and as before when it finds what none told of', async () => {
  const { repository, world, daemon, looked, nextLook } = await watching();
  daemon.start();
  expect(await nextLook()).toBe(60_000);
  repository.push(pythonFolder('b'));
  await world.service.requestRefresh('shop', { kind: 'webhook', delivery: 'one' });
  world.clock.set(START + 60_000);
  expect(await nextLook()).toBe(300_000);
  repository.push(pythonFolder('lost'));
  world.clock.set(START + 360_000);
  expect(await nextLook()).toBe(60_000);
  await daemon.stop();
  expect(looked).toEqual(['startup applied', 'poll unchanged', 'poll applied']);
});

it('looks when a hold ends by its time', async () => {
  const { repository, world, daemon, looked, nextLook } = await watching();
  daemon.start();
  await nextLook();
  const hold = { by: 'page', reason: '', expiresAt: START + 10_000 };
  await world.service.suspend('shop', hold);
  repository.push(pythonFolder('b'));
  daemon.wake();
  await nextLook();
  world.clock.set(START + 10_000);
  await nextLook();
  await daemon.stop();
  expect(looked).toEqual(['startup applied', 'poll applied']);
  expect(world.service.control('shop')).toBeNull();
});
