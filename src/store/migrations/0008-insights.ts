import { type Kysely, sql } from 'kysely';

/** What runs did, by asset and day, folded from the log up to a cursor. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('insights_cursor')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('event_id', 'integer', (c) => c.notNull())
    .execute();
  const day = db.schema
    .createTable('asset_day')
    .addColumn('asset_id', 'integer', (c) => c.notNull().references('asset.asset_id'))
    .addColumn('day', 'integer', (c) => c.notNull());
  await [
    'materializations',
    'rows',
    'bytes',
    'seconds',
    'succeeded',
    'failed',
    'canceled',
    'retries',
    'scheduled',
    'delay',
    'longest_delay',
  ]
    .reduce(
      (table, name) =>
        table.addColumn(name, name === 'seconds' || name.endsWith('delay') ? 'real' : 'bigint', (c) =>
          c.notNull(),
        ),
      day,
    )
    .addPrimaryKeyConstraint('asset_day_pk', ['day', 'asset_id'])
    .modifyEnd(sql`without rowid`)
    .execute();
  await db.schema
    .createTable('asset_day_duration')
    .addColumn('asset_id', 'integer', (c) => c.notNull().references('asset.asset_id'))
    .addColumn('day', 'integer', (c) => c.notNull())
    .addColumn('bucket', 'integer', (c) => c.notNull())
    .addColumn('n', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('asset_day_duration_pk', ['day', 'asset_id', 'bucket'])
    .modifyEnd(sql`without rowid`)
    .execute();
}
