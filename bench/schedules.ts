import { join } from 'node:path';
import { createScheduler, type Scheduler } from '../src/daemons/scheduler.ts';
import { neverCrash } from '../src/lib/crash-points.ts';
import { uuidv7 } from '../src/lib/ids.ts';
import { createLogger } from '../src/lib/log.ts';
import { openStore } from '../src/store/open-store.ts';
import type { Store } from '../src/store/store.ts';
import { type FakeClock, fakeClock } from '../test/helpers/fake-clock.ts';
import {
  type SamplePipeline,
  sampleDefinitions,
  sampleSnapshot,
} from '../test/helpers/sample-definitions.ts';
import { type Figure, median } from './figure.ts';

const SCHEDULES = 10_000;
const DUE = 1_000;
const TRIES = 20;
const T0 = Date.UTC(2026, 0, 20, 12, 30);
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Tokyo', 'Australia/Sydney'];

/** The scheduler on a store on disk: real transactions, each synced; only the clock is moved by hand. */
export async function benchSchedules(home: string): Promise<readonly Figure[]> {
  return [...(await manySchedules(home)), ...(await manyAtOnce(home))];
}

async function manySchedules(home: string): Promise<Figure[]> {
  const file = join(home, 'schedules.db');
  const many = Array.from({ length: SCHEDULES }, (_, nth) =>
    pipelineWith(`${nth % 60} ${nth % 24} * * ${nth % 3 === 0 ? '*' : nth % 7}`, ZONES[nth % ZONES.length]!),
  );
  const world = await openWorld(file, many);
  const firstSight = await secondsOf(() => world.scheduler().runOnce());
  await world.store.close();
  const reopened = await openWorld(file, many);
  const scheduler = reopened.scheduler();
  const cold = await secondsOf(() => scheduler.runOnce());
  const steady: number[] = [];
  for (let nth = 0; nth < TRIES; nth++) steady.push(await secondsOf(() => scheduler.runOnce()));
  if (scheduler.nextDueAt() === null) throw new Error('no schedule is ever due');
  await reopened.store.close();
  const of = `${SCHEDULES} schedules in ${ZONES.length} zones`;
  return [
    { what: `${of}: first sight, cursors stored`, value: firstSight * 1000, unit: 'ms', aim: null },
    { what: `${of}: next tick, after a restart`, value: cold * 1000, unit: 'ms', aim: 300 },
    {
      what: 'the same, a look at which nothing is due (median)',
      value: median(steady) * 1000,
      unit: 'ms',
      aim: 5,
    },
  ];
}

async function manyAtOnce(home: string): Promise<Figure[]> {
  const seconds: number[] = [];
  for (let nth = 0; nth < 3; nth++) {
    const pipelines = Array.from({ length: DUE }, () => pipelineWith('0 13 * * *', 'UTC'));
    const world = await openWorld(join(home, `due-${nth}.db`), pipelines);
    const scheduler = world.scheduler();
    await scheduler.runOnce();
    world.clock.set(Date.UTC(2026, 0, 20, 13));
    seconds.push(await secondsOf(() => scheduler.runOnce()));
    const queued = (await world.store.runs.counts()).QUEUED;
    if (queued !== DUE) throw new Error(`${queued} runs were queued`);
    await world.store.close();
  }
  const what = `${DUE} schedules due at one instant: ticks and runs recorded and queued (median of 3)`;
  return [{ what, value: median(seconds), unit: 's', aim: 1, peer: 'Dagster: 172 s' }];
}

function pipelineWith(cron: string, timezone: string): SamplePipeline {
  const schedule = {
    cron: [cron],
    timezone,
    defaultStatus: 'RUNNING',
    catchUp: 'latest',
    overlap: 'skip',
    jitterSeconds: 0,
  } as const;
  return { tool: 'python', config: { schedule }, assets: {} };
}

interface World {
  readonly store: Store;
  readonly clock: FakeClock;
  scheduler(): Scheduler;
}

/** One asset with one schedule per pipeline. */
async function openWorld(file: string, pipelines: readonly SamplePipeline[]): Promise<World> {
  const named = Object.fromEntries(
    pipelines.map((pipeline, nth) => [`p${nth}`, { ...pipeline, assets: { [`a${nth}`]: {} } }]),
  );
  const clock = fakeClock(T0);
  const store = await openStore({ file, clock, logger: createLogger('error') });
  await store.components.applyRevision(sampleSnapshot(named), {
    trigger: { kind: 'startup' },
    startedAt: T0,
    summary: { added: 0, changed: 0, removed: 0 },
  });
  const { definitions } = sampleDefinitions(named);
  return {
    store,
    clock,
    scheduler: () =>
      createScheduler({
        store,
        clock,
        components: { definitions: () => definitions },
        engine: { wake: () => undefined },
        newId: () => uuidv7(clock.now()),
        crashPoint: neverCrash,
      }),
  };
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}
