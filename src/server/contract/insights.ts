import { z } from 'zod';

export const InsightsMeasures = z.object({
  materializations: z.number().int(),
  rows: z.number().describe('Written, as the tools say'),
  bytes: z.number(),
  compute_seconds: z.number().describe('Of processes of steps, failed attempts included'),
  succeeded: z
    .number()
    .int()
    .describe(
      'How steps ended for good, counted for each of their assets: one of three assets counts three times',
    ),
  failed: z.number().int(),
  canceled: z.number().int(),
  retries: z.number().int(),
  scheduled_runs: z.number().int().describe('That began, counted for each of their assets'),
  mean_delay_seconds: z.number().nullable().describe('From tick to start, of runs of schedules'),
  longest_delay_seconds: z.number().nullable(),
  success_rate: z.number().nullable().describe('Of what succeeded or failed; 0 to 1'),
  cost: z
    .number()
    .nullable()
    .describe('In `currency`; null: the repository sets no rates, or several currencies'),
});
export type InsightsMeasures = z.infer<typeof InsightsMeasures>;

export const InsightsItem = z.object({
  name: z.string().describe('Asset key, group or owner; `(no owner)`, `(removed)`'),
  assets: z.number().int(),
  current: z.boolean().describe('It is in the definitions of today'),
  now: InsightsMeasures,
  before: InsightsMeasures.describe('Of as many days before'),
  p50_seconds: z.number().nullable().describe('Of successful attempts, to within 4.5 %'),
  p95_seconds: z.number().nullable(),
});
export type InsightsItem = z.infer<typeof InsightsItem>;

export const InsightsReport = z.object({
  by: z.enum(['asset', 'group', 'owner']),
  from: z.iso.date().describe('First UTC day'),
  to: z.iso.date().describe('Last UTC day: today'),
  currency: z.string().nullable(),
  total: z.object({ now: InsightsMeasures, before: InsightsMeasures }),
  days: z.array(z.object({ day: z.iso.date(), now: InsightsMeasures })),
  items: z.array(InsightsItem).describe('By name'),
});
export type InsightsReport = z.infer<typeof InsightsReport>;

export const InsightsQuery = z.object({
  days: z.coerce.number().int().min(1).max(366).optional().describe('Today and the days before; default 30'),
  by: z.enum(['asset', 'group', 'owner']).optional().describe('Default group'),
  group: z.string().optional().describe('Only its assets'),
  owner: z.string().optional().describe('Only assets of this owner'),
  component: z.string().optional(),
});
export type InsightsQuery = z.infer<typeof InsightsQuery>;
