import { setImmediate as others } from 'node:timers/promises';
import { sql } from 'kysely';
import type { MaterializationEvent } from '../../events/step-event.ts';
import type { HistoryStore, WriteRow } from '../history-store.ts';
import type { PartitionStatus } from '../store.ts';
import { materializationsOf, toMaterialization } from './asset-rows.ts';
import { partitionNamed } from './assets.ts';
import { checkResults } from './check-history.ts';
import type { StoreContext } from './context.ts';
import { findAssets } from './identities.ts';
import { chunks, fromJson } from './json.ts';
import { P_KIND } from './partition-identity.ts';
import { pipelineRevisions, pipelineRuns } from './pipeline-history.ts';
import { toRunMark } from './run-mark.ts';

const ASSETS_AT_ONCE = 500;
/** Partitions that are read before everybody else has a turn: some 10 ms of work. */
const PARTITIONS_AT_ONCE = 50;
/** Schema changes are looked for in so many of the newest writes. */
const SEARCHED_WRITES = 500;

export function createHistoryStore(context: StoreContext): HistoryStore {
  const { db } = context;

  /** The newest writes of an asset, one row an event. */
  function newestWrites(assetId: number, filter: { beforeEventId?: number; limit: number }) {
    let events = db
      .selectFrom('materialization')
      .select((eb) => [
        'materialization.event_id',
        eb.fn.max('materialization.run_no').as('run_no'),
        eb.fn.max('materialization.step_key').as('step_key'),
        eb.fn.max('materialization.at').as('at'),
        eb.fn.max('materialization.p_kind').as('p_kind'),
        eb.fn.max('materialization.key_text_id').as('key_text_id'),
        eb.fn.countAll<number>().as('partitions'),
      ])
      .where('materialization.asset_id', '=', assetId)
      .groupBy('materialization.event_id');
    if (filter.beforeEventId !== undefined) {
      events = events.where('materialization.event_id', '<', filter.beforeEventId);
    }
    return db
      .selectFrom(events.orderBy('materialization.event_id', 'desc').limit(filter.limit).as('written'))
      .innerJoin('event', 'event.event_id', 'written.event_id')
      .innerJoin('run', 'run.run_no', 'written.run_no')
      .innerJoin('run_step', (join) =>
        join
          .onRef('run_step.run_no', '=', 'written.run_no')
          .onRef('run_step.step_key', '=', 'written.step_key'),
      )
      .leftJoin('key_text', 'key_text.key_text_id', 'written.key_text_id')
      .select([
        'written.event_id',
        'written.at',
        'written.p_kind',
        'written.partitions',
        'key_text.text',
        'event.payload',
        'run_step.commit_sha',
        'run.run_id',
        'run.status',
        'run.created_at',
        'run.started_at',
        'run.ended_at',
      ])
      .orderBy('written.event_id', 'desc');
  }

  async function idOf(assetKey: string): Promise<number | null> {
    return (await findAssets(context, [assetKey])).get(assetKey) ?? null;
  }

  async function rowOf(assetId: number, text: string) {
    const partition = await partitionNamed(context, assetId, text);
    if (partition === null) return undefined;
    return db
      .selectFrom('asset_partition')
      .selectAll()
      .where('asset_id', '=', assetId)
      .where('p_kind', '=', partition.pKind)
      .where('p1', '=', partition.p1)
      .where('p2', '=', partition.p2)
      .executeTakeFirst();
  }

  /** One write of one partition, with its run's times. */
  async function writeOf(assetId: number, row: { p_kind: number; p1: number; p2: number }, eventId: number) {
    return materializationsOf(db)
      .select(['run.status', 'run.created_at', 'run.started_at', 'run.ended_at'])
      .where('materialization.asset_id', '=', assetId)
      .where('materialization.event_id', '=', eventId)
      .where('materialization.p_kind', '=', row.p_kind)
      .where('materialization.p1', '=', row.p1)
      .where('materialization.p2', '=', row.p2)
      .executeTakeFirst();
  }

  return {
    async partition(assetKey, partition) {
      const assetId = await idOf(assetKey);
      if (assetId === null) return null;
      const row = await rowOf(assetId, partition);
      if (row === undefined) return null;
      const status = row.status as PartitionStatus | null;
      const written = row.mat_event_id === null ? undefined : await writeOf(assetId, row, row.mat_event_id);
      const runNo =
        status === null
          ? null
          : { in_progress: row.active_run_no, failed: row.fail_run_no, materialized: row.mat_run_no }[status];
      const run =
        runNo === null
          ? undefined
          : await db
              .selectFrom('run')
              .select(['run_id', 'status', 'created_at', 'started_at', 'ended_at'])
              .where('run_no', '=', runNo)
              .executeTakeFirst();
      return {
        status,
        written: written === undefined ? null : toMaterialization(written),
        run: run === undefined ? null : toRunMark(run),
      };
    },

    async writes(assetKey, filter) {
      const assetId = await idOf(assetKey);
      if (assetId === null) return [];
      const rows = await newestWrites(assetId, filter).execute();
      return rows.map(toWrite);
    },

    async writesOf(assetKey, partitions) {
      const assetId = await idOf(assetKey);
      const found = new Map<string, WriteRow>();
      if (assetId === null) return found;
      for (const [index, text] of partitions.entries()) {
        if (index % PARTITIONS_AT_ONCE === PARTITIONS_AT_ONCE - 1) await others();
        const row = await rowOf(assetId, text);
        if (row === undefined || row.mat_event_id === null) continue;
        const written = await writeOf(assetId, row, row.mat_event_id);
        if (written !== undefined)
          found.set(text, { ...toWrite({ ...written, partitions: 1 }), partition: text });
      }
      return found;
    },

    async rowTrends(assetKeys, limit) {
      const trends = new Map<string, number[]>();
      for (const keys of chunks(assetKeys, ASSETS_AT_ONCE)) {
        const rows = await db
          .selectFrom('asset')
          .innerJoin('event', (join) =>
            join.on('event.event_id', 'in', (eb) =>
              eb
                .selectFrom('materialization')
                .select('materialization.event_id')
                .distinct()
                .whereRef('materialization.asset_id', '=', 'asset.asset_id')
                .orderBy('materialization.event_id', 'desc')
                .limit(limit),
            ),
          )
          .select([
            'asset.key',
            sql<number | null>`json_extract(event.payload, '$.metadata.rows')`.as('rows'),
          ])
          .where('asset.key', 'in', keys)
          .orderBy('asset.asset_id')
          .orderBy('event.event_id')
          .execute();
        for (const { key, rows: number } of rows) {
          if (typeof number !== 'number') continue;
          const trend = trends.get(key);
          if (trend === undefined) trends.set(key, [number]);
          else trend.push(number);
        }
      }
      return trends;
    },

    checkResults: async (assetKey, checkName, limit) => checkResults(context, assetKey, checkName, limit),

    async schemaChanges(assetKey, limit) {
      const assetId = await idOf(assetKey);
      if (assetId === null) return [];
      const changes = sql<string | null>`json_extract(event.payload, '$.metadata.schema_changes')`;
      const rows = await newestWrites(assetId, { limit: SEARCHED_WRITES })
        .where(changes, 'like', '[{%')
        .limit(limit)
        .execute();
      return rows.map((row) => {
        const write = toWrite(row);
        return {
          eventId: write.eventId,
          at: write.at,
          runId: write.run.runId,
          partition: write.partition,
          commit: write.commit,
          changes: write.metadata['schema_changes'] as readonly unknown[],
        };
      });
    },

    pipelineRevisions: async (component, pipeline) => pipelineRevisions(context, component, pipeline),
    pipelineRuns: async (component, pipeline, limit) => pipelineRuns(context, component, pipeline, limit),
  };
}

function toWrite(row: {
  event_id: number;
  at: number;
  p_kind: number;
  partitions: number;
  text: string | null;
  payload: string;
  commit_sha: string;
  run_id: string;
  status: string;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}): WriteRow {
  return {
    eventId: row.event_id,
    at: row.at,
    partition: row.p_kind === P_KIND.none || row.partitions > 1 ? null : row.text,
    partitions: row.partitions,
    commit: row.commit_sha,
    metadata: fromJson<MaterializationEvent>(row.payload).metadata,
    run: toRunMark(row),
  };
}
