import type { RunStatus } from '../../events/run-state.ts';
import { invariant } from '../../lib/invariant.ts';
import { countOf } from '../../partitions/subset/partition-subset.ts';
import type { BackfillGroup, BackfillItem } from '../../plan/backfill-plan.ts';
import type { BackfillRequest } from '../../plan/backfill-request.ts';
import {
  type BackfillRow,
  type BackfillRunRow,
  type BackfillStatus,
  type BackfillStore,
  ENDED_BACKFILL,
  type NewBackfill,
} from '../backfill-store.ts';
import { decodeGroups, encodeGroups } from './backfill-groups.ts';
import { type ItemStatus, moveCounts, recordBackfillChange } from './backfill-items.ts';
import { backfillPartitions } from './backfill-partitions.ts';
import { stepSamples } from './backfill-samples.ts';
import type { BackfillItemRow, BackfillTableRow } from './backfill-schema.ts';
import type { StoreContext, Tx } from './context.ts';
import { ensureAssets, findAssets } from './identities.ts';
import { chunks, fromJson } from './json.ts';
import { insertLaunch } from './launches.ts';

const CHUNK = 500;
const CACHED = 100;
/** All but what never changes. */
const LIGHT = [
  'backfill.backfill_no',
  'backfill.backfill_id',
  'backfill.parent_id',
  'backfill.status',
  'backfill.total',
  'backfill.runs',
  'backfill.submitted',
  'backfill.materialized',
  'backfill.failed',
  'backfill.in_progress',
  'backfill.canceled',
  'backfill.skipped',
  'backfill.reason',
  'backfill.changed_by',
  'backfill.agreed',
  'backfill.created_at',
  'backfill.ended_at',
] as const;
type LightRow = Omit<BackfillTableRow, 'request' | 'groups' | 'idempotency_key'>;
type Fixed = Pick<BackfillRow, 'request' | 'groups'>;
type Db = StoreContext['db'];
const UNFINISHED = ['REQUESTED', 'PAUSED', 'CANCELING'] satisfies readonly BackfillStatus[];
/** Statuses of runs by the status of the item that they are for. */
const ITEM_STATUS: Readonly<Record<string, ItemStatus>> = {
  QUEUED: 'in_progress',
  STARTED: 'in_progress',
  CANCELING: 'in_progress',
  SUCCESS: 'materialized',
  FAILURE: 'failed',
  CANCELED: 'canceled',
  SKIPPED: 'skipped',
};

export function createBackfillStore(context: StoreContext): BackfillStore {
  const { db } = context;
  /** Request and groups never change, and can be long: the last ones that were read are kept. */
  const cache = new Map<string, Fixed>();

  async function fixedOf(at: Db, backfillId: string): Promise<Fixed> {
    const known = cache.get(backfillId);
    if (known !== undefined) return known;
    const row = await at
      .selectFrom('backfill')
      .select(['request', 'groups'])
      .where('backfill_id', '=', backfillId)
      .executeTakeFirstOrThrow();
    const fixed = { request: fromJson<BackfillRequest>(row.request), groups: decodeGroups(row.groups) };
    const oldest = cache.keys().next();
    if (cache.size >= CACHED && oldest.done !== true) cache.delete(oldest.value);
    cache.set(backfillId, fixed);
    return fixed;
  }

  async function toRow(at: Db, row: LightRow): Promise<BackfillRow> {
    const { total, materialized, failed, in_progress, canceled, skipped } = row;
    const not_started = total - materialized - failed - in_progress - canceled - skipped;
    return {
      backfillId: row.backfill_id,
      status: row.status as BackfillStatus,
      ...(await fixedOf(at, row.backfill_id)),
      parentId: row.parent_id,
      counts: { total, materialized, failed, in_progress, canceled, skipped, not_started },
      runs: row.runs,
      submitted: row.submitted,
      reason: row.reason,
      changedBy: row.changed_by,
      agreed: row.agreed,
      createdAt: row.created_at,
      endedAt: row.ended_at,
    };
  }

  async function toRows(rows: readonly LightRow[]): Promise<readonly BackfillRow[]> {
    const found: BackfillRow[] = [];
    for (const row of rows) found.push(await toRow(db, row));
    return found;
  }

  async function find({ db: at }: StoreContext | Tx, backfillId: string): Promise<LightRow | null> {
    const query = at.selectFrom('backfill').select(LIGHT).where('backfill_id', '=', backfillId);
    return (await query.executeTakeFirst()) ?? null;
  }

  async function byKey({ db: at }: StoreContext | Tx, key: string): Promise<LightRow | null> {
    const query = at.selectFrom('backfill').select(LIGHT).where('idempotency_key', '=', key);
    return (await query.executeTakeFirst()) ?? null;
  }

  return {
    async create({ backfillId, request, parentId, groups, runs }) {
      return context.write(async (tx) => {
        const key = request.idempotencyKey ?? null;
        const known = key === null ? await find(tx, backfillId) : await byKey(tx, key);
        const row = known ?? (await insertBackfill(tx, { backfillId, request, parentId, groups, runs }));
        return toRow(tx.db, row);
      });
    },

    async get(backfillId) {
      const row = await find(context, backfillId);
      return row === null ? null : toRow(db, row);
    },

    async byIdempotencyKey(key) {
      const row = await byKey(context, key);
      return row === null ? null : toRow(db, row);
    },

    async list(filter) {
      let query = db.selectFrom('backfill').select(LIGHT);
      if (filter.statuses !== undefined) query = query.where('backfill.status', 'in', filter.statuses);
      if (filter.assetKey !== undefined) {
        const assetId = (await findAssets(context, [filter.assetKey])).get(filter.assetKey);
        if (assetId === undefined) return [];
        query = query.where('backfill.backfill_no', 'in', (eb) =>
          eb.selectFrom('backfill_asset').select('backfill_no').where('asset_id', '=', assetId),
        );
      }
      if (filter.cursor !== undefined) {
        const { cursor } = filter;
        query = query.where('backfill.backfill_no', '<', (eb) =>
          eb.selectFrom('backfill as at').select('at.backfill_no').where('at.backfill_id', '=', cursor),
        );
      }
      const rows = await query.orderBy('backfill.backfill_no', 'desc').limit(filter.limit).execute();
      return toRows(rows);
    },

    async unfinished() {
      const rows = await db
        .selectFrom('backfill')
        .select(LIGHT)
        .where('status', 'in', UNFINISHED)
        .orderBy('backfill_no')
        .execute();
      return toRows(rows);
    },

    async launchItem(backfillId, item, plans, specs) {
      return context.write(async (tx) => {
        const backfill = await takesItem(tx, backfillId, item);
        if (backfill === null) return null;
        const launch = await insertLaunch(tx, plans, specs, undefined);
        const { item: number } = item;
        const rows = await tx.db
          .updateTable('run')
          .set({ backfill_no: backfill.backfill_no, backfill_item: number })
          .where('launch_id', '=', launch.launchId)
          .returning('run_no')
          .execute();
        const planned = new Set(
          plans.flatMap((plan) => plan.steps.flatMap((step) => step.assets.map((asset) => asset.key))),
        );
        const { groups } = await fixedOf(tx.db, backfillId);
        const { assets } = groups[item.group]!.parts[item.part]!;
        const dropped = assets.filter((key) => !planned.has(key));
        const row = itemRow(backfill.backfill_no, item, 'in_progress', '');
        const run_no = rows.at(-1)!.run_no;
        await tx.db
          .insertInto('backfill_item')
          .values({
            ...row,
            run_no,
            assets: assets.length - dropped.length,
            dropped: dropped.length === 0 ? null : JSON.stringify(dropped),
          })
          .execute();
        await moveCounts(tx, backfill.backfill_no, null, row, 1);
        return launch;
      });
    },

    async skipItems(backfillId, items, reason) {
      if (items.length === 0) return;
      await context.write(async (tx) => {
        const backfill = await takesItem(tx, backfillId, items[0]!);
        if (backfill === null) return;
        const rows = items.map((item) => itemRow(backfill.backfill_no, item, 'skipped', reason));
        invariant(
          rows.every(({ item }, index) => item === rows[0]!.item + index),
          'items are passed over in their order',
        );
        for (const some of chunks(rows, CHUNK)) {
          await tx.db
            .insertInto('backfill_item')
            .values([...some])
            .execute();
        }
        const partitions = rows.reduce((sum, row) => sum + row.partitions, 0);
        const skipped = { status: 'skipped', written: 0, partitions };
        await moveCounts(tx, backfill.backfill_no, null, skipped, rows.length);
        await recordBackfillChange(tx, backfillId, backfill.status, null, reason);
      });
    },

    async setStatus(backfillId, { from, to, by, reason, agreed }) {
      return context.write(async (tx) => {
        const row = await tx.db
          .updateTable('backfill')
          .set({
            status: to,
            reason,
            ...(by === null ? {} : { changed_by: by }),
            ...(agreed === undefined ? {} : { agreed }),
            ended_at: ENDED_BACKFILL.has(to) ? tx.now : null,
          })
          .where('backfill_id', '=', backfillId)
          .where('status', 'in', from)
          .returning(LIGHT)
          .executeTakeFirst();
        if (row === undefined) return null;
        await recordBackfillChange(tx, backfillId, to, by, reason);
        return toRow(tx.db, row);
      });
    },

    async runs(backfillId, filter) {
      const statuses = filter.statuses;
      let query = itemsWithRuns(db, backfillId);
      if (filter.afterItem !== undefined) query = query.where('backfill_item.item', '>', filter.afterItem);
      if (statuses !== undefined) {
        const items = [...new Set(statuses.flatMap((status) => ITEM_STATUS[status] ?? []))];
        query = query
          .where('backfill_item.status', 'in', items)
          .where((eb) => eb.or([eb('run.status', 'in', statuses), eb('run.status', 'is', null)]));
      }
      const rows = await query.orderBy('backfill_item.item').limit(filter.limit).execute();
      return rows.map(toRunRow);
    },

    async unfinishedRuns(backfillId) {
      const rows = await itemsWithRuns(db, backfillId)
        .where('backfill_item.status', '=', 'in_progress')
        .orderBy('backfill_item.item')
        .execute();
      return rows.flatMap((row) => (row.run_id === null ? [] : [row.run_id]));
    },

    async partitions(backfillId, assetKey) {
      const row = await find(context, backfillId);
      if (row === null) return null;
      const { groups } = await fixedOf(db, backfillId);
      return backfillPartitions(context, row.backfill_no, groups, assetKey);
    },

    stepSamples: async (assetKeys, limit) => stepSamples(context, assetKeys, limit),
  };
}

/** The backfill, if this is the item that comes next and the backfill takes any. */
async function takesItem(tx: Tx, backfillId: string, { item }: BackfillItem): Promise<LightRow | null> {
  const row = await tx.db
    .selectFrom('backfill')
    .select(LIGHT)
    .where('backfill_id', '=', backfillId)
    .where('status', '=', 'REQUESTED')
    .where('submitted', '=', item)
    .executeTakeFirst();
  return row ?? null;
}

function itemRow(
  backfillNo: number,
  item: BackfillItem,
  status: ItemStatus,
  reason: string,
): BackfillItemRow {
  return {
    backfill_no: backfillNo,
    item: item.item,
    group_no: item.group,
    part: item.part,
    start_key: item.start,
    end_key: item.end,
    partitions: item.partitions,
    status,
    written: 0,
    judged_whole: 0,
    assets: 0,
    dropped: null,
    run_no: null,
    reason,
  };
}

function itemsWithRuns(db: StoreContext['db'], backfillId: string) {
  return db
    .selectFrom('backfill')
    .innerJoin('backfill_item', 'backfill_item.backfill_no', 'backfill.backfill_no')
    .leftJoin('run', 'run.run_no', 'backfill_item.run_no')
    .selectAll('backfill_item')
    .select(['run.run_id', 'run.status as run_status', 'run.started_at', 'run.ended_at'])
    .where('backfill.backfill_id', '=', backfillId);
}

function toRunRow(
  row: BackfillItemRow & {
    readonly run_id: string | null;
    readonly run_status: string | null;
    readonly started_at: number | null;
    readonly ended_at: number | null;
  },
): BackfillRunRow {
  return {
    item: row.item,
    group: row.group_no,
    part: row.part,
    start: row.start_key,
    end: row.end_key,
    partitions: row.partitions,
    runId: row.run_id,
    status: (row.run_status ?? 'SKIPPED') as RunStatus | 'SKIPPED',
    reason: row.reason,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

function partitionsOf({ parts }: BackfillGroup): number {
  return parts.reduce((sum, { subset }) => sum + countOf(subset), 0);
}

function assetsOf(groups: readonly BackfillGroup[]): Set<string> {
  return new Set(groups.flatMap((group) => group.parts.flatMap((part) => part.assets)));
}

/** A new backfill, with its event. */
export async function insertBackfill(
  tx: Tx,
  { backfillId, request, parentId, groups, runs }: NewBackfill,
): Promise<BackfillTableRow> {
  const row = await tx.db
    .insertInto('backfill')
    .values({
      backfill_id: backfillId,
      idempotency_key: request.idempotencyKey ?? null,
      parent_id: parentId,
      status: 'REQUESTED',
      request: JSON.stringify(request),
      groups: encodeGroups(groups),
      total: groups.reduce((sum, group) => sum + partitionsOf(group), 0),
      runs,
      submitted: 0,
      materialized: 0,
      failed: 0,
      in_progress: 0,
      canceled: 0,
      skipped: 0,
      reason: '',
      changed_by: null,
      agreed: null,
      created_at: tx.now,
      ended_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const assets = await ensureAssets(tx, assetsOf(groups));
  const rows = [...assets.values()].map((asset_id) => ({ asset_id, backfill_no: row.backfill_no }));
  for (const some of chunks(rows, CHUNK)) {
    await tx.db
      .insertInto('backfill_asset')
      .values([...some])
      .execute();
  }
  await recordBackfillChange(tx, backfillId, 'REQUESTED', actorOf(request.cause), '');
  return row;
}

function actorOf(cause: BackfillRow['request']['cause']): string {
  if (cause.kind === 'automation') return 'automation';
  return cause.kind === 'api' ? `api:${cause.token}` : `${cause.kind}:${cause.user}`;
}
