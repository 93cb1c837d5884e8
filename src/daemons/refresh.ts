import type { EltComponentService } from '../component/component-service.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { OperationsStore, RefreshTrigger } from '../store/store.ts';
import { createDaemon, type Daemon } from './daemon.ts';

export interface RefreshDaemonDeps {
  readonly service: Pick<
    EltComponentService,
    'repositories' | 'requestRefresh' | 'announceNextRefresh' | 'webhookSeenAt' | 'control'
  >;
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
  /** The commit that the last look left served. */
  commit: string | null;
  /** A look found a commit that no webhook had told of: webhooks from before this instant prove nothing. */
  distrustedAt: Instant;
}

const LONGEST_BACK_OFF_MS = 10 * 60_000;
const LONGEST_NAP_MS = 60_000;
/** While webhooks come, the poll is only their safety net. */
const RELAXED_TIMES = 5;
const LONGEST_RELAXED_MS = 10 * 60_000;
/** In intervals: after so long without a webhook the poll is on its own again. */
const WEBHOOK_ALIVE = 60;

/**
 * Looks at every remote: once at the start, then every refresh interval ± 10 %, so that many services do not knock at
 * the same second. After a failure the wait doubles up to 10 minutes, with full jitter on its second half. While a webhook
 * is alive it looks less often; a hold that ends by its time is looked at then.
 */
export function createRefreshDaemon(deps: RefreshDaemonDeps): Daemon {
  const { service, clock, random } = deps;
  const watches = new Map<string, Watch>();
  for (const { name } of service.repositories())
    watches.set(name, { dueAt: 0, failures: 0, first: true, commit: null, distrustedAt: -1 });

  async function look(
    name: string,
    watch: Watch,
    settings: { autoRefresh: boolean; refreshIntervalMs: number },
  ): Promise<boolean> {
    const trigger: RefreshTrigger = { kind: watch.first ? 'startup' : 'poll' };
    const began = clock.now();
    const { status, commit } = await service.requestRefresh(name, trigger);
    const seenAt = service.webhookSeenAt(name);
    const isUntold = status === 'applied' && commit !== watch.commit && (seenAt ?? -1) < began;
    if (!watch.first && isUntold) watch.distrustedAt = clock.now();
    watch.first = false;
    watch.commit = commit;
    watch.failures = status === 'failed' ? watch.failures + 1 : 0;
    const wait =
      watch.failures > 0
        ? backOffMs(settings.refreshIntervalMs, watch.failures, random())
        : spread(intervalMs(settings.refreshIntervalMs, seenAt, watch.distrustedAt, clock.now()), random());
    const again = settings.autoRefresh || watch.failures > 0;
    watch.dueAt = again ? clock.now() + wait : Number.POSITIVE_INFINITY;
    service.announceNextRefresh(name, again ? watch.dueAt : null);
    return status !== 'failed';
  }

  function endOfHold(name: string): number {
    return service.control(name)?.expiresAt ?? Number.POSITIVE_INFINITY;
  }

  return createDaemon({
    name: 'refresh',
    intervalMs: LONGEST_NAP_MS,
    clock,
    operations: deps.operations,
    log: deps.log,
    async runOnce(signal) {
      const now = clock.now();
      const due = service
        .repositories()
        .filter(({ name }) => Math.min(watches.get(name)?.dueAt ?? 0, endOfHold(name)) <= now);
      const looks = due.map(({ name, settings }) => look(name, watches.get(name)!, settings));
      const results = await Promise.allSettled(looks);
      const failed = results.filter((result) => result.status === 'rejected');
      if (failed[0] !== undefined && !signal.aborted) throw failed[0].reason;
      const good = results.filter((result) => result.status === 'fulfilled' && result.value).length;
      return {
        counts: { refreshed: good, failed: results.length - good },
        nextAt: Math.min(
          ...[...watches].map(([name, { dueAt }]) => Math.min(dueAt, endOfHold(name))),
          clock.now() + LONGEST_NAP_MS,
        ),
      };
    },
  });
}

/**
 * Five times the interval, at most 10 minutes, while webhooks come: one within the last 60 intervals, and none was missed
 * since. A longer interval stays as it is.
 * @param seenAt when the last webhook came; @param distrustedAt when a look last found what no webhook had told
 */
export function intervalMs(
  interval: number,
  seenAt: Instant | null,
  distrustedAt: Instant,
  now: Instant,
): number {
  const isAlive = seenAt !== null && seenAt > distrustedAt && now - seenAt <= WEBHOOK_ALIVE * interval;
  return isAlive ? Math.max(interval, Math.min(RELAXED_TIMES * interval, LONGEST_RELAXED_MS)) : interval;
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
