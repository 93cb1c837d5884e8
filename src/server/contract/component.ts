import { z } from 'zod';
import { Diagnostic, PageQuery, page, RunStatus, Timestamp } from './common.ts';

export const Condition = z.object({
  type: z.enum(['Ready', 'Reconciling', 'Stalled', 'FetchFailed', 'Degraded']),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string(),
  message: z.string(),
  since: Timestamp,
});
export type Condition = z.infer<typeof Condition>;

export const Pipeline = z.object({
  name: z.string(),
  component: z.string(),
  tool: z.string(),
  dir: z.string(),
  enabled: z.boolean(),
  status: z.enum(['current', 'held']),
  commit: z.string(),
  content_digest: z.string(),
  discovery: z.object({ method: z.string(), status: z.string() }),
  asset_keys: z.array(z.string()),
  url: z.string().nullable(),
});
export type Pipeline = z.infer<typeof Pipeline>;

/** What a person set over what Git says. */
export const Control = z.object({
  mode: z.enum(['pinned', 'rolled_back', 'suspended']),
  revision_id: z.number().int().nullable().describe('What is served; null while it is suspended'),
  commit: z.string().nullable(),
  fenced: z.array(z.string()).describe('Of a rollback: commits that are not applied again'),
  by: z.string(),
  at: Timestamp,
  reason: z.string(),
  expires_at: Timestamp.nullable().describe('When it ends by itself; null: by `resume` only'),
});
export type Control = z.infer<typeof Control>;

/** Numbers of pipelines. */
export const ChangeCounts = z.object({
  added: z.number().int(),
  changed: z.number().int(),
  removed: z.number().int(),
});

export const Component = z.object({
  name: z.string(),
  repo_url: z.string(),
  ref: z.string(),
  demo: z.boolean(),
  conditions: z.array(Condition),
  refreshing: z.boolean(),
  next_refresh_at: Timestamp.nullable(),
  last_attempted: z.object({ at: Timestamp, commit: z.string().nullable() }).nullable(),
  last_applied: z
    .object({
      at: Timestamp,
      commit: z.string(),
      revision_id: z.number().int(),
      summary: ChangeCounts.nullable().describe('Pipelines that it changed; null: not kept any more'),
    })
    .nullable(),
  head: z
    .object({
      commit: z.string(),
      branch: z.string(),
      author: z.string(),
      message: z.string(),
      committed_at: Timestamp,
      url: z.string().nullable(),
      uncommitted: z
        .boolean()
        .describe('A local working copy with uncommitted changes is served: nobody else has this commit'),
    })
    .nullable(),
  control: Control.nullable(),
  remote_head: z
    .object({
      commit: z.string(),
      ahead: z.number().int().nullable().describe('Commits beyond the served one; null: it cannot be told'),
      url: z.string().nullable(),
    })
    .nullable()
    .describe('What the remote was seen to have; null: not since the start'),
  pipelines: z.array(Pipeline),
  diagnostics: z.array(Diagnostic),
});
export type Component = z.infer<typeof Component>;
export const ComponentList = page(Component);

export const Revision = z.object({
  revision_id: z.number().int(),
  component: z.string(),
  commit: z.string(),
  branch: z.string(),
  author: z.string(),
  message: z.string(),
  committed_at: Timestamp,
  started_at: Timestamp,
  applied_at: Timestamp,
  seconds: z.number(),
  trigger: z.object({ kind: z.string(), text: z.string() }),
  digest: z.string(),
  pipelines: z.number().int(),
  held: z.number().int(),
  diagnostics: z.number().int(),
  summary: ChangeCounts,
  url: z.string().nullable(),
  served: z.boolean(),
  fenced: z.boolean().describe('A rollback keeps its commit from being applied again'),
  restores: z
    .number()
    .int()
    .nullable()
    .describe('The earlier revision that a rollback or a pin went back to'),
  recent_runs: z
    .array(z.object({ run_id: z.string(), status: RunStatus, at: Timestamp }))
    .optional()
    .describe('With `runs=true`: those asked for while it was live, newest first, at most 20'),
});
export type Revision = z.infer<typeof Revision>;
export const RevisionList = page(Revision);
export const RevisionQuery = PageQuery.extend({
  runs: z.enum(['true', 'false']).optional().describe('`true`: with the last runs of each'),
});

export const FieldChange = z.object({ field: z.string(), from: z.unknown(), to: z.unknown() });
export type FieldChange = z.infer<typeof FieldChange>;
export const SnapshotDiff = z.object({
  added: z.array(z.string()),
  removed: z.array(z.string()),
  changed: z.array(z.object({ pipeline: z.string(), fields: z.array(FieldChange) })),
});
export type SnapshotDiff = z.infer<typeof SnapshotDiff>;

export const RefreshResult = z.object({
  component: z.string(),
  status: z.enum(['applied', 'unchanged', 'failed']),
  revision_id: z.number().int().nullable(),
  commit: z.string().nullable(),
  diff: SnapshotDiff,
  diagnostics: z.array(Diagnostic),
  seconds: z.number(),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().nullable() }).nullable(),
  note: z.string().nullable().describe('Why the head was not applied: pinned, rolled back, suspended'),
});
export type RefreshResult = z.infer<typeof RefreshResult>;

const HOLD = {
  reason: z.string().max(500).optional().describe('Shown wherever the hold is'),
  expires_in: z.string().optional().describe('After which time it ends by itself: `2h`, `1d`, `90m`'),
};
export const SuspendRequest = z.object(HOLD).nullish();
export const HoldRequest = z.object({
  revision: z
    .union([z.number().int().positive(), z.string().min(1).max(200)])
    .describe(
      'A revision id, a commit or its beginning; to pin also a commit that was never applied, or a tag',
    ),
  ...HOLD,
});

export const AcceptMoveRequest = z.object({
  pipeline: z.string().describe('Of a diagnostic `PIPELINE_MOVED`'),
});

export const Drift = z.object({
  kind: z.enum(['pin', 'rollback', 'suspend', 'schedule']),
  component: z.string(),
  target: z.string(),
  git: z.string().describe('As Git has it'),
  actual: z.string(),
  by: z.string(),
  at: Timestamp,
  reason: z.string(),
  expires_at: Timestamp.nullable(),
});
export type Drift = z.infer<typeof Drift>;
export const DriftList = page(Drift);
