import type { AuditRow, HeartbeatRow, OperationsStore } from '../store.ts';
import { auditTrail } from './audit-trail.ts';
import type { SetDurability, StoreContext } from './context.ts';
import { fromJson } from './json.ts';
import { prune } from './prune.ts';
import { rebuildProjections } from './rebuild.ts';

/** What only the database's own kind can tell. */
export interface DatabaseCare {
  readonly setDurability: SetDurability;
  sizeBytes(): Promise<number>;
  /** Gives free pages back to the disk, a bounded number at a time. */
  reclaim(): Promise<void>;
  /** Refreshes the planner's statistics; bounded by the database itself. */
  optimize(): Promise<void>;
  /** `ok`, or what is wrong. */
  integrityCheck(): Promise<string>;
}

export function createOperationsStore(context: StoreContext, care: DatabaseCare): OperationsStore {
  const { db } = context;
  return {
    async audit({ actor, action, target, details }) {
      await context.write(async (tx) => {
        await tx.db
          .insertInto('audit')
          .values({ at: tx.now, actor, action, target, details: JSON.stringify(details) })
          .execute();
      });
    },

    async auditLog(filter) {
      let query = db.selectFrom('audit').selectAll();
      if (filter.beforeId !== undefined) query = query.where('audit_id', '<', filter.beforeId);
      if (filter.target !== undefined) query = query.where('target', '=', filter.target);
      const rows = await query.orderBy('audit_id', 'desc').limit(filter.limit).execute();
      return rows.map(
        ({ audit_id, details, ...row }): AuditRow => ({
          auditId: audit_id,
          ...row,
          details: fromJson<Record<string, unknown>>(details),
        }),
      );
    },

    async auditTrail(filter) {
      return auditTrail(context, filter);
    },

    async heartbeat(daemon, status, lastError) {
      await context.write(async (tx) => {
        const columns = { at: tx.now, status, last_error: lastError };
        await tx.db
          .insertInto('heartbeat')
          .values({ daemon, ...columns, iterations: 1 })
          .onConflict((conflict) =>
            conflict
              .column('daemon')
              .doUpdateSet((eb) => ({ ...columns, iterations: eb('heartbeat.iterations', '+', 1) })),
          )
          .execute();
      });
    },

    async heartbeats() {
      const rows = await db.selectFrom('heartbeat').selectAll().orderBy('daemon').execute();
      return rows.map(
        (row): HeartbeatRow => ({
          daemon: row.daemon,
          at: row.at,
          status: row.status as HeartbeatRow['status'],
          lastError: row.last_error,
          iterations: row.iterations,
        }),
      );
    },

    async recordDelivery({ id, event, outcome }) {
      return context.write(async (tx) => {
        const row = await tx.db
          .insertInto('delivery')
          .values({ id, event, outcome, at: tx.now })
          .onConflict((conflict) => conflict.doNothing())
          .returning('id')
          .executeTakeFirst();
        return row !== undefined;
      });
    },

    async deliveries(limit) {
      return db
        .selectFrom('delivery')
        .select(['id', 'event', 'outcome', 'at'])
        .orderBy('at', 'desc')
        .orderBy('id')
        .limit(limit)
        .execute();
    },

    async prune(keep) {
      const removed = await prune(context, keep);
      await care.reclaim();
      return removed;
    },

    async rebuildProjections() {
      await rebuildProjections(context);
    },

    sizeBytes: () => care.sizeBytes(),
    integrityCheck: () => care.integrityCheck(),
  };
}
