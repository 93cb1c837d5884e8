import type { Selectable } from 'kysely';
import type { OutboxEntry, OutboxStore } from '../outbox-store.ts';
import type { StoreContext } from './context.ts';
import { fromJson } from './json.ts';
import type { OutboxTables } from './outbox-schema.ts';

const DAY_MS = 86_400_000;
/** How long what was given up stays to be looked at. */
const KEEP_GIVEN_UP_MS = 3 * DAY_MS;

export function createOutboxStore(context: StoreContext): OutboxStore {
  const { db } = context;
  return {
    async add(entries) {
      if (entries.length === 0) return;
      await context.write(async (tx) => {
        for (const { topic, key, payload } of entries) {
          // A new id: `done` of the work that is replaced must not end what replaces it.
          await tx.db.deleteFrom('outbox').where('topic', '=', topic).where('key', '=', key).execute();
          await tx.db
            .insertInto('outbox')
            .values({
              topic,
              key,
              payload: JSON.stringify(payload),
              status: 'waiting',
              created_at: tx.now,
              due_at: tx.now,
              attempts: 0,
              last_error: null,
            })
            .execute();
        }
      });
    },

    async due(topics, limit) {
      const rows = await db
        .selectFrom('outbox')
        .selectAll()
        .where('status', '=', 'waiting')
        .where('topic', 'in', topics)
        .where('due_at', '<=', context.clock.now())
        .orderBy('outbox_id')
        .limit(limit)
        .execute();
      return rows.map(entryOf);
    },

    async nextDueAt(topics) {
      const row = await db
        .selectFrom('outbox')
        .select((eb) => eb.fn.min('due_at').as('due_at'))
        .where('status', '=', 'waiting')
        .where('topic', 'in', topics)
        .executeTakeFirst();
      return row?.due_at ?? null;
    },

    async done(id) {
      await context.write(async (tx) => {
        await tx.db.deleteFrom('outbox').where('outbox_id', '=', id).execute();
      });
    },

    async retry(id, dueAt, error) {
      await context.write(async (tx) => {
        await tx.db
          .updateTable('outbox')
          .set((eb) => ({
            status: dueAt === null ? 'given_up' : 'waiting',
            due_at: dueAt ?? tx.now,
            attempts: eb('attempts', '+', 1),
            last_error: error,
          }))
          .where('outbox_id', '=', id)
          .execute();
        await tx.db
          .deleteFrom('outbox')
          .where('status', '=', 'given_up')
          .where('due_at', '<', tx.now - KEEP_GIVEN_UP_MS)
          .execute();
      });
    },

    async list(limit) {
      const rows = await db
        .selectFrom('outbox')
        .selectAll()
        .orderBy('outbox_id', 'desc')
        .limit(limit)
        .execute();
      return rows.map((row) => ({ ...entryOf(row), status: row.status as 'waiting' | 'given_up' }));
    },
  };
}

function entryOf(row: Selectable<OutboxTables['outbox']>): OutboxEntry {
  return {
    id: row.outbox_id,
    topic: row.topic,
    key: row.key,
    payload: fromJson<Record<string, unknown>>(row.payload),
    createdAt: row.created_at,
    dueAt: row.due_at,
    attempts: row.attempts,
    lastError: row.last_error,
  };
}
