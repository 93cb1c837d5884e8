import type { Kysely } from 'kysely';

/** Who is told of what: problems, messages that gather, their deliveries, mutes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('alert_cursor')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('event_id', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('alert_problem')
    .addColumn('event', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('since', 'bigint', (c) => c.notNull())
    .addColumn('last_at', 'bigint', (c) => c.notNull())
    .addColumn('times', 'integer', (c) => c.notNull())
    .addColumn('item', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('alert_problem_pk', ['event', 'subject'])
    .execute();
  await db.schema
    .createTable('alert_told')
    .addColumn('rule', 'text', (c) => c.notNull())
    .addColumn('event', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('held', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('alert_told_pk', ['rule', 'event', 'subject'])
    .execute();
  await db.schema
    .createTable('alert')
    .addColumn('alert_id', 'text', (c) => c.primaryKey())
    .addColumn('rule', 'text')
    .addColumn('event', 'text', (c) => c.notNull())
    .addColumn('severity', 'text', (c) => c.notNull())
    .addColumn('opened_at', 'bigint', (c) => c.notNull())
    .addColumn('closes_at', 'bigint', (c) => c.notNull())
    .addColumn('closed', 'integer', (c) => c.notNull())
    .addColumn('count', 'integer', (c) => c.notNull())
    .addColumn('level', 'integer', (c) => c.notNull())
    .addColumn('is_test', 'integer', (c) => c.notNull())
    .addColumn('items', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createIndex('alert_of_rule')
    .on('alert')
    .columns(['is_test', 'rule', 'event', 'closes_at'])
    .execute();
  await db.schema
    .createTable('alert_delivery')
    .addColumn('delivery_no', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('delivery_id', 'text', (c) => c.notNull().unique())
    .addColumn('alert_id', 'text', (c) => c.notNull())
    .addColumn('rule', 'text')
    .addColumn('channel', 'text', (c) => c.notNull())
    .addColumn('event', 'text', (c) => c.notNull())
    .addColumn('severity', 'text', (c) => c.notNull())
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('count', 'integer', (c) => c.notNull())
    .addColumn('is_test', 'integer', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('due_at', 'bigint', (c) => c.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('last_error', 'text')
    .addColumn('response', 'text')
    .addColumn('uncertain', 'integer', (c) => c.notNull())
    .execute();
  await db.schema
    .createIndex('alert_delivery_due')
    .on('alert_delivery')
    .columns(['status', 'due_at'])
    .execute();
  await db.schema
    .createIndex('alert_delivery_rule')
    .on('alert_delivery')
    .columns(['rule', 'delivery_no'])
    .execute();
  await db.schema
    .createIndex('alert_delivery_channel')
    .on('alert_delivery')
    .columns(['channel', 'delivery_no'])
    .execute();
  await db.schema
    .createTable('alert_mute')
    .addColumn('rule', 'text', (c) => c.primaryKey())
    .addColumn('until', 'bigint')
    .addColumn('set_by', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('set_at', 'bigint', (c) => c.notNull())
    .execute();
}
