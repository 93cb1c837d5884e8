import type { AssetHistory, AutomationAssetMemory, StoredWrite } from './automation-asset.ts';
import type { Changes } from './automation-changes.ts';
import type { OrdinalReader } from './automation-ordinals.ts';
import type { Reader } from './identities.ts';
import { chunks } from './json.ts';
import { type PlannedAssetRun, plannedSubset } from './planned-subsets.ts';

const CHUNK = 500;

/** An asset that is kept in memory, and how its rows are read. */
export interface Learned {
  readonly memory: AutomationAssetMemory;
  readonly reader: OrdinalReader;
}

/** What came of an asset since an event. */
export async function newHistory(
  tx: Reader,
  own: Learned,
  runs: readonly PlannedAssetRun[],
  changes: Changes,
  known: number,
): Promise<AssetHistory> {
  const { assetId } = own.memory;
  const writes = !changes.written.has(assetId)
    ? []
    : await tx.db
        .selectFrom('materialization')
        .select(['p_kind', 'p1', 'p2', 'event_id', 'run_no'])
        .where('asset_id', '=', assetId)
        .where('event_id', '>', known)
        .orderBy('event_id')
        .execute();
  return {
    plans: plansOf(own, runs),
    writes: await toWrites(tx, own.reader, writes),
    results: await readResults(tx, own, known),
  };
}

/** All that ever happened to an asset, as far as it still counts. */
export async function wholeHistory(
  tx: Reader,
  own: Learned,
  runs: readonly PlannedAssetRun[],
  trace: Trace,
): Promise<AssetHistory> {
  const { assetId } = own.memory;
  const last = !trace.written
    ? []
    : await tx.db
        .selectFrom('asset_partition')
        .select(['p_kind', 'p1', 'p2', 'mat_event_id as event_id', 'mat_run_no as run_no'])
        .where('asset_id', '=', assetId)
        .where('mat_event_id', 'is not', null)
        .orderBy('p_kind')
        .orderBy('p1')
        .orderBy('p2')
        .execute();
  const writes = await toWrites(tx, own.reader, last);
  const underWay = runs.filter(({ status }) => status !== 'FAILURE' && status !== 'CANCELED');
  for (const some of chunks(
    underWay.map(({ runNo }) => runNo),
    CHUNK,
  )) {
    const written = await tx.db
      .selectFrom('materialization')
      .select(['p_kind', 'p1', 'p2', 'event_id', 'run_no'])
      .where('run_no', 'in', some)
      .where('asset_id', '=', assetId)
      .execute();
    for (const write of await toWrites(tx, own.reader, written)) writes.push(write);
  }
  return {
    plans: plansOf(own, runs),
    writes,
    results: trace.checked ? await readResults(tx, own, 0) : [],
  };
}

function plansOf(
  { memory }: Pick<Learned, 'memory'>,
  runs: readonly PlannedAssetRun[],
): AssetHistory['plans'] {
  return runs.map((run) => ({
    runNo: run.runNo,
    backfillNo: run.backfillNo,
    eventId: run.eventId,
    status: run.status,
    planned: plannedSubset(run, memory.definition),
  }));
}

async function toWrites(
  tx: Reader,
  reader: OrdinalReader,
  rows: readonly {
    readonly p_kind: number;
    readonly p1: number;
    readonly p2: number;
    readonly event_id: number | null;
    readonly run_no: number | null;
  }[],
): Promise<StoredWrite[]> {
  const ordinals = await reader.read(tx, rows);
  const writes: StoredWrite[] = [];
  for (const [index, row] of rows.entries()) {
    const ordinal = ordinals[index];
    if (ordinal != null) writes.push({ ordinal, eventId: row.event_id ?? 0, runNo: row.run_no ?? 0 });
  }
  return writes;
}

async function readResults(
  tx: Reader,
  { memory, reader }: Learned,
  after: number,
): Promise<AssetHistory['results']> {
  const rows = await tx.db
    .selectFrom('asset_check')
    .select(['check_name', 'p_kind', 'p1', 'p2', 'event_id', 'passed', 'run_no'])
    .where('asset_id', '=', memory.assetId)
    .where('event_id', '>', after)
    .execute();
  const ordinals = await reader.readResults(tx, rows);
  return rows.flatMap((row, index) => {
    const ordinal = ordinals[index];
    if (ordinal === undefined) return [];
    const { check_name: check, event_id: eventId, run_no: runNo } = row;
    return [{ check, ordinal, eventId, passed: row.passed === 1, runNo }];
  });
}

/** What there is of an asset at all. */
export interface Trace {
  readonly written: boolean;
  readonly checked: boolean;
}

/** Of assets that nothing has happened to there is none. */
export async function tracesOf(
  { db }: Reader,
  assetIds: readonly number[],
): Promise<ReadonlyMap<number, Trace>> {
  const found = new Map<number, Trace>();
  for (const some of chunks(assetIds, CHUNK)) {
    const rows = await db
      .selectFrom('asset')
      .select((eb) => [
        'asset.asset_id',
        eb
          .exists(
            eb
              .selectFrom('asset_partition')
              .select('asset_partition.asset_id')
              .whereRef('asset_partition.asset_id', '=', 'asset.asset_id')
              .where('asset_partition.mat_event_id', 'is not', null),
          )
          .as('written'),
        eb
          .exists(
            eb
              .selectFrom('asset_check')
              .select('asset_check.asset_id')
              .whereRef('asset_check.asset_id', '=', 'asset.asset_id'),
          )
          .as('checked'),
        eb
          .exists(
            eb
              .selectFrom('run_asset')
              .select('run_asset.asset_id')
              .whereRef('run_asset.asset_id', '=', 'asset.asset_id'),
          )
          .as('planned'),
      ])
      .where('asset.asset_id', 'in', some)
      .execute();
    for (const row of rows) {
      const [written, checked, planned] = [row.written, row.checked, row.planned].map(Boolean);
      if (written || checked || planned) found.set(row.asset_id, { written: written!, checked: checked! });
    }
  }
  return found;
}
