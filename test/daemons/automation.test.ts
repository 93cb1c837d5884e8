import { describe, expect, it } from 'vitest';
import type { Explanation } from '../../src/automation/explanation.ts';
import { AUTOMATION_CRASH_POINTS } from '../../src/daemons/automation.ts';
import type { PartitionsDefinition } from '../../src/partitions/definition/partitions-definition.ts';
import type { SamplePipeline } from '../helpers/sample-definitions.ts';
import { DAILY, WEEKLY } from '../helpers/sample-definitions.ts';

import { DAY, HOUR, openAutomation, type Sample } from './automation-harness.ts';

const T0 = Date.UTC(2026, 0, 20, 12, 0, 30);

interface AssetSketch {
  readonly deps?: readonly string[];
  readonly when?: string;
  readonly partitions?: PartitionsDefinition;
  readonly checks?: SamplePipeline['assets'][string]['checks'];
  readonly enabled?: boolean;
  readonly held?: boolean;
}

/** Each asset in a folder of its own. */
function shop(assets: Readonly<Record<string, AssetSketch>>): Sample {
  return Object.fromEntries(
    Object.entries(assets).map(([key, { deps = [], when, partitions, checks, enabled, held }]) => [
      key,
      {
        ...(held === undefined ? {} : { held }),
        config: {
          ...(when === undefined ? {} : { automation: { condition: when } }),
          ...(partitions === undefined ? {} : { partitions }),
          ...(enabled === undefined ? {} : { enabled }),
        },
        assets: { [key]: { deps, ...(checks === undefined ? {} : { checks }) } },
      },
    ]),
  );
}

const CHAIN = shop({
  raw: {},
  staged: { deps: ['raw'], when: 'eager' },
  mart: { deps: ['staged'], when: 'eager' },
});

describe('automation', () => {
  it('requests a chain of eager assets in one evaluation and one run', async () => {
    const h = await openAutomation(CHAIN, T0);
    expect(await h.look()).toEqual([]);
    await h.succeed(await h.launch(['raw']));
    expect(await h.look()).toEqual(['staged+mart']);
    const [run] = await h.store.runs.list({ limit: 1 });
    expect(run!.cause).toMatchObject({ kind: 'automation' });
    expect(h.woken).toEqual([run!.runId]);
    expect(await h.look()).toEqual([]);
    await h.succeed();
    expect(await h.look()).toEqual([]);
    await h.close();
  });

  it('is not triggered by a parent that is written together with its child', async () => {
    const h = await openAutomation(CHAIN, T0);
    await h.look();
    const runId = await h.launch(['raw', 'staged', 'mart']);
    expect(await h.look()).toEqual([]);
    await h.succeed(runId);
    expect(await h.look()).toEqual([]);
    expect(await h.look()).toEqual([]);
    await h.close();
  });

  it('does not request what failed again until a parent is updated', async () => {
    const h = await openAutomation(CHAIN, T0);
    await h.look();
    await h.succeed(await h.launch(['raw']));
    expect(await h.look()).toEqual(['staged+mart']);
    await h.fail();
    expect(await h.look()).toEqual([]);
    expect(await h.look(3600)).toEqual([]);
    await h.succeed(await h.launch(['raw']));
    expect(await h.look()).toEqual(['staged+mart']);
    await h.close();
  });

  it('does not lose the update of a parent between two evaluations', async () => {
    const h = await openAutomation(CHAIN, T0);
    await h.succeed(await h.launch(['raw', 'staged', 'mart']));
    await h.look();
    // The child is written first, then its parent, and nobody looks in between.
    await h.succeed(await h.launch(['staged', 'mart']));
    await h.succeed(await h.launch(['raw']));
    expect(await h.look()).toEqual(['staged+mart']);
    await h.close();
  });

  it('takes a parent that is written while the child runs as handled by that run', async () => {
    const h = await openAutomation(CHAIN, T0);
    await h.look();
    await h.succeed(await h.launch(['raw']));
    expect(await h.look()).toEqual(['staged+mart']);
    const [child] = await h.store.runs.list({ limit: 1 });
    await h.succeed(await h.launch(['raw']));
    expect(await h.look()).toEqual([]);
    await h.succeed(child!.runId);
    expect(await h.look()).toEqual([]);
    await h.close();
  });

  it('requests each new day of a daily chain as its parent is written', async () => {
    const daily = { partitions: DAILY };
    const h = await openAutomation(
      shop({ raw: daily, staged: { ...daily, deps: ['raw'], when: 'eager' } }),
      T0,
    );
    await h.look();
    await h.succeed(await h.launch(['raw'], ['2026-01-18']));
    expect(await h.look()).toEqual([]);
    await h.succeed(await h.launch(['raw'], ['2026-01-19']));
    expect(await h.look()).toEqual(['staged@2026-01-19']);
    await h.succeed();
    h.clock.advance(DAY);
    expect(await h.look()).toEqual([]);
    await h.succeed(await h.launch(['raw'], ['2026-01-20']));
    expect(await h.look()).toEqual(['staged@2026-01-20']);
    await h.close();
  });

  it('runs every partition of a chain as its parents are written, one run each', async () => {
    const daily = { partitions: DAILY, when: 'eager().without(in_latest_time_window())' };
    const h = await openAutomation(
      shop({
        raw: { partitions: DAILY },
        staged: { ...daily, deps: ['raw'] },
        week: { ...daily, partitions: WEEKLY, deps: ['staged'] },
      }),
      T0,
    );
    await h.look();
    const days = ['05', '06', '07', '08', '09', '10', '11'].map((day) => `2026-01-${day}`);
    for (const day of days.slice(0, 6)) await h.succeed(await h.launch(['raw'], [day]));
    expect(await h.look()).toEqual(days.slice(0, 6).map((day) => `staged@${day}`));
    for (const { runId } of await h.store.runs.list({ statuses: ['QUEUED'], limit: 10 }))
      await h.succeed(runId);
    // The week still misses a day.
    expect(await h.look()).toEqual([]);
    await h.succeed(await h.launch(['raw'], [days[6]!]));
    expect(await h.look()).toEqual([`staged@${days[6]}`]);
    expect(await h.look()).toEqual([]);
    await h.succeed();
    expect(await h.look()).toEqual(['week@2026-01-05']);
    await h.close();
  });

  it('runs once per tick, when everything above was updated since', async () => {
    const h = await openAutomation(
      shop({ raw: {}, report: { deps: ['raw'], when: 'on_cron("@hourly", "UTC")' } }),
      T0,
    );
    await h.look();
    expect(h.automation.nextDueAt()).toBe(Date.UTC(2026, 0, 20, 13));
    await h.succeed(await h.launch(['raw']));
    expect(await h.look()).toEqual([]);
    h.clock.advance(HOUR);
    expect(await h.look()).toEqual([]);
    await h.succeed(await h.launch(['raw']));
    expect(await h.look()).toEqual(['report']);
    await h.succeed();
    await h.succeed(await h.launch(['raw']));
    expect(await h.look()).toEqual([]);
    await h.close();
  });

  it('requests what becomes missing, and not what was missing before', async () => {
    const h = await openAutomation(shop({ raw: { partitions: DAILY, when: 'on_missing' } }), T0);
    expect(await h.look()).toEqual([]);
    h.clock.set(Date.UTC(2026, 0, 21));
    expect(await h.look()).toEqual(['raw@2026-01-20']);
    expect(await h.look()).toEqual([]);
    await h.close();
  });

  it('waits for the blocking checks of a parent, by partition', async () => {
    const checks = [{ name: 'rows', blocking: true, severity: 'ERROR' as const }];
    const h = await openAutomation(
      shop({
        raw: { partitions: DAILY, checks },
        staged: {
          partitions: DAILY,
          deps: ['raw'],
          when: 'eager().without(in_latest_time_window()) & all_deps_blocking_checks_passed()',
        },
      }),
      T0,
    );
    await h.look();
    for (const [partition, passed] of [
      ['2026-01-18', false],
      ['2026-01-19', true],
    ] as const) {
      const runId = await h.launch(['raw'], [partition]);
      await h.check(runId, { asset: 'raw', check: 'rows', passed, partition });
    }
    expect(await h.look()).toEqual(['staged@2026-01-19']);
    // A result that the write before earned is none.
    await h.succeed();
    await h.succeed(await h.launch(['raw'], ['2026-01-19']));
    expect(await h.look()).toEqual([]);
    const again = await h.launch(['raw'], ['2026-01-18']);
    await h.check(again, { asset: 'raw', check: 'rows', passed: true, partition: '2026-01-18' });
    expect(await h.look()).toEqual(['staged@2026-01-18']);
    await h.close();
  });

  it('does not launch what a mere state asks for a second time while it is under way', async () => {
    const h = await openAutomation(shop({ raw: { when: 'missing()' } }), T0);
    expect(await h.look()).toEqual(['raw']);
    expect(await h.look()).toEqual([]);
    const [run] = await h.store.runs.list({ limit: 1 });
    await h.cancel(run!.runId);
    expect(await h.look()).toEqual(['raw']);
    await h.succeed();
    expect(await h.look()).toEqual([]);
    await h.close();
  });

  it('runs assets with different partitions in runs of their own, each after those that it reads', async () => {
    const when = 'missing() & ~in_progress()';
    const h = await openAutomation(
      shop({
        raw: { partitions: { ...DAILY, start: '2026-01-12' } as PartitionsDefinition, when },
        staged: {
          partitions: { ...DAILY, start: '2026-01-12' } as PartitionsDefinition,
          when,
          deps: ['raw'],
        },
        week: { partitions: WEEKLY, when, deps: ['staged'] },
      }),
      Date.UTC(2026, 0, 19, 6),
    );
    const runs = await h.look();
    const days = ['12', '13', '14', '15', '16', '17', '18'].map((day) => `raw+staged@2026-01-${day}`);
    expect(runs.toSorted()).toEqual([...days, 'week@2026-01-05', 'week@2026-01-12'].toSorted());
    const list = await h.store.runs.list({ limit: 20 });
    expect(new Set(list.map(({ launchId }) => launchId)).size).toBe(1);
    const afterOf = async (key: string) => {
      const run = list.find(({ partitions }) => partitions.kind === 'key' && partitions.key === key)!;
      return (await h.store.runs.plan(run.runId))!.after.length;
    };
    expect(await afterOf('2026-01-05')).toBe(0);
    const [last] = list.filter(({ assetKeys }) => assetKeys.includes('week'));
    expect((await h.store.runs.plan(last!.runId))!.after).toHaveLength(7);
    await h.close();
  });

  it('hands what is too much to be launched at once to a backfill, once', async () => {
    const hourly = { ...DAILY, cron: '0 * * * *', fmt: '%Y-%m-%d-%H:%M', start: '2014-01-01-00:00' };
    const partitions = hourly as PartitionsDefinition;
    const when = 'missing() & ~in_progress()';
    const h = await openAutomation(
      shop({
        raw: { partitions, when },
        staged: { partitions, when, deps: ['raw'] },
        small: { partitions: DAILY, when },
      }),
      T0,
    );
    const launched = await h.look();
    expect(launched).toHaveLength(19);
    expect(launched.every((run) => run.startsWith('small@'))).toBe(true);
    const [backfill, ...others] = await h.store.backfills.list({ limit: 5 });
    expect(others).toEqual([]);
    expect(backfill).toMatchObject({
      status: 'REQUESTED',
      request: { assets: ['raw', 'staged'], cause: { kind: 'automation' } },
      counts: { total: 105_660 },
      runs: 105_660,
    });
    expect(h.advanced()).toBe(1);
    const [row] = await h.store.automation.evaluations({ assetKey: 'staged', limit: 1 });
    expect(row).toMatchObject({ requested: 105_660, backfillId: backfill!.backfillId, runIds: [] });
    // In progress from now on, so that nothing asks for it again; also after a restart.
    expect(await h.look()).toEqual([]);
    await h.restart();
    expect(await h.look()).toEqual([]);
    expect(await h.store.backfills.list({ limit: 5 })).toHaveLength(1);
    await h.store.backfills.setStatus(backfill!.backfillId, {
      from: ['REQUESTED'],
      to: 'CANCELED',
      by: null,
      reason: '',
    });
    await h.look();
    expect(await h.store.backfills.list({ limit: 5 })).toHaveLength(2);
    await h.close();
  });

  it('evaluates a broken folder by its last good definition, and nothing of a disabled one', async () => {
    const h = await openAutomation(
      shop({
        raw: {},
        kept: { deps: ['raw'], when: 'eager', held: true },
        off: { deps: ['raw'], when: 'eager', enabled: false },
      }),
      T0,
    );
    await h.look();
    await h.succeed(await h.launch(['raw']));
    expect(await h.look()).toEqual(['kept']);
    await h.close();
  });

  describe('when the definitions change', () => {
    it('fires nothing of the past for another condition', async () => {
      const h = await openAutomation(CHAIN, T0);
      await h.look();
      await h.succeed(await h.launch(['raw']));
      await h.edit({ ...CHAIN, ...shop({ staged: { deps: ['raw'], when: 'eager() | on_missing()' } }) });
      expect(await h.look()).toEqual([]);
      expect(await h.look()).toEqual([]);
      await h.succeed(await h.launch(['raw']));
      expect(await h.look()).toEqual(['staged+mart']);
      await h.close();
    });

    it('fires nothing of the past for a folder that was away (C6)', async () => {
      const { staged: _, ...rest } = CHAIN;
      const h = await openAutomation(CHAIN, T0);
      await h.look();
      await h.edit(rest);
      await h.look();
      await h.succeed(await h.launch(['raw']));
      await h.edit(CHAIN);
      expect(await h.look()).toEqual([]);
      expect(await h.look()).toEqual([]);
      await h.close();
    });

    it('fires no partition that a longer past brings', async () => {
      const sample = (start: string): Sample =>
        shop({ raw: { partitions: { ...DAILY, start } as PartitionsDefinition, when: 'on_missing' } });
      const h = await openAutomation(sample('2026-01-19'), T0);
      await h.look();
      await h.edit(sample('2025-01-01'));
      expect(await h.look()).toEqual([]);
      h.clock.set(Date.UTC(2026, 0, 21, 0, 0, 1));
      expect(await h.look()).toEqual(['raw@2026-01-20']);
      await h.close();
    });

    it('keeps what it remembers when a description changes', async () => {
      const h = await openAutomation(CHAIN, T0);
      await h.look();
      await h.succeed(await h.launch(['raw']));
      const { staged, ...rest } = CHAIN;
      const described = { ...staged!, config: { ...staged!.config, description: 'cleaned' } };
      await h.edit({ ...rest, staged: described });
      expect(await h.look()).toEqual(['staged+mart']);
      await h.close();
    });
  });

  describe('over a restart', () => {
    it('neither loses what came meanwhile nor asks twice', async () => {
      const h = await openAutomation(CHAIN, T0);
      await h.look();
      await h.succeed(await h.launch(['raw']));
      await h.restart();
      expect(await h.look()).toEqual(['staged+mart']);
      await h.restart();
      expect(await h.look()).toEqual([]);
      await h.succeed();
      await h.restart();
      expect(await h.look()).toEqual([]);
      await h.close();
    });

    it.each(AUTOMATION_CRASH_POINTS)('launches once when it dies at %s', async (point) => {
      let dies = false;
      const h = await openAutomation(CHAIN, T0, (at) => {
        if (dies && at === point) throw new Error('killed');
      });
      await h.look();
      await h.succeed(await h.launch(['raw']));
      dies = true;
      await expect(h.look()).rejects.toThrow('killed');
      dies = false;
      await h.restart();
      await h.look();
      expect(await h.runs()).toEqual(['raw', 'staged+mart']);
      await h.close();
    });
  });

  describe('evaluations', () => {
    it('are stored when they ask for something or remember something else, and not otherwise', async () => {
      const h = await openAutomation(CHAIN, T0);
      await h.look();
      const count = async (): Promise<number> =>
        (await h.store.automation.evaluations({ limit: 100 })).length;
      const first = await count();
      expect(first).toBe(2);
      for (let n = 0; n < 5; n++) await h.look();
      expect(await count()).toBe(first);
      await h.succeed(await h.launch(['raw']));
      await h.look();
      const [newest] = await h.store.automation.evaluations({ assetKey: 'staged', limit: 1 });
      const [run] = await h.store.runs.list({ limit: 1 });
      expect(newest).toMatchObject({ requested: 1, condition: 'eager', runIds: [run!.runId] });
      const { explanation } = (await h.store.automation.evaluation(newest!.evaluationId))!;
      expect(explanation).toMatchObject({ label: 'eager', matched: 1, entity: 'staged' });
      await h.close();
    });

    it('settle: a world in which nothing happens costs no write', async () => {
      const h = await openAutomation(CHAIN, T0);
      await h.succeed(await h.launch(['raw']));
      for (let n = 0; n < 4; n++) await h.look();
      expect(h.automation.isSettled()).toBe(true);
      const before = await h.store.automation.cursors();
      const event = await h.store.lastEventId();
      expect(await h.automation.look()).toEqual({ evaluated: 0, requested: 0, launched: 0 });
      expect(await h.store.automation.cursors()).toEqual(before);
      expect(await h.store.lastEventId()).toBe(event);
      await h.close();
    });
  });

  describe('explain', () => {
    it('says of one partition what each part of the condition says of it, and records nothing', async () => {
      const daily = { partitions: DAILY };
      const when = 'eager().without(in_latest_time_window())';
      const h = await openAutomation(shop({ raw: daily, staged: { ...daily, deps: ['raw'], when } }), T0);
      await h.look();
      await h.succeed(await h.launch(['raw'], ['2026-01-18']));
      const of = async (key: string | null) => (await h.automation.explain('staged', key))!;
      expect(await of('2026-01-18')).toMatchObject({ requested: 1, tree: { candidates: 1, matched: 1 } });
      const missing = await of('2026-01-19');
      expect(missing).toMatchObject({ requested: 0, tree: { candidates: 1, matched: 0 } });
      const nodes = (tree: Explanation): Explanation[] => [tree, ...tree.children.flatMap(nodes)];
      const all = nodes(missing.tree);
      expect(all.filter(({ entity }) => entity === 'staged').every(({ candidates }) => candidates <= 1)).toBe(
        true,
      );
      expect(all.find(({ label }) => label === 'any_deps_updated')).toMatchObject({
        candidates: 1,
        matched: 0,
      });
      expect(await of(null)).toMatchObject({ requested: 1, tree: { candidates: 19 } });
      expect(await h.look()).toEqual(['staged@2026-01-18']);
      await h.close();
    });

    it('refuses what is not there', async () => {
      const h = await openAutomation(
        shop({ raw: {}, staged: { partitions: DAILY, deps: ['raw'], when: 'eager' } }),
        T0,
      );
      await expect(h.automation.explain('nobody', null)).rejects.toMatchObject({ code: 'ASSET_NOT_FOUND' });
      await expect(h.automation.explain('raw', 'x')).rejects.toMatchObject({ code: 'PARTITION_UNKNOWN' });
      await expect(h.automation.explain('staged', '2027-01-01')).rejects.toMatchObject({
        code: 'PARTITION_UNKNOWN',
      });
      expect(await h.automation.explain('raw', null)).toBeNull();
      await h.close();
    });
  });
});
