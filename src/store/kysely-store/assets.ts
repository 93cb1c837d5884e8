import type { AssetStore, PartitionStatus } from '../store.ts';
import { checksOf, materializationsOf, toCheck, toMaterialization, toRun } from './asset-rows.ts';
import { assetStatus, NOTHING } from './asset-status.ts';
import type { StoreContext } from './context.ts';
import { definitionOf, findAssets } from './identities.ts';
import { chunks } from './json.ts';
import { P_KIND } from './partition-identity.ts';
import { findPartition } from './partition-keys.ts';
import { createPartitionStatus } from './partition-status.ts';
import { writtenWith } from './written-with.ts';

const ASSETS_AT_ONCE = 500;

export function createAssetStore(context: StoreContext): AssetStore {
  const { db } = context;
  const partitionStatus = createPartitionStatus(context);
  return {
    async status(keys) {
      const ids = await findAssets(context, keys);
      const found = await assetStatus(db, [...ids.values()]);
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

    partitionStates: async (assetKey, definition) => partitionStatus.states(assetKey, definition),

    partitionSubsets: async (assetKey, definition) => partitionStatus.subsets(assetKey, definition),

    writtenWith: async (assetKey, definition) => writtenWith(context, assetKey, definition),

    async lastUpdates(keys) {
      const ids = await findAssets(context, keys);
      const at = new Map<number, number>();
      for (const some of chunks([...ids.values()], ASSETS_AT_ONCE)) {
        const rows = await db
          .selectFrom('asset')
          .select((eb) => [
            'asset.asset_id',
            eb
              .selectFrom('materialization')
              .select('materialization.at')
              .whereRef('materialization.asset_id', '=', 'asset.asset_id')
              .orderBy('materialization.event_id', 'desc')
              .limit(1)
              .as('at'),
          ])
          .where('asset.asset_id', 'in', some)
          .execute();
        for (const row of rows) if (row.at !== null) at.set(row.asset_id, row.at);
      }
      return new Map([...ids].flatMap(([key, id]) => (at.has(id) ? [[key, at.get(id)!] as const] : [])));
    },

    async checks(assetKey) {
      const assetId = await idOf(context, assetKey);
      if (assetId === null) return [];
      const rows = await checksOf(db)
        .innerJoin('check_latest', 'check_latest.event_id', 'asset_check.event_id')
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

    async recentRunsOf(assetKeys, limit) {
      const strips = new Map<string, ReturnType<typeof toRun>[]>();
      for (const keys of chunks(assetKeys, ASSETS_AT_ONCE)) {
        const rows = await db
          .selectFrom('asset')
          .innerJoin('run_asset', (join) =>
            join
              .onRef('run_asset.asset_id', '=', 'asset.asset_id')
              .on('run_asset.run_no', 'in', (eb) =>
                eb
                  .selectFrom('run_asset as newest')
                  .select('newest.run_no')
                  .whereRef('newest.asset_id', '=', 'asset.asset_id')
                  .orderBy('newest.run_no', 'desc')
                  .limit(limit),
              ),
          )
          .innerJoin('run', 'run.run_no', 'run_asset.run_no')
          .select([
            'asset.key',
            'run.run_id',
            'run.status',
            'run.created_at',
            'run.started_at',
            'run.ended_at',
          ])
          .where('asset.key', 'in', keys)
          .orderBy('run_asset.asset_id')
          .orderBy('run_asset.run_no', 'desc')
          .execute();
        for (const { key, ...row } of rows) {
          const strip = strips.get(key);
          if (strip === undefined) strips.set(key, [toRun(row)]);
          else strip.push(toRun(row));
        }
      }
      return strips;
    },
  };
}

async function idOf(context: StoreContext, assetKey: string): Promise<number | null> {
  return (await findAssets(context, [assetKey])).get(assetKey) ?? null;
}

/** By today's definition, else by the text under which something was written. */
export async function partitionNamed(
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
