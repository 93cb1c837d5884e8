import { type MessageContext, messageOf } from '../alerts/alert-message.ts';
import type { AlertRecord } from '../alerts/alert-record.ts';
import { nextAttemptAt } from '../alerts/back-off.ts';
import { emailBody } from '../alerts/email-body.ts';
import { resolveChannel } from '../alerts/resolve-channel.ts';
import { slackBody } from '../alerts/slack-body.ts';
import { webhookBody } from '../alerts/webhook-body.ts';
import type { AlertPolicy } from '../definitions/alert-variables.ts';
import type { AlertChannel } from '../definitions/alerts.ts';
import type { Definitions } from '../definitions/definitions.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import type { CrashHook } from '../lib/crash-points.ts';
import type { Logger } from '../lib/log.ts';
import type { Notice, NoticeResult, Notifier } from '../notify/notifier.ts';
import type { DeliveryRow } from '../store/alert-store.ts';
import type { Store } from '../store/store.ts';
import type { AlertCrashPoint } from './alert-crash-points.ts';

export interface AlertSenderDeps {
  readonly store: Pick<Store, 'alerts'>;
  readonly definitions: () => Definitions;
  readonly notifier: Notifier;
  readonly policy: AlertPolicy;
  /** Read anew for each delivery: what the operator sets counts at once. */
  readonly environment: () => Readonly<Record<string, string | undefined>>;
  readonly context: MessageContext;
  readonly clock: Clock;
  readonly logger: Logger;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly crashPoint: CrashHook<AlertCrashPoint>;
}

export interface AlertSender {
  /** Sends what is due: channels side by side, of each one after the other. */
  send(signal: AbortSignal): Promise<{ readonly sent: number; readonly failed: number }>;
  /** When something is due; null: nothing waits. Valid after `send`. */
  nextAt(): Promise<Instant | null>;
  /** Sends a test that is marked as being sent; it ends with this attempt. */
  sendNow(delivery: DeliveryRow, signal: AbortSignal): Promise<void>;
}

const BATCH = 200;

export function createAlertSender(deps: AlertSenderDeps): AlertSender {
  const { store, clock, crashPoint } = deps;
  /** Channels that failed or asked for patience: to send them the next message would only make it worse. */
  const pausedUntil = new Map<string, Instant>();

  function paused(): string[] {
    for (const [channel, until] of pausedUntil) if (until <= clock.now()) pausedUntil.delete(channel);
    return [...pausedUntil.keys()];
  }

  async function attempt(delivery: DeliveryRow, signal: AbortSignal): Promise<NoticeResult> {
    const alert = await store.alerts.alert(delivery.alertId);
    const channel = deps.definitions().alerts.channels.get(delivery.channel);
    if (alert === null || channel === undefined) {
      const error = alert === null ? 'the alert is gone' : 'the channel is not in dagster.yaml any more';
      return { ok: false, error, retry: false, retryAfterMs: null };
    }
    const target = resolveChannel(channel, deps.policy, deps.environment());
    if (!('ok' in target)) {
      return { ok: false, error: `${target.problem} (${target.hint})`, retry: true, retryAfterMs: null };
    }
    const result = await deps.notifier.send(target.ok, noticeOf(channel, alert, delivery), signal);
    crashPoint('alert.sent');
    return result;
  }

  function noticeOf(channel: AlertChannel, alert: AlertRecord, delivery: DeliveryRow): Notice {
    const message = messageOf(alert, deps.context);
    const { deliveryId, event, uncertain } = delivery;
    const about = { deliveryId, event, at: message.at };
    switch (channel.type) {
      case 'email':
        return { ...about, body: { kind: 'email', value: emailBody(message) } };
      case 'slack':
        return { ...about, body: { kind: 'json', value: slackBody(message, uncertain) } };
      case 'webhook': {
        const value = webhookBody(alert, message, deliveryId, deps.context);
        return { ...about, body: { kind: 'json', value } };
      }
    }
  }

  /** True: it arrived. */
  async function deliver(delivery: DeliveryRow, signal: AbortSignal): Promise<boolean> {
    const { deliveryId, channel, rule } = delivery;
    const result = await attempt(delivery, signal);
    const fields = { channel, rule, delivery_id: deliveryId };
    if (result.ok) {
      await store.alerts.finish(deliveryId, { status: 'sent', response: result.response });
      crashPoint('alert.finished');
      deps.logger.info(fields, 'an alert was sent');
      return true;
    }
    const { error } = result;
    const tried = { createdAt: delivery.createdAt, attempts: delivery.attempts + 1 };
    const now = clock.now();
    const dueAt =
      result.retry && !delivery.isTest ? nextAttemptAt(tried, now, result.retryAfterMs, deps.random()) : null;
    // Cut off by the end of the service: it may have arrived, and the next start takes it up as such.
    if (signal.aborted) return false;
    const again = dueAt === null ? {} : { again_at: new Date(dueAt).toISOString() };
    deps.logger.warn({ ...fields, reason: error, ...again }, 'an alert was not sent');
    if (dueAt !== null) pausedUntil.set(channel, dueAt);
    await store.alerts.finish(
      deliveryId,
      dueAt === null ? { status: 'failed', error } : { status: 'waiting', error, dueAt },
    );
    return false;
  }

  return {
    async send(signal) {
      const counts = { sent: 0, failed: 0 };
      for (;;) {
        const due = await store.alerts.due(BATCH, paused());
        const byChannel = Map.groupBy(due, ({ channel }) => channel);
        const ended = await Promise.allSettled(
          [...byChannel].map(async ([channel, deliveries]) => {
            for (const delivery of deliveries) {
              if (signal.aborted || pausedUntil.has(channel)) return;
              if (!(await store.alerts.begin(delivery.deliveryId))) continue;
              crashPoint('alert.begun');
              if (await deliver(delivery, signal)) counts.sent += 1;
              else counts.failed += 1;
            }
          }),
        );
        for (const one of ended) if (one.status === 'rejected') throw one.reason;
        if (due.length === 0 || signal.aborted) return counts;
      }
    },
    async nextAt() {
      const waiting = paused();
      const next = await store.alerts.nextDueAt(waiting);
      const until = Math.min(next ?? Number.POSITIVE_INFINITY, ...pausedUntil.values());
      return Number.isFinite(until) ? until : null;
    },
    async sendNow(delivery, signal) {
      await deliver(delivery, signal);
    },
  };
}
