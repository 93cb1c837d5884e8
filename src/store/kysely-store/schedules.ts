import type { ScheduleStateRow, ScheduleStore } from '../store.ts';
import type { StoreContext } from './context.ts';
import { ensureSchedule, findSchedule } from './identities.ts';
import { insertLaunch } from './launches.ts';
import { UNFINISHED } from './runs.ts';
import { findTick, insertTick, readLastTicks, readTicks } from './ticks.ts';

export function createScheduleStore(context: StoreContext): ScheduleStore {
  const { db } = context;
  return {
    async states() {
      const rows = await db
        .selectFrom('schedule_state')
        .innerJoin('schedule', 'schedule.schedule_id', 'schedule_state.schedule_id')
        .selectAll('schedule_state')
        .select('schedule.name')
        .orderBy('schedule.name')
        .execute();
      return rows.map(
        (row): ScheduleStateRow => ({
          schedule: row.name,
          override:
            row.override_status === null
              ? null
              : {
                  status: row.override_status as 'RUNNING' | 'STOPPED',
                  by: row.override_by ?? '',
                  at: row.override_at ?? 0,
                  ...(row.override_reason === null ? {} : { reason: row.override_reason }),
                  ...(row.override_expires_at === null ? {} : { expiresAt: row.override_expires_at }),
                },
          cursor: row.cursor,
          configDigest: row.config_digest,
        }),
      );
    },

    async setCursor(schedule, cursor, configDigest) {
      await context.write(async (tx) => {
        const scheduleId = await ensureSchedule(tx, schedule);
        await tx.db
          .insertInto('schedule_state')
          .values({ schedule_id: scheduleId, cursor, config_digest: configDigest })
          .onConflict((conflict) =>
            conflict.column('schedule_id').doUpdateSet((eb) => ({
              cursor: eb
                .case()
                .when('schedule_state.cursor', '<', cursor)
                .then(cursor)
                .else(eb.ref('schedule_state.cursor'))
                .end(),
              config_digest: configDigest,
            })),
          )
          .execute();
      });
    },

    async setOverride(schedule, override, cursor) {
      await context.write(async (tx) => {
        const scheduleId = await ensureSchedule(tx, schedule);
        const columns = {
          override_status: override?.status ?? null,
          override_by: override?.by ?? null,
          override_at: override?.at ?? null,
          override_reason: override?.reason ?? null,
          override_expires_at: override?.expiresAt ?? null,
        };
        await tx.db
          .insertInto('schedule_state')
          .values({ schedule_id: scheduleId, cursor, config_digest: '', ...columns })
          .onConflict((conflict) =>
            conflict.column('schedule_id').doUpdateSet((eb) => ({
              cursor: eb
                .case()
                .when('schedule_state.cursor', '<', cursor)
                .then(cursor)
                .else(eb.ref('schedule_state.cursor'))
                .end(),
              ...columns,
            })),
          )
          .execute();
      });
    },

    async recordTick({ schedule, at, status, reason, plans, specs }) {
      return context.write(async (tx) => {
        if ((await findTick(tx, schedule, at)) !== null) return null;
        const launch = plans.length === 0 ? null : await insertLaunch(tx, plans, specs, undefined);
        await insertTick(tx, { schedule, at, status, reason, launchId: launch?.launchId ?? null });
        return findTick(tx, schedule, at);
      });
    },

    async ticks(schedule, filter) {
      return readTicks(db, schedule, filter);
    },

    async lastTicks() {
      return readLastTicks(db);
    },

    async unfinishedRuns(schedule) {
      const scheduleId = await findSchedule(context, schedule);
      if (scheduleId === null) return [];
      const rows = await db
        .selectFrom('run')
        .select('run_id')
        .where('schedule_id', '=', scheduleId)
        .where('status', 'in', UNFINISHED)
        .orderBy('run_no')
        .execute();
      return rows.map((row) => row.run_id);
    },
  };
}
