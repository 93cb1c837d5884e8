import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Store } from '../store/store.ts';
import type { Automation } from './automation.ts';
import { createDaemon, type Daemon } from './daemon.ts';

/**
 * Between two looks. A chain of assets of several definitions moves on by one look per link, so that it has to be short
 * beside a step's seconds; and a run that writes a hundred partitions a second must not be looked at a hundred times.
 */
export const PAUSE_MS = 1_000;
/** Without news it looks again after this time, which shows that it lives. */
const NAP_MS = 30_000;

export interface AutomationDaemonDeps {
  readonly automation: Automation;
  readonly store: Pick<Store, 'subscribe' | 'operations'>;
  /** Told when new definitions are published. */
  readonly onPublished: (listener: () => void) => () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Looks when something happened, at most once per `PAUSE_MS`, and when a tick or a new time window comes due. */
export function createAutomationDaemon(deps: AutomationDaemonDeps): Daemon {
  const { automation, store, clock } = deps;
  const stopping = new AbortController();
  let lookedAt = 0;
  let waiting = false;
  const daemon = createDaemon({
    name: 'automation',
    intervalMs: NAP_MS,
    clock,
    operations: store.operations,
    log: deps.logger,
    async runOnce() {
      lookedAt = clock.now();
      const counts = await automation.look();
      const soonest = clock.now() + PAUSE_MS;
      if (!automation.isSettled()) return { counts: { ...counts }, nextAt: soonest };
      const latest = clock.now() + NAP_MS;
      const dueAt = automation.nextDueAt() ?? latest;
      return { counts: { ...counts }, nextAt: Math.min(Math.max(dueAt, lookedAt + PAUSE_MS), latest) };
    },
  });

  function news(): void {
    if (waiting || !automation.hasConditions()) return;
    waiting = true;
    void clock.sleepUntil(lookedAt + PAUSE_MS, stopping.signal).then(() => {
      waiting = false;
      if (!stopping.signal.aborted) daemon.wake();
    });
  }

  let unsubscribe: readonly (() => void)[] = [];
  return {
    name: daemon.name,
    start() {
      unsubscribe = [store.subscribe(news), deps.onPublished(() => daemon.wake())];
      daemon.start();
    },
    wake: () => daemon.wake(),
    async stop() {
      stopping.abort();
      for (const one of unsubscribe) one();
      await daemon.stop();
    },
  };
}
