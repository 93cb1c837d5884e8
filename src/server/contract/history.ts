import { z } from 'zod';
import { Materialization, PartitionState } from './asset.ts';
import { AssetKeyText, Metadata, RunStatus, Timestamp } from './common.ts';
import { FieldChange, Revision } from './component.ts';

export const RunMark = z.object({
  run_id: z.string(),
  status: RunStatus,
  at: Timestamp.describe('When it last moved'),
  seconds: z.number().nullable().describe('From its start to its end; null: it has not ended'),
});
export type RunMark = z.infer<typeof RunMark>;

export const PartitionDetailQuery = z.object({ key: z.string().describe('Key of the partition') });
export const PartitionDetail = z.object({
  key: z.string(),
  status: PartitionState,
  materialization: Materialization.nullable().describe('Its last write, whatever happened since'),
  run: RunMark.nullable().describe('The run that the status comes from'),
});
export type PartitionDetail = z.infer<typeof PartitionDetail>;

export const PlotQuery = z.object({
  by: z.enum(['time', 'partition']).default('time').describe('What lies along the axis'),
  limit: z.coerce.number().int().min(1).max(365).default(30).describe('Points: writes, or partitions'),
  before: z.coerce
    .number()
    .int()
    .optional()
    .describe('By time: only writes before this event; by partition: only places before this one'),
  row: z
    .string()
    .optional()
    .describe('Of two dimensions by partition: the key of the row; default the first'),
});
export const PlotPoint = z.object({
  event_id: z.number().int().nullable().describe('Null: this partition was never written'),
  at: Timestamp.nullable(),
  partition: z.string().nullable(),
  partitions: z.number().int().describe('How many this write was of'),
  run_id: z.string().nullable(),
  commit: z.string().nullable(),
  values: z.record(z.string(), z.number()).describe('Numbers of its metadata'),
  run_seconds: z.number().nullable(),
});
export type PlotPoint = z.infer<typeof PlotPoint>;
export const Plots = z.object({
  by: z.enum(['time', 'partition']),
  rows: z.array(z.string()).describe('Of two dimensions by partition: keys of the rows to choose from'),
  row: z.string().nullable(),
  names: z.array(z.string()).describe('Names of numbers that a point has, the best known first'),
  points: z.array(PlotPoint).describe('Oldest or first partition first'),
  before: z.number().int().nullable().describe('For the points before these; null: there are none'),
});
export type Plots = z.infer<typeof Plots>;

export const TrendQuery = z.object({
  keys: z.string().min(1).describe('Asset keys, comma-separated, at most 100'),
});
export const Trends = z.object({
  items: z.array(
    z.object({
      key: AssetKeyText,
      rows: z.array(z.number()).describe('Rows of the last 12 writes, oldest first'),
    }),
  ),
});
export type Trends = z.infer<typeof Trends>;

export const CheckResultQuery = z.object({ limit: z.coerce.number().int().min(1).max(200).default(30) });
export const CheckResults = z.object({
  items: z
    .array(
      z.object({
        event_id: z.number().int(),
        passed: z.boolean(),
        severity: z.enum(['WARN', 'ERROR']),
        at: Timestamp,
        run_id: z.string(),
        partition: z.string().nullable(),
        metadata: Metadata,
      }),
    )
    .describe('Newest first, out of the last 60 runs of the asset'),
});
export type CheckResults = z.infer<typeof CheckResults>;

export const SchemaChanges = z.object({
  items: z
    .array(
      z.object({
        event_id: z.number().int(),
        at: Timestamp,
        run_id: z.string(),
        partition: z.string().nullable(),
        commit: z.string(),
        changes: z.array(z.unknown()).describe('As the tool reported them'),
      }),
    )
    .describe('Writes that changed columns or tables, newest first, out of the last 500'),
});
export type SchemaChanges = z.infer<typeof SchemaChanges>;

export const AssetDefinition = z.object({
  file: z.string(),
  commit: z.string(),
  line_url: z.string().nullable().describe('Link to the Git host with `{line}` in the place of a line'),
  text: z.string().nullable().describe('Of the dagster.yaml at the commit that serves; null: there is none'),
  fields: z
    .array(
      z.object({
        path: z.string().describe('Dotted, by the keys of dagster.yaml'),
        value: z.unknown().describe('As it counts; of `env` the names of variables, never values'),
        line: z.number().int().nullable().describe('Null: nobody wrote it'),
      }),
    )
    .describe('What stands in the file first, in its order, then defaults'),
});
export type AssetDefinition = z.infer<typeof AssetDefinition>;

export const PipelineHistory = z.object({
  items: z
    .array(
      z.object({
        revision: Revision,
        commit: z.string().describe('Of the folder: what runs name'),
        commit_url: z.string().nullable(),
        status: z.enum(['current', 'held']),
        first: z.boolean().describe('The oldest that is kept: what it changed is not known'),
        fields: z.array(FieldChange).describe('What it changed in meaning'),
        runs: z.array(RunMark).describe('On this commit, newest first, at most 20'),
        run_count: z.number().int().describe('Of the last 400 runs of the pipeline'),
        failed_count: z.number().int(),
      }),
    )
    .describe('Newest first; as far back as revisions are kept'),
});
export type PipelineHistory = z.infer<typeof PipelineHistory>;

export const Calendar = z.object({
  unit: z.enum(['hour', 'day', 'week', 'month']).nullable().describe('Null: no calendar shows it well'),
  timezone: z.string(),
  total: z.number().int(),
  from: z.number().int().describe('Place of the first partition of this page'),
  stretches: z
    .array(
      z.object({
        from: z.number().int().describe('Place among the partitions'),
        count: z.number().int(),
        start: z.string().describe('Local start of its first window, `2026-01-31T00:00`'),
      }),
    )
    .describe('Neighbours whose windows follow one another by one unit, in order'),
});
export type Calendar = z.infer<typeof Calendar>;
export const CalendarQuery = z.object({
  before: z.coerce.number().int().positive().optional().describe('Only places before this one'),
});
