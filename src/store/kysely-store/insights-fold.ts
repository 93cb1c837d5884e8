import { sql } from 'kysely';
import { bucketOf } from '../../insights/durations.ts';
import { type Measures, NOTHING, plus } from '../../insights/measures.ts';
import type { Tx } from './context.ts';
import { findAssets } from './identities.ts';
import { chunks, fromJson } from './json.ts';
import type { StoredSummary } from './launches.ts';

const CHUNK = 500;
const DAY_MS = 86_400_000;
const ROW_ID = 1;
const TYPES = [
  'materialization',
  'run_started',
  'step_succeeded',
  'step_failed',
  'step_canceled',
  'step_gave_up',
  'step_retry_scheduled',
];

interface LoggedRow {
  readonly run_no: number | null;
  readonly step_key: string | null;
  readonly type: string;
  readonly at: number;
  readonly payload: string;
}

/** What is added to an asset's day. */
interface Gain {
  readonly assetId: number;
  readonly day: number;
  measures: Measures;
  readonly durations: Map<number, number>;
}

/**
 * Takes the next stretch of the log in, and moves the cursor over it in the same transaction.
 * @param most ids of events that are looked at
 * @returns how many of them count; null at the log's end
 */
export async function foldNext(tx: Tx, most: number): Promise<number | null> {
  const cursor = await tx.db
    .selectFrom('insights_cursor')
    .select('event_id')
    .where('id', '=', ROW_ID)
    .executeTakeFirst();
  const after = cursor?.event_id ?? 0;
  // Ids have gaps where events were pruned.
  const next = await tx.db
    .selectFrom('event')
    .select('event_id')
    .where('event_id', '>', after)
    .orderBy('event_id')
    .limit(1)
    .executeTakeFirst();
  if (next === undefined) return null;
  const end = next.event_id + most;
  const rows = await tx.db
    .selectFrom('event')
    .select(['run_no', 'step_key', 'type', 'at', 'payload'])
    .where('event_id', '>=', next.event_id)
    .where('event_id', '<', end)
    .where('type', 'in', TYPES)
    .orderBy('event_id')
    .execute();
  await save(tx, await gainsOf(tx, rows));
  const last = await tx.db
    .selectFrom('event')
    .select('event_id')
    .where('event_id', '<', end)
    .orderBy('event_id', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
  await tx.db
    .insertInto('insights_cursor')
    .values({ id: ROW_ID, ...last })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(last))
    .execute();
  return rows.length;
}

async function gainsOf(tx: Tx, rows: readonly LoggedRow[]): Promise<Iterable<Gain>> {
  const gains = new Map<string, Gain>();
  const add = (assetId: number, at: number, more: Partial<Measures>): Gain => {
    const day = Math.floor(at / DAY_MS);
    const id = `${assetId} ${day}`;
    let gain = gains.get(id);
    if (gain === undefined) gains.set(id, (gain = { assetId, day, measures: NOTHING, durations: new Map() }));
    gain.measures = plus(gain.measures, { ...NOTHING, ...more });
    return gain;
  };
  const assetsOfStep = await stepAssets(tx, rows);
  const writtenOf = await writtenOfFailed(tx, rows);
  const writes = rows
    .filter(({ type }) => type === 'materialization')
    .map(({ at, payload }) => ({ at, ...fromJson<{ asset_key: string; metadata?: unknown }>(payload) }));
  const ids = await findAssets(tx, [...new Set(writes.map(({ asset_key: key }) => key))]);
  for (const { at, asset_key: key, metadata } of writes) {
    const assetId = ids.get(key);
    if (assetId === undefined) continue;
    add(assetId, at, {
      materializations: 1,
      rows: amountOf(metadata, 'rows'),
      bytes: amountOf(metadata, 'bytes'),
    });
  }
  for (const row of rows) {
    if (!row.type.startsWith('step_')) continue;
    const step = `${row.run_no} ${row.step_key}`;
    const assets = assetsOfStep.get(step) ?? [];
    const written = row.type === 'step_gave_up' ? writtenOf.get(step) : undefined;
    // Of a failed step that wrote some of its assets, only the others have failed; of one that wrote all, all: by a check.
    const isPartly = written !== undefined && assets.some((assetId) => !written.has(assetId));
    const seconds = amountOf(fromJson(row.payload), 'seconds');
    for (const assetId of assets) {
      const share = seconds / assets.length;
      const type = isPartly && written.has(assetId) ? 'step_succeeded' : row.type;
      const gain = add(assetId, row.at, { seconds: share, ...COUNTED[type] });
      if (row.type !== 'step_succeeded') continue;
      const bucket = bucketOf(seconds);
      gain.durations.set(bucket, (gain.durations.get(bucket) ?? 0) + 1);
    }
  }
  for (const { assetIds, at, delay } of await startsOfScheduled(tx, rows)) {
    for (const assetId of assetIds) add(assetId, at, { scheduled: 1, delay, longestDelay: delay });
  }
  return gains.values();
}

/** A failed attempt costs its time; the step has failed once nothing is tried any more. */
const COUNTED: Readonly<Record<string, Partial<Measures>>> = {
  step_succeeded: { succeeded: 1 },
  step_canceled: { canceled: 1 },
  step_gave_up: { failed: 1 },
  step_retry_scheduled: { retries: 1 },
};

/** Ids of the assets of each step that rows speak of, by `run_no step_key`. */
async function stepAssets(
  tx: Tx,
  rows: readonly LoggedRow[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const found = new Map<string, number[]>();
  const runNos = new Set(
    rows.flatMap(({ type, run_no: runNo }) => (type.startsWith('step_') && runNo !== null ? [runNo] : [])),
  );
  for (const some of chunks([...runNos], CHUNK)) {
    const assets = await tx.db
      .selectFrom('step_asset')
      .select(['run_no', 'step_key', 'asset_id'])
      .where('run_no', 'in', some)
      .execute();
    for (const { run_no: runNo, step_key: stepKey, asset_id: assetId } of assets) {
      const id = `${runNo} ${stepKey}`;
      const known = found.get(id);
      if (known === undefined) found.set(id, [assetId]);
      else known.push(assetId);
    }
  }
  return found;
}

/** Assets that steps wrote although they gave up, by `run_no step_key`. */
async function writtenOfFailed(
  tx: Tx,
  rows: readonly LoggedRow[],
): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
  const failed = rows.filter(({ type }) => type === 'step_gave_up');
  const runNos = new Set(failed.flatMap(({ run_no: runNo }) => runNo ?? []));
  const found = new Map<string, ReadonlySet<number>>();
  for (const some of chunks([...runNos], CHUNK)) {
    const steps = await tx.db
      .selectFrom('run_step')
      .select(['run_no', 'step_key', 'finished_assets'])
      .where('run_no', 'in', some)
      .where('status', '=', 'failed')
      .where('finished_assets', '!=', '[]')
      .execute();
    const keysOf = steps.map((step) => ({ ...step, keys: fromJson<string[]>(step.finished_assets) }));
    const ids = await findAssets(tx, [...new Set(keysOf.flatMap(({ keys }) => keys))]);
    for (const { run_no: runNo, step_key: stepKey, keys } of keysOf) {
      found.set(`${runNo} ${stepKey}`, new Set(keys.flatMap((key) => ids.get(key) ?? [])));
    }
  }
  return found;
}

interface ScheduledStart {
  readonly assetIds: readonly number[];
  readonly at: number;
  /** Seconds after the tick. */
  readonly delay: number;
}

async function startsOfScheduled(tx: Tx, rows: readonly LoggedRow[]): Promise<readonly ScheduledStart[]> {
  const startedAt = new Map(
    rows.flatMap(({ type, run_no: runNo, at }) =>
      type === 'run_started' && runNo !== null ? [[runNo, at]] : [],
    ),
  );
  const starts: ScheduledStart[] = [];
  for (const some of chunks([...startedAt.keys()], CHUNK)) {
    const runs = await tx.db
      .selectFrom('run')
      .select(['run_no', 'summary'])
      .where('run_no', 'in', some)
      .where('schedule_id', 'is not', null)
      .execute();
    const assets = await tx.db
      .selectFrom('step_asset')
      .select(['run_no', 'asset_id'])
      .where(
        'run_no',
        'in',
        runs.map(({ run_no: runNo }) => runNo),
      )
      .execute();
    const assetsOf = Map.groupBy(assets, ({ run_no: runNo }) => runNo);
    for (const { run_no: runNo, summary } of runs) {
      const { cause } = fromJson<StoredSummary>(summary);
      if (cause.kind !== 'schedule') continue;
      const at = startedAt.get(runNo)!;
      const assetIds = [...new Set((assetsOf.get(runNo) ?? []).map(({ asset_id: id }) => id))];
      starts.push({ assetIds, at, delay: Math.max(0, at - cause.tick) / 1000 });
    }
  }
  return starts;
}

async function save(tx: Tx, gains: Iterable<Gain>): Promise<void> {
  const all = [...gains];
  for (const some of chunks(all, CHUNK)) {
    await tx.db
      .insertInto('asset_day')
      .values(
        some.map(({ assetId, day, measures: { longestDelay, ...measures } }) => ({
          asset_id: assetId,
          day,
          ...measures,
          longest_delay: longestDelay,
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(['day', 'asset_id']).doUpdateSet((eb) => {
          const sum = (name: Exclude<keyof Measures, 'longestDelay'>) =>
            sql<number>`${eb.ref(`asset_day.${name}`)} + ${eb.ref(`excluded.${name}`)}`;
          return {
            materializations: sum('materializations'),
            rows: sum('rows'),
            bytes: sum('bytes'),
            seconds: sum('seconds'),
            succeeded: sum('succeeded'),
            failed: sum('failed'),
            canceled: sum('canceled'),
            retries: sum('retries'),
            scheduled: sum('scheduled'),
            delay: sum('delay'),
            longest_delay: sql<number>`max(${eb.ref('asset_day.longest_delay')}, ${eb.ref('excluded.longest_delay')})`,
          };
        }),
      )
      .execute();
  }
  const durations = all.flatMap(({ assetId, day, durations }) =>
    [...durations].map(([bucket, n]) => ({ asset_id: assetId, day, bucket, n })),
  );
  for (const some of chunks(durations, CHUNK)) {
    await tx.db
      .insertInto('asset_day_duration')
      .values(some)
      .onConflict((conflict) =>
        conflict.columns(['day', 'asset_id', 'bucket']).doUpdateSet((eb) => ({
          n: sql<number>`${eb.ref('asset_day_duration.n')} + ${eb.ref('excluded.n')}`,
        })),
      )
      .execute();
  }
}

/** A number of what a tool or a script reported; anything else counts as nothing. */
function amountOf(record: unknown, name: string): number {
  const value =
    typeof record === 'object' && record !== null ? (record as Record<string, unknown>)[name] : undefined;
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}
