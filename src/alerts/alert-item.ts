import type { AlertEvent, AlertSeverity } from '../definitions/alerts.ts';
import type { AssetKey } from '../definitions/definitions.ts';
import type { Instant } from '../lib/clock.ts';

/** Something that a rule can be about, as it happened. */
export interface AlertItem {
  readonly event: AlertEvent;
  /**
   * What it is about: the same problem again has the same ones. An asset key, `asset:check`, `component/pipeline`, a
   * component, a schedule, a backfill id. At least one; the first stands for all.
   */
  readonly subjects: readonly string[];
  readonly severity: AlertSeverity;
  readonly at: Instant;
  /** Whose rules see it. */
  readonly components: readonly string[];
  /** Empty: it is not about assets. */
  readonly assetKeys: readonly AssetKey[];
  /** What people call it: `dlt_orders`, `dlt_orders:has_rows`. */
  readonly what: string;
  readonly partition: string | null;
  /** One line. */
  readonly cause: string;
  readonly runId: string | null;
  readonly backfillId: string | null;
  readonly schedule: string | null;
  readonly commit: { readonly component: string; readonly sha: string } | null;
  /** Path of the page that tells more. */
  readonly page: string;
  /** Of a recovery: what was wrong. */
  readonly was?: AlertEvent;
  /** A problem that lasts: since when, how often it happened meanwhile. */
  readonly again?: { readonly since: Instant; readonly times: number };
}

/** What is kept of an item: bounded. */
export type KeptItem = Omit<AlertItem, 'subjects' | 'assetKeys'> & {
  readonly subject: string;
  readonly assetKeys: readonly AssetKey[];
  readonly assetCount: number;
};

const KEPT_KEYS = 20;
const LONGEST_CAUSE = 500;
const LONGEST_NAME = 300;

export function keptItem(item: AlertItem): KeptItem {
  const { subjects, assetKeys, ...rest } = item;
  return {
    ...rest,
    subject: subjects[0]!,
    assetKeys: assetKeys.slice(0, KEPT_KEYS),
    assetCount: assetKeys.length,
    what: cut(rest.what, LONGEST_NAME),
    partition: rest.partition === null ? null : cut(rest.partition, LONGEST_NAME),
    cause: cut(rest.cause, LONGEST_CAUSE),
  };
}

/** The first line that says something, without what moves a cursor or turns text around. */
export function firstLine(text: string): string {
  const line = text.split(/\r?\n/).find((one) => one.trim() !== '') ?? '';
  return cut(plain(line).trim(), LONGEST_CAUSE);
}

/** Names of users can hold anything. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ');
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
