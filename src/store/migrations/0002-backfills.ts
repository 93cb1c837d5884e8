import { type Kysely, sql } from 'kysely';

/**
 * Backfills: what was asked for and how it is cut into runs, fixed; counts, moved with each run; an item per run that was
 * submitted or passed over. Runs know the item that they are for, retries too.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('backfill')
    .addColumn('backfill_no', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('backfill_id', 'text', (c) => c.notNull().unique())
    .addColumn('idempotency_key', 'text', (c) => c.unique())
    .addColumn('parent_id', 'text')
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('request', 'text', (c) => c.notNull())
    .addColumn('groups', 'text', (c) => c.notNull())
    .addColumn('total', 'integer', (c) => c.notNull())
    .addColumn('runs', 'integer', (c) => c.notNull())
    .addColumn('submitted', 'integer', (c) => c.notNull())
    .addColumn('materialized', 'integer', (c) => c.notNull())
    .addColumn('failed', 'integer', (c) => c.notNull())
    .addColumn('in_progress', 'integer', (c) => c.notNull())
    .addColumn('canceled', 'integer', (c) => c.notNull())
    .addColumn('skipped', 'integer', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('changed_by', 'text')
    .addColumn('agreed', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('ended_at', 'bigint')
    .execute();
  await db.schema.createIndex('backfill_status').on('backfill').columns(['status', 'backfill_no']).execute();
  await db.schema
    .createTable('backfill_asset')
    .addColumn('asset_id', 'integer', (c) => c.notNull().references('asset.asset_id'))
    .addColumn('backfill_no', 'integer', (c) => c.notNull().references('backfill.backfill_no'))
    .addPrimaryKeyConstraint('backfill_asset_pk', ['asset_id', 'backfill_no'])
    .modifyEnd(sql`without rowid`)
    .execute();
  await db.schema
    .createTable('backfill_item')
    .addColumn('backfill_no', 'integer', (c) => c.notNull().references('backfill.backfill_no'))
    .addColumn('item', 'integer', (c) => c.notNull())
    .addColumn('group_no', 'integer', (c) => c.notNull())
    .addColumn('part', 'integer', (c) => c.notNull())
    .addColumn('start_key', 'text')
    .addColumn('end_key', 'text')
    .addColumn('partitions', 'integer', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('written', 'integer', (c) => c.notNull())
    .addColumn('judged_whole', 'integer', (c) => c.notNull())
    .addColumn('assets', 'integer', (c) => c.notNull())
    .addColumn('dropped', 'text')
    .addColumn('run_no', 'integer', (c) => c.references('run.run_no'))
    .addColumn('reason', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('backfill_item_pk', ['backfill_no', 'item'])
    .modifyEnd(sql`without rowid`)
    .execute();
  await db.schema
    .createIndex('backfill_item_status')
    .on('backfill_item')
    .columns(['backfill_no', 'status', 'item'])
    .execute();
  await db.schema.alterTable('run').addColumn('backfill_no', 'integer').execute();
  await db.schema.alterTable('run').addColumn('backfill_item', 'integer').execute();
  await db.schema
    .createIndex('run_backfill_item')
    .on('run')
    .columns(['backfill_no', 'backfill_item'])
    .where(sql.ref('backfill_no'), 'is not', null)
    .execute();
  await db.schema
    .createIndex('run_backfill')
    .on('run')
    .columns(['backfill_no', 'run_no'])
    .where(sql.ref('backfill_no'), 'is not', null)
    .execute();
}
