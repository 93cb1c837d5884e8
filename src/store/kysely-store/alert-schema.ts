import type { Generated, Selectable } from 'kysely';

/** Of migration `0007-alerts`. */
export interface AlertTables {
  alert_cursor: { id: number; event_id: number };
  alert_problem: AlertProblemTable;
  alert_told: AlertToldTable;
  alert: AlertTable;
  alert_delivery: AlertDeliveryTable;
  alert_mute: AlertMuteTable;
}

interface AlertProblemTable {
  event: string;
  subject: string;
  since: number;
  last_at: number;
  times: number;
  item: string;
}

interface AlertToldTable {
  rule: string;
  event: string;
  subject: string;
  at: number;
  held: number;
}

interface AlertTable {
  alert_id: string;
  rule: string | null;
  event: string;
  severity: string;
  opened_at: number;
  closes_at: number;
  closed: number;
  count: number;
  level: number;
  is_test: number;
  items: string;
}

interface AlertDeliveryTable {
  delivery_no: Generated<number>;
  delivery_id: string;
  alert_id: string;
  rule: string | null;
  channel: string;
  event: string;
  severity: string;
  title: string;
  count: number;
  is_test: number;
  status: string;
  attempts: number;
  created_at: number;
  due_at: number;
  ended_at: number | null;
  last_error: string | null;
  response: string | null;
  uncertain: number;
}

interface AlertMuteTable {
  rule: string;
  until: number | null;
  set_by: string;
  reason: string;
  set_at: number;
}

export type AlertTableRow = Selectable<AlertTable>;
export type AlertDeliveryTableRow = Selectable<AlertDeliveryTable>;
