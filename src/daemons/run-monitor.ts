import type { RunEngine } from '../engine/run-engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Store } from '../store/store.ts';
import { createDaemon, type Daemon } from './daemon.ts';

export interface RunMonitorDeps {
  readonly store: {
    readonly now: Store['now'];
    readonly steps: Pick<Store['steps'], 'leases'>;
    readonly runs: Pick<Store['runs'], 'unfinished'>;
    readonly operations: Pick<Store['operations'], 'heartbeat'>;
  };
  readonly engine: Pick<RunEngine, 'wake'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config?: Partial<RunMonitorConfig>;
}

export interface RunMonitorConfig {
  readonly intervalMs: number;
  /** Unfinished runs that one pass looks at again, beside those with a lease that ran out. */
  readonly batch: number;
}

const DEFAULTS: RunMonitorConfig = { intervalMs: 10_000, batch: 50 };

/**
 * The net below the engine's own signals: whatever was missed (a lease that ran out, a retry that is due, a run that was
 * recorded and never started) is looked at again. Every unfinished run has its turn, a batch per pass; looking at one
 * that lacks nothing changes nothing.
 */
export function createRunMonitor(deps: RunMonitorDeps): Daemon {
  const { intervalMs, batch } = { ...DEFAULTS, ...deps.config };
  const { store, engine } = deps;
  let last = '';
  return createDaemon({
    name: 'run-monitor',
    intervalMs,
    clock: deps.clock,
    operations: store.operations,
    log: deps.logger,
    async runOnce() {
      const now = await store.now();
      const leases = await store.steps.leases();
      const expired = new Set(leases.filter((lease) => lease.expires <= now).map((lease) => lease.ref.runId));
      for (const runId of expired) engine.wake(runId);
      const unfinished = (await store.runs.unfinished()).toSorted();
      const rest = unfinished.filter((runId) => runId > last);
      const turn = (rest.length === 0 ? unfinished : rest).slice(0, batch);
      last = turn.at(-1) ?? '';
      for (const runId of turn) if (!expired.has(runId)) engine.wake(runId);
      return { counts: { expired: expired.size, unfinished: unfinished.length } };
    },
  });
}
