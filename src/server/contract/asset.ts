import { z } from 'zod';
import { AutomationAsset } from './automation.ts';
import { AssetKeyText, Commit, Metadata, PageQuery, page, RunStatus, Timestamp } from './common.ts';

export const AssetState = z
  .enum(['never', 'materialized', 'running', 'queued', 'failed', 'partly'])
  .describe('`partly`: partitioned, and some partitions are missing or failed');
export type AssetState = z.infer<typeof AssetState>;

export const PartitionCounts = z.object({
  total: z.number().int(),
  materialized: z.number().int(),
  failed: z.number().int(),
  in_progress: z.number().int(),
  missing: z.number().int(),
});
export type PartitionCounts = z.infer<typeof PartitionCounts>;

export const PartitionsInfo = z.object({
  type: z.enum(['time', 'static', 'multi']),
  dimensions: z.array(
    z.object({
      name: z.string(),
      type: z.enum(['time', 'static']),
      cron_schedule: z.string().nullable(),
      timezone: z.string().nullable(),
      fmt: z.string().nullable(),
      start: z.string().nullable(),
      end: z.string().nullable(),
      keys: z.array(z.string()).nullable().describe('Static keys; null if there are more than 1,000'),
    }),
  ),
  first_key: z.string().nullable(),
  last_key: z.string().nullable(),
  counts: PartitionCounts,
});
export type PartitionsInfo = z.infer<typeof PartitionsInfo>;

export const AssetFreshness = z.object({
  state: z.enum(['fresh', 'stale', 'unknown']).describe('`unknown`: never materialized'),
  severity: z.enum(['WARN', 'ERROR']),
  last_update: Timestamp.nullable(),
  deadline: Timestamp.nullable().describe('The latest deadline that has passed'),
  fresh_until: Timestamp.nullable().describe('When it becomes stale if nothing comes'),
  stale_since: Timestamp.nullable(),
  message: z.string(),
});
export type AssetFreshness = z.infer<typeof AssetFreshness>;
export const AssetFreshnessDetail = AssetFreshness.extend({
  lower_bound_delta_seconds: z.number(),
  deadline_cron: z.string().nullable(),
  timezone: z.string(),
});
export type AssetFreshnessDetail = z.infer<typeof AssetFreshnessDetail>;

export const AssetSummary = z.object({
  key: AssetKeyText,
  kind: z.enum(['materializable', 'external']),
  component: z.string(),
  pipeline: z.string(),
  tool: z.enum(['dlt', 'sling', 'dbt', 'python']).nullable(),
  group: z.string(),
  description: z.string().nullable(),
  owners: z.array(z.string()),
  tags: z.record(z.string(), z.string()),
  kinds: z.array(z.string()),
  enabled: z.boolean(),
  held: z.boolean().describe('The newest revision of its folder is broken; it serves from the last good one'),
  discovery: z.enum(['complete', 'pending', 'failed']).nullable(),
  deps: z.array(z.string()),
  state: AssetState,
  partitions: PartitionsInfo.nullable(),
  schedule: z
    .object({
      name: z.string(),
      cron_schedule: z.array(z.string()),
      timezone: z.string(),
      status: z.enum(['RUNNING', 'STOPPED']),
      next_tick: Timestamp.nullable(),
    })
    .nullable(),
  latest: z
    .object({
      at: Timestamp,
      run_id: z.string(),
      partition: z.string().nullable(),
      rows: z.number().nullable(),
      bytes: z.number().nullable(),
      seconds: z.number().nullable(),
      commit: z.string(),
    })
    .nullable(),
  latest_run: z.object({ run_id: z.string(), status: RunStatus, at: Timestamp }).nullable(),
  recent_runs: z
    .array(z.object({ run_id: z.string(), status: RunStatus, at: Timestamp }))
    .describe('Newest first, at most 20'),
  failing_checks: z.number().int(),
  freshness: AssetFreshness.nullable().describe('Null: no policy'),
  code: Commit.nullable(),
});
export type AssetSummary = z.infer<typeof AssetSummary>;

export const AssetCheckInfo = z.object({
  name: z.string(),
  kind: z.enum(['declared', 'tool']),
  type: z.string().nullable(),
  blocking: z.boolean(),
  severity: z.enum(['WARN', 'ERROR']),
  description: z.string().nullable(),
  latest: z
    .object({
      passed: z.boolean(),
      at: Timestamp,
      run_id: z.string(),
      partition: z.string().nullable(),
      metadata: Metadata,
    })
    .nullable(),
});

export const AssetDetail = AssetSummary.extend({
  code_version: z.string(),
  downstream: z.array(z.string()),
  columns: z.array(
    z.object({ name: z.string(), type: z.string().nullable(), description: z.string().nullable() }),
  ),
  metadata: z
    .array(z.object({ key: z.string(), value: z.unknown(), type: z.string() }))
    .describe('As found in the folder and declared in dagster.yaml'),
  latest_metadata: Metadata.describe('Of the newest materialization'),
  retry_policy: z
    .object({
      max_retries: z.number(),
      delay: z.number(),
      backoff: z.string().nullable(),
      jitter: z.string().nullable(),
    })
    .nullable(),
  automation_condition: z.string().nullable(),
  automation: AutomationAsset.nullable().describe('Null: no automation condition'),
  freshness: AssetFreshnessDetail.nullable(),
  checks: z.array(AssetCheckInfo),
  source: z.object({ file: z.string(), line: z.number().int(), url: z.string().nullable() }),
  compiled_sql: z.string().nullable().describe('Of a dbt model, as a full build runs it; null: not known'),
  definition: z.string().nullable().describe('Text of the dagster.yaml at the commit that serves'),
});
export type AssetDetail = z.infer<typeof AssetDetail>;

export const AssetQuery = PageQuery.extend({
  q: z.string().optional(),
  group: z.string().optional(),
  selection: z.string().optional(),
  component: z.string().optional(),
  freshness: AssetFreshness.shape.state.optional(),
});
export const AssetList = page(AssetSummary);

export const Materialization = z.object({
  event_id: z.number().int(),
  at: Timestamp,
  run_id: z.string(),
  step_key: z.string(),
  partition: z.string().nullable(),
  commit: z.string(),
  code_version: z.string(),
  metadata: Metadata,
});
export type Materialization = z.infer<typeof Materialization>;
export const MaterializationList = page(Materialization);

export const PartitionState = z.enum(['materialized', 'failed', 'in_progress', 'missing']);
export type PartitionState = z.infer<typeof PartitionState>;

/** Run-length: a stretch of neighbouring partitions of one status. Ordinals count from 0 in the order of keys. */
export const PartitionRun = z.object({
  from: z.number().int(),
  to: z.number().int(),
  from_key: z.string(),
  to_key: z.string(),
  status: PartitionState,
});
export type PartitionRun = z.infer<typeof PartitionRun>;

/** What is large is in `states` instead of `ranges` and `cells`: 25 kB for 100,000 partitions, whatever their states. */
export const PartitionList = z.object({
  info: PartitionsInfo,
  ranges: z
    .array(PartitionRun)
    .describe('In key order, without gaps. 2-D: empty, see `matrix`. More than 500: empty, see `states`'),
  matrix: z
    .object({
      /** Row and column dimension names; time is the column dimension when there is one. */
      rows: z.object({ name: z.string(), keys: z.array(z.string()) }),
      columns: z.object({ name: z.string(), keys: z.array(z.string()) }),
      /** A letter a cell, a string a row: m f i . (missing). More than 10,000 cells: empty, see `states`. */
      cells: z.array(z.string()),
    })
    .nullable(),
  states: z
    .string()
    .nullable()
    .describe(
      'Base64, two bits a partition, the first in the lowest bits of the first byte: 0 missing, 1 materialized, 2 failed, 3 in progress. In key order; 2-D: row by row of `matrix`. Null where `ranges` or `cells` say it',
    ),
});
export type PartitionList = z.infer<typeof PartitionList>;

export const PartitionRangesQuery = z.object({
  status: PartitionState.optional(),
  before: z.coerce
    .number()
    .int()
    .positive()
    .optional()
    .describe(
      'Only stretches that begin before this place; the one that holds place n: before n + 1, limit 1',
    ),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
});

/** Stretches of one status, the newest (last) first. Of two dimensions: within a row, places counted row by row. */
export const PartitionRanges = z.object({
  items: z.array(PartitionRun),
  more: z.number().int().describe('Stretches that `limit` left out'),
});
export type PartitionRanges = z.infer<typeof PartitionRanges>;

export const Lineage = z.object({
  nodes: z.array(
    z.object({
      key: z.string(),
      kind: z.enum(['materializable', 'external']),
      group: z.string(),
      tool: z.string().nullable(),
      kinds: z.array(z.string()),
      state: AssetState,
      enabled: z.boolean(),
      held: z.boolean(),
    }),
  ),
  edges: z.array(z.object({ from: z.string(), to: z.string() })),
});
export type Lineage = z.infer<typeof Lineage>;
