import { sql } from 'kysely';
import type { Instant } from '../../lib/clock.ts';
import type { PartitionsDefinition } from '../../partitions/definition/partitions-definition.ts';
import type { Tx } from './context.ts';
import { definitionOf, ensureTexts } from './identities.ts';
import { chunks } from './json.ts';
import { P_KIND } from './partition-identity.ts';
import { labels, type NamedPartition, type PartitionId } from './partition-keys.ts';
import type { AssetPartitionRow } from './schema.ts';

const CHUNK = 200;

/** What happened to some partitions of one asset, and the event that says so. */
export interface PartitionChange {
  readonly kind: 'materialized' | 'failed' | 'activated';
  readonly eventId: number;
  readonly runNo: number;
  readonly at: Instant;
}

/**
 * `in_progress` while a step that writes the partition is under way; else what happened last, failure or
 * materialization; null: a row without either (its only attempt was canceled).
 */
export function statusOf(
  row: Pick<AssetPartitionRow, 'active_count' | 'mat_event_id' | 'fail_event_id'>,
): 'in_progress' | 'failed' | 'materialized' | null {
  if (row.active_count > 0) return 'in_progress';
  if (row.mat_event_id === null && row.fail_event_id === null) return null;
  return (row.fail_event_id ?? 0) > (row.mat_event_id ?? 0) ? 'failed' : 'materialized';
}

/** Last-write rows and counts of one asset after a change of some of its partitions. */
export async function changePartitions(
  tx: Tx,
  assetId: number,
  partitions: readonly NamedPartition[],
  change: PartitionChange,
): Promise<void> {
  const definition = await currentDefinition(tx, assetId);
  const counts = new CountChange();
  const distinct = [...new Map(partitions.map((partition) => [idText(partition), partition])).values()];
  for (const some of chunks(distinct, CHUNK)) {
    const before = await readRows(tx, assetId, some);
    const shown = await labels(tx, definition, some);
    const texts = await ensureTexts(
      tx,
      'key_text',
      some.flatMap(({ text }, index) => [text, shown[index] ?? text]),
    );
    const after = some.map((partition, index): AssetPartitionRow => {
      const row = before.get(idText(partition)) ?? emptyRow(assetId, partition);
      const label = shown[index] ?? null;
      const next = {
        ...changedRow(row, change),
        changed_by: change.eventId,
        key_text_id: texts.get(partition.text) as number,
        label_id: texts.get(label ?? partition.text) as number,
        orphan: label === null ? 1 : 0,
      };
      next.status = statusOf(next);
      counts.add(row, next);
      return next;
    });
    await upsertRows(tx, after);
  }
  await counts.apply(tx, assetId);
}

/** One step of a run does not write these partitions any more. */
export async function deactivatePartitions(
  tx: Tx,
  assetId: number,
  partitions: readonly PartitionId[],
  { eventId, runNo }: { readonly eventId: number; readonly runNo: number },
): Promise<void> {
  const counts = new CountChange();
  for (const some of chunks(partitions, CHUNK)) {
    const after: AssetPartitionRow[] = [];
    for (const row of (await readRows(tx, assetId, some)).values()) {
      const next = { ...row, active_count: row.active_count - 1, changed_by: eventId };
      if (next.active_count === 0 || row.active_run_no === runNo) {
        const other = next.active_count === 0 ? undefined : await newestActivity(tx, row);
        next.active_run_no = other?.run_no ?? null;
        next.active_at = other?.at ?? null;
      }
      next.status = statusOf(next);
      counts.add(row, next);
      after.push(next);
    }
    await upsertRows(tx, after);
  }
  await counts.apply(tx, assetId);
}

/** After a definition changed: labels, orphans and counts by the new one. What was written stays under its identity. */
export async function relabelAsset(tx: Tx, assetId: number): Promise<void> {
  const definition = await currentDefinition(tx, assetId);
  const rows = await tx.db
    .selectFrom('asset_partition')
    .innerJoin('key_text', 'key_text.key_text_id', 'asset_partition.key_text_id')
    .selectAll('asset_partition')
    .select('key_text.text')
    .where('asset_id', '=', assetId)
    .execute();
  const counts = new CountChange();
  for (const some of chunks(rows, CHUNK)) {
    const named = some.map((row) => ({ pKind: row.p_kind, p1: row.p1, p2: row.p2, text: row.text }));
    const shown = await labels(tx, definition, named);
    const texts = await ensureTexts(
      tx,
      'key_text',
      shown.filter((label) => label !== null),
    );
    const after: AssetPartitionRow[] = [];
    for (const [index, { text: _, ...row }] of some.entries()) {
      const label = shown[index] ?? null;
      const next = {
        ...row,
        label_id: label === null ? row.key_text_id : (texts.get(label) as number),
        orphan: label === null ? 1 : 0,
      };
      if (next.label_id === row.label_id && next.orphan === row.orphan) continue;
      counts.add(row, next);
      after.push(next);
    }
    if (after.length > 0) await upsertRows(tx, after);
  }
  await counts.apply(tx, assetId);
}

function changedRow(row: AssetPartitionRow, change: PartitionChange): AssetPartitionRow {
  switch (change.kind) {
    case 'materialized':
      return { ...row, mat_event_id: change.eventId, mat_run_no: change.runNo, mat_at: change.at };
    case 'failed':
      // What this run wrote did not fail, whatever became of the rest of its step.
      if (row.mat_run_no === change.runNo) return row;
      return { ...row, fail_event_id: change.eventId, fail_run_no: change.runNo, fail_at: change.at };
    case 'activated':
      return {
        ...row,
        active_count: row.active_count + 1,
        active_run_no: change.runNo,
        active_at: change.at,
      };
  }
}

async function currentDefinition(tx: Tx, assetId: number): Promise<PartitionsDefinition | null | undefined> {
  const asset = await tx.db
    .selectFrom('asset')
    .select('definition_id')
    .where('asset_id', '=', assetId)
    .executeTakeFirstOrThrow();
  return definitionOf(tx, asset.definition_id);
}

async function newestActivity(
  tx: Tx,
  row: AssetPartitionRow,
): Promise<{ run_no: number; at: number } | undefined> {
  return tx.db
    .selectFrom('partition_activity')
    .select(['run_no', 'at'])
    .where('asset_id', '=', row.asset_id)
    .where('p_kind', '=', row.p_kind)
    .where('p1', '=', row.p1)
    .where('p2', '=', row.p2)
    .orderBy('at', 'desc')
    .orderBy('run_no', 'desc')
    .limit(1)
    .executeTakeFirst();
}

async function readRows(
  tx: Tx,
  assetId: number,
  partitions: readonly PartitionId[],
): Promise<ReadonlyMap<string, AssetPartitionRow>> {
  const wanted = sql.join(partitions.map(({ pKind, p1, p2 }) => sql`(${pKind}, ${p1}, ${p2})`));
  const { rows } = await sql<AssetPartitionRow>`
    with wanted(p_kind, p1, p2) as (values ${wanted})
    select asset_partition.* from wanted
    cross join asset_partition
      on asset_partition.asset_id = ${assetId} and asset_partition.p_kind = wanted.p_kind
      and asset_partition.p1 = wanted.p1 and asset_partition.p2 = wanted.p2`.execute(tx.db);
  return new Map(rows.map((row) => [idText({ pKind: row.p_kind, p1: row.p1, p2: row.p2 }), row]));
}

async function upsertRows(tx: Tx, rows: readonly AssetPartitionRow[]): Promise<void> {
  await tx.db
    .insertInto('asset_partition')
    .values([...rows])
    .onConflict((conflict) =>
      conflict.columns(['asset_id', 'p_kind', 'p1', 'p2']).doUpdateSet((eb) => ({
        key_text_id: eb.ref('excluded.key_text_id'),
        label_id: eb.ref('excluded.label_id'),
        orphan: eb.ref('excluded.orphan'),
        status: eb.ref('excluded.status'),
        mat_event_id: eb.ref('excluded.mat_event_id'),
        mat_run_no: eb.ref('excluded.mat_run_no'),
        mat_at: eb.ref('excluded.mat_at'),
        fail_event_id: eb.ref('excluded.fail_event_id'),
        fail_run_no: eb.ref('excluded.fail_run_no'),
        fail_at: eb.ref('excluded.fail_at'),
        active_count: eb.ref('excluded.active_count'),
        active_run_no: eb.ref('excluded.active_run_no'),
        active_at: eb.ref('excluded.active_at'),
        changed_by: eb.ref('excluded.changed_by'),
      })),
    )
    .execute();
}

function emptyRow(assetId: number, { pKind, p1, p2 }: PartitionId): AssetPartitionRow {
  return {
    asset_id: assetId,
    p_kind: pKind,
    p1,
    p2,
    key_text_id: 0,
    label_id: 0,
    orphan: 0,
    status: null,
    mat_event_id: null,
    mat_run_no: null,
    mat_at: null,
    fail_event_id: null,
    fail_run_no: null,
    fail_at: null,
    active_count: 0,
    active_run_no: null,
    active_at: null,
    changed_by: 0,
  };
}

function idText({ pKind, p1, p2 }: PartitionId): string {
  return `${pKind}:${p1}:${p2}`;
}

type Counted = Pick<AssetPartitionRow, 'p_kind' | 'orphan' | 'status'>;

/** Moves of partitions between the statuses of one asset. */
class CountChange {
  readonly #delta = new Map<string, number>();

  add(before: Counted, after: Counted): void {
    this.#move(before, -1);
    this.#move(after, 1);
  }

  async apply(tx: Tx, assetId: number): Promise<void> {
    const moved = [...this.#delta].filter(([, n]) => n !== 0);
    if (moved.length === 0) return;
    await tx.db
      .insertInto('partition_count')
      .values(moved.map(([status, n]) => ({ asset_id: assetId, status, n })))
      .onConflict((conflict) =>
        conflict
          .columns(['asset_id', 'status'])
          .doUpdateSet((eb) => ({ n: eb('partition_count.n', '+', eb.ref('excluded.n')) })),
      )
      .execute();
  }

  #move({ p_kind, orphan, status }: Counted, by: number): void {
    if (p_kind === P_KIND.none || orphan === 1 || status === null) return;
    this.#delta.set(status, (this.#delta.get(status) ?? 0) + by);
  }
}
