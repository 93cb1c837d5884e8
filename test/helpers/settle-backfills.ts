import type { LoggedEvent } from '../../src/events/run-event.ts';
import type { Surface } from './surface.ts';

type Store = Surface['store'];

/** Carries every backfill on, as the daemon does, until all have ended or are paused. */
export async function settleBackfills({
  backfills,
  engine,
  store,
}: Pick<Surface, 'backfills' | 'engine' | 'store'>): Promise<void> {
  for (;;) {
    await backfills.advance();
    const active = (await store.backfills.unfinished()).filter(({ status }) => status !== 'PAUSED');
    if (active.length === 0) return;
    for (const { backfillId } of active) {
      for (const runId of await store.backfills.unfinishedRuns(backfillId)) await engine.finished(runId);
    }
  }
}

/** Resolves at the first event of the log, from its start, that the predicate takes. */
export async function seen(
  store: Store,
  wanted: (event: LoggedEvent, runs: { readonly started: number; readonly ended: number }) => boolean,
): Promise<void> {
  let after = 0;
  const runs = { started: 0, ended: 0 };
  const look = async (): Promise<boolean> => {
    for (const { eventId, event } of await store.events({ after, limit: 1000 })) {
      after = eventId;
      if (event.type === 'run_started') runs.started += 1;
      if (/^run_(succeeded|failed|canceled)$/.test(event.type)) runs.ended += 1;
      if (wanted(event, runs)) return true;
    }
    return false;
  };
  for (;;) {
    const news = Promise.withResolvers<void>();
    const unsubscribe = store.subscribe(() => news.resolve());
    try {
      if (await look()) return;
      await news.promise;
    } finally {
      unsubscribe();
    }
  }
}
