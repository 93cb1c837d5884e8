import { z } from 'zod';
import { LOG_LEVELS } from '../../plan/log-level.ts';
import {
  Commit,
  Metadata,
  PageQuery,
  PartitionSelection,
  page,
  RunStatus,
  StepStatus,
  Timestamp,
} from './common.ts';

export const Cause = z.object({
  kind: z.enum(['schedule', 'backfill', 'retry', 'run_retry', 'automation', 'cli', 'page', 'api']),
  /** For people: `schedule dlt_orders_schedule`, `retry of 0198…`, `ada on the command line`. */
  text: z.string(),
  schedule: z.string().nullable(),
  tick: Timestamp.nullable(),
  run_id: z.string().nullable().describe('The run that this one retries'),
  backfill_id: z.string().nullable(),
});
export type Cause = z.infer<typeof Cause>;

export const StepErrorInfo = z.object({
  code: z.string(),
  message: z.string(),
  failure_class: z.string(),
  stack: z.string().nullable(),
  file: z.string().nullable().describe('Path in the repository; absolute for one that is not in it'),
  line: z.number().nullable(),
  exit_code: z.number().nullable(),
  url: z.string().nullable().describe('The line at the Git host, at the commit that ran'),
});
export type StepErrorInfo = z.infer<typeof StepErrorInfo>;

export const RunSummary = z.object({
  run_id: z.string(),
  launch_id: z.string(),
  job_name: z.string(),
  status: RunStatus,
  cause: Cause,
  tags: z.record(z.string(), z.string()),
  asset_keys: z.array(z.string()),
  partitions: PartitionSelection,
  commits: z.array(Commit),
  created_at: Timestamp,
  started_at: Timestamp.nullable(),
  ended_at: Timestamp.nullable(),
  seconds: z.number().nullable(),
  steps: z.object({
    total: z.number().int(),
    succeeded: z.number().int(),
    failed: z.number().int(),
    running: z.number().int(),
  }),
  error: StepErrorInfo.nullable(),
});
export type RunSummary = z.infer<typeof RunSummary>;

export const RunQuery = PageQuery.extend({
  status: z.string().optional().describe('One or several, comma-separated'),
  asset: z.string().optional(),
  pipeline: z.string().optional(),
  schedule: z.string().optional(),
  launch_id: z.string().optional(),
  backfill_id: z.string().optional().describe('Runs of this backfill, retries of them included'),
});
export const RunList = page(RunSummary);

export const Step = z.object({
  step_key: z.string(),
  pipeline: z.string(),
  tool: z.string(),
  status: StepStatus,
  attempt: z.number().int(),
  retries_spent: z.number().int(),
  max_retries: z.number().int(),
  retry_at: Timestamp.nullable(),
  dispatched_at: Timestamp.nullable(),
  started_at: Timestamp.nullable(),
  ended_at: Timestamp.nullable(),
  needs: z.array(z.string()),
  asset_keys: z.array(z.string()),
  partitions: PartitionSelection,
  commit: Commit,
  content_digest: z.string().describe('Of the folder and its settings, as this step runs them'),
  latest: z
    .object({ commit: Commit, changed: z.boolean().describe('Its content differs from what this step ran') })
    .nullable()
    .describe('What a run of today would run; null: the pipeline is gone'),
  pools: z.array(z.string()),
  waiting_for: z.string().nullable().describe('Why it has not started: a pool, a step, a retry'),
  error: StepErrorInfo.nullable(),
});
export type Step = z.infer<typeof Step>;

export const RunDetail = RunSummary.extend({
  steps_list: z.array(Step),
  materializations: z.array(
    z.object({
      asset_key: z.string(),
      partition: z.string().nullable(),
      at: Timestamp,
      step_key: z.string(),
      metadata: Metadata,
    }),
  ),
  checks: z.array(
    z.object({
      asset_key: z.string(),
      check_name: z.string(),
      passed: z.boolean(),
      severity: z.string(),
      at: Timestamp,
      metadata: Metadata,
    }),
  ),
  definitions_digest: z.string(),
  config: z.record(z.string(), z.unknown()),
  priority: z.number(),
  after: z.array(z.string()),
});
export type RunDetail = z.infer<typeof RunDetail>;

export const RunEvent = z.object({
  event_id: z.number().int(),
  at: Timestamp,
  run_id: z.string().nullable(),
  step_key: z.string().nullable(),
  attempt: z.number().int().nullable(),
  type: z.string(),
  /** The event's own fields, snake_case. */
  payload: z.record(z.string(), z.unknown()),
});
export type RunEvent = z.infer<typeof RunEvent>;
export const RunEventList = page(RunEvent);

export const LogQuery = z.object({
  step: z.string().optional(),
  attempt: z.coerce.number().int().optional(),
  from_line: z.coerce.number().int().min(1).optional(),
  tail: z.coerce.number().int().min(1).max(10_000).optional(),
  limit: z.coerce.number().int().min(1).max(10_000).optional(),
});
export const LogLine = z.object({
  line: z.number().int(),
  at: Timestamp,
  stream: z.enum(['stdout', 'stderr', 'system']),
  text: z.string(),
});
export type LogLine = z.infer<typeof LogLine>;
export const RunLogs = z.object({
  step_key: z.string(),
  attempt: z.number().int(),
  attempts: z.array(z.object({ step_key: z.string(), attempt: z.number().int() })),
  lines: z.array(LogLine),
  next_line: z.number().int(),
  complete: z.boolean(),
});
export type RunLogs = z.infer<typeof RunLogs>;

export const LaunchRequest = z.object({
  selection: z
    .string()
    .min(1)
    .optional()
    .describe('`dlt_orders`, `group:github`, `key:a*`, `+asset`, `asset+`, `*`, and/or/not'),
  source: z
    .string()
    .min(1)
    .optional()
    .describe(
      'In place of a selection, all assets of a dlt or Sling pipeline: its name, that of its folder or source',
    ),
  partition: z.string().optional().describe('A key, or `latest`'),
  partitions: z.array(z.string()).max(100_000).optional(),
  range: z.object({ start: z.string(), end: z.string() }).optional(),
  config: z.record(z.string(), z.unknown()).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  full_refresh: z.boolean().optional(),
  log_level: z
    .enum(LOG_LEVELS)
    .optional()
    .describe('Of the tools; stored as `log_level` of the configuration'),
  idempotency_key: z.string().max(200).optional(),
});
export type LaunchRequest = z.infer<typeof LaunchRequest>;
export const LaunchResponse = z.object({
  launch_id: z.string(),
  run_ids: z.array(z.string()),
  skipped_disabled: z.array(z.string()).describe('Selected assets of disabled pipelines: not launched'),
});
export type LaunchResponse = z.infer<typeof LaunchResponse>;

export const RetryRequest = z.object({
  from_failure: z.boolean().optional(),
  latest: z.boolean().optional(),
});
export type RetryRequest = z.infer<typeof RetryRequest>;
