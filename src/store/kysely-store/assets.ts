import type { RunStatus } from '../../events/run-state.ts';
import type { CheckEvent, MaterializationEvent } from '../../events/step-event.ts';
import type {
  AssetStatusRow,
  AssetStore,
  CheckResultRow,
  MaterializationRow,
  PartitionStatus,
} from '../store.ts';
import type { StoreContext } from './context.ts';
import { definitionOf, findAssets } from './identities.ts';
import { chunks, fromJson } from './json.ts';
import { P_KIND } from './partition-identity.ts';
import { findPartition } from './partition-keys.ts';

const CHUNK = 500;
type Db = StoreContext['db'];

export function createAssetStore(context: StoreContext): AssetStore {
  const { db } = context;
  return {
    async status(keys) {
      const ids = await findAssets(context, keys);
      const found = await statusOf(db, [...ids.values()]);
      return keys.map((assetKey) => ({ ...(found.get(ids.get(assetKey) ?? -1) ?? NOTHING), assetKey }));
    },

    async materializations(assetKey, filter) {
      const assetId = await idOf(context, assetKey);
      if (assetId === null) return [];
      let query = materializationsOf(db).where('materialization.asset_id', '=', assetId);
      if (filter.partition !== undefined) {
        const partition = await partitionNamed(context, assetId, filter.partition);
        if (partition === null) return [];
        query = query
          .where('materialization.p_kind', '=', partition.pKind)
          .where('materialization.p1', '=', partition.p1)
          .where('materialization.p2', '=', partition.p2);
      }
      if (filter.beforeEventId !== undefined) {
        query = query.where('materialization.event_id', '<', filter.beforeEventId);
      }
      const rows = await query.orderBy('materialization.event_id', 'desc').limit(filter.limit).execute();
      // One event can be the write of many partitions: a page ends after a whole event, so that none is passed over.
      const last = rows.at(-1);
      if (last === undefined || rows.length < filter.limit) return rows.map(toMaterialization);
      const whole = await query.where('materialization.event_id', '=', last.event_id).execute();
      return [...rows.filter((row) => row.event_id !== last.event_id), ...whole].map(toMaterialization);
    },

    async partitions(assetKey) {
      const assetId = await idOf(context, assetKey);
      if (assetId === null) return [];
      const rows = await db
        .selectFrom('asset_partition')
        .innerJoin('key_text', 'key_text.key_text_id', 'asset_partition.label_id')
        .innerJoin('run', (join) =>
          join.on('run.run_no', '=', (eb) =>
            eb
              .case()
              .when('asset_partition.status', '=', 'in_progress')
              .then(eb.ref('asset_partition.active_run_no'))
              .when('asset_partition.status', '=', 'failed')
              .then(eb.ref('asset_partition.fail_run_no'))
              .else(eb.ref('asset_partition.mat_run_no'))
              .end(),
          ),
        )
        .select([
          'key_text.text',
          'asset_partition.status',
          'asset_partition.active_at',
          'asset_partition.fail_at',
          'asset_partition.mat_at',
          'run.run_id',
        ])
        .where('asset_partition.asset_id', '=', assetId)
        .where('asset_partition.p_kind', '!=', P_KIND.none)
        .where('asset_partition.orphan', '=', 0)
        .where('asset_partition.status', 'is not', null)
        .orderBy('asset_partition.p_kind')
        .orderBy('asset_partition.p1')
        .orderBy('asset_partition.p2')
        .execute();
      return rows.map((row) => {
        const status = row.status as PartitionStatus;
        const at = { in_progress: row.active_at, failed: row.fail_at, materialized: row.mat_at }[status];
        return { key: row.text, status, runId: row.run_id, at: at ?? 0 };
      });
    },

    async checks(assetKey) {
      const assetId = await idOf(context, assetKey);
      if (assetId === null) return [];
      const rows = await checksOf(db)
        .where('asset_check.asset_id', '=', assetId)
        .orderBy('asset_check.event_id', 'desc')
        .execute();
      return rows.map((row) => toCheck(row));
    },

    async recentRuns(assetKey, limit) {
      const assetId = await idOf(context, assetKey);
      if (assetId === null) return [];
      const rows = await db
        .selectFrom('run_asset')
        .innerJoin('run', 'run.run_no', 'run_asset.run_no')
        .select(['run.run_id', 'run.status', 'run.created_at', 'run.started_at', 'run.ended_at'])
        .where('run_asset.asset_id', '=', assetId)
        .orderBy('run_asset.run_no', 'desc')
        .limit(limit)
        .execute();
      return rows.map(toRun);
    },
  };
}

const NOTHING: Omit<AssetStatusRow, 'assetKey'> = {
  latest: null,
  latestRun: null,
  checks: [],
  partitionCounts: { materialized: 0, failed: 0, in_progress: 0 },
};

/** Four queries per 500 assets. */
async function statusOf(
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

async function idOf(context: StoreContext, assetKey: string): Promise<number | null> {
  return (await findAssets(context, [assetKey])).get(assetKey) ?? null;
}

/** By today's definition, else by the text under which something was written. */
async function partitionNamed(
  context: StoreContext,
  assetId: number,
  text: string,
): Promise<{ pKind: number; p1: number; p2: number } | null> {
  const { db } = context;
  const asset = await db
    .selectFrom('asset')
    .select('definition_id')
    .where('asset_id', '=', assetId)
    .executeTakeFirstOrThrow();
  const found = await findPartition(context, await definitionOf(context, asset.definition_id), text);
  if (found !== null && found.pKind !== P_KIND.text) return found;
  const written = await db
    .selectFrom('asset_partition')
    .innerJoin('key_text', 'key_text.key_text_id', 'asset_partition.key_text_id')
    .select(['p_kind', 'p1', 'p2'])
    .where('asset_id', '=', assetId)
    .where('key_text.text', '=', text)
    .limit(1)
    .executeTakeFirst();
  return written === undefined ? null : { pKind: written.p_kind, p1: written.p1, p2: written.p2 };
}

function materializationsOf(db: Db) {
  return db
    .selectFrom('materialization')
    .innerJoin('asset', 'asset.asset_id', 'materialization.asset_id')
    .innerJoin('event', 'event.event_id', 'materialization.event_id')
    .innerJoin('run', 'run.run_no', 'materialization.run_no')
    .innerJoin('run_step', (join) =>
      join
        .onRef('run_step.run_no', '=', 'materialization.run_no')
        .onRef('run_step.step_key', '=', 'materialization.step_key'),
    )
    .leftJoin('step_asset', (join) =>
      join
        .onRef('step_asset.run_no', '=', 'materialization.run_no')
        .onRef('step_asset.step_key', '=', 'materialization.step_key')
        .onRef('step_asset.asset_id', '=', 'materialization.asset_id'),
    )
    .leftJoin('asset_partition', (join) =>
      join
        .onRef('asset_partition.asset_id', '=', 'materialization.asset_id')
        .onRef('asset_partition.p_kind', '=', 'materialization.p_kind')
        .onRef('asset_partition.p1', '=', 'materialization.p1')
        .onRef('asset_partition.p2', '=', 'materialization.p2'),
    )
    .leftJoin('key_text', 'key_text.key_text_id', 'asset_partition.label_id')
    .select([
      'materialization.asset_id',
      'materialization.event_id',
      'materialization.p_kind',
      'materialization.step_key',
      'materialization.at',
      'asset.key',
      'event.payload',
      'run.run_id',
      'run_step.commit_sha',
      'run_step.content_digest',
      'step_asset.code_version',
      'key_text.text',
    ]);
}

type StoredMaterialization = Awaited<
  ReturnType<ReturnType<typeof materializationsOf>['executeTakeFirstOrThrow']>
>;

function toMaterialization(row: StoredMaterialization): MaterializationRow {
  return {
    eventId: row.event_id,
    assetKey: row.key,
    partition: row.p_kind === P_KIND.none ? null : row.text,
    runId: row.run_id,
    stepKey: row.step_key,
    at: row.at,
    commit: row.commit_sha,
    contentDigest: row.content_digest,
    codeVersion: row.code_version ?? '',
    metadata: fromJson<MaterializationEvent>(row.payload).metadata,
  };
}

function checksOf(db: Db) {
  return db
    .selectFrom('asset_check')
    .innerJoin('asset', 'asset.asset_id', 'asset_check.asset_id')
    .innerJoin('event', 'event.event_id', 'asset_check.event_id')
    .innerJoin('run', 'run.run_no', 'asset_check.run_no')
    .leftJoin('key_text', 'key_text.key_text_id', 'asset_check.key_text_id')
    .select([
      'asset_check.asset_id',
      'asset_check.check_name',
      'asset_check.passed',
      'asset_check.severity',
      'asset_check.at',
      'asset.key',
      'event.payload',
      'run.run_id',
      'key_text.text',
    ]);
}

type StoredCheck = Awaited<ReturnType<ReturnType<typeof checksOf>['executeTakeFirstOrThrow']>>;

function toCheck(row: StoredCheck): CheckResultRow {
  return {
    assetKey: row.key,
    checkName: row.check_name,
    partition: row.text,
    passed: row.passed === 1,
    severity: row.severity as 'WARN' | 'ERROR',
    runId: row.run_id,
    at: row.at,
    metadata: fromJson<CheckEvent>(row.payload).metadata,
  };
}

/** `at`: when the run last moved. */
function toRun(row: {
  run_id: string;
  status: string;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}): NonNullable<AssetStatusRow['latestRun']> {
  return {
    runId: row.run_id,
    status: row.status as RunStatus,
    at: row.ended_at ?? row.started_at ?? row.created_at,
  };
}
