import type { AlertEvent, AlertSeverity } from '../definitions/alerts.ts';
import type { Instant } from '../lib/clock.ts';
import type { AlertItem, KeptItem } from './alert-item.ts';

/** A message of a rule: what happened within its window. */
export interface AlertRecord {
  readonly alertId: string;
  /** Id of the rule; null: a test of a channel. */
  readonly rule: string | null;
  readonly event: AlertEvent;
  readonly severity: AlertSeverity;
  readonly openedAt: Instant;
  /** Until then it gathers what else happens. */
  readonly closesAt: Instant;
  readonly closed: boolean;
  /** How many things it tells of. */
  readonly count: number;
  /** The first of them, bounded. */
  readonly items: readonly KeptItem[];
  /** How many messages of this rule and event followed each other closely: each waits longer. */
  readonly level: number;
  readonly isTest: boolean;
}

/** What is wrong and has not ended. */
export interface AlertProblem {
  readonly event: AlertEvent;
  readonly subject: string;
  readonly since: Instant;
  readonly lastAt: Instant;
  readonly times: number;
  readonly item: AlertItem;
}

/** When a rule told of a problem last, and how often it has been silent about it since. */
export interface AlertTold {
  readonly rule: string;
  readonly event: AlertEvent;
  readonly subject: string;
  readonly at: Instant;
  readonly held: number;
}

/** All that deciding needs to remember. */
export interface AlertMemory {
  readonly problems: ReadonlyMap<string, AlertProblem>;
  readonly told: ReadonlyMap<string, AlertTold>;
  /** Of each rule and event the newest alert: open, or closed not long ago. */
  readonly newest: ReadonlyMap<string, AlertRecord>;
}

/** What is to be stored, in one transaction. */
export interface AlertChange {
  readonly problems: readonly AlertProblem[];
  readonly solved: readonly Pick<AlertProblem, 'event' | 'subject'>[];
  readonly told: readonly AlertTold[];
  readonly forgotten: readonly Pick<AlertTold, 'rule' | 'event' | 'subject'>[];
  readonly alerts: readonly AlertRecord[];
}

export function problemKey({ event, subject }: Pick<AlertProblem, 'event' | 'subject'>): string {
  return `${event}\n${subject}`;
}

export function toldKey({ rule, event, subject }: Pick<AlertTold, 'rule' | 'event' | 'subject'>): string {
  return `${rule}\n${event}\n${subject}`;
}

export function windowKey(rule: string | null, event: AlertEvent): string {
  return `${rule ?? ''}\n${event}`;
}
