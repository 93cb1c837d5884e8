import type { AlertItem } from '../../alerts/alert-item.ts';
import {
  type AlertChange,
  type AlertMemory,
  type AlertProblem,
  type AlertRecord,
  type AlertTold,
  problemKey,
  toldKey,
  windowKey,
} from '../../alerts/alert-record.ts';
import type { AlertEvent, AlertSeverity } from '../../definitions/alerts.ts';
import type { AlertTableRow } from './alert-schema.ts';
import type { StoreContext, Tx } from './context.ts';
import { fromJson } from './json.ts';

export async function readAlertMemory({ db }: StoreContext): Promise<AlertMemory> {
  const problems = await db.selectFrom('alert_problem').selectAll().execute();
  const told = await db.selectFrom('alert_told').selectAll().execute();
  const newest = await db
    .selectFrom('alert')
    .selectAll()
    .where('is_test', '=', 0)
    .where((eb) =>
      eb('closes_at', '=', (inner) =>
        inner
          .selectFrom('alert as other')
          .select((max) => max.fn.max('other.closes_at').as('closes_at'))
          .where('other.is_test', '=', 0)
          .whereRef('other.rule', '=', 'alert.rule')
          .whereRef('other.event', '=', 'alert.event'),
      ),
    )
    .orderBy('opened_at')
    .execute();
  return {
    problems: mapBy(
      problems.map(
        (row): AlertProblem => ({
          event: row.event as AlertEvent,
          subject: row.subject,
          since: row.since,
          lastAt: row.last_at,
          times: row.times,
          item: fromJson<AlertItem>(row.item),
        }),
      ),
      problemKey,
    ),
    told: mapBy(
      told.map((row): AlertTold => ({ ...row, event: row.event as AlertEvent })),
      toldKey,
    ),
    newest: mapBy(newest.map(alertOf), (alert) => windowKey(alert.rule, alert.event)),
  };
}

export async function writeAlertChange(tx: Tx, change: AlertChange): Promise<void> {
  for (const { event, subject } of change.solved) {
    await tx.db
      .deleteFrom('alert_problem')
      .where('event', '=', event)
      .where('subject', '=', subject)
      .execute();
  }
  for (const { event, subject, since, lastAt, times, item } of change.problems) {
    const values = { since, last_at: lastAt, times, item: JSON.stringify(item) };
    await tx.db
      .insertInto('alert_problem')
      .values({ event, subject, ...values })
      .onConflict((conflict) => conflict.columns(['event', 'subject']).doUpdateSet(values))
      .execute();
  }
  for (const { rule, event, subject } of change.forgotten) {
    await tx.db
      .deleteFrom('alert_told')
      .where('rule', '=', rule)
      .where('event', '=', event)
      .where('subject', '=', subject)
      .execute();
  }
  for (const { rule, event, subject, at, held } of change.told) {
    await tx.db
      .insertInto('alert_told')
      .values({ rule, event, subject, at, held })
      .onConflict((conflict) => conflict.columns(['rule', 'event', 'subject']).doUpdateSet({ at, held }))
      .execute();
  }
  for (const alert of change.alerts) await writeAlert(tx, alert);
}

export async function writeAlert(tx: Tx, alert: AlertRecord): Promise<void> {
  const values = {
    severity: alert.severity,
    closes_at: alert.closesAt,
    closed: alert.closed ? 1 : 0,
    count: alert.count,
    items: JSON.stringify(alert.items),
  };
  await tx.db
    .insertInto('alert')
    .values({
      alert_id: alert.alertId,
      rule: alert.rule,
      event: alert.event,
      opened_at: alert.openedAt,
      level: alert.level,
      is_test: alert.isTest ? 1 : 0,
      ...values,
    })
    .onConflict((conflict) => conflict.column('alert_id').doUpdateSet(values))
    .execute();
}

export function alertOf(row: AlertTableRow): AlertRecord {
  return {
    alertId: row.alert_id,
    rule: row.rule,
    event: row.event as AlertEvent,
    severity: row.severity as AlertSeverity,
    openedAt: row.opened_at,
    closesAt: row.closes_at,
    closed: row.closed === 1,
    count: row.count,
    items: fromJson<AlertRecord['items']>(row.items),
    level: row.level,
    isTest: row.is_test === 1,
  };
}

function mapBy<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T> {
  return new Map(rows.map((row) => [keyOf(row), row]));
}
