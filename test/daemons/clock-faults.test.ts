import { describe, expect, it } from 'vitest';
import { createDaemon } from '../../src/daemons/daemon.ts';
import { createLogger } from '../../src/lib/log.ts';
import type { SamplePipeline } from '../helpers/sample-definitions.ts';
import {
  DAY,
  HOUR,
  MINUTE,
  pipelines,
  SCHEDULE,
  type SchedulerWorld,
  schedulerWorld,
  T0,
} from '../helpers/scheduler-world.ts';

const HOURLY = { cron: ['0 * * * *'] };
const NOTHING = { launched: 0, skipped: 0, failed: 0 };

/** Hours after `T0` of the ticks that launched something. */
async function hours(world: SchedulerWorld): Promise<readonly number[]> {
  return (await world.launched()).map((minutes) => minutes / 60);
}

async function ticksOf(world: SchedulerWorld, schedule = SCHEDULE) {
  return (await world.store.schedules.ticks(schedule, { limit: 1000 })).toReversed();
}

describe('T1: clock changes', () => {
  /** Looks every minute from an hour before the change to some hours after it; gives the ticks that fired, in UTC. */
  async function fired(schedule: { cron: string[]; timezone: string }, from: string, to: string) {
    const world = await schedulerWorld({ python_b: { assets: { b: {} } } });
    world.clock.set(Date.parse(from));
    await world.edit(pipelines({ ...schedule, catchUp: 'none' }));
    await world.scheduler.runOnce();
    while (world.clock.now() < Date.parse(to)) {
      world.clock.set(Math.min(world.scheduler.nextDueAt() ?? Infinity, Date.parse(to)));
      await world.scheduler.runOnce();
    }
    const at = (await ticksOf(world)).map((tick) => new Date(tick.at).toISOString().slice(11, 16));
    expect(new Set(at).size).toBe(at.length);
    await world.close();
    return at;
  }

  it.each([
    // Europe/Berlin, 2026-03-29: 02:00 becomes 03:00 at 01:00Z. 2026-10-25: 03:00 becomes 02:00 at 01:00Z.
    [
      'hourly, gap',
      '0 * * * *',
      'Europe/Berlin',
      '2026-03-28T23:30Z',
      '2026-03-29T03:30Z',
      '00:00 01:00 02:00 03:00',
    ],
    ['daily in the gap', '30 2 * * *', 'Europe/Berlin', '2026-03-28T23:30Z', '2026-03-29T03:30Z', '01:00'],
    ['*/15 in the gap', '*/15 2 * * *', 'Europe/Berlin', '2026-03-28T23:30Z', '2026-03-29T03:30Z', '01:00'],
    ['weekly in the gap', '30 2 * * 0', 'Europe/Berlin', '2026-03-28T23:30Z', '2026-03-29T03:30Z', '01:00'],
    [
      'hourly, fold',
      '0 * * * *',
      'Europe/Berlin',
      '2026-10-24T23:30Z',
      '2026-10-25T02:30Z',
      '00:00 01:00 02:00',
    ],
    ['daily in the fold', '30 2 * * *', 'Europe/Berlin', '2026-10-24T23:30Z', '2026-10-25T03:30Z', '01:30'],
    [
      '*/15 in the fold',
      '*/15 2 * * *',
      'Europe/Berlin',
      '2026-10-24T23:30Z',
      '2026-10-25T03:30Z',
      '01:00 01:15 01:30 01:45',
    ],
    // Half-hour zones: Lord Howe moves by 30 minutes at 15:30Z; India never does.
    [
      'hourly, half an hour',
      '0 * * * *',
      'Australia/Lord_Howe',
      '2026-10-03T14:15Z',
      '2026-10-03T17:15Z',
      '14:30 16:00 17:00',
    ],
    ['daily of India', '0 6 * * *', 'Asia/Kolkata', '2026-03-29T00:15Z', '2026-03-29T03:30Z', '00:30'],
  ])('%s', async (_, cron, timezone, from, to, expected) => {
    expect((await fired({ cron: [cron], timezone }, from, to)).join(' ')).toBe(expected);
  });
});

describe('T2: jumps of the clock', () => {
  it.each([
    ['an hour forward', HOUR, [1]],
    ['a day forward', DAY, [20, 21, 22, 23, 24]],
    ['three days asleep', 3 * DAY, [68, 69, 70, 71, 72]],
  ])('%s: caught up once, as the policy says', async (_, jump, expected) => {
    const world = await schedulerWorld(pipelines(HOURLY));
    world.clock.advance(jump);
    expect(await world.scheduler.runOnce()).toMatchObject({ launched: expected.length, failed: 0 });
    expect(await world.scheduler.runOnce()).toEqual(NOTHING);
    expect(await hours(world)).toEqual(expected);
    await world.close();
  });

  it.each([
    ['an hour', HOUR],
    ['a day', DAY],
    ['a second (NTP)', 1000],
  ])('%s back, and forward again: nothing fires twice', async (_, jump) => {
    const world = await schedulerWorld(pipelines(HOURLY));
    world.clock.set(T0 + 2 * HOUR);
    await world.scheduler.runOnce();
    const before = await hours(world);
    world.clock.advance(-jump);
    expect(await world.scheduler.runOnce()).toEqual(NOTHING);
    await world.restart();
    expect(await world.scheduler.runOnce()).toEqual(NOTHING);
    expect(world.scheduler.nextDueAt()).toBe(T0 + 3 * HOUR);
    world.clock.advance(jump);
    expect(await world.scheduler.runOnce()).toEqual(NOTHING);
    expect(await hours(world)).toEqual(before);
    world.clock.set(T0 + 3 * HOUR);
    expect(await world.scheduler.runOnce()).toMatchObject({ launched: 1 });
    await world.close();
  });

  it('a jump wakes the loop, and no wait is negative', async () => {
    const world = await schedulerWorld(pipelines(HOURLY));
    const waits: number[] = [];
    const { clock } = world;
    const watched = {
      now: () => clock.now(),
      sleepUntil(at: number, signal?: AbortSignal) {
        waits.push(at - clock.now());
        return clock.sleepUntil(at, signal);
      },
    };
    const looks: Promise<number>[] = [];
    let looked: (launched: number) => void = () => undefined;
    const next = () => new Promise<number>((resolve) => (looked = resolve));
    const daemon = createDaemon({
      name: 'scheduler',
      intervalMs: 30_000,
      clock: watched,
      operations: world.store.operations,
      log: createLogger('silent'),
      async runOnce() {
        const counts = await world.scheduler.runOnce();
        const nextAt = Math.min(world.scheduler.nextDueAt()!, clock.now() + 30_000);
        setImmediate(() => looked(counts.launched));
        return { counts: { ...counts }, nextAt };
      },
    });
    looks.push(next());
    daemon.start();
    expect(await looks.at(-1)).toBe(0);
    for (const jump of [HOUR, 3 * DAY, 30_000]) {
      while (clock.waiting() === 0) await new Promise(setImmediate);
      const look = next();
      clock.advance(jump);
      expect(await look).toBe({ [HOUR]: 1, [3 * DAY]: 5, 30_000: 0 }[jump]);
    }
    await daemon.stop();
    expect(waits.every((wait) => wait > 0 && wait <= 30_000)).toBe(true);
    await world.close();
  });
});

describe('T3: down over many ticks', () => {
  it.each([
    ['all', 3, [1, 2, 3], 0],
    ['all', 50, [46, 47, 48, 49, 50], 20],
    ['latest', 50, [50], 20],
    ['none', 50, [50], 20],
  ] as const)(
    'catch_up %s after %i ticks: exact, capped, oldest first, visible',
    async (catchUp, missed, launched, skipped) => {
      const world = await schedulerWorld(pipelines({ ...HOURLY, catchUp }));
      world.clock.set(T0 + missed * HOUR);
      await world.restart();
      const counts = { launched: launched.length, skipped, failed: 0 };
      expect(await world.scheduler.runOnce()).toEqual(counts);
      const ticks = await ticksOf(world);
      expect(ticks.map(({ at }) => at)).toEqual(ticks.map(({ at }) => at).toSorted((a, b) => a - b));
      expect(await hours(world)).toEqual(launched);
      const runs = (await world.store.runs.list({ limit: 100 })).toReversed();
      expect(runs.map(({ cause }) => cause)).toMatchObject(
        launched.map((hour) => ({ tick: T0 + hour * HOUR })),
      );
      const told = ticks.length < missed ? [`${missed - ticks.length} earlier ticks were missed too`] : [];
      for (const text of told) expect(ticks[0]).toMatchObject({ reason: expect.stringContaining(text) });
      await world.close();
    },
  );

  it('catch_up none leaves out what is late by more than a minute', async () => {
    const world = await schedulerWorld(pipelines({ ...HOURLY, catchUp: 'none' }));
    world.clock.set(T0 + 50 * HOUR + 2 * MINUTE);
    expect(await world.scheduler.runOnce()).toMatchObject({ launched: 0 });
    expect((await ticksOf(world)).at(-1)).toMatchObject({
      status: 'skipped',
      reason: 'missed; catch_up is none',
    });
    await world.close();
  });
});

describe('T5: edits at the edge of a tick', () => {
  const TICK = T0 + HOUR;
  const edits: [string, Parameters<typeof pipelines>[0]][] = [
    ['cron', { cron: ['0 */2 * * *'] }],
    ['zone', { ...HOURLY, timezone: 'Asia/Kolkata' }],
    ['status', { ...HOURLY, defaultStatus: 'STOPPED' }],
  ];
  it.each(edits)(
    '%s edited seconds before: the old tick does not fire, nothing is repeated',
    async (_, schedule) => {
      const world = await schedulerWorld(pipelines(HOURLY));
      world.clock.set(TICK - 5000);
      await world.edit(pipelines(schedule));
      await world.scheduler.runOnce();
      world.clock.set(TICK + 1000);
      await world.scheduler.runOnce();
      expect(await hours(world)).toEqual([]);
      await world.edit(pipelines(HOURLY));
      await world.scheduler.runOnce();
      expect(await hours(world)).toEqual([]);
      world.clock.set(T0 + 2 * HOUR);
      await world.scheduler.runOnce();
      expect(await hours(world)).toEqual([2]);
      await world.close();
    },
  );

  it.each(edits)('%s edited seconds after: the tick has fired, once', async (_, schedule) => {
    const world = await schedulerWorld(pipelines(HOURLY));
    world.clock.set(TICK);
    await world.scheduler.runOnce();
    world.clock.set(TICK + 5000);
    for (const next of [schedule, HOURLY, schedule, HOURLY]) {
      await world.edit(pipelines(next));
      await world.scheduler.runOnce();
    }
    expect(await hours(world)).toEqual([1]);
    await world.close();
  });

  it('paused over a tick and resumed: the tick is over, the next one fires', async () => {
    const world = await schedulerWorld(pipelines(HOURLY));
    const set = (status: 'RUNNING' | 'STOPPED') =>
      world.store.schedules.setOverride(SCHEDULE, { status, by: 'page', at: 0 }, world.clock.now());
    world.clock.set(TICK - 1000);
    await set('STOPPED');
    await world.scheduler.runOnce();
    world.clock.set(TICK + 1000);
    expect(await world.scheduler.runOnce()).toEqual(NOTHING);
    await set('RUNNING');
    expect(await world.scheduler.runOnce()).toEqual(NOTHING);
    world.clock.set(T0 + 2 * HOUR);
    expect(await world.scheduler.runOnce()).toMatchObject({ launched: 1 });
    expect(await hours(world)).toEqual([2]);
    await world.close();
  });

  it('a folder that is renamed keeps its ticks, its pause and its cursor', async () => {
    const { python_a: pipeline } = pipelines(HOURLY);
    const at = (dir: string, movedFrom?: string): SamplePipeline => ({
      ...pipeline!,
      config: { ...pipeline!.config, dir, ...(movedFrom === undefined ? {} : { movedFrom }) },
    });
    const world = await schedulerWorld({ python_a: at('pipelines/python/a') });
    world.clock.set(TICK);
    await world.scheduler.runOnce();
    world.clock.set(TICK + 5000);
    await world.edit({ python_z: at('pipelines/python/z', 'pipelines/python/a') });
    expect(await world.scheduler.runOnce()).toEqual(NOTHING);
    expect((await ticksOf(world, 'python_z_schedule')).map((tick) => tick.at)).toEqual([TICK]);
    world.clock.set(T0 + 2 * HOUR);
    expect(await world.scheduler.runOnce()).toMatchObject({ launched: 1 });
    expect((await ticksOf(world, 'python_z_schedule')).map((tick) => tick.at)).toEqual([TICK, T0 + 2 * HOUR]);
    await world.close();
  });
});

describe('T7: rare ticks', () => {
  it.each([
    ['@yearly', '2027-01-01T00:00:00.000Z'],
    ['0 0 31 * *', '2026-01-31T00:00:00.000Z'],
    ['0 0 29 2 *', '2028-02-29T00:00:00.000Z'],
  ])('%s waits for its time, and the loop with it', async (cron, due) => {
    const world = await schedulerWorld(pipelines({ cron: [cron] }));
    expect(new Date(world.scheduler.nextDueAt()!).toISOString()).toBe(due);
    world.clock.set(Date.parse(due) - 1);
    expect(await world.scheduler.runOnce()).toEqual(NOTHING);
    world.clock.set(Date.parse(due));
    expect(await world.scheduler.runOnce()).toMatchObject({ launched: 1 });
    await world.close();
  });
});

describe('T8: a thousand schedules at one minute', () => {
  const COUNT = 1000;
  const many = (jitterSeconds: number) =>
    Object.fromEntries(
      Array.from({ length: COUNT }, (_, nth): [string, SamplePipeline] => [
        `python_${nth}`,
        { ...pipelines({ ...HOURLY, jitterSeconds }).python_a!, assets: { [`a${nth}`]: {} } },
      ]),
    );

  it('all are recorded and queued in one look, none lost', async () => {
    const world = await schedulerWorld(many(0));
    world.clock.set(T0 + HOUR);
    expect(await world.scheduler.runOnce()).toEqual({ launched: COUNT, skipped: 0, failed: 0 });
    expect((await world.store.runs.counts()).QUEUED).toBe(COUNT);
    expect(new Set(world.woken).size).toBe(COUNT);
    expect(await world.scheduler.runOnce()).toEqual(NOTHING);
    await world.close();
  });

  it('spread over the jitter if asked, each once, also over a restart in the middle', async () => {
    const world = await schedulerWorld(many(60));
    const counts: number[] = [];
    for (let second = 0; second <= 60; second += 10) {
      world.clock.set(T0 + HOUR + second * 1000);
      if (second === 30) await world.restart();
      counts.push((await world.scheduler.runOnce()).launched);
    }
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(COUNT);
    expect(Math.max(...counts)).toBeLessThan(COUNT / 3);
    const ticks = await world.store.schedules.lastTicks();
    expect(ticks.map(({ at }) => at)).toEqual(Array.from({ length: COUNT }, () => T0 + HOUR));
    await world.close();
  });
});
