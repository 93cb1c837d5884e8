import type { Clock, Instant } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Admission } from '../store/store.ts';
import type { Lack } from './admission.ts';
import { slotsOf } from './admission.ts';
import type { Advanced } from './advance.ts';

/** One look at a run: `advance` and whatever the engine adds to it. */
export type AdvanceRun = (runId: string) => Promise<Advanced | null>;

/**
 * Calls `advance` for every unfinished run, whenever something happened to it, for as long as it is unfinished: the loop
 * of the embedded engine. One run at a time, by priority, then age (run ids sort by time).
 */
export interface RunDriver {
  /** False if it is driven already. */
  start(runId: string): boolean;
  wake(runId: string): void;
  /** Resolves when the look that is under way has ended; nothing is looked at afterwards. */
  close(): Promise<void>;
}

export interface RunDriverDeps {
  readonly advance: AdvanceRun;
  /** Told after each look, in order: steps to dispatch and to cancel. */
  readonly onAdvanced: (advanced: Advanced) => void;
  /** Asked for runs that were never looked at, when one of them could come before its time. */
  readonly priorities: (runIds: readonly string[]) => Promise<ReadonlyMap<string, number>>;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Entry {
  readonly runId: string;
  priority: number;
  after: readonly string[];
  /** Null before the first look. */
  lack: Lack | null;
  alarm: AbortController | null;
}

const RETRY_MS = 1_000;
/** Between two looks that nothing but time asks for. */
const LEAST_SLEEP_MS = 20;

export function createRunDriver(deps: RunDriverDeps): RunDriver {
  const { advance, onAdvanced, priorities, clock, logger } = deps;
  const entries = new Map<string, Entry>();
  const dirty = new Set<string>();
  let admission: Admission | null = null;
  /** What was free when the waiting runs were last gone through. */
  let offered = '';
  let working: Promise<void> | null = null;
  let isClosed = false;

  function mark(runId: string): void {
    if (isClosed || !entries.has(runId)) return;
    dirty.add(runId);
    working ??= work().finally(() => {
      working = null;
      if (dirty.size > 0) mark(dirty.values().next().value!);
    });
  }

  async function work(): Promise<void> {
    while (dirty.size > 0 && !isClosed) {
      const batch = [...dirty].map((runId) => entries.get(runId)).filter((entry) => entry !== undefined);
      dirty.clear();
      for (const entry of await inTurn(batch)) {
        if (isClosed) return;
        await look(entry);
      }
      offerSlots();
    }
  }

  /** A run that is new takes what is free: whoever waits for that and comes before it is looked at before it. */
  async function inTurn(batch: readonly Entry[]): Promise<Entry[]> {
    const fresh = batch.filter((entry) => entry.lack === null);
    if (fresh.length === 0 || entries.size === 1) return batch.toSorted(byPriority);
    try {
      const known = await priorities(fresh.map(({ runId }) => runId));
      for (const entry of fresh) entry.priority = known.get(entry.runId) ?? entry.priority;
    } catch (error) {
      logger.warn({ err: error }, 'the priorities of new runs could not be read');
    }
    const lowest = Math.min(...fresh.map(({ priority }) => priority));
    const turn = new Set(batch);
    const taken = new Map<string, number>();
    const waiting = [...entries.values()].filter(
      (entry) => entry.priority > lowest && !turn.has(entry) && (entry.lack?.steps.length ?? 0) > 0,
    );
    for (const entry of waiting.sort(byPriority)) {
      // Of those that wait for the same places, as many as there are new ones that could take them.
      const places = JSON.stringify(entry.lack);
      const before = taken.get(places) ?? 0;
      if (before >= fresh.length) continue;
      taken.set(places, before + 1);
      turn.add(entry);
    }
    return [...turn].sort(byPriority);
  }

  async function look(entry: Entry): Promise<void> {
    const { runId } = entry;
    let advanced: Advanced | null;
    try {
      advanced = await advance(runId);
    } catch (error) {
      logger.warn({ err: error, run_id: runId }, 'a run could not be advanced');
      wakeAt(entry, clock.now() + RETRY_MS);
      return;
    }
    entry.alarm?.abort();
    if (advanced === null) {
      entries.delete(runId);
      return;
    }
    entry.priority = advanced.plan.priority;
    entry.after = [...advanced.plan.after, ...(advanced.plan.waitsFor ?? [])];
    entry.lack = advanced.lack;
    admission = { ...advanced.admission, pools: { ...admission?.pools, ...advanced.admission.pools } };
    if (advanced.finished !== null) {
      entries.delete(runId);
      for (const other of entries.values()) if (other.after.includes(runId)) mark(other.runId);
    } else if (advanced.sleepUntil !== null) {
      wakeAt(entry, Math.max(advanced.sleepUntil, clock.now() + LEAST_SLEEP_MS));
    }
    onAdvanced(advanced);
  }

  /** Looks again at as many waiting runs as there is room for, best first: thousands can wait for one pool. */
  function offerSlots(): void {
    if (admission === null) return;
    const now = JSON.stringify(admission);
    if (now === offered) return;
    offered = now;
    const slots = slotsOf(admission);
    let runPlaces = (admission.maxConcurrentRuns ?? Number.POSITIVE_INFINITY) - admission.runsInFlight;
    for (const { runId, lack } of [...entries.values()].sort(byPriority)) {
      if (lack === null || lack.steps.length === 0 || (lack.runSlot && runPlaces <= 0)) continue;
      const fitting = lack.steps.filter((pools) => slots.free(pools));
      if (fitting.length === 0) continue;
      for (const pools of fitting) slots.take(pools);
      if (lack.runSlot) runPlaces -= 1;
      dirty.add(runId);
    }
  }

  function wakeAt(entry: Entry, at: Instant): void {
    const alarm = new AbortController();
    entry.alarm = alarm;
    void clock.sleepUntil(at, alarm.signal).then(() => {
      if (!alarm.signal.aborted) mark(entry.runId);
    });
  }

  return {
    start(runId) {
      const isNew = !entries.has(runId);
      if (isNew) entries.set(runId, { runId, priority: 0, after: [], lack: null, alarm: null });
      mark(runId);
      return isNew;
    },
    wake: mark,
    async close() {
      isClosed = true;
      for (const entry of entries.values()) entry.alarm?.abort();
      await working;
    },
  };
}

function byPriority(a: Entry, b: Entry): number {
  return b.priority - a.priority || (a.runId < b.runId ? -1 : a.runId > b.runId ? 1 : 0);
}
