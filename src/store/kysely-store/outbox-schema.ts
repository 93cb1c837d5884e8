import type { Generated } from 'kysely';

/** Of migration `0005-outbox`. */
export interface OutboxTables {
  outbox: OutboxTable;
}

interface OutboxTable {
  outbox_id: Generated<number>;
  topic: string;
  key: string;
  payload: string;
  /** `waiting`, or `given_up`: kept for a while to be looked at. */
  status: string;
  created_at: number;
  due_at: number;
  attempts: number;
  last_error: string | null;
}
