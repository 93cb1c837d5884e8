import { describe, expect, it } from 'vitest';
import { createScheduler } from '../../src/daemons/scheduler.ts';
import { decide, decideCancel } from '../../src/engine/decide.ts';
import { neverCrash } from '../../src/lib/crash-points.ts';
import { uuidv7 } from '../../src/lib/ids.ts';
import { DAILY, sampleDefinitions } from '../helpers/sample-definitions.ts';
import { MINUTE, pipelines, schedulerWorld, T0 } from '../helpers/scheduler-world.ts';
import { NO_LIMITS } from '../store/conformance/harness.ts';

describe('scheduler', () => {
  it('launches one run per tick, with the tick as its cause', async () => {
    const h = await schedulerWorld(pipelines({}));
    h.clock.set(T0 + MINUTE);
    expect(await h.scheduler.runOnce()).toEqual({ launched: 1, skipped: 0, failed: 0 });
    expect(await h.scheduler.runOnce()).toEqual({ launched: 0, skipped: 0, failed: 0 });
    const runs = await h.store.runs.list({ limit: 10 });
    expect(runs).toMatchObject([
      { status: 'QUEUED', cause: { kind: 'schedule', schedule: 'python_a_schedule', tick: T0 + MINUTE } },
    ]);
    expect(h.woken).toEqual([runs[0]!.runId]);
    expect(h.scheduler.nextDueAt()).toBe(T0 + 2 * MINUTE);
    await h.store.close();
  });

  it('A9: a scheduled run of a partitioned asset carries its partition', async () => {
    const h = await schedulerWorld(pipelines({}, { assets: { a: { partitions: DAILY } } }));
    h.clock.set(T0 + MINUTE);
    await h.scheduler.runOnce();
    expect(await h.store.runs.list({ limit: 10 })).toMatchObject([
      { partitions: { kind: 'key', key: '2026-01-19' } },
    ]);
    await h.store.close();
  });

  it('T6: overlap skip records what it left out, and why', async () => {
    const h = await schedulerWorld(pipelines({ overlap: 'skip' }));
    h.clock.set(T0 + MINUTE);
    await h.scheduler.runOnce();
    h.clock.set(T0 + 2 * MINUTE);
    expect(await h.scheduler.runOnce()).toEqual({ launched: 0, skipped: 1, failed: 0 });
    const [tick] = await h.store.schedules.ticks('python_a_schedule', { limit: 1 });
    expect(tick).toMatchObject({ status: 'skipped', reason: expect.stringContaining('overlap is skip') });
    await h.store.close();
  });

  it('T6: overlap queue starts the next run once the one before has ended, however it ended', async () => {
    const h = await schedulerWorld(pipelines({ overlap: 'queue' }));
    h.clock.set(T0 + MINUTE);
    await h.scheduler.runOnce();
    h.clock.set(T0 + 2 * MINUTE);
    await h.scheduler.runOnce();
    const [tick] = await h.store.schedules.ticks('python_a_schedule', { limit: 1 });
    expect(tick).toMatchObject({ status: 'queued', reason: expect.stringContaining('overlap is queue') });
    const [second, first] = await h.store.runs.list({ limit: 10 });
    const advance = async (runId: string) =>
      (await h.store.runs.advance(runId, NO_LIMITS, decide))!.state.status;
    expect(await advance(second!.runId)).toBe('QUEUED');
    expect(await advance(first!.runId)).toBe('STARTED');
    expect(await advance(second!.runId)).toBe('QUEUED');
    await h.store.runs.advance(first!.runId, NO_LIMITS, (view) => decideCancel(view, 'cli:ada'));
    const ref = (await h.store.steps.leases())[0]!.ref;
    expect(await h.store.steps.acquire(ref, 'me')).toBe('ok');
    await h.store.steps.finish(ref, { type: 'step_canceled', seconds: 1, forced: false }, []);
    expect(await advance(first!.runId)).toBe('CANCELED');
    expect(await advance(second!.runId)).toBe('STARTED');
    await h.store.close();
  });

  it('C6: a folder that was gone, and comes back as it was, does not fire what it missed', async () => {
    const h = await schedulerWorld({ ...pipelines({}), python_b: { assets: { b: {} } } });
    h.clock.set(T0 + MINUTE);
    await h.scheduler.runOnce();
    await h.edit({ python_b: { assets: { b: {} } } });
    h.clock.set(T0 + 2 * MINUTE);
    await h.scheduler.runOnce();
    h.clock.set(T0 + 60 * MINUTE);
    await h.restart();
    await h.edit({ ...pipelines({}), python_b: { assets: { b: {} } } });
    expect(await h.scheduler.runOnce()).toEqual({ launched: 0, skipped: 0, failed: 0 });
    h.clock.set(T0 + 61 * MINUTE);
    expect(await h.scheduler.runOnce()).toMatchObject({ launched: 1 });
    expect(await h.launched()).toEqual([1, 61]);
    await h.store.close();
  });

  it('C6: a folder that comes back is stopped as it was, and started then does not fire what it missed', async () => {
    const h = await schedulerWorld({ ...pipelines({}), python_b: { assets: { b: {} } } });
    await h.store.schedules.setOverride('python_a_schedule', { status: 'STOPPED', by: 'ada', at: T0 }, T0);
    await h.edit({ python_b: { assets: { b: {} } } });
    h.clock.set(T0 + 2 * MINUTE);
    await h.scheduler.runOnce();
    await h.restart();
    await h.edit({ ...pipelines({}), python_b: { assets: { b: {} } } });
    h.clock.set(T0 + 60 * MINUTE);
    expect(await h.scheduler.runOnce()).toEqual({ launched: 0, skipped: 0, failed: 0 });
    await h.store.schedules.setOverride('python_a_schedule', null, h.clock.now());
    h.clock.set(T0 + 61 * MINUTE);
    await h.scheduler.runOnce();
    expect(await h.launched()).toEqual([61]);
    await h.store.close();
  });

  it('T5: going back to an earlier revision brings its schedule back, and nothing of the past', async () => {
    const h = await schedulerWorld(pipelines({}));
    h.clock.set(T0 + MINUTE);
    await h.scheduler.runOnce();
    await h.edit(pipelines({ cron: ['*/7 * * * *'] }));
    await h.scheduler.runOnce();
    h.clock.set(T0 + 20 * MINUTE);
    await h.edit(pipelines({}));
    expect(await h.scheduler.runOnce()).toEqual({ launched: 0, skipped: 0, failed: 0 });
    h.clock.set(T0 + 21 * MINUTE);
    await h.scheduler.runOnce();
    expect(await h.launched()).toEqual([1, 21]);
    await h.store.close();
  });

  it('T5: a schedule that was stopped for a time starts again by itself, from the end of that time on', async () => {
    const h = await schedulerWorld(pipelines({}));
    const expiresAt = T0 + 10 * MINUTE;
    const override = { status: 'STOPPED', by: 'ada', at: T0, reason: 'load', expiresAt } as const;
    await h.store.schedules.setOverride('python_a_schedule', override, T0);
    h.clock.set(T0 + 5 * MINUTE);
    expect(await h.scheduler.runOnce()).toEqual({ launched: 0, skipped: 0, failed: 0 });
    expect(h.scheduler.nextDueAt()).toBe(expiresAt);
    await h.restart();
    h.clock.set(T0 + 12 * MINUTE);
    await h.scheduler.runOnce();
    await h.scheduler.runOnce();
    expect(await h.launched()).toEqual([11, 12]);
    expect((await h.store.schedules.states())[0]).toMatchObject({ override: null });
    await h.store.close();
  });

  it('P10: a schedule that cannot be carried on does not keep the others from firing', async () => {
    const config = pipelines({})['python_a']!.config!;
    const h = await schedulerWorld({ ...pipelines({}), python_b: { assets: { b: {} }, config } });
    const { definitions } = sampleDefinitions({
      ...pipelines({}),
      python_b: { assets: { b: {} }, config },
    });
    // A definition that no reader should ever see: its schedule names an asset whose pipeline is not there.
    const pipelinesOfB = new Map([...definitions.pipelines].filter(([id]) => !id.includes('python_a')));
    const scheduler = createScheduler({
      store: h.store,
      clock: h.clock,
      components: { definitions: () => ({ ...definitions, pipelines: pipelinesOfB }) },
      engine: { wake: () => undefined },
      newId: () => uuidv7(h.clock.now()),
      crashPoint: neverCrash,
    });
    h.clock.set(T0 + MINUTE);
    await expect(scheduler.runOnce()).rejects.toThrow();
    expect(await h.store.schedules.ticks('python_a_schedule', { limit: 5 })).toHaveLength(0);
    expect(await h.store.schedules.ticks('python_b_schedule', { limit: 5 })).toHaveLength(1);
    await h.store.close();
  });

  it('T5: a schedule that is edited, or started, never fires the past', async () => {
    const h = await schedulerWorld(pipelines({}));
    await h.edit(pipelines({ cron: ['*/2 * * * *'] }));
    h.clock.set(T0 + 9 * MINUTE);
    expect(await h.scheduler.runOnce()).toMatchObject({ launched: 0 });
    h.clock.set(T0 + 10 * MINUTE);
    expect(await h.scheduler.runOnce()).toMatchObject({ launched: 1 });
    const stopped = { status: 'STOPPED', by: 'page', at: h.clock.now() } as const;
    await h.store.schedules.setOverride('python_a_schedule', stopped, h.clock.now());
    h.clock.set(T0 + 21 * MINUTE);
    expect(await h.scheduler.runOnce()).toMatchObject({ launched: 0 });
    await h.store.schedules.setOverride('python_a_schedule', null, h.clock.now());
    expect(await h.scheduler.runOnce()).toMatchObject({ launched: 0 });
    h.clock.set(T0 + 22 * MINUTE);
    expect(await h.scheduler.runOnce()).toMatchObject({ launched: 1 });
    expect(await h.launched()).toEqual([10, 22]);
    await h.store.close();
  });

  it('T4: two schedulers on one store record a tick once', async () => {
    const h = await schedulerWorld(pipelines({}));
    h.clock.set(T0 + MINUTE);
    const other = createScheduler({
      store: h.store,
      clock: h.clock,
      components: { definitions: () => sampleDefinitions(pipelines({})).definitions },
      engine: { wake: () => undefined },
      newId: () => uuidv7(h.clock.now()),
      crashPoint: neverCrash,
    });
    await Promise.all([h.scheduler.runOnce(), other.runOnce()]);
    expect(await h.launched()).toEqual([1]);
    expect(await h.store.runs.list({ limit: 10 })).toHaveLength(1);
    await h.store.close();
  });
});
