import { describe, expect, it } from 'vitest';
import { messageOf } from '../../src/alerts/alert-message.ts';
import type { AlertRecord } from '../../src/alerts/alert-record.ts';
import { nextAttemptAt } from '../../src/alerts/back-off.ts';
import { syncState } from '../../src/alerts/component-items.ts';
import { type EndedRun, runFindings } from '../../src/alerts/run-items.ts';
import type { CheckEvent } from '../../src/events/step-event.ts';
import type { Condition } from '../../src/state/snapshot.ts';

const NOON = Date.UTC(2026, 0, 20, 12);
const MINUTE = 60_000;

/** What decides counts; the rest of plans and states is not looked at. */
function run(
  steps: Readonly<Record<string, readonly [status: string, error?: string]>>,
  more: Partial<EndedRun> = {},
) {
  const plan = {
    runId: 'r1',
    jobName: 'all_assets_job',
    partitions: { kind: 'none' },
    cause: { kind: 'api', token: 'none' },
    tags: {},
    steps: Object.keys(steps).map((key) => ({
      stepKey: key,
      component: 'shop',
      code: { component: 'shop', commit: 'c0ffee' },
      assets: [{ key: `${key}/a` }, { key: `${key}/b` }],
    })),
  };
  const state = {
    steps: Object.fromEntries(
      Object.entries(steps).map(([key, [status, message]]) => [
        key,
        { status, finishedAssets: [], error: message === undefined ? null : { message } },
      ]),
    ),
  };
  const given = {
    plan,
    state,
    outcome: 'failed',
    reason: 'a: x',
    at: NOON,
    retriedByItself: false,
    checks: [],
  };
  return { ...given, ...more } as unknown as EndedRun;
}

const check = (stepKey: string, passed: boolean, partition: string | null = null) => {
  const event: CheckEvent = {
    type: 'check',
    asset_key: `${stepKey}/a`,
    check_name: 'rows',
    passed,
    severity: 'WARN',
    partition,
    metadata: { rows: 0, min: 1 },
  };
  return { stepKey, event };
};

describe('what an ended run tells', () => {
  it('names the assets that failed, not those that were written or skipped', () => {
    const { items, written } = runFindings(
      run({ x: ['succeeded'], y: ['failed', 'Boom\n  at z'], z: ['skipped'] }),
    );
    expect(items).toMatchObject([{ what: 'y/a and y/b', cause: 'Boom', subjects: ['y/a', 'y/b'] }]);
    expect(written).toEqual(['x/a', 'x/b']);
  });

  it('a run that another one before it took along is told with that reason: it is run by nobody again', () => {
    const reason = 'run r0 of the same launch failed';
    expect(runFindings(run({ x: ['skipped'] }, { reason })).items).toMatchObject([
      { event: 'run_failure', what: 'x/a and x/b', cause: reason },
    ]);
  });

  it('nothing of a run that is run again, but checks of what is not run again', () => {
    const checks = [check('x', false), check('y', false)];
    const again = run({ x: ['succeeded'], y: ['failed', 'Boom'] }, { retriedByItself: true, checks });
    expect(runFindings(again).items.map(({ what }) => what)).toEqual(['x/a:rows']);
  });

  it('the last word of a check, over all attempts and of each partition', () => {
    const checks = [check('x', false), check('x', true), check('x', true, 'p'), check('x', false, 'p')];
    const { items, passed } = runFindings(run({ x: ['succeeded'] }, { outcome: 'succeeded', checks }));
    expect(items).toMatchObject([
      { what: 'x/a:rows', partition: 'p', cause: 'rows 0, min 1', severity: 'WARN' },
    ]);
    expect(passed).toEqual([]);
    expect(
      runFindings(run({ x: ['succeeded'] }, { outcome: 'succeeded', checks: checks.slice(0, 2) })),
    ).toMatchObject({
      items: [],
      passed: ['x/a:rows'],
    });
  });
});

describe('a component that does not follow Git', () => {
  const conditions = (failed: boolean, stalled: boolean, ready = true): Condition[] =>
    (
      [
        ['Ready', ready],
        ['FetchFailed', failed],
        ['Stalled', stalled],
      ] as const
    ).map(([type, holds]) => ({
      type,
      status: holds ? 'True' : 'False',
      reason: 'Unreachable',
      message: 'no route',
      since: NOON,
    }));
  const at = (now: number, failed: boolean, stalled: boolean) =>
    syncState({ name: 'shop', snapshot: null, conditions: conditions(failed, stalled) }, now);

  it('is told when that lasts, at once when nothing is tried again, and is well when both are over', () => {
    expect(at(NOON + 4 * MINUTE, true, false)).toEqual({ item: null, dueAt: NOON + 5 * MINUTE, well: false });
    expect(at(NOON + 5 * MINUTE, true, false).item).toMatchObject({ cause: 'Unreachable: no route' });
    expect(at(NOON, true, true).item).not.toBeNull();
    expect(at(NOON, false, false)).toEqual({ item: null, dueAt: null, well: true });
  });

  it('is neither while nobody knows yet', () => {
    expect(syncState({ name: 'shop', snapshot: null, conditions: [] }, NOON)).toEqual({
      item: null,
      dueAt: null,
      well: false,
    });
  });
});

describe('a message', () => {
  it('lays the same thing with the same cause on one line, and counts what it leaves out', () => {
    const item = (what: string, partition: string | null) => ({
      event: 'run_failure' as const,
      subject: what,
      severity: 'ERROR' as const,
      at: NOON,
      components: ['shop'],
      assetKeys: [what],
      assetCount: 1,
      what,
      partition,
      cause: 'Boom',
      runId: 'r',
      backfillId: null,
      schedule: null,
      commit: null,
      page: '/runs/r',
    });
    const items = [
      ...['01', '02', '03'].map((day) => item('orders', day)),
      ...Array.from({ length: 20 }, (_, nth) => item(`p${nth}`, null)),
    ];
    const alert: AlertRecord = {
      alertId: 'a',
      rule: 'all',
      event: 'run_failure',
      severity: 'ERROR',
      openedAt: NOON,
      closesAt: NOON,
      closed: true,
      count: 1000,
      items,
      level: 0,
      isTest: false,
    };
    const { title, lines, more, url } = messageOf(alert, { publicUrl: 'https://e', commitUrl: () => null });
    expect(title).toBe('1000 runs failed: orders, p0 and 19 more');
    expect(lines).toHaveLength(10);
    expect(lines[0]).toMatchObject({ what: 'orders', detail: '3 times, 01, 02 and 1 more', count: 3 });
    expect(more).toBe(1000 - 12);
    expect(url).toBe('https://e/runs?status=FAILURE');
  });
});

describe('the next attempt', () => {
  it.each([
    [1, null, 10_000],
    [4, null, 80_000],
    [30, null, 3_600_000],
    [1, 120_000, 120_000],
    [1, 86_400_000, 6 * 3_600_000],
  ])('after %i attempts, asked for %j ms, comes after %i ms', (attempts, asked, wait) => {
    expect(nextAttemptAt({ createdAt: NOON, attempts }, NOON, asked, 0.5)).toBe(NOON + wait);
  });

  it('spreads by a quarter to either side, and ends after a day', () => {
    expect(nextAttemptAt({ createdAt: NOON, attempts: 1 }, NOON, null, 0)).toBe(NOON + 7_500);
    expect(nextAttemptAt({ createdAt: NOON, attempts: 1 }, NOON, null, 1)).toBe(NOON + 12_500);
    expect(nextAttemptAt({ createdAt: NOON, attempts: 9 }, NOON + 86_400_000, null, 0.5)).toBeNull();
  });
});
