import type { AlertEvent, AlertSeverity } from '../../definitions/alerts.ts';
import type { AlertStore, DeliveryRow, DeliveryStatus, NewDelivery } from '../alert-store.ts';
import { alertOf, readAlertMemory, writeAlert, writeAlertChange } from './alert-memory.ts';
import type { AlertDeliveryTableRow } from './alert-schema.ts';
import type { StoreContext, Tx } from './context.ts';
import { appendEvent } from './event-log.ts';

const ONLY = 1;
/** Also of what a receiver or a resolver says. */
const LONGEST_TEXT = 1000;

export function createAlertStore(context: StoreContext): AlertStore {
  const { db } = context;

  async function row(deliveryId: string): Promise<DeliveryRow | null> {
    const found = await db
      .selectFrom('alert_delivery')
      .selectAll()
      .where('delivery_id', '=', deliveryId)
      .executeTakeFirst();
    return found === undefined ? null : deliveryOf(found);
  }

  return {
    async cursor() {
      const found = await db.selectFrom('alert_cursor').select('event_id').executeTakeFirst();
      return found?.event_id ?? null;
    },

    memory: () => readAlertMemory(context),

    async record(cursor, change, deliveries) {
      await context.write(async (tx) => {
        await tx.db
          .insertInto('alert_cursor')
          .values({ id: ONLY, event_id: cursor })
          .onConflict((conflict) =>
            conflict
              .column('id')
              .doUpdateSet({ event_id: cursor })
              .where('alert_cursor.event_id', '<', cursor),
          )
          .execute();
        await writeAlertChange(tx, change);
        for (const delivery of deliveries) await insertDelivery(tx, delivery);
      });
    },

    async alert(alertId) {
      const found = await db
        .selectFrom('alert')
        .selectAll()
        .where('alert_id', '=', alertId)
        .executeTakeFirst();
      return found === undefined ? null : alertOf(found);
    },

    async addTest(alert, deliveries) {
      await context.write(async (tx) => {
        await writeAlert(tx, alert);
        for (const delivery of deliveries) await insertDelivery(tx, delivery);
      });
    },

    async retriedByItself(runId) {
      const found = await db
        .selectFrom('launch')
        .select('launch_id')
        .where('idempotency_key', '=', `run_retry:${runId}`)
        .executeTakeFirst();
      return found !== undefined;
    },

    async due(limit, except) {
      const rows = await db
        .selectFrom('alert_delivery')
        .selectAll()
        .where('status', '=', 'waiting')
        .where('due_at', '<=', context.clock.now())
        .$if(except.length > 0, (query) => query.where('channel', 'not in', except))
        .orderBy('delivery_no')
        .limit(limit)
        .execute();
      return rows.map(deliveryOf);
    },

    async nextDueAt(except) {
      const found = await db
        .selectFrom('alert_delivery')
        .select((eb) => eb.fn.min('due_at').as('due_at'))
        .where('status', '=', 'waiting')
        .$if(except.length > 0, (query) => query.where('channel', 'not in', except))
        .executeTakeFirst();
      return found?.due_at ?? null;
    },

    async begin(deliveryId) {
      return context.write(async (tx) => {
        const changed = await tx.db
          .updateTable('alert_delivery')
          .set((eb) => ({ status: 'sending', attempts: eb('attempts', '+', 1) }))
          .where('delivery_id', '=', deliveryId)
          .where('status', '=', 'waiting')
          .executeTakeFirst();
        return changed.numUpdatedRows === 1n;
      }, 'process');
    },

    async finish(deliveryId, outcome) {
      await context.write(async (tx) => {
        const found = await tx.db
          .selectFrom('alert_delivery')
          .select(['rule', 'channel'])
          .where('delivery_id', '=', deliveryId)
          .executeTakeFirst();
        if (found === undefined) return;
        const isOver = outcome.status !== 'waiting';
        await tx.db
          .updateTable('alert_delivery')
          .set({
            status: outcome.status,
            ended_at: isOver ? tx.now : null,
            due_at: outcome.status === 'waiting' ? outcome.dueAt : tx.now,
            last_error: outcome.status === 'sent' ? null : outcome.error.slice(0, LONGEST_TEXT),
            ...(outcome.status === 'sent' ? { response: outcome.response.slice(0, LONGEST_TEXT) } : {}),
          })
          .where('delivery_id', '=', deliveryId)
          .execute();
        await announce(tx, found.rule, found.channel, outcome.status);
      });
    },

    async reclaim() {
      return context.write(async (tx) => {
        const changed = await tx.db
          .updateTable('alert_delivery')
          .set({ status: 'waiting', due_at: tx.now, uncertain: 1 })
          .where('status', '=', 'sending')
          .executeTakeFirst();
        return Number(changed.numUpdatedRows);
      });
    },

    async retry(deliveryId) {
      return context.write(async (tx) => {
        const found = await tx.db
          .updateTable('alert_delivery')
          .set({ status: 'waiting', due_at: tx.now, created_at: tx.now, ended_at: null })
          .where('delivery_id', '=', deliveryId)
          .where('status', '=', 'failed')
          .returningAll()
          .executeTakeFirst();
        if (found === undefined) return null;
        await announce(tx, found.rule, found.channel, 'waiting');
        return deliveryOf(found);
      });
    },

    delivery: row,

    async deliveries(filter) {
      let query = db.selectFrom('alert_delivery').selectAll();
      if (filter.rule !== undefined) query = query.where('rule', '=', filter.rule);
      if (filter.channel !== undefined) query = query.where('channel', '=', filter.channel);
      if (filter.statuses !== undefined) query = query.where('status', 'in', filter.statuses);
      if (filter.before !== undefined) query = query.where('delivery_no', '<', filter.before);
      const rows = await query.orderBy('delivery_no', 'desc').limit(filter.limit).execute();
      return rows.map(deliveryOf);
    },

    async latest(by) {
      const rows = await db
        .selectFrom('alert_delivery')
        .selectAll()
        .where('delivery_no', 'in', (eb) =>
          eb
            .selectFrom('alert_delivery as newest')
            .select((max) => max.fn.max('newest.delivery_no').as('delivery_no'))
            .groupBy(`newest.${by}`),
        )
        .execute();
      return new Map(rows.flatMap((one) => (one[by] === null ? [] : [[one[by], deliveryOf(one)] as const])));
    },

    async mutes() {
      const rows = await db
        .selectFrom('alert_mute')
        .selectAll()
        .where((eb) => eb.or([eb('until', 'is', null), eb('until', '>', context.clock.now())]))
        .execute();
      return new Map(
        rows.map(({ rule, until, set_by: by, reason, set_at: at }) => [
          rule,
          { rule, until, by, reason, at },
        ]),
      );
    },

    async setMute(rule, mute, by) {
      await context.write(async (tx) => {
        await tx.db.deleteFrom('alert_mute').where('rule', '=', rule).execute();
        if (mute !== null) {
          const { until, reason } = mute;
          await tx.db
            .insertInto('alert_mute')
            .values({ rule, until, reason, set_by: mute.by, set_at: tx.now })
            .execute();
        }
        const details = mute === null ? {} : { until: mute.until, reason: mute.reason };
        await tx.db
          .insertInto('audit')
          .values({
            at: tx.now,
            actor: by,
            action: mute === null ? 'alert.unmute' : 'alert.mute',
            target: rule,
            details: JSON.stringify(details),
          })
          .execute();
        await announce(tx, rule, null, mute === null ? 'unmuted' : 'muted');
      });
    },

    async prune(before) {
      return context.write(async (tx) => {
        const deleted = await tx.db
          .deleteFrom('alert_delivery')
          .where('status', 'in', ['sent', 'failed', 'muted'])
          .where('created_at', '<', before)
          .executeTakeFirst();
        await tx.db
          .deleteFrom('alert')
          .where('closed', '=', 1)
          .where('closes_at', '<', before)
          .where('alert_id', 'not in', (eb) => eb.selectFrom('alert_delivery').select('alert_id'))
          .execute();
        await tx.db.deleteFrom('alert_mute').where('until', '<', context.clock.now()).execute();
        return Number(deleted.numDeletedRows);
      });
    },
  };
}

async function insertDelivery(tx: Tx, delivery: NewDelivery): Promise<void> {
  const { deliveryId, alertId, rule, channel, event, severity, title, count, isTest, status } = delivery;
  await tx.db
    .insertInto('alert_delivery')
    .values({
      delivery_id: deliveryId,
      alert_id: alertId,
      rule,
      channel,
      event,
      severity,
      title,
      count,
      is_test: isTest ? 1 : 0,
      status,
      attempts: status === 'sending' ? 1 : 0,
      created_at: tx.now,
      due_at: tx.now,
      ended_at: status === 'muted' ? tx.now : null,
      last_error: null,
      response: null,
      uncertain: 0,
    })
    .execute();
  await announce(tx, rule, channel, status);
}

async function announce(tx: Tx, rule: string | null, channel: string | null, status: string): Promise<void> {
  const event = { type: 'alert_changed' as const, rule, channel, status };
  await appendEvent(tx, { runNo: null, stepKey: null, attempt: null, n: null, event });
}

function deliveryOf(row: AlertDeliveryTableRow): DeliveryRow {
  return {
    deliveryNo: row.delivery_no,
    deliveryId: row.delivery_id,
    alertId: row.alert_id,
    rule: row.rule,
    channel: row.channel,
    event: row.event as AlertEvent,
    severity: row.severity as AlertSeverity,
    title: row.title,
    count: row.count,
    isTest: row.is_test === 1,
    status: row.status as DeliveryStatus,
    attempts: row.attempts,
    createdAt: row.created_at,
    dueAt: row.due_at,
    endedAt: row.ended_at,
    lastError: row.last_error,
    response: row.response,
    uncertain: row.uncertain === 1,
  };
}
