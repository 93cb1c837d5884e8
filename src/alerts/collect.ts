import type { AlertEvent, DefinedRule } from '../definitions/alerts.ts';
import type { Instant } from '../lib/clock.ts';
import { type AlertItem, keptItem } from './alert-item.ts';
import {
  type AlertChange,
  type AlertMemory,
  type AlertProblem,
  type AlertRecord,
  type AlertTold,
  problemKey,
  toldKey,
  windowKey,
} from './alert-record.ts';
import type { RuleMatcher } from './match-rules.ts';

export type News =
  | { readonly kind: 'happened'; readonly item: AlertItem }
  /** A problem has ended. */
  | { readonly kind: 'solved'; readonly problem: ProblemName };
export type ProblemName = Pick<AlertProblem, 'event' | 'subject'>;

/** What has happened since the last look. */
export interface Findings {
  /** In the order in which it happened. */
  readonly news: readonly News[];
  /** Problems of what is not there any more: nobody is told. */
  readonly dropped: readonly ProblemName[];
}

export interface CollectContext {
  readonly matcher: RuleMatcher;
  readonly rules: readonly DefinedRule[];
  /** Muted now, by the file or by a person. */
  readonly isMuted: (rule: DefinedRule) => boolean;
  readonly newId: () => string;
  readonly now: Instant;
}

/** Those that last until something says that they are over. */
const RECOVERY: Readonly<Partial<Record<AlertEvent, AlertEvent>>> = {
  run_failure: 'asset_recovered',
  check_failure: 'asset_recovered',
  asset_stale: 'asset_recovered',
  pipeline_broken: 'pipeline_recovered',
  sync_failed: 'sync_recovered',
};
/** The least time between two messages of one rule about one kind of event, the longer the storm lasts. */
const BETWEEN_MS = [60_000, 5 * 60_000, 15 * 60_000] as const;
const KEPT_ITEMS = 50;
const KEPT_KEYS = 200;

/**
 * What is to be remembered and told of what has happened. Pure: applied to the memory that it leads to, nothing is left
 * to say.
 */
export function collect(memory: AlertMemory, findings: Findings, context: CollectContext): AlertChange {
  const draft = new Draft(memory);
  for (const one of findings.news) {
    if (one.kind === 'solved') {
      solve(draft, one.problem, context);
      continue;
    }
    for (const rule of context.matcher.rulesFor(one.item)) tell(draft, rule, one.item, context);
    if (RECOVERY[one.item.event] !== undefined) remember(draft, one.item);
  }
  for (const problem of findings.dropped) drop(draft, problem, context);
  for (const rule of context.rules) remind(draft, rule, context);
  return draft.change();
}

/** The memory after a change was stored. */
export function remembered(memory: AlertMemory, change: AlertChange): AlertMemory {
  const problems = new Map(memory.problems);
  const told = new Map(memory.told);
  const newest = new Map(memory.newest);
  for (const problem of change.problems) problems.set(problemKey(problem), problem);
  for (const problem of change.solved) problems.delete(problemKey(problem));
  for (const one of change.told) told.set(toldKey(one), one);
  for (const one of change.forgotten) told.delete(toldKey(one));
  for (const alert of change.alerts) newest.set(windowKey(alert.rule, alert.event), alert);
  return { problems, told, newest };
}

/** When something is to be said again although nothing happens; null: never. */
export function nextReminderAt(
  memory: AlertMemory,
  rules: readonly DefinedRule[],
  isMuted: CollectContext['isMuted'],
): Instant | null {
  const waits = new Map(
    rules.flatMap((rule) =>
      rule.repeatAfterSeconds === null || !rule.enabled || isMuted(rule)
        ? []
        : [[rule.id, rule.repeatAfterSeconds * 1000] as const],
    ),
  );
  let next: Instant | null = null;
  for (const told of memory.told.values()) {
    const wait = waits.get(told.rule);
    if (wait === undefined || !memory.problems.has(problemKey(told))) continue;
    if (next === null || told.at + wait < next) next = told.at + wait;
  }
  return next;
}

class Draft {
  readonly memory: AlertMemory;
  readonly problems = new Map<string, AlertProblem | null>();
  readonly told = new Map<string, AlertTold | null>();
  readonly alerts = new Map<string, AlertRecord>();
  readonly #solved = new Map<string, ProblemName>();
  readonly #forgotten = new Map<string, AlertTold>();

  constructor(memory: AlertMemory) {
    this.memory = memory;
  }

  problem(of: ProblemName): AlertProblem | undefined {
    const key = problemKey(of);
    const own = this.problems.get(key);
    return own === undefined ? this.memory.problems.get(key) : (own ?? undefined);
  }

  put(problem: AlertProblem): void {
    this.problems.set(problemKey(problem), problem);
    this.#solved.delete(problemKey(problem));
  }

  solve(of: ProblemName): void {
    this.problems.set(problemKey(of), null);
    this.#solved.set(problemKey(of), { event: of.event, subject: of.subject });
  }

  toldOf(of: Pick<AlertTold, 'rule' | 'event' | 'subject'>): AlertTold | undefined {
    const own = this.told.get(toldKey(of));
    return own === undefined ? this.memory.told.get(toldKey(of)) : (own ?? undefined);
  }

  putTold(told: AlertTold): void {
    this.told.set(toldKey(told), told);
    this.#forgotten.delete(toldKey(told));
  }

  forget(told: AlertTold): void {
    this.told.set(toldKey(told), null);
    this.#forgotten.set(toldKey(told), told);
  }

  change(): AlertChange {
    return {
      problems: [...this.problems.values()].filter((problem) => problem !== null),
      solved: [...this.#solved.values()],
      told: [...this.told.values()].filter((told) => told !== null),
      forgotten: [...this.#forgotten.values()],
      alerts: [...this.alerts.values()],
    };
  }
}

function tell(draft: Draft, rule: DefinedRule, item: AlertItem, context: CollectContext): void {
  const subject = item.subjects[0]!;
  const { repeatAfterSeconds } = rule;
  const isHeld = repeatAfterSeconds !== null && !item.event.endsWith('_recovered');
  const before = isHeld ? draft.toldOf({ rule: rule.id, event: item.event, subject }) : undefined;
  if (isHeld && before !== undefined && item.at - before.at < repeatAfterSeconds * 1000) {
    draft.putTold({ ...before, held: before.held + 1 });
    return;
  }
  if (isHeld && !context.isMuted(rule)) {
    draft.putTold({ rule: rule.id, event: item.event, subject, at: context.now, held: 0 });
  }
  const since = draft.problem({ event: item.event, subject })?.since;
  const again =
    before !== undefined && before.held > 0
      ? { since: since ?? before.at, times: before.held + 1 }
      : undefined;
  add(draft, rule, again === undefined ? item : { ...item, again }, context);
}

/** Lays an item into the open message of its rule and kind, or opens one. */
function add(draft: Draft, rule: DefinedRule, item: AlertItem, { now, newId }: CollectContext): void {
  const key = windowKey(rule.id, item.event);
  const newest = draft.alerts.get(key) ?? draft.memory.newest.get(key);
  const kept = keptItem(item);
  if (newest !== undefined && !newest.closed) {
    draft.alerts.set(key, {
      ...newest,
      severity: item.severity === 'ERROR' ? 'ERROR' : newest.severity,
      count: newest.count + 1,
      items: newest.items.length < KEPT_ITEMS ? [...newest.items, kept] : newest.items,
    });
    return;
  }
  const soonest = now + rule.groupWaitSeconds * 1000;
  const spaced = newest === undefined ? now : newest.closesAt + BETWEEN_MS[newest.level]!;
  const isStorm = spaced > now;
  draft.alerts.set(key, {
    alertId: newId(),
    rule: rule.id,
    event: item.event,
    severity: item.severity,
    openedAt: now,
    closesAt: Math.max(soonest, spaced),
    closed: false,
    count: 1,
    items: [kept],
    level: isStorm ? Math.min((newest?.level ?? 0) + 1, BETWEEN_MS.length - 1) : 0,
    isTest: false,
  });
}

function remember(draft: Draft, item: AlertItem): void {
  // A failure of no asset is never made good by one.
  if (item.event === 'run_failure' && item.assetKeys.length === 0) return;
  for (const subject of item.subjects) {
    const known = draft.problem({ event: item.event, subject });
    const isAsset = item.event === 'run_failure' && item.assetKeys.includes(subject);
    const own = isAsset ? { what: subject, assetKeys: [subject] } : {};
    draft.put({
      event: item.event,
      subject,
      since: known?.since ?? item.at,
      lastAt: item.at,
      times: (known?.times ?? 0) + 1,
      item: { ...item, assetKeys: item.assetKeys.slice(0, KEPT_KEYS), ...own, subjects: [subject] },
    });
  }
}

function solve(draft: Draft, of: ProblemName, context: CollectContext): void {
  const problem = draft.problem(of);
  const event = RECOVERY[of.event];
  if (problem === undefined || event === undefined) return;
  drop(draft, of, context);
  const cause =
    problem.times > 1
      ? `after ${problem.times} times: ${problem.item.cause}`
      : `after: ${problem.item.cause}`;
  const item: AlertItem = {
    ...problem.item,
    event,
    was: of.event,
    at: context.now,
    cause,
    again: { since: problem.since, times: problem.times },
  };
  for (const rule of context.matcher.rulesFor(item)) tell(draft, rule, item, context);
}

function drop(draft: Draft, { event, subject }: ProblemName, { rules }: CollectContext): void {
  draft.solve({ event, subject });
  for (const rule of rules) {
    const told = draft.toldOf({ rule: rule.id, event, subject });
    if (told !== undefined) draft.forget(told);
  }
}

/** What lasts and does not happen again by itself is said again after a while, as long as it lasts. */
function remind(draft: Draft, rule: DefinedRule, context: CollectContext): void {
  if (rule.repeatAfterSeconds === null || !rule.enabled || context.isMuted(rule)) return;
  const due = context.now - rule.repeatAfterSeconds * 1000;
  for (const before of draft.memory.told.values()) {
    if (before.rule !== rule.id || before.at > due) continue;
    const told = draft.toldOf(before);
    const problem = draft.problem(before);
    if (told === undefined || told.at > due) continue;
    if (problem === undefined) {
      draft.forget(told);
      continue;
    }
    if (!context.matcher.matches(rule, problem.item)) continue;
    draft.putTold({ ...told, at: context.now, held: 0 });
    add(draft, rule, { ...problem.item, again: { since: problem.since, times: problem.times } }, context);
  }
}
