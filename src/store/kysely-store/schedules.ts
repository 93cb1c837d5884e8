import type { ExpressionBuilder } from 'kysely';
import type { ScheduleStateRow, ScheduleStore, TickRow } from '../store.ts';
import type { StoreContext } from './context.ts';
import { ensureSchedules } from './identities.ts';
import { chunks } from './json.ts';
import { insertLaunches } from './launches.ts';
import { UNFINISHED } from './runs.ts';
import type { Database } from './schema.ts';
import { insertTicks, readLastTicks, readTicks, recordedTicks, tickName } from './ticks.ts';

const CHUNK = 250;

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

    version: () => context.schedulesVersion,

    async setCursors(entries) {
      await context.write(async (tx) => {
        const ids = await ensureSchedules(
          tx,
          entries.map(({ schedule }) => schedule),
        );
        tx.schedulesChanged = true;
        for (const some of chunks(entries, CHUNK)) {
          await tx.db
            .insertInto('schedule_state')
            .values(
              some.map(({ schedule, cursor, configDigest }) => ({
                schedule_id: ids.get(schedule) as number,
                cursor,
                config_digest: configDigest,
              })),
            )
            .onConflict((conflict) =>
              conflict.column('schedule_id').doUpdateSet((eb) => ({
                ...cursorForward(eb),
                config_digest: eb.ref('excluded.config_digest'),
              })),
            )
            .execute();
        }
      });
    },

    async setOverride(schedule, override, cursor) {
      await context.write(async (tx) => {
        const scheduleId = (await ensureSchedules(tx, [schedule])).get(schedule) as number;
        tx.schedulesChanged = true;
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
            conflict.column('schedule_id').doUpdateSet((eb) => ({ ...cursorForward(eb), ...columns })),
          )
          .execute();
      });
    },

    async recordTicks(ticks, specs, onStage = () => undefined) {
      return context.write(async (tx) => {
        onStage('begun');
        const known = new Set(await recordedTicks(tx, ticks));
        const isNew = ticks.map(({ schedule, at }) => {
          const name = tickName(schedule, at);
          if (known.has(name)) return false;
          known.add(name);
          return true;
        });
        const launched = ticks.filter(({ plans }, index) => isNew[index] === true && plans.length > 0);
        const launches = await insertLaunches(
          tx,
          launched.map(({ plans }) => ({ plans, specs, idempotencyKey: undefined })),
        );
        onStage('runs_inserted');
        const launchOf = new Map(launched.map((tick, index) => [tick, launches[index]]));
        const rows = ticks.map((tick, index): TickRow | null => {
          if (isNew[index] !== true) return null;
          const { schedule, at, status, reason } = tick;
          const launch = launchOf.get(tick);
          const [launchId, runIds] = [launch?.launchId ?? null, launch?.runIds ?? []];
          return { schedule, at, status, reason, launchId, runIds, recordedAt: tx.now };
        });
        await insertTicks(
          tx,
          rows.filter((row) => row !== null),
        );
        onStage('ticks_inserted');
        return rows;
      });
    },

    async ticks(schedule, filter) {
      return readTicks(db, schedule, filter);
    },

    async lastTicks() {
      return readLastTicks(db);
    },

    async unfinishedRuns(schedules) {
      const found = new Map<string, string[]>();
      for (const some of chunks(schedules, CHUNK)) {
        const rows = await db
          .selectFrom('schedule')
          .innerJoin('run', 'run.schedule_id', 'schedule.schedule_id')
          .select(['schedule.name', 'run.run_id'])
          .where('schedule.name', 'in', some)
          .where('run.status', 'in', UNFINISHED)
          .orderBy('run.run_no')
          .execute();
        for (const { name, run_id } of rows) {
          const runIds = found.get(name);
          if (runIds === undefined) found.set(name, [run_id]);
          else runIds.push(run_id);
        }
      }
      return found;
    },
  };
}

/** A cursor never moves back. */
function cursorForward(eb: ExpressionBuilder<ScheduleUpsert, 'schedule_state' | 'excluded'>) {
  return {
    cursor: eb
      .case()
      .when('schedule_state.cursor', '<', eb.ref('excluded.cursor'))
      .then(eb.ref('excluded.cursor'))
      .else(eb.ref('schedule_state.cursor'))
      .end(),
  };
}

type ScheduleUpsert = Database & { excluded: Database['schedule_state'] };
