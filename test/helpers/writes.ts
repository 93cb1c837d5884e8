import type { Store } from '../../src/store/store.ts';

/** A partition of an asset, written. */
export interface Write {
  /** `stg_daily_raw_data A|2026-01-05` */
  readonly name: string;
  readonly runId: string;
}

/** What was written, in the order in which it was: one entry per partition and time. */
export async function writes(store: Store): Promise<Write[]> {
  const found: Write[] = [];
  for (let after = 0; ; ) {
    const events = await store.events({ after, limit: 1000, types: ['materialization'] });
    for (const { event, runId } of events) {
      if (event.type !== 'materialization' || runId === null) continue;
      const partition = event.partition ?? keyOf(await store.runs.plan(runId));
      found.push({ name: `${event.asset_key} ${partition}`, runId });
    }
    if (events.length < 1000) return found;
    after = events.at(-1)!.eventId;
  }
}

/** Resolves when all of these have been written at least once, and no run goes on. */
export async function written(store: Store, names: readonly string[]): Promise<void> {
  await until(store, async () => {
    if ((await store.runs.unfinished()).length > 0) return false;
    const there = new Set((await writes(store)).map(({ name }) => name));
    return names.every((name) => there.has(name));
  });
}

/** Resolves as soon as something is so; asked again after each event of the store. */
export async function until(store: Store, isSo: () => Promise<boolean>): Promise<void> {
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const unsubscribe = store.subscribe(() => resolve());
    try {
      if (await isSo()) return;
      await promise;
    } finally {
      unsubscribe();
    }
  }
}

function keyOf(plan: Awaited<ReturnType<Store['runs']['plan']>>): string {
  return plan?.partitions.kind === 'key' ? plan.partitions.key : '';
}
