import type { ComponentService } from '../component/component.ts';
import type { Definitions, ScheduleDefinition } from '../definitions/definitions.ts';
import type { RunEngine } from '../engine/run-engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { CrashHook } from '../lib/crash-points.ts';
import { digestOf } from '../lib/digest.ts';
import { OperationalError } from '../lib/errors.ts';
import { type DueTick, dueTicks, nextDue } from '../plan/due-ticks.ts';
import { scheduleStatus } from '../plan/schedule-status.ts';
import { stepSpecs } from '../plan/step-spec-of.ts';
import type { NewTick, ScheduleStateRow, Store, TickRow, TickStage } from '../store/store.ts';
import { planTick } from './plan-tick.ts';
import type { TickCrashPoint } from './tick-crash-points.ts';

export interface SchedulerDeps {
  readonly store: Store;
  readonly components: Pick<ComponentService, 'definitions'>;
  readonly engine: Pick<RunEngine, 'wake'>;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly crashPoint: CrashHook<TickCrashPoint>;
}

export interface SchedulerCounts {
  readonly launched: number;
  readonly skipped: number;
  readonly failed: number;
}

export interface Scheduler {
  /** Looks at every schedule once; ticks that are due are recorded and launched, each exactly once. */
  runOnce(): Promise<SchedulerCounts>;
  /** When the next tick of any running schedule is due; null if none ever is. Valid after `runOnce`. */
  nextDueAt(): number | null;
}

/** Ticks in one transaction: few enough that others are not kept waiting, many enough that a disk is not. */
const TICKS_AT_ONCE = 100;

const STAGES = {
  begun: 'tick.in_transaction',
  runs_inserted: 'tick.runs_inserted',
  ticks_inserted: 'tick.tick_inserted',
} as const satisfies Record<TickStage, TickCrashPoint>;

/** A schedule as it was last looked at. */
interface Watched {
  readonly schedule: ScheduleDefinition;
  cursor: number;
  /** Null: it does not run, or never fires again. */
  dueAt: number | null;
}

/** All that a look needs, as long as definitions and stored states are the same. */
interface Known {
  readonly definitions: Definitions;
  /** Of the states. */
  version: number;
  readonly watched: ReadonlyMap<string, Watched>;
  /** When what a person set of a schedule ends. */
  readonly expiresAt: number | null;
  nextAt: number | null;
}

/**
 * Law 6: a tick fires once. The tick's row, its launch and the schedule's cursor are one transaction; the cursor never
 * moves back, and jumps to now when a schedule is seen first, started, or given another cron or zone.
 *
 * A look at which nothing is due costs nothing, however many schedules there are: states are read again only when the
 * store says that they changed, crons when definitions did.
 */
export function createScheduler(deps: SchedulerDeps): Scheduler {
  const { store, components, clock, crashPoint } = deps;
  const digests = new WeakMap<ScheduleDefinition, string>();
  let known: Known | null = null;

  return { runOnce, nextDueAt: () => known?.nextAt ?? null };

  async function runOnce(): Promise<SchedulerCounts> {
    const failures: unknown[] = [];
    try {
      const counts = await look(failures);
      if (failures.length === 0) return counts;
    } catch (error) {
      failures.push(error);
    }
    // What failed is read again.
    if (known !== null) known.version = -1;
    throw failures[0];
  }

  async function look(failures: unknown[]): Promise<SchedulerCounts> {
    const definitions = components.definitions();
    const now = clock.now();
    const counts = { launched: 0, skipped: 0, failed: 0 };
    if (known === null || isStale(known, definitions, now)) {
      known = null;
      known = await read(definitions, now, failures);
    }
    if (known.nextAt !== null && known.nextAt <= now) {
      await fireDue(known, now, counts, failures);
      known.nextAt = nextOf(known);
    }
    return counts;
  }

  function isStale({ definitions, version, expiresAt }: Known, current: Definitions, now: number): boolean {
    if (definitions !== current || version !== store.schedules.version()) return true;
    return expiresAt !== null && expiresAt <= now;
  }

  /** What is known now, with the past of new and changed schedules put behind. */
  async function read(definitions: Definitions, now: number, failures: unknown[]): Promise<Known> {
    let version = store.schedules.version();
    let states = await store.schedules.states();
    if (await endExpired(definitions, states, now)) {
      version = store.schedules.version();
      states = await store.schedules.states();
    }
    const stateOf = new Map(states.map((state) => [state.schedule, state]));
    const cursors = [...newCursors(definitions, stateOf, now)];
    if (cursors.length > 0) {
      await store.schedules.setCursors(cursors);
      version += 1;
      crashPoint('tick.cursors_set');
    }
    const moved = new Map(cursors.map(({ schedule, cursor }) => [schedule, cursor]));
    const watched = new Map<string, Watched>();
    let expiresAt: number | null = null;
    for (const schedule of definitions.schedules.values()) {
      const { name } = schedule;
      const override = stateOf.get(name)?.override ?? null;
      const cursor = moved.get(name) ?? stateOf.get(name)?.cursor ?? now;
      expiresAt = earlier(expiresAt, override?.expiresAt ?? null);
      // One that cannot be carried on must not keep the others from firing (fault P10).
      try {
        const isRunning = scheduleStatus(schedule, override, now) === 'RUNNING';
        watched.set(name, {
          schedule,
          cursor,
          dueAt: isRunning ? nextDue(schedule.config, name, cursor) : null,
        });
      } catch (error) {
        failures.push(error);
      }
    }
    const read: Known = { definitions, version, watched, expiresAt, nextAt: null };
    read.nextAt = nextOf(read);
    return read;
  }

  /**
   * An override whose time is over: Git is followed from that instant on, and nothing of before it fires. True: there was
   * one, the states are not those any more.
   */
  async function endExpired(
    definitions: Definitions,
    states: readonly ScheduleStateRow[],
    now: number,
  ): Promise<boolean> {
    let hasEnded = false;
    for (const { schedule: name, override } of states) {
      const schedule = definitions.schedules.get(name);
      const expiresAt = override?.expiresAt;
      if (schedule === undefined || expiresAt === undefined || expiresAt > now) continue;
      hasEnded = true;
      await store.schedules.setOverride(name, null, expiresAt);
      const status = schedule.config.defaultStatus;
      await store.appendInstanceEvents([{ type: 'schedule_changed', schedule: name, status, by: 'expiry' }]);
    }
    return hasEnded;
  }

  /**
   * First sight, or another cron, zone or default status: the past does not fire. Nor does what a folder missed while it
   * was gone or disabled (fault C6).
   */
  function* newCursors(
    definitions: Definitions,
    states: ReadonlyMap<string, ScheduleStateRow>,
    now: number,
  ): IterableIterator<{ schedule: string; cursor: number; configDigest: string }> {
    for (const schedule of definitions.schedules.values()) {
      const state = states.get(schedule.name);
      const configDigest = digestOfConfig(schedule);
      if (state?.configDigest === configDigest) continue;
      yield { schedule: schedule.name, cursor: Math.max(now, state?.cursor ?? 0), configDigest };
    }
    if (definitions.sources.length === 0) return;
    for (const { schedule, configDigest } of states.values()) {
      if (configDigest === '' || definitions.schedules.has(schedule)) continue;
      yield { schedule, cursor: now, configDigest: '' };
    }
  }

  function digestOfConfig(schedule: ScheduleDefinition): string {
    let digest = digests.get(schedule);
    if (digest === undefined) {
      const { cron, timezone, defaultStatus } = schedule.config;
      digest = digestOf([cron, timezone, defaultStatus]);
      digests.set(schedule, digest);
    }
    return digest;
  }

  /** The oldest tick of each schedule that is due, then the next of each: `overlap` sees the runs of the one before. */
  async function fireDue(
    { definitions, watched }: Known,
    now: number,
    counts: { -readonly [count in keyof SchedulerCounts]: number },
    failures: unknown[],
  ): Promise<void> {
    let due: { readonly entry: Watched; readonly ticks: readonly DueTick[] }[] = [];
    for (const entry of watched.values()) {
      if (entry.dueAt === null || entry.dueAt > now) continue;
      const { schedule, cursor } = entry;
      due.push({ entry, ticks: dueTicks(schedule.config, schedule.name, cursor, now) });
    }
    for (let round = 0; due.length > 0; round++) {
      due = due.filter(({ ticks }) => round < ticks.length);
      const failed = new Set<Watched>();
      for (let from = 0; from < due.length; from += TICKS_AT_ONCE) {
        const some = due.slice(from, from + TICKS_AT_ONCE);
        const next = some.map(({ entry, ticks }) => ({ entry, tick: ticks[round] as DueTick }));
        for (const entry of await fire(definitions, next, counts, failures)) failed.add(entry);
      }
      due = due.filter(({ entry }) => !failed.has(entry));
    }
  }

  /** Records some ticks of different schedules; returns those of which it could not. */
  async function fire(
    definitions: Definitions,
    due: readonly { readonly entry: Watched; readonly tick: DueTick }[],
    counts: { -readonly [count in keyof SchedulerCounts]: number },
    failures: unknown[],
  ): Promise<readonly Watched[]> {
    const names = due.flatMap(({ entry, tick }) => (tick.fire ? [entry.schedule.name] : []));
    const running = await store.schedules.unfinishedRuns(names);
    const failed: Watched[] = [];
    const fail = (entry: Watched, error: unknown): void => {
      failed.push(entry);
      failures.push(error);
    };
    const planned: { entry: Watched; tick: NewTick }[] = [];
    for (const { entry, tick } of due) {
      const { schedule } = entry;
      const unfinished = running.get(schedule.name) ?? [];
      try {
        planned.push({ entry, tick: planTick(definitions, schedule, tick, unfinished, deps.newId) });
      } catch (error) {
        fail(entry, error);
      }
    }
    crashPoint('tick.planned');
    try {
      settle(planned, await record(definitions, planned), counts);
    } catch (error) {
      // The database itself cannot be written: nothing else can be recorded either.
      if (error instanceof OperationalError) throw error;
      // One of them spoils the others: each by itself.
      for (const one of planned) {
        try {
          settle([one], await record(definitions, [one]), counts);
        } catch (error) {
          fail(one.entry, error);
        }
      }
    }
    return failed;
  }

  async function record(
    definitions: Definitions,
    planned: readonly { readonly tick: NewTick }[],
  ): Promise<readonly (TickRow | null)[]> {
    if (planned.length === 0) return [];
    const before = store.schedules.version();
    const rows = await store.schedules.recordTicks(
      planned.map(({ tick }) => tick),
      (plan) => stepSpecs(definitions, plan),
      (stage) => crashPoint(STAGES[stage]),
    );
    // Somebody else's change in between shows as more than this one.
    if (known?.version === before) known.version = before + 1;
    crashPoint('tick.recorded');
    return rows;
  }

  function settle(
    planned: readonly { readonly entry: Watched; readonly tick: NewTick }[],
    rows: readonly (TickRow | null)[],
    counts: { -readonly [count in keyof SchedulerCounts]: number },
  ): void {
    for (const [index, { entry, tick }] of planned.entries()) {
      const { schedule } = entry;
      entry.cursor = tick.at;
      entry.dueAt = nextDue(schedule.config, schedule.name, tick.at);
      const row = rows[index];
      if (row == null) continue;
      counts[row.status === 'queued' ? 'launched' : row.status] += 1;
      for (const runId of row.runIds) {
        deps.engine.wake(runId);
        crashPoint('tick.run_woken');
      }
    }
  }
}

/** When something is due next, or what a person set ends. */
function nextOf({ watched, expiresAt }: Known): number | null {
  let next = expiresAt;
  for (const { dueAt } of watched.values()) next = earlier(next, dueAt);
  return next;
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}
