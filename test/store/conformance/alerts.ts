import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AlertItem } from '../../../src/alerts/alert-item.ts';
import type { AlertChange, AlertRecord } from '../../../src/alerts/alert-record.ts';
import type { NewDelivery } from '../../../src/store/alert-store.ts';
import { NOON, type OpenedStore, type OpenStore } from './harness.ts';

const ITEM: AlertItem = {
  event: 'run_failure',
  subjects: ['orders'],
  severity: 'ERROR',
  at: NOON,
  components: ['main'],
  assetKeys: ['orders'],
  what: 'orders',
  partition: null,
  cause: 'Boom',
  runId: 'r1',
  backfillId: null,
  schedule: null,
  commit: null,
  page: '/runs/r1',
};
const ALERT: AlertRecord = {
  alertId: 'alert-1',
  rule: 'all',
  event: 'run_failure',
  severity: 'ERROR',
  openedAt: NOON,
  closesAt: NOON + 30_000,
  closed: false,
  count: 1,
  items: [],
  level: 0,
  isTest: false,
};
const PROBLEM = {
  event: 'run_failure',
  subject: 'orders',
  since: NOON,
  lastAt: NOON,
  times: 1,
  item: ITEM,
} as const;
const TOLD = { rule: 'all', event: 'run_failure', subject: 'orders', at: NOON, held: 0 } as const;
const NOTHING: AlertChange = { problems: [], solved: [], told: [], forgotten: [], alerts: [] };

const delivery = (nth: number, more: Partial<NewDelivery> = {}): NewDelivery => ({
  deliveryId: `delivery-${nth}`,
  alertId: 'alert-1',
  rule: 'all',
  channel: 'team',
  event: 'run_failure',
  severity: 'ERROR',
  title: 'orders failed',
  count: 1,
  isTest: false,
  status: 'waiting',
  ...more,
});

/** What alerts remember, whatever happens between two of their steps. */
export function describeAlertStore(open: OpenStore): void {
  describe('alerts', () => {
    let opened: OpenedStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.close();
    });
    const statuses = async () =>
      (await opened.store.alerts.deliveries({ limit: 10 })).map(({ deliveryId, status }) => [
        deliveryId,
        status,
      ]);

    it('keeps position, problems, what was told and what gathers, over a restart; a position never moves back', async () => {
      const { alerts } = opened.store;
      expect(await alerts.cursor()).toBeNull();
      const change = { ...NOTHING, problems: [PROBLEM], told: [TOLD], alerts: [ALERT] };
      await alerts.record(7, change, []);
      await alerts.record(5, { ...NOTHING, alerts: [{ ...ALERT, count: 2, closed: true }] }, [delivery(1)]);
      opened = await opened.reopen();
      const again = opened.store.alerts;
      expect(await again.cursor()).toBe(7);
      const memory = await again.memory();
      expect([...memory.problems.values()]).toEqual([PROBLEM]);
      expect([...memory.told.values()]).toEqual([TOLD]);
      expect([...memory.newest.values()]).toEqual([{ ...ALERT, count: 2, closed: true }]);
      await again.record(8, { ...NOTHING, solved: [PROBLEM], forgotten: [TOLD] }, []);
      const after = await again.memory();
      expect([after.problems.size, after.told.size]).toEqual([0, 0]);
    });

    it('remembers of each rule and event the newest alert, never a test', async () => {
      const { alerts } = opened.store;
      const later = { ...ALERT, alertId: 'alert-2', openedAt: NOON + 60_000, closesAt: NOON + 90_000 };
      await alerts.record(1, { ...NOTHING, alerts: [{ ...ALERT, closed: true }, later] }, []);
      const test = { ...later, alertId: 'test', closesAt: NOON + 99_000, isTest: true };
      await alerts.addTest(test, [delivery(1, { alertId: 'test', status: 'sending', isTest: true })]);
      expect([...(await alerts.memory()).newest.values()].map(({ alertId }) => alertId)).toEqual(['alert-2']);
      expect(await alerts.alert('test')).toEqual(test);
    });

    it('hands out what is due, not of channels that are to be left alone, each once', async () => {
      const { alerts } = opened.store;
      await alerts.record(1, NOTHING, [
        delivery(1),
        delivery(2, { channel: 'pager' }),
        delivery(3, { status: 'muted' }),
      ]);
      const due = async (...except: string[]) =>
        (await alerts.due(10, except)).map(({ deliveryId }) => deliveryId);
      expect(await due()).toEqual(['delivery-1', 'delivery-2']);
      expect(await due('team')).toEqual(['delivery-2']);
      expect(await alerts.nextDueAt(['team', 'pager'])).toBeNull();
      expect([await alerts.begin('delivery-1'), await alerts.begin('delivery-1')]).toEqual([true, false]);
      await alerts.finish('delivery-1', { status: 'waiting', error: '500', dueAt: NOON + 10_000 });
      await alerts.begin('delivery-2');
      await alerts.finish('delivery-2', { status: 'sent', response: '200 ok' });
      expect(await due()).toEqual([]);
      expect(await alerts.nextDueAt([])).toBe(NOON + 10_000);
      opened.clock.advance(10_000);
      expect(await due()).toEqual(['delivery-1']);
      expect(await alerts.delivery('delivery-1')).toMatchObject({ attempts: 1, lastError: '500' });
    });

    it('takes up after a start what was being sent, and says that it may have arrived', async () => {
      await opened.store.alerts.record(1, NOTHING, [delivery(1), delivery(2)]);
      await opened.store.alerts.begin('delivery-1');
      opened = await opened.reopen();
      const { alerts } = opened.store;
      expect(await alerts.reclaim()).toBe(1);
      expect(await alerts.due(10, [])).toMatchObject([
        { deliveryId: 'delivery-1', uncertain: true, attempts: 1 },
        { deliveryId: 'delivery-2', uncertain: false, attempts: 0 },
      ]);
    });

    it('tries again only what was given up', async () => {
      const { alerts } = opened.store;
      await alerts.record(1, NOTHING, [delivery(1), delivery(2)]);
      await alerts.begin('delivery-1');
      await alerts.finish('delivery-1', { status: 'failed', error: '404' });
      expect(await alerts.retry('delivery-2')).toBeNull();
      expect(await alerts.retry('nothing')).toBeNull();
      expect(await alerts.retry('delivery-1')).toMatchObject({ status: 'waiting', endedAt: null });
    });

    it('pages and filters the log, and knows the newest of each rule and channel', async () => {
      const { alerts } = opened.store;
      await alerts.record(1, NOTHING, [
        delivery(1),
        delivery(2, { channel: 'pager', status: 'muted' }),
        delivery(3, { rule: null, isTest: true, status: 'sending' }),
      ]);
      const [newest] = await alerts.deliveries({ limit: 1 });
      expect(newest?.deliveryId).toBe('delivery-3');
      const ids = async (filter: object) =>
        (await alerts.deliveries({ limit: 10, ...filter })).map(({ deliveryId }) => deliveryId);
      expect(await ids({ before: newest!.deliveryNo })).toEqual(['delivery-2', 'delivery-1']);
      expect(await ids({ statuses: ['muted'] })).toEqual(['delivery-2']);
      expect(await ids({ rule: 'all', channel: 'team' })).toEqual(['delivery-1']);
      const last = await alerts.latest('channel');
      expect([last.get('pager')?.deliveryId, last.get('team')?.deliveryId]).toEqual([
        'delivery-2',
        'delivery-3',
      ]);
      expect([...(await alerts.latest('rule')).keys()]).toEqual(['all']);
    });

    it('mutes until an instant, tells the log of it, and audits it', async () => {
      const { alerts, operations } = opened.store;
      await alerts.setMute('all', { until: NOON + 1_000, by: 'page', reason: 'known' }, 'page');
      await alerts.setMute('late', { until: null, by: 'page', reason: '' }, 'page');
      expect([...(await alerts.mutes()).keys()].sort()).toEqual(['all', 'late']);
      opened.clock.advance(1_000);
      expect([...(await alerts.mutes()).keys()]).toEqual(['late']);
      await alerts.setMute('late', null, 'cli:ada');
      expect((await alerts.mutes()).size).toBe(0);
      const events = await opened.store.events({ after: 0, limit: 10, types: ['alert_changed'] });
      expect(events.map(({ event }) => event)).toMatchObject([
        { rule: 'all', status: 'muted' },
        { rule: 'late', status: 'muted' },
        { rule: 'late', status: 'unmuted' },
      ]);
      expect((await operations.auditLog({ limit: 1 }))[0]).toMatchObject({
        actor: 'cli:ada',
        action: 'alert.unmute',
        target: 'late',
      });
    });

    it('forgets what ended long ago, and nothing that still waits', async () => {
      const { alerts } = opened.store;
      await alerts.record(1, { ...NOTHING, alerts: [{ ...ALERT, closed: true }] }, [
        delivery(1),
        delivery(2),
      ]);
      await alerts.begin('delivery-1');
      await alerts.finish('delivery-1', { status: 'sent', response: 'ok' });
      opened.clock.advance(100_000);
      expect(await alerts.prune(NOON + 60_000)).toBe(1);
      expect(await statuses()).toEqual([['delivery-2', 'waiting']]);
      expect(await alerts.alert('alert-1')).not.toBeNull();
      await alerts.begin('delivery-2');
      await alerts.finish('delivery-2', { status: 'sent', response: 'ok' });
      await alerts.prune(NOON + 200_000);
      expect([await statuses(), await alerts.alert('alert-1')]).toEqual([[], null]);
    });
  });
}
