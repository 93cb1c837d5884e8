import type { Kysely } from 'kysely';

/** What people set over what Git says: pins, rollbacks, suspensions; why and until when a schedule is stopped or started. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('control')
    .addColumn('component', 'text', (c) => c.primaryKey().notNull())
    .addColumn('mode', 'text', (c) => c.notNull())
    .addColumn('revision_id', 'integer')
    .addColumn('commit_sha', 'text')
    .addColumn('fenced', 'text', (c) => c.notNull())
    .addColumn('set_by', 'text', (c) => c.notNull())
    .addColumn('set_at', 'bigint', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'bigint')
    .execute();
  await db.schema.alterTable('schedule_state').addColumn('override_reason', 'text').execute();
  await db.schema.alterTable('schedule_state').addColumn('override_expires_at', 'bigint').execute();
}
