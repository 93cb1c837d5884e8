import type { EltComponentService } from '../component/component-service.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { OperationsStore, RefreshTrigger } from '../store/store.ts';
import { createDaemon, type Daemon } from './daemon.ts';

export interface RefreshDaemonDeps {
  readonly service: Pick<EltComponentService, 'repositories' | 'requestRefresh' | 'announceNextRefresh'>;
  readonly clock: Clock;
  readonly operations: Pick<OperationsStore, 'heartbeat'>;
  readonly log: Logger;
  /** In [0, 1). */
  readonly random: () => number;
}

interface Watch {
  dueAt: Instant;
  failures: number;
  first: boolean;
}

const LONGEST_BACK_OFF_MS = 10 * 60_000;
const LONGEST_NAP_MS = 60_000;

/**
 * Looks at every remote: once at the start, then every refresh interval ± 10 %, so that many services do not knock at
 * the same second. After a failure the wait doubles up to 10 minutes, with full jitter on its second half.
 */
export function createRefreshDaemon(deps: RefreshDaemonDeps): Daemon {
  const { service, clock, random } = deps;
  const watches = new Map<string, Watch>();
  for (const { name } of service.repositories()) watches.set(name, { dueAt: 0, failures: 0, first: true });

  async function look(
    name: string,
    watch: Watch,
    settings: { autoRefresh: boolean; refreshIntervalMs: number },
  ): Promise<boolean> {
    const trigger: RefreshTrigger = { kind: watch.first ? 'startup' : 'poll' };
    const { status } = await service.requestRefresh(name, trigger);
    watch.first = false;
    watch.failures = status === 'failed' ? watch.failures + 1 : 0;
    const wait =
      watch.failures > 0
        ? backOffMs(settings.refreshIntervalMs, watch.failures, random())
        : spread(settings.refreshIntervalMs, random());
    const again = settings.autoRefresh || watch.failures > 0;
    watch.dueAt = again ? clock.now() + wait : Number.POSITIVE_INFINITY;
    service.announceNextRefresh(name, again ? watch.dueAt : null);
    return status !== 'failed';
  }

  return createDaemon({
    name: 'refresh',
    intervalMs: LONGEST_NAP_MS,
    clock,
    operations: deps.operations,
    log: deps.log,
    async runOnce(signal) {
      const now = clock.now();
      const due = service.repositories().filter(({ name }) => (watches.get(name)?.dueAt ?? 0) <= now);
      const looks = due.map(({ name, settings }) => look(name, watches.get(name)!, settings));
      const results = await Promise.allSettled(looks);
      const failed = results.filter((result) => result.status === 'rejected');
      if (failed[0] !== undefined && !signal.aborted) throw failed[0].reason;
      const good = results.filter((result) => result.status === 'fulfilled' && result.value).length;
      return {
        counts: { refreshed: good, failed: results.length - good },
        nextAt: Math.min(...[...watches.values()].map(({ dueAt }) => dueAt), clock.now() + LONGEST_NAP_MS),
      };
    },
  });
}

/** The interval ± 10 %. */
export function spread(intervalMs: number, random: number): number {
  return Math.round(intervalMs * (0.9 + 0.2 * random));
}

/** Doubles with each failure in a row, capped; between half of it and all of it. */
export function backOffMs(intervalMs: number, failures: number, random: number): number {
  const longest = Math.max(LONGEST_BACK_OFF_MS, intervalMs);
  const full = Math.min(intervalMs * 2 ** Math.min(failures - 1, 20), longest);
  return Math.round(full * (0.5 + 0.5 * random));
}
