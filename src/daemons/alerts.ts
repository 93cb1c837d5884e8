import { distance } from 'fastest-levenshtein';
import { messageOf } from '../alerts/alert-message.ts';
import type { AlertRecord } from '../alerts/alert-record.ts';
import type { Alerting } from '../alerts/alerting.ts';
import { resolveChannel } from '../alerts/resolve-channel.ts';
import type { ComponentService } from '../component/component.ts';
import type { AlertEvent } from '../definitions/alerts.ts';
import { OperationalError } from '../lib/errors.ts';
import type { NewDelivery } from '../store/alert-store.ts';
import type { Store } from '../store/store.ts';
import { type AlertCollectorDeps, createAlertCollector } from './alert-collector.ts';
import { type AlertSender, type AlertSenderDeps, createAlertSender } from './alert-sender.ts';
import { createDaemon, type Daemon } from './daemon.ts';

export interface AlertsDeps
  extends Omit<AlertCollectorDeps, 'store' | 'components'>,
    Omit<AlertSenderDeps, 'store' | 'definitions'> {
  readonly store: Store;
  readonly components: Pick<ComponentService, 'definitions' | 'components' | 'onPublished'>;
}

export interface Alerts extends Alerting {
  /** What makes alerts of events, and what sends them: a receiver that hangs holds nothing up. */
  readonly daemons: readonly Daemon[];
}

/** A burst of events is looked at once. */
const COALESCE_MS = 500;
const NAP_MS = 30_000;

export function createAlerts(deps: AlertsDeps): Alerts {
  const definitions = () => deps.components.definitions();
  const sender = createAlertSender({ ...deps, definitions });
  const sending = senderDaemon(deps, sender);
  const collecting = collectorDaemon(deps, () => sending.wake());
  return {
    daemons: [collecting, sending],
    ...createAlerting(deps, sender, () => {
      collecting.wake();
      sending.wake();
    }),
  };
}

function collectorDaemon(deps: AlertsDeps, onQueued: () => void): Daemon {
  const { store, components, clock, logger } = deps;
  const collector = createAlertCollector(deps);
  const stopping = new AbortController();
  let isComing = false;
  const daemon = createDaemon({
    name: 'alerts',
    intervalMs: NAP_MS,
    clock,
    operations: store.operations,
    log: logger,
    async runOnce() {
      const counts = await collector.look();
      if (counts.queued > 0) onQueued();
      const latest = clock.now() + NAP_MS;
      return { counts, nextAt: Math.min(collector.nextAt() ?? latest, latest) };
    },
  });
  const wake = (): void => {
    if (isComing) return;
    isComing = true;
    void clock.sleepUntil(clock.now() + COALESCE_MS, stopping.signal).then(() => {
      isComing = false;
      daemon.wake();
    });
  };
  let unsubscribe: readonly (() => unknown)[] = [];
  return {
    ...daemon,
    start() {
      unsubscribe = [store.subscribe(wake), components.onPublished(wake)];
      daemon.start();
    },
    async stop() {
      for (const end of unsubscribe) end();
      stopping.abort();
      await daemon.stop();
    },
  };
}

function senderDaemon({ store, clock, logger }: AlertsDeps, sender: AlertSender): Daemon {
  let isReclaimed = false;
  return createDaemon({
    name: 'alert_delivery',
    intervalMs: NAP_MS,
    clock,
    operations: store.operations,
    log: logger,
    async runOnce(signal) {
      if (!isReclaimed) await store.alerts.reclaim();
      // Until this look has ended well: what it leaves as being sent is not.
      isReclaimed = false;
      const counts = await sender.send(signal);
      isReclaimed = true;
      const latest = clock.now() + NAP_MS;
      return { counts, nextAt: Math.min((await sender.nextAt()) ?? latest, latest) };
    },
  });
}

function createAlerting(deps: AlertsDeps, sender: AlertSender, wake: () => void): Alerting {
  const { store, clock, newId } = deps;
  const alerts = () => deps.components.definitions().alerts;

  function ruleNamed(name: string) {
    const rule = alerts().rules.get(name);
    if (rule !== undefined) return rule;
    throw new OperationalError('ALERT_RULE_NOT_FOUND', `there is no alert rule "${name}"`, {
      hint: nearHint(name, alerts().rules.keys(), 'elt alerts lists them'),
    });
  }

  async function test(rule: string | null, event: AlertEvent, channels: readonly string[], by: string) {
    const alert = sampleAlert(newId(), rule, event, clock.now());
    const { title } = messageOf(alert, deps.context);
    const { alertId, severity, count } = alert;
    const about = { alertId, rule, event, severity, count, title, isTest: true, status: 'sending' } as const;
    const deliveries = channels.map((channel): NewDelivery => ({ ...about, deliveryId: newId(), channel }));
    await store.alerts.addTest(alert, deliveries);
    const target = rule ?? channels[0] ?? '';
    await store.operations.audit({ actor: by, action: 'alert.test', target, details: { channels } });
    // A person waits: neither the end of the service nor a page that is left ends it before its time-out.
    const never = new AbortController().signal;
    await Promise.all(
      deliveries.map(async ({ deliveryId }) => {
        const row = await store.alerts.delivery(deliveryId);
        if (row !== null) await sender.sendNow(row, never);
      }),
    );
    return deliveries.map(({ deliveryId }) => deliveryId);
  }

  return {
    states({ channels }) {
      return new Map(
        [...channels.values()].map((channel) => {
          const found = resolveChannel(channel, deps.policy, deps.environment());
          const { id } = channel;
          return [id, 'ok' in found ? { ready: true } : { ready: false, ...found }];
        }),
      );
    },
    async testRule(name, by) {
      const rule = ruleNamed(name);
      return test(rule.id, rule.on[0]!, rule.channelIds, by);
    },
    async testChannel(name, by) {
      if (!alerts().channels.has(name)) {
        throw new OperationalError('ALERT_CHANNEL_NOT_FOUND', `there is no alert channel "${name}"`, {
          hint: nearHint(name, alerts().channels.keys(), 'elt alerts lists them'),
        });
      }
      const [deliveryId] = await test(null, 'run_failure', [name], by);
      return deliveryId!;
    },
    async retry(deliveryId, by) {
      const row = await store.alerts.delivery(deliveryId);
      if (row === null) {
        throw new OperationalError('ALERT_DELIVERY_NOT_FOUND', `there is no delivery ${deliveryId}`);
      }
      if (row.isTest || (await store.alerts.retry(deliveryId)) === null) {
        const why = row.isTest ? 'was a test; test again instead' : `is ${row.status}, it has not failed`;
        throw new OperationalError('ALERT_NOT_RETRYABLE', `the delivery ${deliveryId} ${why}`);
      }
      await store.operations.audit({ actor: by, action: 'alert.retry', target: deliveryId, details: {} });
      wake();
    },
    async mute(name, until, reason, by) {
      await store.alerts.setMute(ruleNamed(name).id, { until, reason, by }, by);
    },
    async unmute(name, by) {
      await store.alerts.setMute(ruleNamed(name).id, null, by);
      wake();
    },
  };
}

/** What a test says: nothing that anybody could take for true. */
function sampleAlert(alertId: string, rule: string | null, event: AlertEvent, now: number): AlertRecord {
  return {
    alertId,
    rule,
    event,
    severity: 'WARN',
    openedAt: now,
    closesAt: now,
    closed: true,
    count: 1,
    level: 0,
    isTest: true,
    items: [
      {
        event,
        subject: 'example_asset',
        severity: 'WARN',
        at: now,
        components: [],
        assetKeys: ['example_asset'],
        assetCount: 1,
        what: 'example_asset',
        partition: null,
        cause: 'This is a test. Nothing has happened.',
        runId: null,
        backfillId: null,
        schedule: null,
        commit: null,
        page: '/alerts',
      },
    ],
  };
}

function nearHint(name: string, known: Iterable<string>, otherwise: string): string {
  const [near] = [...known]
    .map((key) => ({ key, score: key.includes(name) ? 1 : distance(key, name) }))
    .filter(({ score }) => score <= Math.max(2, name.length / 3))
    .sort((a, b) => a.score - b.score);
  return near === undefined ? otherwise : `did you mean ${near.key}?`;
}
