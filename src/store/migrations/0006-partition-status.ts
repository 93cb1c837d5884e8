import { type Kysely, sql } from 'kysely';

/** Status of 100,000 partitions without reading 100,000 rows: a snapshot, and which rows changed since. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('asset_partition')
    .addColumn('changed_by', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await db.schema
    .createIndex('asset_partition_changed')
    .on('asset_partition')
    .columns(['asset_id', 'changed_by'])
    .execute();
  await db.schema
    .createTable('partition_snapshot')
    .addColumn('asset_id', 'integer', (c) => c.primaryKey().references('asset.asset_id'))
    .addColumn('definition', 'text', (c) => c.notNull())
    .addColumn('event_id', 'integer', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .modifyEnd(sql`without rowid`)
    .execute();
}
