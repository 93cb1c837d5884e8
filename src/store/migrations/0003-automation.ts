import type { Kysely } from 'kysely';

/** What automation conditions remember between evaluations, and the evaluations that are worth being shown. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('automation_cursor')
    .addColumn('asset_id', 'integer', (c) => c.notNull().references('asset.asset_id'))
    .addColumn('check_name', 'text', (c) => c.notNull())
    .addColumn('cursor', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('automation_cursor_pk', ['asset_id', 'check_name'])
    .execute();
  await db.schema
    .createTable('automation_evaluation')
    .addColumn('evaluation_no', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('evaluation', 'text', (c) => c.notNull())
    .addColumn('asset_id', 'integer', (c) => c.notNull().references('asset.asset_id'))
    .addColumn('check_name', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('requested', 'integer', (c) => c.notNull())
    .addColumn('spans', 'text', (c) => c.notNull())
    .addColumn('condition', 'text', (c) => c.notNull())
    .addColumn('explanation', 'text', (c) => c.notNull())
    .addColumn('launch_id', 'text', (c) => c.references('launch.launch_id'))
    .addColumn('backfill_id', 'text')
    .addUniqueConstraint('automation_evaluation_entity', ['evaluation', 'asset_id', 'check_name'])
    .execute();
  await db.schema
    .createIndex('automation_evaluation_asset')
    .on('automation_evaluation')
    .columns(['asset_id', 'evaluation_no'])
    .execute();
  await db.schema
    .createIndex('automation_evaluation_at')
    .on('automation_evaluation')
    .columns(['at'])
    .execute();
}
