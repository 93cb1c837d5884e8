import { z } from 'zod';
import { Timestamp } from './common.ts';
import { ChangeCounts } from './component.ts';

export const TimelineRange = z.enum(['1h', '6h', '24h', '7d']);
export type TimelineRange = z.infer<typeof TimelineRange>;

export const TimelineQuery = z.object({
  range: TimelineRange.optional().describe('The time until now, and a quarter of it ahead; default 24h'),
  from: Timestamp.optional().describe('With `to`, in place of `range`'),
  to: Timestamp.optional(),
  group: z.string().optional().describe('Only this group, with a lane for each of its assets'),
  open: z.string().optional().describe('Groups, comma-separated, whose assets have lanes of their own'),
});

export const TimelineBar = z.object({
  run_id: z.string(),
  status: z.enum(['queued', 'running', 'succeeded', 'failed', 'canceled', 'skipped']),
  created_at: Timestamp,
  started_at: Timestamp.nullable().describe('Null: it has not begun, or never did'),
  ended_at: Timestamp.nullable(),
  assets: z.number().int().describe('Assets of the lane that the run has'),
  cause: z.string(),
  partition: z.string().nullable(),
});
export type TimelineBar = z.infer<typeof TimelineBar>;

export const TimelineColumn = z.object({
  at: z.number().int().describe('Which column, from 0'),
  succeeded: z.number().int(),
  failed: z.number().int(),
  active: z.number().int(),
  other: z.number().int().describe('Canceled or skipped'),
});
export type TimelineColumn = z.infer<typeof TimelineColumn>;

export const TimelineTick = z.object({
  at: Timestamp,
  schedule: z.string(),
  others: z.number().int().describe('Further schedules with a tick at this instant'),
});
export type TimelineTick = z.infer<typeof TimelineTick>;

export const TimelineLane = z.object({
  kind: z
    .enum(['group', 'asset', 'removed'])
    .describe('`removed`: assets that no revision in force has any more'),
  name: z.string().describe('Group or asset key'),
  group: z.string().nullable(),
  assets: z.number().int(),
  open: z.boolean().describe('A group whose assets follow as lanes'),
  runs: z.number().int(),
  failed: z.number().int(),
  bars: z.array(TimelineBar).nullable().describe('Oldest first; null: too many, see `columns`'),
  columns: z.array(TimelineColumn).nullable().describe('Those that are not empty; null: see `bars`'),
  ticks: z.array(TimelineTick),
  ticks_until: Timestamp.nullable().describe('There are more ticks from here on; null: these are all'),
});
export type TimelineLane = z.infer<typeof TimelineLane>;

export const TimelineMark = z.object({
  revision_id: z.number().int(),
  component: z.string(),
  kind: z.enum(['sync', 'rollback', 'pin']),
  commit: z.string(),
  at: Timestamp,
  subject: z.string(),
  author: z.string(),
  summary: ChangeCounts,
  restores: z
    .number()
    .int()
    .nullable()
    .describe('The earlier revision that a rollback or a pin went back to'),
});
export type TimelineMark = z.infer<typeof TimelineMark>;

export const Timeline = z.object({
  from: Timestamp,
  to: Timestamp,
  column_seconds: z.number().describe('Width of a column of a lane that has `columns`'),
  lanes: z.array(TimelineLane),
  lanes_left_out: z.number().int().describe('Groups, or assets of open groups, beyond what one answer holds'),
  marks: z.array(TimelineMark).describe('What was applied from Git, oldest first'),
});
export type Timeline = z.infer<typeof Timeline>;

export const UpcomingTicksQuery = z.object({ limit: z.coerce.number().int().min(1).max(100).optional() });
export const UpcomingTicks = z.object({
  items: z.array(
    z.object({ at: Timestamp, schedule: z.string(), pipeline: z.string(), asset_keys: z.array(z.string()) }),
  ),
});
export type UpcomingTicks = z.infer<typeof UpcomingTicks>;
