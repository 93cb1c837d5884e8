import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backOffMs, createRefreshDaemon, spread } from '../../src/daemons/refresh.ts';
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

it('A3: looks with the settings of its component at the start and after each interval, backs off on failure, keeps what it had', async () => {
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
