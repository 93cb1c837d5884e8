import type { EltComponentService } from '../component/component-service.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { AlertStore } from '../store/alert-store.ts';
import type { AutomationStore } from '../store/automation-store.ts';
import type { InsightsStore } from '../store/insights-store.ts';
import type { LogStore } from '../store/log-store.ts';
import type { OperationsStore, RunStore } from '../store/store.ts';
import { createDaemon, type Daemon } from './daemon.ts';

/** Milliseconds. */
export interface RetentionPeriods {
  /** Events of ended runs, and their logs. */
  readonly events: number;
  readonly ticks: number;
  readonly deliveries: number;
  /** Evaluations of automation conditions; the newest of each asset stays. */
  readonly evaluations: number;
  /** Alerts and what became of them. */
  readonly alerts: number;
  /** Python environments that no step used. */
  readonly environments: number;
}

export interface RetentionDeps {
  readonly operations: Pick<OperationsStore, 'heartbeat' | 'prune'>;
  readonly automation: Pick<AutomationStore, 'prune'>;
  readonly insights: Pick<InsightsStore, 'catchUp'>;
  readonly alerts: Pick<AlertStore, 'prune'>;
  readonly runs: Pick<RunStore, 'list'>;
  readonly logs: Pick<LogStore, 'attempts' | 'remove'>;
  readonly service: Pick<EltComponentService, 'collectGarbage'>;
  /** Removes what nobody used for so many milliseconds; returns the names of what it removed. */
  readonly environments: { collectUnused(olderThanMs: number): Promise<readonly string[]> };
  readonly clock: Clock;
  readonly log: Logger;
  readonly keep?: RetentionPeriods;
}

const DAY_MS = 86_400_000;
/** Deliveries longer than the 3 days in which GitHub lets one be sent again. */
export const DEFAULT_RETENTION: RetentionPeriods = {
  events: 90 * DAY_MS,
  ticks: 90 * DAY_MS,
  deliveries: 7 * DAY_MS,
  evaluations: 30 * DAY_MS,
  alerts: 30 * DAY_MS,
  environments: 14 * DAY_MS,
};
const INTERVAL_MS = 6 * 60 * 60_000;
const PAGE = 100;

/** Keeps disk and database bounded: old events, ticks, deliveries, evaluations, logs, unneeded trees, commits and environments. */
export function createRetentionDaemon(deps: RetentionDeps): Daemon {
  const { operations, service, clock } = deps;
  const keep = deps.keep ?? DEFAULT_RETENTION;
  return createDaemon({
    name: 'retention',
    intervalMs: INTERVAL_MS,
    clock,
    operations,
    log: deps.log,
    async runOnce(signal) {
      const now = clock.now();
      // What is summed outlives the events that it is made from.
      await deps.insights.catchUp();
      const pruned = await operations.prune({
        eventsSince: now - keep.events,
        ticksSince: now - keep.ticks,
        deliveriesSince: now - keep.deliveries,
      });
      const evaluations = await deps.automation.prune(now - keep.evaluations);
      const alerts = await deps.alerts.prune(now - keep.alerts);
      const logs = await removeLogs(deps, now - keep.events, signal);
      const environments = (await deps.environments.collectUnused(keep.environments)).length;
      return {
        counts: { ...pruned, evaluations, alerts, logs, environments, ...(await service.collectGarbage()) },
      };
    },
  });
}

/** Logs of runs that ended and began before `before`; stops at the first page of which an earlier pass left none. */
async function removeLogs(
  { runs, logs }: RetentionDeps,
  before: Instant,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  let cursor = firstRunId(before);
  while (!signal.aborted) {
    const page = await runs.list({ statuses: ['SUCCESS', 'FAILURE', 'CANCELED'], cursor, limit: PAGE });
    let found = 0;
    for (const { runId } of page) {
      if ((await logs.attempts(runId)).length === 0) continue;
      await logs.remove(runId);
      found++;
    }
    removed += found;
    const last = page.at(-1);
    if (last === undefined || found === 0) return removed;
    cursor = last.runId;
  }
  return removed;
}

/** The smallest run id of an instant: run ids are UUIDs of version 7, their first 48 bits are the time. */
function firstRunId(at: Instant): string {
  const time = Math.max(0, at).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}
