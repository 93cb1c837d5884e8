import { z } from 'zod';
import { PageQuery, page, Timestamp } from './common.ts';

export const TickInfo = z.object({
  at: Timestamp,
  status: z.enum(['launched', 'skipped', 'failed', 'queued']),
  reason: z.string(),
  run_ids: z.array(z.string()),
  recorded_at: Timestamp,
});
export type TickInfo = z.infer<typeof TickInfo>;

export const Schedule = z.object({
  name: z.string(),
  component: z.string(),
  pipeline: z.string(),
  job: z.string(),
  asset_keys: z.array(z.string()),
  cron_schedule: z.array(z.string()),
  timezone: z.string(),
  status: z.enum(['RUNNING', 'STOPPED']),
  default_status: z.enum(['RUNNING', 'STOPPED']),
  /** Who changed the status away from Git's, and when. */
  override: z
    .object({ by: z.string(), at: Timestamp, reason: z.string(), expires_at: Timestamp.nullable() })
    .nullable(),
  catch_up: z.string(),
  overlap: z.string(),
  next_ticks: z.array(Timestamp),
  last_tick: TickInfo.nullable(),
  source: z.object({ file: z.string(), line: z.number().int(), url: z.string().nullable() }),
});
export type Schedule = z.infer<typeof Schedule>;
/** Of a start or a stop. */
export const ScheduleSwitch = z
  .object({
    reason: z.string().max(500).optional(),
    expires_in: z.string().optional().describe('After which time Git is followed again: `2h`, `1d`, `90m`'),
  })
  .nullish();

export const ScheduleList = page(Schedule);
export const TickQuery = PageQuery.extend({ next: z.coerce.number().int().min(1).max(100).optional() });
export const TickList = page(TickInfo).extend({ upcoming: z.array(Timestamp) });
export type TickList = z.infer<typeof TickList>;

export const Job = z.object({
  name: z.string(),
  kind: z.enum(['pipeline', 'group', 'all']),
  asset_keys: z.array(z.string()),
});
export const JobList = page(Job);
