import { z } from 'zod';
import { AssetKeyText, PageQuery, PartitionSelection, page, RunStatus, Timestamp } from './common.ts';
import { Cause } from './run.ts';

export const BackfillStatus = z
  .enum(['REQUESTED', 'PAUSED', 'CANCELING', 'CANCELED', 'COMPLETED_SUCCESS', 'COMPLETED_FAILED'])
  .describe('REQUESTED: it submits runs, or waits for those that it submitted');
export type BackfillStatus = z.infer<typeof BackfillStatus>;

/** What has become of a partition of a backfill. */
export const BackfillPartitionState = z.enum([
  'materialized',
  'failed',
  'in_progress',
  'canceled',
  'skipped',
  'not_started',
]);
export type BackfillPartitionState = z.infer<typeof BackfillPartitionState>;

export const BackfillCounts = z
  .object({
    total: z.number().int(),
    materialized: z.number().int(),
    failed: z.number().int(),
    in_progress: z.number().int(),
    canceled: z.number().int(),
    skipped: z.number().int().describe('Not run, because what it needs failed or is gone'),
    not_started: z.number().int(),
  })
  .describe('Partitions by what has become of them; assets that run together count once');
export type BackfillCounts = z.infer<typeof BackfillCounts>;

const Only = z.enum(['missing', 'failed', 'missing_or_failed']);
const Order = z.enum(['asc', 'desc']);
const Range = z.object({ start: z.string(), end: z.string() });

/** What was asked for, as it was asked for. */
const AskedPartitions = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('range'), start: z.string(), end: z.string() }),
  z.object({
    kind: z.literal('keys'),
    count: z.number().int(),
    keys: z.array(z.string()).describe('At most 100 of them'),
  }),
  z.object({ kind: z.literal('all') }),
]);

export const Backfill = z.object({
  backfill_id: z.string(),
  status: BackfillStatus,
  reason: z.string().describe('Why it is paused, canceled or failed'),
  cause: Cause,
  changed_by: z.string().nullable().describe('Who paused, resumed or canceled it last'),
  parent_id: z.string().nullable().describe('The backfill that this one retries'),
  asset_keys: z.array(AssetKeyText),
  partitions: AskedPartitions,
  only: Only.nullable(),
  single_run: z.boolean().nullable().describe("Null: as the assets' backfill_policy says"),
  max_concurrent: z.number().int().nullable(),
  order: Order,
  full_refresh: z.boolean(),
  tags: z.record(z.string(), z.string()),
  counts: BackfillCounts,
  runs: z.number().int().describe('Runs that it is cut into'),
  submitted: z.number().int().describe('Of those, submitted or passed over'),
  created_at: Timestamp,
  ended_at: Timestamp.nullable(),
  expected_end: Timestamp.nullable().describe('By the pace of its newest runs; null: not known'),
});
export type Backfill = z.infer<typeof Backfill>;

export const BackfillDetail = Backfill.extend({
  config: z.record(z.string(), z.unknown()),
  assets: z
    .array(
      z.object({
        key: AssetKeyText,
        partitions: z.number().int().describe('1 for an unpartitioned asset'),
        partitioned: z.boolean(),
        single_run: z.boolean().describe('One run a contiguous range'),
        serial: z.boolean().describe('A partition needs an earlier one: strictly one after the other'),
      }),
    )
    .describe('In dependency order'),
});
export type BackfillDetail = z.infer<typeof BackfillDetail>;

export const BackfillQuery = PageQuery.extend({
  status: z.string().optional().describe('One or several, comma-separated'),
  asset: z.string().optional(),
});
export const BackfillList = page(Backfill);

export const BackfillRequest = z.object({
  selection: z.string().min(1).optional().describe('As `POST /runs` takes it; or `asset_keys`'),
  asset_keys: z.array(AssetKeyText).min(1).max(10_000).optional(),
  partitions: z
    .object({
      range: Range.optional().describe('Both ends included; of two dimensions a rectangle'),
      keys: z.array(z.string()).min(1).max(100_000).optional(),
      all: z.literal(true).optional(),
    })
    .optional()
    .describe('Exactly one of the three; absent with `only`: all'),
  only: Only.optional().describe('Of those, only what each asset lacks'),
  single_run: z
    .boolean()
    .optional()
    .describe("One run a contiguous range, or one a partition; absent: as the assets' backfill_policy says"),
  max_concurrent: z.number().int().min(1).max(1000).optional().describe('Runs of this backfill at once'),
  order: Order.optional().describe('`desc`: newest partitions first'),
  full_refresh: z.boolean().optional(),
  config: z.record(z.string(), z.unknown()).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  idempotency_key: z.string().max(200).optional().describe('Two requests with one key are one backfill'),
  dry_run: z.boolean().optional().describe('Answers with what it would do, and does nothing'),
});
export type BackfillRequest = z.infer<typeof BackfillRequest>;

export const BackfillPreview = z.object({
  assets: z
    .array(
      z.object({
        key: AssetKeyText,
        partitions: z.number().int(),
        already_materialized: z.number().int().describe('Of those, written already: written again'),
        first_key: z.string().nullable(),
        last_key: z.string().nullable(),
      }),
    )
    .describe('In dependency order'),
  runs: z.number().int(),
  partitions: z.number().int(),
  first_runs: z
    .array(z.object({ asset_keys: z.array(AssetKeyText), partitions: PartitionSelection }))
    .describe('In the order in which they are submitted'),
  expected: z
    .object({
      run_seconds: z.number().describe('Sum over all runs'),
      seconds: z.number().describe('On the wall, with the concurrency that it gets'),
      samples: z.number().int().describe('Materializations that the estimate stands on'),
    })
    .nullable()
    .describe('From the history of these assets; null: nothing like it ever ran'),
  notes: z.array(z.string()),
});
export type BackfillPreview = z.infer<typeof BackfillPreview>;

export const BackfillRun = z.object({
  item: z.number().int().describe('Position in the order of submission, from 0'),
  run_id: z.string().nullable().describe('Null: passed over, see `reason`'),
  status: z.union([RunStatus, z.literal('SKIPPED')]),
  reason: z.string(),
  asset_keys: z.array(AssetKeyText),
  partitions: PartitionSelection,
  count: z.number().int().describe('Partitions'),
  started_at: Timestamp.nullable(),
  ended_at: Timestamp.nullable(),
});
export type BackfillRun = z.infer<typeof BackfillRun>;
export const BackfillRunQuery = PageQuery.extend({
  status: z.string().optional().describe('Of runs, or SKIPPED; one or several, comma-separated'),
});
export const BackfillRunList = page(BackfillRun);

export const BackfillPartitions = z.object({
  asset_key: AssetKeyText,
  counts: BackfillCounts,
  ranges: z
    .array(
      z.object({
        from: z.number().int(),
        to: z.number().int(),
        from_key: z.string(),
        to_key: z.string(),
        status: BackfillPartitionState,
      }),
    )
    .describe(
      'Stretches of one status in key order; ordinals are those of the asset, so what the backfill leaves out is a gap. Empty for two dimensions and for an unpartitioned asset',
    ),
  matrix: z
    .object({
      rows: z.object({ name: z.string(), keys: z.array(z.string()) }),
      columns: z.object({ name: z.string(), keys: z.array(z.string()) }),
      /** A letter a cell, a string a row: m f i c(anceled) s(kipped) n(ot started), - not of this backfill. */
      cells: z.array(z.string()),
    })
    .nullable(),
});
export type BackfillPartitions = z.infer<typeof BackfillPartitions>;

export const PartitionKeyQuery = z.object({
  at: z.string().describe('Ordinals, comma-separated, at most 1,000'),
});
export const PartitionKeys = z.object({
  items: z.array(z.object({ ordinal: z.number().int(), key: z.string() })),
});
export type PartitionKeys = z.infer<typeof PartitionKeys>;
