import { z } from 'zod';
import { PageQuery, page, RunStatus, Timestamp } from './common.ts';
import { Cause } from './run.ts';

const Unknown = z.unknown().describe('As dlt has it: a text, a number, a time');

export const DltCursor = z.object({
  path: z.string(),
  initial_value: Unknown,
  last_value: Unknown.describe('null: nothing was loaded by it yet'),
});
export type DltCursor = z.infer<typeof DltCursor>;

export const DltResource = z.object({
  name: z.string(),
  source: z.string().nullable(),
  cursors: z.array(DltCursor),
  rows: z.number().nullable().describe('In the destination now; null: not counted'),
  tables: z.array(z.string()),
  write_disposition: z.string().nullable(),
});
export type DltResource = z.infer<typeof DltResource>;

export const DltTable = z.object({
  name: z.string(),
  schema: z.string(),
  resource: z.string(),
  parent: z.string().nullable().describe('The table that this one has nested data of'),
  write_disposition: z.string().nullable(),
  columns: z.array(
    z.object({
      name: z.string(),
      type: z.string().nullable(),
      nullable: z.boolean(),
      primary_key: z.boolean(),
    }),
  ),
  rows: z.number().nullable(),
});
export type DltTable = z.infer<typeof DltTable>;

export const DltPackage = z.object({
  load_id: z.string(),
  stage: z.enum(['extracted', 'normalized']),
  schema: z.string().nullable(),
  tables: z.array(z.string()),
  failed_jobs: z.number().int(),
  partition_dir: z.string().nullable().describe('Working folder of the partition that left it'),
});
export type DltPackage = z.infer<typeof DltPackage>;

/** One dlt pipeline as the folder's code makes it; a folder can make several. */
export const DltPipelineState = z.object({
  name: z.string(),
  destination: z.object({ name: z.string(), type: z.string() }).nullable(),
  dataset: z.string().nullable(),
  working_dir: z.string().describe('`$ELT_HOME/…`'),
  has_local_state: z.boolean(),
  stored_in_destination: z.boolean(),
  state_from: z.enum(['destination', 'working_dir']).describe('Where the next load goes on from'),
  state_version: z.number().nullable(),
  schemas: z.array(
    z.object({
      name: z.string(),
      version: z.number().nullable(),
      version_hash: z.string().nullable(),
      is_default: z.boolean(),
    }),
  ),
  resources: z.array(DltResource),
  tables: z.array(DltTable),
  pending: z.array(DltPackage).describe('Extracted and not loaded: the next load begins with them'),
  loads: z
    .array(z.object({ load_id: z.string(), at: z.string().nullable(), schema: z.string(), ok: z.boolean() }))
    .describe('The last ones that the destination has'),
  trace: z
    .object({
      started_at: z.string().nullable(),
      finished_at: z.string().nullable(),
      steps: z.array(
        z.object({
          step: z.string(),
          started_at: z.string().nullable(),
          seconds: z.number().nullable(),
          ok: z.boolean(),
          error: z.string().nullable(),
        }),
      ),
    })
    .nullable(),
  state: z.record(z.string(), z.unknown()).nullable().describe('null: too long to be shown'),
  unfinished_drop: z
    .object({ run_id: z.string(), resources: z.array(z.string()).nullable() })
    .nullable()
    .describe('A drop that was interrupted: the next load finishes it first'),
  warnings: z.array(z.string()),
});
export type DltPipelineState = z.infer<typeof DltPipelineState>;

export const DltStateReport = z.object({
  run_id: z.string(),
  read_at: Timestamp,
  commit: z.string().nullable(),
  dlt_version: z.string(),
  pipelines: z.array(DltPipelineState),
});
export type DltStateReport = z.infer<typeof DltStateReport>;

export const DltStateResponse = z.object({
  report: DltStateReport.nullable().describe('What was read last; null: nothing was, or it is too long ago'),
  reading: z.string().nullable().describe('The run that reads it now'),
});
export type DltStateResponse = z.infer<typeof DltStateResponse>;

export const DltDropped = z.object({
  pipeline: z.string(),
  destination: z.string().nullable(),
  dataset: z.string().nullable(),
  resources: z.array(z.string()),
  tables: z.array(
    z.object({ name: z.string(), resource: z.string(), rows: z.number().nullable(), nested: z.boolean() }),
  ),
  cursors: z.array(z.object({ resource: z.string(), path: z.string(), last_value: Unknown })),
  pending: z.array(DltPackage),
});
export type DltDropped = z.infer<typeof DltDropped>;

export const DltDrop = z.object({
  run_id: z.string(),
  status: RunStatus,
  dry_run: z.boolean(),
  cause: Cause,
  at: Timestamp,
  ended_at: Timestamp.nullable(),
  resources: z.array(z.string()).nullable().describe('As asked; null: all of the pipeline'),
  dropped: z.array(DltDropped).describe('What went, or with `dry_run` would go'),
  error: z.string().nullable(),
});
export type DltDrop = z.infer<typeof DltDrop>;

/** What the service knows without asking dlt: from what loads reported. */
export const DltPipeline = z.object({
  component: z.string(),
  pipeline: z.string(),
  dir: z.string(),
  enabled: z.boolean(),
  held: z.boolean(),
  partitioned: z.boolean(),
  resources: z.array(z.string()).describe('As far as they are known'),
  assets: z.array(
    z.object({
      key: z.string(),
      resource: z.string().nullable(),
      last_load_at: Timestamp.nullable(),
      run_id: z.string().nullable(),
      partition: z.string().nullable(),
      rows: z.number().nullable().describe('Of the last load'),
      cursor: z.record(z.string(), z.unknown()).nullable(),
    }),
  ),
  destination: z.string().nullable(),
  dataset: z.string().nullable(),
  last_load_at: Timestamp.nullable(),
});
export type DltPipeline = z.infer<typeof DltPipeline>;

export const DltPipelineDetail = DltPipeline.extend({
  drops: z.array(DltDrop).describe('The last ones, newest first; what was only previewed is not among them'),
});
export type DltPipelineDetail = z.infer<typeof DltPipelineDetail>;

export const DltPipelineQuery = PageQuery.extend({
  name: z
    .string()
    .optional()
    .describe(
      'Only the one that this name means: its own, that of its folder, its source or its dlt pipeline',
    ),
});
export const DltPipelineList = page(DltPipeline);

export const DltReadRequest = z.object({
  rows: z.boolean().optional().describe('Counts the rows of each table in the destination'),
});
export type DltReadRequest = z.infer<typeof DltReadRequest>;
export const DltDropRequest = z.object({
  resources: z
    .array(z.string().min(1))
    .min(1)
    .max(1000)
    .optional()
    .describe("dlt's names; absent: all of the pipeline"),
  dry_run: z.boolean().optional(),
  idempotency_key: z.string().max(200).optional(),
});
export type DltDropRequest = z.infer<typeof DltDropRequest>;
