import { join } from 'node:path';
import { createScheduler, type Scheduler } from '../../src/daemons/scheduler.ts';
import type { TickCrashPoint } from '../../src/daemons/tick-crash-points.ts';
import type { Definitions } from '../../src/definitions/definitions.ts';
import type { ScheduleConfig } from '../../src/discovery/pipeline-config.ts';
import { OperationalError } from '../../src/lib/errors.ts';
import { uuidv7 } from '../../src/lib/ids.ts';
import { createLogger } from '../../src/lib/log.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { temporaryDirectory } from './git-repository.ts';
import { type SamplePipeline, sampleDefinitions, sampleSnapshot } from './sample-definitions.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const T0 = Date.UTC(2026, 0, 20, 12);
export const SCHEDULE = 'python_a_schedule';

const EVERY_MINUTE: ScheduleConfig = {
  cron: ['* * * * *'],
  timezone: 'UTC',
  defaultStatus: 'RUNNING',
  catchUp: 'all',
  overlap: 'allow',
  jitterSeconds: 0,
};

/** The pipeline `python_a` with one asset and a schedule, every minute unless said otherwise. */
export function pipelines(
  schedule: Partial<ScheduleConfig>,
  more: Partial<SamplePipeline> = {},
): Record<string, SamplePipeline> {
  return {
    python_a: {
      assets: { a: {} },
      ...more,
      config: { schedule: { ...EVERY_MINUTE, ...schedule }, ...more.config },
    },
  };
}

export interface SchedulerWorld {
  readonly clock: FakeClock;
  /** Runs that the engine was told of. */
  readonly woken: readonly string[];
  readonly store: Store;
  readonly scheduler: Scheduler;
  /** Another revision is published. */
  edit(next: Record<string, SamplePipeline>): Promise<void>;
  restart(): Promise<void>;
  /** One look that ends at a crash point, if it comes by there, and the next start. */
  crash(point: TickCrashPoint): Promise<void>;
  /** Minutes after `T0` of the ticks that launched something, ascending. */
  launched(): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** A scheduler on a store on disk; only clock and engine are the test's. It has looked once, at `T0`. */
export async function schedulerWorld(sample: Record<string, SamplePipeline>): Promise<SchedulerWorld> {
  const clock = fakeClock(T0);
  const file = join(temporaryDirectory(), 'elt.db');
  const open = () => openStore({ file, clock, logger: createLogger('silent') });
  let store = await open();
  let definitions: Definitions = await publish(store, sample);
  let crashAt: TickCrashPoint | null = null;
  const woken: string[] = [];
  const start = (s: Store) =>
    createScheduler({
      store: s,
      clock,
      components: { definitions: () => definitions },
      engine: { wake: (runId) => void woken.push(runId) },
      newId: () => uuidv7(clock.now()),
      crashPoint(point) {
        // As a process that ends here: what was not committed is gone, and nothing else is done.
        if (point === crashAt) throw new OperationalError('DATABASE_FAILED', `crash at ${point}`);
      },
    });
  let scheduler = start(store);
  await scheduler.runOnce();

  async function restart(): Promise<void> {
    await store.close();
    store = await open();
    scheduler = start(store);
  }

  return {
    clock,
    woken,
    get store() {
      return store;
    },
    get scheduler() {
      return scheduler;
    },
    async edit(next) {
      definitions = await publish(store, next);
    },
    restart,
    async crash(point) {
      crashAt = point;
      await scheduler.runOnce().catch((error: unknown) => {
        if (!(error instanceof OperationalError)) throw error;
      });
      crashAt = null;
      await restart();
    },
    async launched() {
      const ticks = await store.schedules.ticks(SCHEDULE, { limit: 1000 });
      return ticks
        .filter((tick) => tick.runIds.length > 0)
        .map((tick) => (tick.at - T0) / MINUTE)
        .sort((a, b) => a - b);
    },
    close: async () => store.close(),
  };
}

async function publish(store: Store, sample: Record<string, SamplePipeline>): Promise<Definitions> {
  const summary = { added: 0, changed: 0, removed: 0 };
  await store.components.applyRevision(sampleSnapshot(sample), {
    trigger: { kind: 'poll' },
    startedAt: 0,
    summary,
  });
  return sampleDefinitions(sample).definitions;
}
