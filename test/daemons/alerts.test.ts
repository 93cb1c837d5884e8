import { describe, expect, it } from 'vitest';
import type { StepResult } from '../../src/events/run-event.ts';
import type { Store } from '../../src/store/store.ts';
import { startHook } from '../helpers/alert-receivers.ts';
import { rule } from '../helpers/alert-rule.ts';
import { type AlertWorldOptions, alertWorld } from '../helpers/alert-world.ts';
import { DAILY, type SamplePipeline } from '../helpers/sample-definitions.ts';

const failed = (message = 'HTTP 429 from the source\n  at page 3'): StepResult => ({
  type: 'step_failed',
  seconds: 1,
  error: { code: 'STEP_FAILED', message, failureClass: 'user' },
  finishedAssets: [],
  failedBlockingChecks: [],
});
const ORDERS: Record<string, SamplePipeline> = {
  orders: { config: { partitions: DAILY, group: 'finance' }, assets: { orders: {} } },
  users: { config: { group: 'crm' }, assets: { users: {} } },
};
/** A world whose alerts go to a local endpoint; what came there, in a few words. */
async function world(options: AlertWorldOptions = {}) {
  const hook = await startHook();
  const made = await alertWorld({
    pipelines: ORDERS,
    environment: { ELT_ALERT_URL: `${hook.url}/services/T0/B0/secret` },
    ...options,
  });
  return { ...made, hook, texts: () => hook.posts.map(({ json }) => json['text']) };
}

/** Resolves when the log holds a new event of this type. */
async function recorded(store: Store, type: string): Promise<void> {
  const after = await store.lastEventId();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const end = store.subscribe(() => {
    store.events({ after, limit: 1, types: [type] }).then((found) => found.length > 0 && resolve(), reject);
  });
  await promise.finally(end);
}

describe('a run that fails for good', () => {
  it('is told with cause, partition, commit and links, once', async () => {
    const { launch, settle, look, hook, texts } = await world({ step: () => ({ result: failed() }) });
    const runId = await launch('orders', '2026-01-05');
    await look();
    expect(texts()).toEqual([]);
    await settle();
    await settle();
    expect(texts()).toEqual(['orders · 2026-01-05 failed']);
    const said = hook.posts[0]!.text;
    expect(said).toContain(`https://elt.example.com/runs/${runId}`);
    expect(said).toContain('HTTP 429 from the source');
    expect(said).not.toContain('at page 3');
    expect(said).toContain(`<https://github.com/shop/pipelines/commit/${'c'.repeat(40)}|ccccccc>`);
    expect(hook.posts[0]!.path).toBe('/services/T0/B0/secret');
  });

  it('is not told while its step is tried again, and never if that succeeds', async () => {
    const retryPolicy = { maxRetries: 2, delay: 60, backoff: 'LINEAR', jitter: 'FULL' } as const;
    const { launch, settle, texts, clock, engine, store } = await world({
      pipelines: { users: { config: { retryPolicy }, assets: { users: {} } } },
      step: ({ ref }) => (ref.attempt < 3 ? { result: failed() } : {}),
    });
    const runId = await launch('users');
    for (const attempt of [1, 2]) {
      await settle();
      expect(await store.runs.state(runId)).toMatchObject({
        steps: { users: { attempt, status: 'retry_wait' } },
      });
      clock.advance(600_000);
      const next = recorded(store, attempt === 1 ? 'step_retry_scheduled' : 'run_succeeded');
      engine.wake(runId);
      await next;
    }
    await engine.finished(runId);
    await settle();
    expect((await store.runs.state(runId))?.status).toBe('SUCCESS');
    expect(texts()).toEqual([]);
  });

  it.each([
    ['fail, too', 3, ['users failed']],
    ['succeed at last', 2, []],
  ])('is not told before its automatic re-runs %s', async (_, failures, told) => {
    let tries = 0;
    const { launch, settle, texts, store } = await world({
      snapshot: {
        instance: { runRetries: { enabled: true, maxRetries: 2 }, maxConcurrentRuns: null, pools: {} },
      },
      step: () => (++tries <= failures ? { result: failed() } : {}),
    });
    await launch('users');
    await settle();
    const runs = await store.runs.list({ limit: 10 });
    expect(runs.map(({ status }) => status).toReversed()).toEqual([
      'FAILURE',
      'FAILURE',
      failures === 3 ? 'FAILURE' : 'SUCCESS',
    ]);
    expect(texts()).toEqual(told);
  });

  it('is told to those who select it, and from their severity on', async () => {
    const finance = rule({ name: 'finance', select: 'group:finance', severity: 'ERROR' });
    const crm = rule({ name: 'crm', select: 'group:crm', channels: ['team'] });
    const { launch, settle, deliveries } = await world({
      alerts: {
        rules: [finance, crm, rule({ name: 'late', on: ['asset_stale'] }), rule({ enabled: false })],
      },
      step: () => ({ result: failed() }),
    });
    await launch('orders', '2026-01-05');
    await settle();
    expect((await deliveries()).map(({ rule: name }) => name)).toEqual(['finance']);
  });

  it('and is made good is told as recovered, when no partition of it has failed', async () => {
    let isBroken = true;
    const { launch, settle, texts } = await world({
      alerts: { rules: [rule({ on: ['run_failure', 'asset_recovered'] })] },
      step: () => (isBroken ? { result: failed() } : {}),
    });
    for (const day of ['2026-01-05', '2026-01-06']) await launch('orders', day);
    await settle();
    isBroken = false;
    await launch('orders', '2026-01-05');
    await settle();
    expect(texts()).toEqual(['2 runs failed: orders']);
    await launch('orders', '2026-01-06');
    await settle();
    expect(texts().slice(1)).toEqual(['orders · 2026-01-06 succeeded again']);
  });
});

describe('a message', () => {
  it('tells of a thousand failures at once, and names the count', async () => {
    const names = Array.from({ length: 1000 }, (_, nth) => `p${nth}`);
    const pipelines = Object.fromEntries(
      names.map((name) => [
        name,
        {
          config: { freshness: { lowerBoundDeltaSeconds: 60, timezone: 'UTC', severity: 'ERROR' } },
          assets: { [name]: {} },
        } satisfies SamplePipeline,
      ]),
    );
    const { store, settle, hook, texts } = await world({
      pipelines,
      alerts: { rules: [rule({ on: ['asset_stale'] })] },
    });
    await store.appendInstanceEvents(
      names.map((assetKey) => ({
        type: 'freshness_changed',
        assetKey,
        fresh: false,
        severity: 'ERROR',
        message: 'not updated',
      })),
    );
    await settle();
    expect(texts()).toEqual(['1000 assets are stale: p0, p1 and 48 more']);
    expect(hook.posts[0]!.text.length).toBeLessThan(20_000);
    expect(hook.posts[0]!.text).toContain('and 990 more');
  });

  it('gathers longer the longer a storm lasts', async () => {
    const { store, look, clock, deliveries } = await world({
      pipelines: {
        users: {
          config: { freshness: { lowerBoundDeltaSeconds: 60, timezone: 'UTC', severity: 'ERROR' } },
          assets: { users: {} },
        },
      },
      alerts: { rules: [rule({ on: ['asset_stale'] })] },
    });
    const start = clock.now();
    const event = { type: 'freshness_changed', assetKey: 'users', severity: 'ERROR', message: '' } as const;
    for (let minute = 0; minute < 60; minute++) {
      await store.appendInstanceEvents([{ ...event, fresh: false }]);
      for (let half = 0; half < 2; half++) {
        await look();
        clock.advance(30_000);
      }
    }
    await look();
    const sent = (await deliveries()).toReversed();
    expect(sent.map(({ createdAt }) => Math.round((createdAt - start) / 1000))).toEqual([
      30, 90, 390, 1290, 2190, 3090,
    ]);
    expect(sent.map(({ count }) => count)).toEqual([1, 1, 5, 15, 15, 15]);
  });

  it('is muted by a person or by the file, recorded as that, and the next one after it is sent', async () => {
    const muted = rule({ name: 'muted', mute: { until: Date.UTC(2026, 0, 20, 13) } });
    const { launch, settle, clock, texts, deliveries, alerts } = await world({
      alerts: { rules: [rule(), muted] },
      step: () => ({ result: failed() }),
    });
    await alerts.mute('all', clock.now() + 3_600_000, 'known', 'cli:ada');
    await launch('users');
    await settle();
    expect(texts()).toEqual([]);
    expect((await deliveries()).map((row) => [row.rule, row.status])).toEqual([
      ['muted', 'muted'],
      ['all', 'muted'],
    ]);
    clock.advance(3_600_000);
    await launch('users');
    await settle();
    expect(texts()).toEqual(['users failed', 'users failed']);
  });

  it('of a problem that lasts is held back, counted and told again', async () => {
    const { launch, settle, look, clock, texts, nextAt } = await world({
      alerts: { rules: [rule({ repeatAfterSeconds: 4 * 3600 })] },
      step: () => ({ result: failed() }),
    });
    const start = clock.now();
    await launch('users');
    await settle();
    clock.advance(3_600_000);
    await launch('users');
    await settle();
    expect(texts()).toEqual(['users failed']);
    expect(await nextAt()).toBe(start + 4 * 3_600_000);
    clock.set(start + 4 * 3_600_000);
    await look();
    await settle();
    expect(texts()).toEqual(['users failed', 'still: users failed']);
  });
});

describe('other things that are told', () => {
  const CHECKED: Record<string, SamplePipeline> = {
    users: {
      config: {
        checks: [{ name: 'rows', type: 'row_count', blocking: false, severity: 'ERROR', settings: {} }],
      },
      assets: { users: {} },
    },
  };
  const check = (passed: boolean) => ({
    events: [
      {
        type: 'check' as const,
        asset_key: 'users',
        check_name: 'rows',
        passed,
        severity: 'ERROR' as const,
        metadata: { message: '0 rows' },
      },
    ],
  });

  it('a check that does not pass in the end, and that it passes again', async () => {
    let passes = false;
    const { launch, settle, hook, texts } = await world({
      pipelines: CHECKED,
      alerts: { rules: [rule({ on: ['check_failure', 'asset_recovered'] })] },
      step: () => check(passes),
    });
    await launch('users');
    await settle();
    passes = true;
    await launch('users');
    await settle();
    expect(texts()).toEqual(['users:rows did not pass', 'users:rows passes again']);
    expect(hook.posts[0]!.text).toContain('0 rows');
  });

  it('a folder that is broken, once, and that it is served again, over a restart', async () => {
    const diagnostic = {
      code: 'SCHEDULE_CRON_INVALID',
      severity: 'error' as const,
      message: '"0 0 *" has 3 fields',
      file: 'pipelines/python/users/dagster.yaml',
      line: 3,
      column: 9,
      pipeline: 'users',
    };
    const { republish, settle, restart, texts, hook } = await world({
      alerts: { rules: [rule({ on: ['pipeline_broken', 'pipeline_recovered'], select: 'group:crm' })] },
    });
    const broken = { ...ORDERS, users: { ...ORDERS['users']!, held: true } };
    await republish(broken, { diagnostics: [diagnostic] });
    await settle();
    await republish(broken, { diagnostics: [diagnostic] });
    await settle();
    restart();
    await settle();
    expect(texts()).toEqual(['users is broken']);
    expect(hook.posts[0]!.text).toContain(
      'pipelines/python/users/dagster.yaml:3:9 \\"0 0 *\\" has 3 fields; its last good revision goes on',
    );
    await republish(ORDERS);
    await settle();
    expect(texts()).toEqual(['users is broken', 'users is served again']);
  });

  it('an asset that is stale, a tick that was missed, a backfill that paused itself', async () => {
    const { store, settle, texts } = await world({
      pipelines: {
        users: {
          config: {
            freshness: { lowerBoundDeltaSeconds: 60, timezone: 'UTC', severity: 'WARN' },
            schedule: {
              cron: ['0 2 * * *'],
              timezone: 'UTC',
              defaultStatus: 'RUNNING',
              catchUp: 'latest',
              overlap: 'skip',
              jitterSeconds: 0,
            },
          },
          assets: { users: {} },
        },
      },
      alerts: { rules: [rule({ on: ['asset_stale', 'asset_recovered', 'schedule_missed'] })] },
    });
    const stale = {
      type: 'freshness_changed',
      assetKey: 'users',
      severity: 'WARN',
      message: '2 h old',
    } as const;
    const tick = { type: 'tick', schedule: 'users_schedule', at: Date.UTC(2026, 0, 20, 2) } as const;
    await store.appendInstanceEvents([
      { ...stale, fresh: false },
      { ...tick, status: 'skipped', reason: 'missed; catch_up is latest' },
      { ...tick, status: 'skipped', reason: 'run r has not ended; overlap is skip' },
    ]);
    await settle();
    await store.appendInstanceEvents([{ ...stale, fresh: true }]);
    await settle();
    expect(texts()).toEqual(['users is stale', 'users_schedule missed a tick', 'users is fresh again']);
  });

  it('nothing that happened before the first start, nothing twice after any', async () => {
    const { launch, settle, restart, texts, clock } = await world({ step: () => ({ result: failed() }) });
    await launch('users');
    await settle();
    restart();
    clock.advance(3_600_000);
    await settle();
    expect(texts()).toEqual(['users failed']);
  });
});
