import type { AlertItem } from '../alerts/alert-item.ts';
import { type MessageContext, messageOf } from '../alerts/alert-message.ts';
import { type AlertChange, type AlertMemory, type AlertRecord, problemKey } from '../alerts/alert-record.ts';
import {
  type CollectContext,
  collect,
  type Findings,
  type News,
  nextReminderAt,
  type ProblemName,
  remembered,
} from '../alerts/collect.ts';
import { brokenItems, type ComponentFacts, syncState } from '../alerts/component-items.ts';
import { createRuleMatcher, type RuleMatcher } from '../alerts/match-rules.ts';
import type { ComponentService } from '../component/component.ts';
import type { DefinedRule } from '../definitions/alerts.ts';
import type { Definitions } from '../definitions/definitions.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import type { CrashHook } from '../lib/crash-points.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { NewDelivery } from '../store/alert-store.ts';
import type { Store } from '../store/store.ts';
import type { AlertCrashPoint } from './alert-crash-points.ts';
import { ALERT_EVENT_TYPES, findingsOf } from './alert-findings.ts';

export interface AlertCollectorDeps {
  readonly store: Pick<Store, 'alerts' | 'runs' | 'assets' | 'backfills' | 'events' | 'lastEventId'>;
  readonly components: Pick<ComponentService, 'definitions' | 'components'>;
  readonly context: MessageContext;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly crashPoint: CrashHook<AlertCrashPoint>;
}

export interface AlertCollector {
  /** Looks at what has happened since the last call: queues what is to be told. */
  look(): Promise<{ readonly told: number; readonly queued: number }>;
  /** When something is to be said although nothing happens; null: never. Valid after `look`. */
  nextAt(): Instant | null;
}

const BATCH = 500;
/** Events of no concern after which the position is written down all the same: a start reads them again. */
const UNWRITTEN = 5_000;

/**
 * Turns the event log into deliveries. The position in the log, the problems that last and the messages that gather are
 * one transaction: an event leads to one alert, whenever the service dies. The first start begins at the log's end.
 */
export function createAlertCollector(deps: AlertCollectorDeps): AlertCollector {
  const { store, components, clock } = deps;
  let memory: AlertMemory | null = null;
  /** How far the log was read, and how far the store knows of it. */
  let cursor = 0;
  let written = 0;
  let definitions: Definitions | null = null;
  let matcher: RuleMatcher | null = null;
  const seen = new Map<string, Snapshot | null>();
  let nextAt: Instant | null = null;

  async function begin(): Promise<AlertMemory> {
    const known = await store.alerts.cursor();
    cursor = written = known ?? (await store.lastEventId());
    if (known === null) await store.alerts.record(cursor, NOTHING, []);
    seen.clear();
    return store.alerts.memory();
  }

  async function look(): Promise<{ told: number; queued: number }> {
    const counts = { told: 0, queued: 0 };
    try {
      memory ??= await begin();
      for (let isFull = true; isFull; ) isFull = await batch(counts);
    } catch (error) {
      // What was remembered may not be what is stored.
      memory = null;
      throw error;
    }
    return counts;
  }

  /** True: there is more in the log. */
  async function batch(counts: { told: number; queued: number }): Promise<boolean> {
    const before = memory!;
    const newest = await store.lastEventId();
    const records = await store.events({ after: cursor, limit: BATCH, types: ALERT_EVENT_TYPES });
    const isFull = records.length === BATCH;
    const upTo = isFull ? records.at(-1)!.eventId : Math.max(newest, records.at(-1)?.eventId ?? 0, cursor);
    const { isChanged, now } = take(components.definitions());
    const news: News[] = [...(await findingsOf(records, before, definitions!, store))];
    const dropped = isChanged ? goneProblems(before, definitions!, components.components()) : [];
    let syncDueAt: Instant | null = null;
    if (!isFull) {
      for (const component of components.components()) {
        const state = componentNews(component, before, now);
        news.push(...state.news);
        syncDueAt = earliest(syncDueAt, state.dueAt);
      }
    }
    const context = await contextAt(now);
    const change = collect(before, { news, dropped }, context);
    const { alerts, deliveries } = close(before, change, context);
    const whole = { ...change, alerts };
    deps.crashPoint('alert.decided');
    if (isSomething(whole) || records.length > 0 || upTo - written > UNWRITTEN) {
      await store.alerts.record(upTo, whole, deliveries);
      written = upTo;
      deps.crashPoint('alert.recorded');
    }
    memory = remembered(before, whole);
    cursor = upTo;
    counts.told += news.length;
    counts.queued += deliveries.length;
    nextAt = earliest(syncDueAt, nextReminderAt(memory, context.rules, context.isMuted));
    for (const alert of memory.newest.values()) {
      if (!alert.closed) nextAt = earliest(nextAt, alert.closesAt);
    }
    return isFull;
  }

  function take(current: Definitions): { isChanged: boolean; now: Instant } {
    const isChanged = current !== definitions;
    if (isChanged) {
      definitions = current;
      matcher = createRuleMatcher(current);
    }
    return { isChanged, now: clock.now() };
  }

  async function contextAt(now: Instant): Promise<CollectContext> {
    const mutes = await store.alerts.mutes();
    const isMuted = ({ id, mute }: DefinedRule): boolean =>
      mutes.has(id) || (mute !== null && (mute.until === null || mute.until > now));
    const rules = [...definitions!.alerts.rules.values()];
    return { matcher: matcher!, rules, isMuted, newId: deps.newId, now };
  }

  /** What a component's own state says: it is looked at as it is, so that nothing is missed between two looks. */
  function componentNews(
    component: ComponentFacts,
    { problems }: AlertMemory,
    now: Instant,
  ): { news: News[]; dueAt: Instant | null } {
    const { name, snapshot } = component;
    const news: News[] = [];
    const happened = (item: AlertItem): void => {
      const problem = { event: item.event, subject: item.subjects[0]! };
      if (!problems.has(problemKey(problem))) news.push({ kind: 'happened', item });
    };
    const solved = (problem: ProblemName): void => void news.push({ kind: 'solved', problem });
    if (snapshot !== null && seen.get(name) !== snapshot) {
      const broken = brokenItems(component, now);
      for (const item of broken.values()) happened(item);
      for (const { event, subject, item } of problems.values()) {
        if (event === 'pipeline_broken' && item.components[0] === name && !broken.has(subject)) {
          solved({ event, subject });
        }
      }
      seen.set(name, snapshot);
    }
    const { item, dueAt, well } = syncState(component, now);
    if (item !== null) happened(item);
    const sync = { event: 'sync_failed' as const, subject: name };
    if (well && problems.has(problemKey(sync))) solved(sync);
    return { news, dueAt };
  }

  /** Messages whose time has come, with a delivery for each channel of their rule. */
  function close(
    before: AlertMemory,
    change: AlertChange,
    { now, isMuted }: CollectContext,
  ): { alerts: AlertRecord[]; deliveries: NewDelivery[] } {
    const alerts: AlertRecord[] = [];
    const deliveries: NewDelivery[] = [];
    for (const alert of remembered(before, change).newest.values()) {
      if (alert.closed) continue;
      if (alert.closesAt > now) {
        if (change.alerts.includes(alert)) alerts.push(alert);
        continue;
      }
      const closed = { ...alert, closed: true };
      alerts.push(closed);
      const rule = definitions!.alerts.rules.get(alert.rule ?? '');
      // A rule that is gone or off tells nothing any more.
      if (rule?.enabled !== true) continue;
      const { title } = messageOf(closed, deps.context);
      const status = isMuted(rule) ? 'muted' : 'waiting';
      for (const channel of rule.channelIds) {
        const { alertId, event, severity, count } = closed;
        const ids = { deliveryId: deps.newId(), alertId, rule: rule.id, channel };
        deliveries.push({ ...ids, event, severity, title, count, isTest: false, status });
      }
    }
    return { alerts, deliveries };
  }

  return { look, nextAt: () => nextAt };
}

const NOTHING: AlertChange = { problems: [], solved: [], told: [], forgotten: [], alerts: [] };

function isSomething(change: AlertChange): boolean {
  return Object.values(change).some((part: readonly unknown[]) => part.length > 0);
}

/** Of assets, checks, policies and components that are not there any more. */
function goneProblems(
  { problems }: AlertMemory,
  { assets }: Definitions,
  components: readonly ComponentFacts[],
): Findings['dropped'] {
  const names = new Set(components.map(({ name }) => name));
  return [...problems.values()].filter(({ event, subject, item }) => {
    const node = assets.nodes.get(item.assetKeys[0] ?? '');
    switch (event) {
      case 'run_failure':
        return node === undefined;
      case 'asset_stale':
        return node?.freshness === undefined || !node.enabled;
      case 'check_failure':
        return node === undefined || !node.checks.some(({ name }) => `${node.key}:${name}` === subject);
      default:
        return !names.has(item.components[0] ?? '');
    }
  });
}

function earliest(a: Instant | null, b: Instant | null): Instant | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
