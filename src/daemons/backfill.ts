import type { BackfillEngine } from '../engine/backfill-engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { OperationsStore } from '../store/store.ts';
import { createDaemon, type Daemon } from './daemon.ts';

export interface BackfillDaemonDeps {
  readonly backfills: Pick<BackfillEngine, 'advance' | 'onNews'>;
  readonly operations: Pick<OperationsStore, 'heartbeat'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The net below the engine's own news. */
const INTERVAL_MS = 30_000;

/** Carries unfinished backfills on: whenever one of their runs ended, somebody changed one, or definitions did. */
export function createBackfillDaemon(deps: BackfillDaemonDeps): Daemon {
  const { backfills, operations, clock, logger } = deps;
  const daemon = createDaemon({
    name: 'backfill',
    intervalMs: INTERVAL_MS,
    clock,
    operations,
    log: logger,
    async runOnce() {
      return { counts: await backfills.advance() };
    },
  });
  backfills.onNews(() => daemon.wake());
  return daemon;
}
