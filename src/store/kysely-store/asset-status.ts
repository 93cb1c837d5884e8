import type { AssetStatusRow, CheckResultRow, MaterializationRow, PartitionStatus } from '../store.ts';
import { checksOf, materializationsOf, toCheck, toMaterialization, toRun } from './asset-rows.ts';
import type { StoreContext } from './context.ts';
import { chunks } from './json.ts';

const CHUNK = 500;
type Db = StoreContext['db'];

export const NOTHING: Omit<AssetStatusRow, 'assetKey'> = {
  latest: null,
  latestRun: null,
  checks: [],
  partitionCounts: { materialized: 0, failed: 0, in_progress: 0 },
};

/** Four queries per 500 assets. */
export async function assetStatus(
  db: Db,
  assetIds: readonly number[],
): Promise<ReadonlyMap<number, Omit<AssetStatusRow, 'assetKey'>>> {
  const found = new Map<number, Omit<AssetStatusRow, 'assetKey'>>();
  for (const some of chunks(assetIds, CHUNK)) {
    const latest = await latestMaterializations(db, some);
    const runs = await latestRuns(db, some);
    const checks = await latestChecks(db, some);
    const counts = await partitionCounts(db, some);
    for (const id of some) {
      found.set(id, {
        latest: latest.get(id) ?? null,
        latestRun: runs.get(id) ?? null,
        checks: checks.get(id) ?? [],
        partitionCounts: counts.get(id) ?? NOTHING.partitionCounts,
      });
    }
  }
  return found;
}

async function latestMaterializations(
  db: Db,
  assetIds: readonly number[],
): Promise<ReadonlyMap<number, MaterializationRow>> {
  const rows = await materializationsOf(db)
    .where('materialization.asset_id', 'in', assetIds)
    .where('materialization.event_id', '=', (eb) =>
      eb
        .selectFrom('materialization as newest')
        .select((max) => max.fn.max('newest.event_id').as('event_id'))
        .whereRef('newest.asset_id', '=', 'asset.asset_id'),
    )
    .execute();
  return new Map(rows.map((row) => [row.asset_id, toMaterialization(row)]));
}

async function latestRuns(
  db: Db,
  assetIds: readonly number[],
): Promise<ReadonlyMap<number, NonNullable<AssetStatusRow['latestRun']>>> {
  const rows = await db
    .selectFrom('asset')
    .innerJoin('run', (join) =>
      join.on('run.run_no', '=', (eb) =>
        eb
          .selectFrom('run_asset')
          .select((max) => max.fn.max('run_asset.run_no').as('run_no'))
          .whereRef('run_asset.asset_id', '=', 'asset.asset_id'),
      ),
    )
    .select([
      'asset.asset_id',
      'run.run_id',
      'run.status',
      'run.created_at',
      'run.started_at',
      'run.ended_at',
    ])
    .where('asset.asset_id', 'in', assetIds)
    .execute();
  return new Map(rows.map((row) => [row.asset_id, toRun(row)]));
}

async function latestChecks(
  db: Db,
  assetIds: readonly number[],
): Promise<ReadonlyMap<number, readonly CheckResultRow[]>> {
  const rows = await checksOf(db)
    .innerJoin('check_latest', 'check_latest.event_id', 'asset_check.event_id')
    .where('asset_check.asset_id', 'in', assetIds)
    .orderBy('asset_check.check_name')
    .execute();
  const found = new Map<number, CheckResultRow[]>();
  for (const row of rows) found.set(row.asset_id, [...(found.get(row.asset_id) ?? []), toCheck(row)]);
  return found;
}

async function partitionCounts(
  db: Db,
  assetIds: readonly number[],
): Promise<ReadonlyMap<number, AssetStatusRow['partitionCounts']>> {
  const rows = await db.selectFrom('partition_count').selectAll().where('asset_id', 'in', assetIds).execute();
  const found = new Map<number, Record<PartitionStatus, number>>();
  for (const row of rows) {
    const counts = found.get(row.asset_id) ?? { ...NOTHING.partitionCounts };
    counts[row.status as PartitionStatus] = row.n;
    found.set(row.asset_id, counts);
  }
  return found;
}
