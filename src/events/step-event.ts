import { z } from 'zod';

/**
 * What a step reports while it runs: one JSON object per line of its `events.jsonl`, appended by the child (our Python
 * runner, or a script through Dagster Pipes, which shares the file) and tailed by the engine. The line number is `n`.
 * Unknown types are stored, never an error. snake_case, as every payload.
 */
const METADATA_VALUE = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  z.array(z.unknown()),
  z.record(z.string(), z.unknown()),
]);

export const MetadataSchema = z.record(z.string(), METADATA_VALUE);
/**
 * Plain values. Units are in the name. Every runner uses these names for the same thing, and pages, plots and Insights
 * know them: `rows`, `bytes`, `seconds`, `rows_per_second`, `load_ids`, `schema_changes`, `cursor`, `tables`, `commit`,
 * `partition`, `destination`, `dataset`, `files`, `full_refresh`, `config`, `uncertain`, `rows_scanned`, `bytes_stored`, `cursor_before`,
 * `extract_seconds`, `normalize_seconds`, `load_seconds` (`docs/dlt.md`).
 */
export type Metadata = z.infer<typeof MetadataSchema>;

export const MaterializationEvent = z.object({
  type: z.literal('materialization'),
  asset_key: z.string(),
  /** Absent: all the step's partitions of this asset. */
  partition: z.string().nullish(),
  data_version: z.string().nullish(),
  metadata: MetadataSchema,
});
export type MaterializationEvent = z.infer<typeof MaterializationEvent>;

export const CheckEvent = z.object({
  type: z.literal('check'),
  asset_key: z.string(),
  check_name: z.string(),
  passed: z.boolean(),
  severity: z.enum(['WARN', 'ERROR']),
  partition: z.string().nullish(),
  metadata: MetadataSchema,
});
export type CheckEvent = z.infer<typeof CheckEvent>;

export const ProgressEvent = z.object({
  type: z.literal('progress'),
  asset_key: z.string().nullish(),
  /** `extract`, `normalize`, `load`, a model's name: shown beside the bar. */
  stage: z.string(),
  rows: z.number().nullish(),
  bytes: z.number().nullish(),
  message: z.string().nullish(),
});
export type ProgressEvent = z.infer<typeof ProgressEvent>;

export const StageEvent = z.object({
  type: z.enum(['stage_start', 'stage_end']),
  stage: z.string(),
  asset_key: z.string().nullish(),
  ok: z.boolean().nullish(),
  seconds: z.number().nullish(),
  metadata: MetadataSchema.nullish(),
});
export type StageEvent = z.infer<typeof StageEvent>;

export const LogEvent = z.object({
  type: z.literal('log'),
  level: z.enum(['debug', 'info', 'warning', 'error', 'critical']),
  message: z.string(),
});
export type LogEvent = z.infer<typeof LogEvent>;

/**
 * Everything is written and the tool has ended well: what follows are declared checks, which only read. An attempt that
 * ends after it is followed by one that only checks.
 */
export const WrittenEvent = z.object({ type: z.literal('written') });
export type WrittenEvent = z.infer<typeof WrittenEvent>;

/** The child's own word that it finished; trusted only together with its exit code. */
export const EndEvent = z.object({
  type: z.literal('end'),
  status: z.enum(['ok', 'failed', 'cancelled', 'timeout']),
  failure_class: z.enum(['resource_busy', 'transient', 'config', 'data', 'user']).nullish(),
  error: z
    .object({
      name: z.string(),
      message: z.string(),
      stack: z.string().nullish(),
      file: z.string().nullish(),
      line: z.number().nullish(),
    })
    .nullish(),
  /** Asset keys that failed or were not reached, when the tool can tell (dbt). */
  unfinished_assets: z.array(z.string()).nullish(),
});
export type EndEvent = z.infer<typeof EndEvent>;

export const StepEvent = z.discriminatedUnion('type', [
  MaterializationEvent,
  CheckEvent,
  ProgressEvent,
  StageEvent,
  LogEvent,
  EndEvent,
]);
export type StepEvent = z.infer<typeof StepEvent>;
