import type { Instant } from '../lib/clock.ts';

/**
 * Work that has to survive a restart and may have to be tried for hours: webhook deliveries that were acknowledged,
 * reports to a Git host. At least once; an entry's work must be idempotent.
 */
export interface OutboxEntry {
  readonly id: number;
  /** `webhook`, `commit_status`, `check_run`, `pull_request_comment`, … */
  readonly topic: string;
  /** Newer work of one (topic, key) replaces waiting older work. */
  readonly key: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly createdAt: Instant;
  readonly dueAt: Instant;
  readonly attempts: number;
  readonly lastError: string | null;
}

export interface OutboxStore {
  add(entries: readonly Pick<OutboxEntry, 'topic' | 'key' | 'payload'>[]): Promise<void>;
  /** Due ones of these topics, oldest first. */
  due(topics: readonly string[], limit: number): Promise<readonly OutboxEntry[]>;
  /** When the next of these topics is due; null: none waits. */
  nextDueAt(topics: readonly string[]): Promise<Instant | null>;
  done(id: number): Promise<void>;
  /** Tried and failed: again at `dueAt`; null: given up, kept for 3 days to be looked at. */
  retry(id: number, dueAt: Instant | null, error: string): Promise<void>;
  /** Newest first, given-up ones included. */
  list(limit: number): Promise<readonly (OutboxEntry & { readonly status: 'waiting' | 'given_up' })[]>;
}
