import type { ComponentService } from '../component/component.ts';
import type { Definitions, ScheduleDefinition } from '../definitions/definitions.ts';
import type { RunEngine } from '../engine/run-engine.ts';
import type { Clock } from '../lib/clock.ts';
import { digestOf } from '../lib/digest.ts';
import { type DueTick, dueTicks, nextDue } from '../plan/due-ticks.ts';
import { planRun } from '../plan/plan-run.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import { scheduleStatus } from '../plan/schedule-status.ts';
import { stepSpecs } from '../plan/step-spec-of.ts';
import type { ScheduleStateRow, Store, TickStatus } from '../store/store.ts';

export interface SchedulerDeps {
  readonly store: Store;
  readonly components: Pick<ComponentService, 'definitions'>;
  readonly engine: Pick<RunEngine, 'wake'>;
  readonly clock: Clock;
  readonly newId: () => string;
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

/** Priority of scheduled runs; backfills lie below, people's own launches above. */
const PRIORITY = 0;

interface Watched {
  readonly cursor: number;
  readonly dueAt: number | null;
}

/**
 * Law 6: a tick fires once. The tick's row, its launch and the schedule's cursor are one transaction; the cursor never
 * moves back, and jumps to now when a schedule is seen first, started, or given another cron or zone.
 */
export function createScheduler(deps: SchedulerDeps): Scheduler {
  const { store, components, clock } = deps;
  const watched = new Map<string, Watched>();
  let seen: Definitions | null = null;
  let nextAt: number | null = null;

  return { runOnce, nextDueAt: () => nextAt };

  async function runOnce(): Promise<SchedulerCounts> {
    const definitions = components.definitions();
    const now = clock.now();
    const states = new Map((await store.schedules.states()).map((state) => [state.schedule, state]));
    if (seen !== definitions) watched.clear();
    seen = definitions;
    const counts = { launched: 0, skipped: 0, failed: 0 };
    nextAt = null;
    const failures: unknown[] = [];
    for (const schedule of definitions.schedules.values()) {
      // One that cannot be carried on must not keep the others from firing (fault P10).
      try {
        const dueAt = await look(definitions, schedule, states.get(schedule.name), now, counts);
        if (dueAt !== null && (nextAt === null || dueAt < nextAt)) nextAt = dueAt;
      } catch (error) {
        failures.push(error);
      }
    }
    if (definitions.sources.length > 0) await forgetGone(definitions, states, now);
    if (failures.length > 0) throw failures[0];
    return counts;
  }

  /** Fires what is due of one schedule; returns when it is due next. */
  async function look(
    definitions: Definitions,
    schedule: ScheduleDefinition,
    known: ScheduleStateRow | undefined,
    now: number,
    counts: { -readonly [count in keyof SchedulerCounts]: number },
  ): Promise<number | null> {
    const state = await settle(schedule, await withoutExpired(schedule, known, now), now);
    const expiresAt = state.override?.expiresAt ?? null;
    if (scheduleStatus(schedule, state.override, now) !== 'RUNNING') return expiresAt;
    let entry = watch(schedule, state.cursor);
    if (entry.dueAt !== null && entry.dueAt <= now) {
      for (const tick of dueTicks(schedule.config, schedule.name, state.cursor, now)) {
        counts[await fire(definitions, schedule, tick)] += 1;
        entry = watch(schedule, tick.at);
      }
    }
    return expiresAt === null || (entry.dueAt !== null && entry.dueAt < expiresAt) ? entry.dueAt : expiresAt;
  }

  /** A folder that comes back, or is enabled again, does not fire what it missed meanwhile (fault C6). */
  async function forgetGone(
    definitions: Definitions,
    states: ReadonlyMap<string, ScheduleStateRow>,
    now: number,
  ): Promise<void> {
    for (const { schedule, configDigest } of states.values()) {
      if (configDigest === '' || definitions.schedules.has(schedule)) continue;
      await store.schedules.setCursor(schedule, now, '');
    }
  }

  /** An override whose time is over: Git is followed from that instant on, and nothing of before it fires. */
  async function withoutExpired(
    schedule: ScheduleDefinition,
    state: ScheduleStateRow | undefined,
    now: number,
  ): Promise<ScheduleStateRow | undefined> {
    const expiresAt = state?.override?.expiresAt;
    if (state === undefined || expiresAt === undefined || expiresAt > now) return state;
    const { name } = schedule;
    await store.schedules.setOverride(name, null, expiresAt);
    const status = schedule.config.defaultStatus;
    await store.appendInstanceEvents([{ type: 'schedule_changed', schedule: name, status, by: 'expiry' }]);
    return { ...state, override: null, cursor: Math.max(state.cursor, expiresAt) };
  }

  /** First sight, or another cron, zone or default status: the past does not fire. */
  async function settle(
    schedule: ScheduleDefinition,
    state: ScheduleStateRow | undefined,
    now: number,
  ): Promise<ScheduleStateRow> {
    const configDigest = digestOf([
      schedule.config.cron,
      schedule.config.timezone,
      schedule.config.defaultStatus,
    ]);
    if (state?.configDigest === configDigest) return state;
    const cursor = Math.max(now, state?.cursor ?? 0);
    await store.schedules.setCursor(schedule.name, cursor, configDigest);
    return { schedule: schedule.name, override: state?.override ?? null, cursor, configDigest };
  }

  function watch(schedule: ScheduleDefinition, cursor: number): Watched {
    const known = watched.get(schedule.name);
    if (known?.cursor === cursor) return known;
    const entry = { cursor, dueAt: nextDue(schedule.config, schedule.name, cursor) };
    watched.set(schedule.name, entry);
    return entry;
  }

  async function fire(
    definitions: Definitions,
    schedule: ScheduleDefinition,
    tick: DueTick,
  ): Promise<keyof SchedulerCounts> {
    if (!tick.fire) return record(definitions, schedule, tick.at, 'skipped', tick.reason, []);
    const running = await store.schedules.unfinishedRuns(schedule.name);
    if (running.length > 0 && schedule.config.overlap === 'skip') {
      return record(
        definitions,
        schedule,
        tick.at,
        'skipped',
        `run ${running[0]} has not ended; overlap is skip`,
        [],
      );
    }
    const planned = planRun(
      definitions,
      {
        assets: schedule.assets,
        partitions: { kind: 'tick', at: tick.at },
        fullRefresh: false,
        config: {},
        tags: { schedule: schedule.name },
        priority: PRIORITY,
        cause: { kind: 'schedule', schedule: schedule.name, tick: tick.at },
      },
      { now: tick.at, newId: deps.newId },
    );
    if (!planned.ok) return record(definitions, schedule, tick.at, 'failed', planned.message, []);
    if (planned.runs.length === 0) {
      return record(definitions, schedule, tick.at, 'skipped', 'no partition had ended at this tick', []);
    }
    const waits = running.length > 0 && schedule.config.overlap === 'queue';
    const reason = waits ? `waits for run ${running.at(-1)}; overlap is queue` : tick.reason;
    const plans = waits ? planned.runs.map((plan) => ({ ...plan, waitsFor: running })) : planned.runs;
    return record(definitions, schedule, tick.at, waits ? 'queued' : 'launched', reason, plans);
  }

  async function record(
    definitions: Definitions,
    schedule: ScheduleDefinition,
    at: number,
    status: TickStatus,
    reason: string,
    plans: readonly RunPlan[],
  ): Promise<keyof SchedulerCounts> {
    const specs = (plan: RunPlan) => stepSpecs(definitions, plan);
    const row = await store.schedules.recordTick({
      schedule: schedule.name,
      at,
      status,
      reason,
      plans,
      specs,
    });
    for (const runId of row?.runIds ?? []) deps.engine.wake(runId);
    return status === 'skipped' ? 'skipped' : status === 'failed' ? 'failed' : 'launched';
  }
}
