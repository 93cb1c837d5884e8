import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PipelineState, Snapshot } from '../../../src/state/snapshot.ts';
import { type SamplePipeline, sampleSnapshot } from '../../helpers/sample-definitions.ts';
import {
  launch,
  NOON,
  type OpenedStore,
  type OpenStore,
  publish,
  range,
  record,
  succeed,
} from './harness.ts';

const INFO = {
  trigger: { kind: 'webhook', delivery: 'd-1' },
  startedAt: NOON - 5,
  summary: { added: 2, changed: 1, removed: 0 },
} as const;

function withCode(
  sample: Readonly<Record<string, SamplePipeline>>,
  commit: string,
  treeId: string,
): Snapshot {
  const snapshot = sampleSnapshot(sample);
  return {
    ...snapshot,
    repo: { ...snapshot.repo, commit },
    pipelines: snapshot.pipelines.map((pipeline) => ({
      ...pipeline,
      code: { ...pipeline.code, commit, treeId, contentDigest: `content-${treeId}` },
    })),
  };
}

/** Revisions and names. */
export function describeComponentStore(open: OpenStore): void {
  describe('components', () => {
    let opened: OpenedStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.close();
    });

    it('gives a snapshot back as it was applied', async () => {
      const { store } = opened;
      const snapshot: Snapshot = {
        ...sampleSnapshot({
          orders: { assets: { orders: { deps: ['raw'] } } },
          report: { assets: { report: {} }, held: true },
        }),
        diagnostics: [
          {
            code: 'YAML_SYNTAX',
            severity: 'error',
            message: 'no',
            file: 'a/dagster.yaml',
            line: 3,
            column: 1,
          },
        ],
        conditions: [{ type: 'Ready', status: 'True', reason: 'Applied', message: '', since: 4 }],
      };
      const revisionId = await store.components.applyRevision(snapshot, INFO);
      expect(await store.components.snapshot(revisionId)).toEqual(snapshot);
      expect(await store.components.latestSnapshot('main')).toEqual({ revisionId, snapshot });
      expect(await store.components.latestSnapshot('other')).toBeNull();
      expect(await store.components.snapshot(revisionId + 1)).toBeNull();
      expect(await store.components.revision('main', revisionId)).toEqual({
        revisionId,
        component: 'main',
        commit: 'c'.repeat(40),
        branch: 'main',
        author: 'Ada',
        message: 'First',
        committedAt: 0,
        digest: 'sha256:sample',
        trigger: INFO.trigger,
        startedAt: NOON - 5,
        appliedAt: NOON,
        pipelines: 2,
        held: 1,
        diagnostics: 1,
        summary: INFO.summary,
      });
      const events = await store.events({ after: 0, limit: 5, types: ['revision_applied'] });
      expect(events).toMatchObject([{ event: { component: 'main', revisionId, digest: 'sha256:sample' } }]);
    });

    it('gives each revision back whose folders stayed, changed, went and came again', async () => {
      const { store } = opened;
      const base = sampleSnapshot({ orders: { assets: { orders: {} } }, report: { assets: { report: {} } } });
      const [orders, report] = base.pipelines as [PipelineState, PipelineState];
      const newer = { ...orders, config: { ...orders.config, group: 'sales' } };
      const states = [
        [orders, report],
        [newer, report],
        [report],
        [orders, { ...report, status: 'held' as const }],
      ];
      const applied = new Map<number, Snapshot>();
      for (const pipelines of states) {
        const snapshot = { ...base, pipelines };
        applied.set(await store.components.applyRevision(snapshot, INFO), snapshot);
      }
      for (const [revisionId, snapshot] of applied)
        expect(await store.components.snapshot(revisionId)).toEqual(snapshot);
    });

    it('tells revisions of one commit apart, and pages through them', async () => {
      const { store } = opened;
      const ids: number[] = [];
      for (const commit of ['a', 'a', 'b']) {
        ids.push(await store.components.applyRevision(withCode({}, commit, 't'), INFO));
      }
      expect(ids).toEqual(ids.toSorted((a, b) => a - b));
      expect((await store.components.revision('main', 'a'))!.revisionId).toBe(ids[1]);
      expect(await store.components.revision('main', 'zz')).toBeNull();
      expect(await store.components.revision('other', ids[0]!)).toBeNull();
      const page = await store.components.revisions('main', { limit: 2 });
      expect(page.map((row) => row.revisionId)).toEqual([ids[2], ids[1]]);
      const rest = await store.components.revisions('main', { limit: 2, beforeRevisionId: ids[1]! });
      expect(rest.map((row) => row.revisionId)).toEqual([ids[0]]);
    });

    it('keeps the last 50 revisions, and those whose commit an unfinished run uses', async () => {
      const { store } = opened;
      const sample = { orders: { assets: { orders: {} } } };
      const first = await publish(store, sample);
      const [runId] = (await launch(opened, sample, { assets: ['orders'] })) as [string];
      const ids: number[] = [];
      for (const n of range(52)) {
        ids.push(await store.components.applyRevision(withCode(sample, `commit-${n}`, `tree-${n}`), INFO));
      }
      const kept = await store.components.revisions('main', { limit: 100 });
      expect(kept.map((row) => row.revisionId)).toEqual([...ids.slice(2).toReversed(), first]);
      expect(await store.components.snapshot(ids[0]!)).toBeNull();
      expect(await store.components.neededTrees()).toEqual(
        new Set(['tree-orders', ...range(50).map((n) => `tree-${n + 2}`)]),
      );

      await succeed(store, runId, 'orders');
      const last = await store.components.applyRevision(withCode(sample, 'commit-52', 'tree-52'), INFO);
      expect((await store.components.snapshot(last))!.pipelines[0]!.code.treeId).toBe('tree-52');
      expect(await store.components.snapshot(first)).toBeNull();
      expect(await store.components.neededTrees()).toEqual(new Set(range(50).map((n) => `tree-${n + 3}`)));
    });

    it('spares the trees of runs that wait', async () => {
      const { store } = opened;
      const sample = { orders: { assets: { orders: {} } } };
      const [runId] = (await launch(opened, sample, { assets: ['orders'] })) as [string];
      expect(await store.components.neededTrees()).toEqual(new Set(['tree-orders']));
      await record(store, runId, { type: 'run_canceled', reason: 'asked' });
      expect(await store.components.neededTrees()).toEqual(new Set());
    });

    it('takes ids along when a folder moves', async () => {
      const { store } = opened;
      const before = {
        orders: { assets: { python_orders: {}, 'python_orders/items': { resource: 'items' } } },
      };
      await publish(store, before);
      const [runId] = (await launch(opened, before, {
        assets: ['python_orders', 'python_orders/items'],
      })) as [string];
      await succeed(store, runId, 'orders');
      await store.schedules.setCursors([{ schedule: 'orders_schedule', cursor: NOON, configDigest: 'd' }]);
      const after: Record<string, SamplePipeline> = {
        sales: {
          assets: { python_sales: {}, 'python_sales/items': { resource: 'items' } },
          config: { movedFrom: 'pipelines/python/orders' },
        },
      };
      await publish(store, after);
      const [asset, items, old] = await store.assets.status([
        'python_sales',
        'python_sales/items',
        'python_orders',
      ]);
      expect(asset!.latest).toMatchObject({ runId, assetKey: 'python_sales' });
      expect(items!.latest).toMatchObject({ runId, assetKey: 'python_sales/items' });
      expect(old!.latest).toBeNull();
      expect(await store.runs.list({ pipeline: 'sales', limit: 5 })).toHaveLength(1);
      expect(await store.schedules.states()).toMatchObject([{ schedule: 'sales_schedule', cursor: NOON }]);
      // The next revision still says moved_from: nothing moves twice.
      await publish(store, after);
      expect((await store.assets.status(['python_sales']))[0]!.latest).toMatchObject({ runId });
    });

    const ORDERS: Record<string, SamplePipeline> = { orders: { assets: { python_orders: {} } } };
    const SALES: Record<string, SamplePipeline> = {
      sales: { assets: { python_sales: {} }, config: { movedFrom: 'pipelines/python/orders' } },
    };
    const UNSAID: Record<string, SamplePipeline> = { sales: { assets: { python_sales: {} } } };

    /** A run of `orders` that wrote it, and its stopped schedule. */
    async function loadedOrders(): Promise<string> {
      const { store } = opened;
      await publish(store, ORDERS);
      const [runId] = (await launch(opened, ORDERS, { assets: ['python_orders'] })) as [string];
      await succeed(store, runId, 'orders');
      await store.schedules.setOverride('orders_schedule', { status: 'STOPPED', by: 'ada', at: NOON }, NOON);
      return runId;
    }

    it('takes ids back when a move is undone, as a rollback does', async () => {
      const { store } = opened;
      const runId = await loadedOrders();
      await publish(store, SALES);
      await publish(store, ORDERS);
      const [orders, sales] = await store.assets.status(['python_orders', 'python_sales']);
      expect([orders!.latest?.runId, sales!.latest]).toEqual([runId, null]);
      expect(await store.schedules.states()).toMatchObject([{ schedule: 'orders_schedule' }]);
      await publish(store, SALES);
      expect((await store.assets.status(['python_sales']))[0]!.latest).toMatchObject({ runId });
    });

    it.each([
      ['in a later revision than the move', [UNSAID, SALES]],
      ['after the folder was gone for a while', [{}, SALES]],
    ])('takes ids along when moved_from is written %s', async (_when, revisions) => {
      const { store } = opened;
      const runId = await loadedOrders();
      for (const revision of revisions) await publish(store, revision);
      expect((await store.assets.status(['python_sales']))[0]!.latest).toMatchObject({ runId });
      const states = await store.schedules.states();
      expect(states).toMatchObject([{ schedule: 'sales_schedule', override: { status: 'STOPPED' } }]);
    });

    it('takes ids along when a person accepts the move; not when the new name ran already, and then nothing moves', async () => {
      const { store } = opened;
      const runId = await loadedOrders();
      await publish(store, UNSAID);
      const acceptedMove = { fromDir: 'pipelines/python/orders', pipeline: 'sales', by: 'page' };
      const accept = () =>
        store.components.applyRevision(withCode(UNSAID, 'd'.repeat(40), 't'), { ...INFO, acceptedMove });
      await accept();
      expect((await store.assets.status(['python_sales']))[0]!.latest).toMatchObject({ runId });
      await publish(store, ORDERS);
      const [own] = (await launch(opened, ORDERS, { assets: ['python_orders'] })) as [string];
      await succeed(store, own, 'orders');
      const before = await store.components.revisions('main', { limit: 1 });
      const back = { fromDir: 'pipelines/python/sales', pipeline: 'orders', by: 'page' };
      await expect(
        store.components.applyRevision(withCode(ORDERS, 'e'.repeat(40), 't'), {
          ...INFO,
          acceptedMove: back,
        }),
      ).rejects.toMatchObject({ code: 'MOVE_CONFLICT' });
      expect(await store.components.revisions('main', { limit: 1 })).toEqual(before);
      expect((await store.assets.status(['python_sales']))[0]!.latest).toMatchObject({ runId });
    });

    it('leaves a name its own history, when it has one', async () => {
      const { store } = opened;
      await loadedOrders();
      await publish(store, UNSAID);
      const [runId] = (await launch(opened, UNSAID, { assets: ['python_sales'] })) as [string];
      await succeed(store, runId, 'sales');
      await publish(store, SALES);
      expect((await store.assets.status(['python_sales']))[0]!.latest).toMatchObject({ runId });
    });

    it('holds a component at the revision that it applies, in one transaction with event and audit entry', async () => {
      const { store } = opened;
      expect(await store.controls.get('main')).toBeNull();
      const snapshot = withCode(ORDERS, 'a'.repeat(40), 'tree');
      const state = {
        mode: 'rolled_back',
        commit: 'a'.repeat(40),
        fenced: ['b'.repeat(40)],
        by: 'cli:ada',
        at: NOON,
        reason: 'B is bad',
        expiresAt: NOON + 60_000,
      } as const;
      const revisionId = await store.components.applyRevision(snapshot, {
        ...INFO,
        trigger: { kind: 'rollback', by: 'cli:ada', revisionId: 1 },
        control: { state, by: 'cli:ada' },
      });
      expect(await store.controls.get('main')).toEqual({ ...state, revisionId });
      const events = await store.events({ after: 0, limit: 10 });
      expect(events.map(({ event }) => event)).toEqual([
        {
          type: 'control_changed',
          component: 'main',
          mode: 'rolled_back',
          by: 'cli:ada',
          reason: 'B is bad',
        },
        expect.objectContaining({ type: 'revision_applied', revisionId }),
      ]);
      const reopened = await opened.reopen();
      opened = reopened;
      expect(await reopened.store.controls.get('main')).toEqual({ ...state, revisionId });
      await reopened.store.controls.set('main', null, 'page');
      expect(await reopened.store.controls.get('main')).toBeNull();
      const [resume, rollback] = await reopened.store.operations.auditLog({ limit: 5 });
      expect(resume).toMatchObject({ actor: 'page', action: 'component.resume', target: 'main' });
      expect(rollback).toMatchObject({
        actor: 'cli:ada',
        action: 'component.rollback',
        details: {
          revision: revisionId,
          commit: 'a'.repeat(40),
          reason: 'B is bad',
          expires_at: '2026-01-10T12:01:00.000Z',
        },
      });
    });

    it('replaces one hold by another; a revision without one leaves it as it was', async () => {
      const { store } = opened;
      const hold = {
        revisionId: null,
        commit: null,
        fenced: [],
        by: 'page',
        at: NOON,
        reason: '',
        expiresAt: null,
      };
      await store.controls.set('main', { ...hold, mode: 'suspended' }, 'page');
      await publish(store, ORDERS);
      expect(await store.controls.get('main')).toMatchObject({ mode: 'suspended' });
      await store.controls.set('main', { ...hold, mode: 'pinned', revisionId: 1 }, 'page');
      expect(await store.controls.get('main')).toMatchObject({ mode: 'pinned', revisionId: 1 });
      expect(await store.controls.get('other')).toBeNull();
    });

    it('keeps history of a folder that is deleted and comes back (C6)', async () => {
      const { store } = opened;
      const sample = { orders: { assets: { orders: {} } } };
      await publish(store, sample);
      const [runId] = (await launch(opened, sample, { assets: ['orders'] })) as [string];
      await succeed(store, runId, 'orders');
      await publish(store, {});
      await publish(store, sample);
      expect((await store.assets.status(['orders']))[0]!.latest).toMatchObject({ runId });
    });
  });
}
