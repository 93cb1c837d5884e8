import { z } from 'zod';
import { Diagnostic, Timestamp } from './common.ts';

const Path = z.string().min(1).max(4096);
const ObjectId = z.string().regex(/^[0-9a-f]{40}$/);

/** A file of a working directory, as `git ls-files` and `git hash-object` tell it. */
const WorkingFile = z.object({
  path: Path.describe('From the root of the repository'),
  mode: z.enum(['100644', '100755', '120000']),
  oid: ObjectId.describe('Git object id of the content'),
  size: z.number().int().nonnegative(),
  content: z
    .string()
    .optional()
    .describe('Base64; of the files that are read (code, YAML, SQL); the others count by their id'),
});

const RevisionTarget = z.object({
  revision: z
    .union([z.number().int().positive(), z.string().min(1).max(64)])
    .describe('Id of a kept revision, or its commit'),
});

export const PlanFrom = z.union([
  RevisionTarget,
  z.object({ ref: z.string().min(1).max(255).describe('Branch, tag, commit or full name of a ref') }),
]);

const PlanTo = z.union([
  RevisionTarget,
  z.object({ ref: z.string().min(1).max(255).describe('Branch, tag, commit or full name of a ref') }),
  z.object({
    working_copy: z.object({
      label: z.string().max(255),
      files: z.array(WorkingFile).max(500_000),
    }),
  }),
]);

export const PlanRequest = z.object({
  component: z.string().optional().describe('May be left out when there is one'),
  from: PlanFrom.optional().describe('Absent: what is served'),
  to: PlanTo.optional().describe("Absent: the newest commit of the component's ref"),
});
export type PlanRequest = z.infer<typeof PlanRequest>;

export const PlanFieldChange = z.object({
  field: z
    .string()
    .describe("By the keys of dagster.yaml: `schedule.cron_schedule`; `code`: the folder's content"),
  from: z.unknown(),
  to: z.unknown(),
  files: z.array(z.string()).describe('Of `code`: `+ new.py`, `- old.py`, `~ pipeline.py`'),
});

export const PlanChange = z.object({
  kind: z.enum(['pipeline', 'asset', 'schedule', 'check', 'instance']),
  key: z.string(),
  change: z.enum(['added', 'removed', 'changed', 'moved']),
  fields: z.array(PlanFieldChange),
  pipeline: z.string().nullable(),
  file: z.string().nullable(),
  url: z.string().nullable(),
});
export type PlanChange = z.infer<typeof PlanChange>;

const PlanTicks = z.object({
  count: z.number().int(),
  first: z.array(Timestamp),
  timezone: z.string(),
});

export const PlanForecast = z.object({
  schedule: z.string(),
  before: PlanTicks,
  after: PlanTicks,
  note: z.string(),
});
export type PlanForecast = z.infer<typeof PlanForecast>;

const PlanSpans = z.object({
  count: z.number().int(),
  spans: z.array(z.object({ start: z.string(), end: z.string(), count: z.number().int() })),
});
export type PlanSpans = z.infer<typeof PlanSpans>;

export const PlanImpact = z.object({
  asset: z.string(),
  missing: PlanSpans,
  stale: PlanSpans,
  orphaned: PlanSpans,
  command: z.string().nullable(),
});
export type PlanImpact = z.infer<typeof PlanImpact>;

const PlanPlace = z.object({
  commit: z.string().nullable(),
  revision_id: z.number().int().nullable(),
  label: z.string(),
  url: z.string().nullable(),
});

/** What going from one state of a component to another would change. Nothing of it is run or applied. */
export const Plan = z.object({
  component: z.string(),
  from: PlanPlace,
  to: PlanPlace,
  has_changes: z.boolean(),
  changes: z.array(PlanChange),
  ticks: z.object({ from: Timestamp, to: Timestamp, schedules: z.array(PlanForecast) }),
  impact: z.array(PlanImpact),
  diagnostics: z.array(Diagnostic),
  held: z.array(z.string()),
  notes: z.array(z.string()),
});
export type Plan = z.infer<typeof Plan>;
