import type { ScheduleDefinition } from '../../definitions/definitions.ts';
import { nextTick } from '../../partitions/cron.ts';
import { scheduleStatus } from '../../plan/schedule-status.ts';
import type { ScheduleStateRow, TickRow } from '../../store/store.ts';
import type { Schedule, TickInfo } from '../contract/schedule.ts';
import { linkOf, timestamp, timestampOrNull, type ViewContext } from './view-context.ts';

const SHOWN_TICKS = 3;

export function scheduleView(
  context: ViewContext,
  schedule: ScheduleDefinition,
  facts: { state: ScheduleStateRow | undefined; lastTick: TickRow | undefined },
): Schedule {
  const { config, source } = schedule;
  const status = scheduleStatus(schedule, facts.state?.override, context.now);
  const known = facts.state?.override ?? null;
  const override = known?.expiresAt !== undefined && known.expiresAt <= context.now ? null : known;
  const commit = context.definitions.pipelines.get(`${schedule.component}/${schedule.pipeline}`)?.code.commit;
  return {
    name: schedule.name,
    component: schedule.component,
    pipeline: schedule.pipeline,
    job: schedule.job,
    asset_keys: [...schedule.assets],
    cron_schedule: [...config.cron],
    timezone: config.timezone,
    status,
    default_status: config.defaultStatus,
    override:
      override === null
        ? null
        : {
            by: override.by,
            at: timestamp(override.at),
            reason: override.reason ?? '',
            expires_at: timestampOrNull(override.expiresAt),
          },
    catch_up: config.catchUp,
    overlap: config.overlap,
    // A stopped schedule fires nothing: to list ticks would say that it does.
    next_ticks: status === 'RUNNING' ? upcomingTicks(schedule, context.now, SHOWN_TICKS) : [],
    last_tick: facts.lastTick === undefined ? null : tickView(facts.lastTick),
    source: {
      file: source.file,
      line: source.line,
      url:
        commit === undefined
          ? null
          : linkOf(context, schedule.component, { commit, path: source.file, line: source.line }),
    },
  };
}

/** The next instants of the cron after now, whether or not the schedule runs; fewer if it ends. */
export function upcomingTicks(schedule: ScheduleDefinition, now: number, count: number): string[] {
  const { cron, timezone } = schedule.config;
  const ticks: string[] = [];
  let at = nextTick(cron, timezone, now, { inclusive: false });
  while (at !== null && ticks.length < count) {
    ticks.push(timestamp(at));
    at = nextTick(cron, timezone, at, { inclusive: false });
  }
  return ticks;
}

export function tickView(row: TickRow): TickInfo {
  return {
    at: timestamp(row.at),
    status: row.status,
    reason: row.reason,
    run_ids: [...row.runIds],
    recorded_at: timestamp(row.recordedAt),
  };
}
