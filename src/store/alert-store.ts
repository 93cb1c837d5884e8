import type { AlertChange, AlertMemory, AlertRecord } from '../alerts/alert-record.ts';
import type { AlertEvent, AlertSeverity } from '../definitions/alerts.ts';
import type { Instant } from '../lib/clock.ts';

/**
 * waiting → sending → sent | waiting (again at `dueAt`) | failed (given up). `sending` that a start finds was cut off:
 * nobody knows whether it arrived. `muted`: nothing is sent.
 */
export type DeliveryStatus = 'waiting' | 'sending' | 'sent' | 'failed' | 'muted';

/** A message of an alert on its way to a channel. Its id is the receiver's to tell a repeat by. */
export interface NewDelivery {
  readonly deliveryId: string;
  readonly alertId: string;
  /** Id of the rule; null: a test of the channel. */
  readonly rule: string | null;
  /** Id of the channel. */
  readonly channel: string;
  readonly event: AlertEvent;
  readonly severity: AlertSeverity;
  readonly title: string;
  readonly count: number;
  readonly isTest: boolean;
  readonly status: DeliveryStatus;
}

export interface DeliveryRow extends NewDelivery {
  /** In order of recording. */
  readonly deliveryNo: number;
  readonly attempts: number;
  readonly createdAt: Instant;
  readonly dueAt: Instant;
  readonly endedAt: Instant | null;
  /** Of the last attempt; never holds a secret. */
  readonly lastError: string | null;
  /** What the receiver said. */
  readonly response: string | null;
  /** An attempt was cut off by the end of the service: it may have arrived. */
  readonly uncertain: boolean;
}

export type DeliveryOutcome =
  | { readonly status: 'sent'; readonly response: string }
  | { readonly status: 'failed'; readonly error: string }
  | { readonly status: 'waiting'; readonly error: string; readonly dueAt: Instant };

export interface RuleMute {
  readonly rule: string;
  /** Null: until somebody unmutes it. */
  readonly until: Instant | null;
  readonly by: string;
  readonly reason: string;
  readonly at: Instant;
}

export interface DeliveryFilter {
  readonly rule?: string;
  readonly channel?: string;
  readonly statuses?: readonly DeliveryStatus[];
  /** Recorded before this one. */
  readonly before?: number;
  readonly limit: number;
}

/** What alerts remember: problems, messages that gather, deliveries, mutes. Every method that writes is one transaction. */
export interface AlertStore {
  /** The event up to which all has been looked at; null: nothing ever was. */
  cursor(): Promise<number | null>;
  /** All that deciding needs; of rules and events the newest alert. */
  memory(): Promise<AlertMemory>;
  /** What was decided about the events up to `cursor`: all of it or nothing. `deliveries` are of alerts that close. */
  record(cursor: number, change: AlertChange, deliveries: readonly NewDelivery[]): Promise<void>;
  /** A test, which is sent at once. */
  addTest(alert: AlertRecord, deliveries: readonly NewDelivery[]): Promise<void>;
  /** Whether the service launched a run once more after it failed. */
  retriedByItself(runId: string): Promise<boolean>;
  alert(alertId: string): Promise<AlertRecord | null>;
  /** Those that wait and are due, oldest first; not of these channels. */
  due(limit: number, except: readonly string[]): Promise<readonly DeliveryRow[]>;
  nextDueAt(except: readonly string[]): Promise<Instant | null>;
  /** Says that it is being sent; false: it does not wait any more. */
  begin(deliveryId: string): Promise<boolean>;
  finish(deliveryId: string, outcome: DeliveryOutcome): Promise<void>;
  /** At a start: those that were being sent wait again, and are marked as uncertain. Returns how many. */
  reclaim(): Promise<number>;
  /** A failed one waits again, with a day before it. Null: there is none, or it has not failed. */
  retry(deliveryId: string): Promise<DeliveryRow | null>;
  delivery(deliveryId: string): Promise<DeliveryRow | null>;
  /** Newest first. */
  deliveries(filter: DeliveryFilter): Promise<readonly DeliveryRow[]>;
  /** Of each rule, or channel, the newest delivery. */
  latest(by: 'rule' | 'channel'): Promise<ReadonlyMap<string, DeliveryRow>>;
  /** Those that hold now. */
  mutes(): Promise<ReadonlyMap<string, RuleMute>>;
  /** `mute` null: ends it. With its audit entry. */
  setMute(rule: string, mute: Omit<RuleMute, 'rule' | 'at'> | null, by: string): Promise<void>;
  /** Removes what ended before; returns how many deliveries. */
  prune(before: Instant): Promise<number>;
}
