import type { Reader } from './identities.ts';

/** What changes what a run has planned for its assets. */
const RUN_EVENTS = ['run_enqueued', 'run_succeeded', 'run_failed', 'run_canceled'];
const NEW_NAMES = 'revision_applied';
const BACKFILLS = 'backfill_changed';

/** What came after an event, as far as automation looks at it. */
export interface Changes {
  /** By asset: the newest event that touched it. */
  readonly at: Map<number, number>;
  readonly written: ReadonlySet<number>;
  readonly runNos: readonly number[];
  readonly renamed: boolean;
  /** A backfill began or ended. */
  readonly backfills: boolean;
}

/** By the indexes on events: the cost follows what is new. */
export async function changesAfter({ db }: Reader, known: number): Promise<Changes> {
  const at = new Map<number, number>();
  const written = await db
    .selectFrom('asset_partition')
    .select(['asset_id', (eb) => eb.fn.max('mat_event_id').as('event_id')])
    .where('mat_event_id', '>', known)
    .groupBy('asset_id')
    .execute();
  const checked = await db
    .selectFrom('asset_check')
    .select(['asset_id', (eb) => eb.fn.max('event_id').as('event_id')])
    .where('event_id', '>', known)
    .groupBy('asset_id')
    .execute();
  for (const row of [...written, ...checked]) touch(at, row.asset_id, row.event_id ?? 0);
  const events = await db
    .selectFrom('event')
    .select(['run_no', 'type'])
    .distinct()
    .where('event_id', '>', known)
    .where('type', 'in', [...RUN_EVENTS, NEW_NAMES, BACKFILLS])
    .execute();
  return {
    at,
    written: new Set(written.map((row) => row.asset_id)),
    runNos: [...new Set(events.flatMap((row) => (row.run_no === null ? [] : [row.run_no])))],
    renamed: events.some((row) => row.type === NEW_NAMES),
    backfills: events.some((row) => row.type === BACKFILLS),
  };
}

/** An event touched an asset. */
export function touch(at: Map<number, number>, assetId: number, eventId: number): void {
  at.set(assetId, Math.max(at.get(assetId) ?? 0, eventId));
}
