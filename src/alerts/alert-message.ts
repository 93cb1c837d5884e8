import type { AlertEvent, AlertSeverity } from '../definitions/alerts.ts';
import type { Instant } from '../lib/clock.ts';
import type { KeptItem } from './alert-item.ts';
import type { AlertRecord } from './alert-record.ts';
import { instantText } from './instance-items.ts';
import { named } from './run-items.ts';

export interface MessageContext {
  /** Where people reach the page, without slash at the end. */
  readonly publicUrl: string;
  /** Link to a commit at the Git host; null: the host is not known. */
  readonly commitUrl: (component: string, sha: string) => string | null;
}

/** One line of a message: the same thing with the same cause, however often. */
export interface MessageLine {
  readonly what: string;
  /** How often, and for which partitions. */
  readonly detail: string;
  readonly cause: string;
  readonly count: number;
  readonly url: string;
  readonly commit: { readonly sha: string; readonly url: string | null } | null;
}

/** An alert in words, for every kind of channel. Holds texts of users: each channel escapes them its own way. */
export interface AlertMessage {
  readonly title: string;
  readonly severity: AlertSeverity;
  readonly isGood: boolean;
  readonly lines: readonly MessageLine[];
  /** Things that no line tells of. */
  readonly more: number;
  readonly at: Instant;
  readonly url: string;
  /** Which rule sent it, and what it is no longer about. */
  readonly footer: string;
}

const SHOWN_LINES = 10;

export function messageOf(alert: AlertRecord, context: MessageContext): AlertMessage {
  const lines = linesOf(alert.items, context);
  const shown = lines.slice(0, SHOWN_LINES);
  const [only] = alert.items;
  const page = alert.count === 1 && only !== undefined ? only.page : PAGES[alert.event];
  return {
    title: (alert.isTest ? 'Test: ' : '') + titleOf(alert),
    severity: alert.severity,
    isGood: alert.event.endsWith('_recovered'),
    lines: shown,
    more: alert.count - shown.reduce((sum, { count }) => sum + count, 0),
    at: alert.closesAt,
    url: context.publicUrl + page,
    footer: alert.rule === null ? 'Sent to test a channel' : `Sent by the rule "${alert.rule}"`,
  };
}

const PAGES: Readonly<Record<AlertEvent, string>> = {
  run_failure: '/runs?status=FAILURE',
  check_failure: '/',
  asset_stale: '/',
  asset_recovered: '/',
  pipeline_broken: '/problems',
  pipeline_recovered: '/problems',
  sync_failed: '/git',
  sync_recovered: '/git',
  backfill_failed: '/backfills',
  schedule_missed: '/automation',
};

/** What is said of one, and of many. */
const WORDS: Readonly<Record<AlertEvent, { readonly one: string; readonly many: string }>> = {
  run_failure: { one: 'failed', many: 'runs failed' },
  check_failure: { one: 'did not pass', many: 'checks did not pass' },
  asset_stale: { one: 'is stale', many: 'assets are stale' },
  asset_recovered: { one: 'is well again', many: 'recoveries' },
  pipeline_broken: { one: 'is broken', many: 'pipelines are broken' },
  pipeline_recovered: { one: 'is served again', many: 'pipelines are served again' },
  sync_failed: { one: 'does not follow Git', many: 'repositories do not follow Git' },
  sync_recovered: { one: 'follows Git again', many: 'repositories follow Git again' },
  backfill_failed: { one: 'was not backfilled whole', many: 'backfills are not whole' },
  schedule_missed: { one: 'missed a tick', many: 'ticks were missed' },
};
const RECOVERED: Readonly<Partial<Record<AlertEvent, string>>> = {
  run_failure: 'succeeded again',
  check_failure: 'passes again',
  asset_stale: 'is fresh again',
};

function titleOf({ event, count, items }: AlertRecord): string {
  const [first] = items;
  if (count === 1 && first !== undefined) {
    const partition = first.partition === null ? '' : ` · ${first.partition}`;
    const words = (first.was === undefined ? undefined : RECOVERED[first.was]) ?? WORDS[event].one;
    const still = first.again !== undefined && first.was === undefined ? 'still: ' : '';
    return `${still}${first.what}${partition} ${words}`;
  }
  const names = [...new Set(items.map(({ what }) => what))];
  return `${count} ${WORDS[event].many}: ${named(names) ?? ''}`;
}

function linesOf(items: readonly KeptItem[], context: MessageContext): MessageLine[] {
  const groups = new Map<string, KeptItem[]>();
  for (const item of items) {
    const key = JSON.stringify([item.what, item.cause, item.was ?? null]);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return [...groups.values()].map((group): MessageLine => {
    const [first] = group as [KeptItem, ...KeptItem[]];
    const commit = first.commit;
    return {
      what: first.what,
      detail: detailOf(group),
      cause: first.cause,
      count: group.length,
      url: context.publicUrl + first.page,
      commit:
        commit === null ? null : { sha: commit.sha, url: context.commitUrl(commit.component, commit.sha) },
    };
  });
}

function detailOf(group: readonly KeptItem[]): string {
  const [first] = group as [KeptItem, ...KeptItem[]];
  const partitions = [...new Set(group.flatMap(({ partition }) => partition ?? []))];
  const parts = [
    group.length > 1 ? `${group.length} times` : '',
    named(partitions) ?? '',
    (first.was === undefined ? undefined : RECOVERED[first.was]) ?? '',
    first.again === undefined ? '' : againText(first.again),
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function againText({ since, times }: NonNullable<KeptItem['again']>): string {
  return `since ${instantText(since)}${times > 1 ? `, ${times} times` : ''}`;
}
