import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFreshnessDaemon, createFreshnessWatch } from '../../src/daemons/freshness.ts';
import type { FreshnessConfig } from '../../src/discovery/pipeline-config.ts';
import { createLogger } from '../../src/lib/log.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { fakeClock } from '../helpers/fake-clock.ts';
import { temporaryDirectory } from '../helpers/git-repository.ts';
import { sampleDefinitions } from '../helpers/sample-definitions.ts';
import { launch, type OpenedStore, publish, type Sample, succeed } from '../store/conformance/harness.ts';

const HOUR = 3_600_000;
const T0 = Date.UTC(2026, 0, 10, 12);
const logger = createLogger('silent');

function sample(policies: Record<string, Partial<FreshnessConfig>>, enabled = true): Sample {
  return Object.fromEntries(
    Object.entries(policies).map(([key, policy]) => [
      `python_${key}`,
      {
        assets: { [key]: {} },
        config: {
          enabled,
          freshness: { lowerBoundDeltaSeconds: 3_600, timezone: 'UTC', severity: 'WARN', ...policy },
        },
      },
    ]),
  );
}

async function world(first: Sample) {
  const clock = fakeClock(T0);
  const file = join(temporaryDirectory(), 'elt.db');
  let store: Store = await openStore({ file, clock, logger });
  onTestFinished(() => store.close());
  let current = first;
  let { definitions } = sampleDefinitions(current);
  await publish(store, current);
  const components = { definitions: () => definitions };
  let watch = createFreshnessWatch({ store, components, clock });
  let told = 0;
  return {
    clock,
    components,
    get store() {
      return store;
    },
    materialize: async (key: string): Promise<void> => {
      const [runId] = await launch({ store, clock } as OpenedStore, current, { assets: [key] });
      await succeed(store, runId!, `python_${key}`);
    },
    edit: async (next: Sample): Promise<void> => {
      current = next;
      ({ definitions } = sampleDefinitions(next));
      await publish(store, next);
    },
    /** One look; `key fresh` or `key stale` for what was newly said. */
    look: async (): Promise<string[]> => {
      await watch.runOnce();
      await store.operations.heartbeat('freshness', 'ok', null);
      const events = await store.events({ after: told, limit: 1_000, types: ['freshness_changed'] });
      told = events.at(-1)?.eventId ?? told;
      return events.flatMap(({ event }) =>
        event.type === 'freshness_changed' ? [`${event.assetKey} ${event.fresh ? 'fresh' : 'stale'}`] : [],
      );
    },
    nextChangeAt: () => watch.nextChangeAt(),
    restart: async (): Promise<void> => {
      await store.close();
      store = await openStore({ file, clock, logger });
      watch = createFreshnessWatch({ store, components, clock });
    },
  };
}

describe('what is said', () => {
  it('nothing of what was never materialized, and of what is materialized for the first time', async () => {
    const { look, materialize, nextChangeAt, clock } = await world(sample({ a: {} }));
    expect(await look()).toEqual([]);
    expect(nextChangeAt()).toBeNull();
    clock.advance(10 * HOUR);
    expect(await look()).toEqual([]);
    await materialize('a');
    expect(await look()).toEqual([]);
    expect(nextChangeAt()).toBe(T0 + 11 * HOUR + 1);
  });

  it('stale at its instant although nothing happened, once; fresh when it is materialized again', async () => {
    const { look, materialize, nextChangeAt, clock } = await world(sample({ a: {}, b: {} }));
    await materialize('a');
    clock.advance(1_000);
    await materialize('b');
    expect(await look()).toEqual([]);
    clock.set(nextChangeAt()! - 1);
    expect(await look()).toEqual([]);
    clock.set(nextChangeAt()!);
    expect(await look()).toEqual(['a stale']);
    expect(await look()).toEqual([]);
    clock.set(nextChangeAt()!);
    expect(await look()).toEqual(['b stale']);
    expect(nextChangeAt()).toBeNull();
    await materialize('a');
    expect(await look()).toEqual(['a fresh']);
    expect(nextChangeAt()).toBe(clock.now() + HOUR + 1);
  });

  it('what could not be recorded is said by the next look', async () => {
    const { store, components, materialize, clock } = await world(sample({ a: {} }));
    await materialize('a');
    let isFull = false;
    const watch = createFreshnessWatch({
      store: {
        ...store,
        async appendInstanceEvents(events) {
          if (isFull) throw new Error('disk full');
          return store.appendInstanceEvents(events);
        },
      },
      components,
      clock,
    });
    expect(await watch.runOnce()).toEqual({ watched: 1, changed: 0 });
    clock.advance(HOUR + 1);
    isFull = true;
    await expect(watch.runOnce()).rejects.toThrow('disk full');
    isFull = false;
    expect(await watch.runOnce()).toEqual({ watched: 1, changed: 1 });
    expect(await watch.runOnce()).toEqual({ watched: 1, changed: 0 });
  });

  it('by a deadline on the day of a clock change', async () => {
    const policy = {
      lowerBoundDeltaSeconds: 12 * 3_600,
      deadlineCron: '0 9 * * *',
      timezone: 'Europe/Berlin',
    };
    const { look, materialize, nextChangeAt, clock } = await world(sample({ a: policy }));
    clock.set(Date.UTC(2026, 2, 28, 18));
    await materialize('a');
    expect(await look()).toEqual([]);
    // 09:00 of summer time, an hour earlier than the day before.
    expect(nextChangeAt()).toBe(Date.UTC(2026, 2, 29, 7));
    clock.set(nextChangeAt()!);
    expect(await look()).toEqual(['a stale']);
  });

  it('after another policy was published, and nothing of a pipeline that is switched off', async () => {
    const { look, materialize, edit, clock } = await world(sample({ a: {} }));
    await materialize('a');
    await look();
    clock.advance(HOUR / 2);
    await edit(sample({ a: { lowerBoundDeltaSeconds: 60 } }));
    expect(await look()).toEqual(['a stale']);
    await edit(sample({ a: {} }));
    expect(await look()).toEqual(['a fresh']);
    await edit(sample({ a: {} }, false));
    clock.advance(10 * HOUR);
    expect(await look()).toEqual([]);
  });
});

describe('after a restart', () => {
  it('what has become stale meanwhile, and not again what was said before', async () => {
    const { look, materialize, restart, clock } = await world(sample({ a: {}, b: {} }));
    await materialize('a');
    clock.advance(HOUR / 2);
    await materialize('b');
    clock.advance(HOUR / 2 + 1);
    expect(await look()).toEqual(['a stale']);
    await restart();
    expect(await look()).toEqual([]);
    clock.advance(HOUR);
    await restart();
    expect(await look()).toEqual(['b stale']);
  });

  it('what was materialized meanwhile by a step that ran on', async () => {
    const { look, materialize, restart, clock } = await world(sample({ a: {}, b: {} }));
    for (const key of ['a', 'b']) await materialize(key);
    clock.advance(HOUR + 1);
    expect(await look()).toEqual(['a stale', 'b stale']);
    await restart();
    clock.advance(1_000);
    for (let n = 0; n < 2; n++) await materialize('a');
    expect(await look()).toEqual(['a fresh']);
  });
});

it('the daemon wakes at the instant that was named, and when something is materialized', async () => {
  const { store, components, clock, materialize } = await world(sample({ a: {} }));
  const daemon = createFreshnessDaemon({ store, components, clock, logger });
  const said = (fresh: boolean): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const unsubscribe = store.subscribe(() => {
      void store.events({ after: 0, limit: 100, types: ['freshness_changed'] }).then((events) => {
        const last = events.at(-1)?.event;
        if (last?.type === 'freshness_changed' && last.fresh === fresh) resolve();
      });
    });
    return promise.finally(unsubscribe);
  };
  const rests = async (): Promise<void> => {
    while (clock.waiting() === 0) await new Promise(setImmediate);
  };
  await materialize('a');
  daemon.start();
  await rests();
  const stale = said(false);
  clock.advance(HOUR + 1);
  await stale;
  await rests();
  const fresh = said(true);
  await materialize('a');
  clock.advance(1_000);
  await fresh;
  await daemon.stop();
  expect(clock.waiting()).toBe(0);
});
