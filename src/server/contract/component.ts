import { z } from 'zod';
import { Diagnostic, page, Timestamp } from './common.ts';

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

export const Component = z.object({
  name: z.string(),
  repo_url: z.string(),
  ref: z.string(),
  demo: z.boolean(),
  conditions: z.array(Condition),
  refreshing: z.boolean(),
  next_refresh_at: Timestamp.nullable(),
  last_attempted: z.object({ at: Timestamp, commit: z.string().nullable() }).nullable(),
  last_applied: z.object({ at: Timestamp, commit: z.string(), revision_id: z.number().int() }).nullable(),
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
  summary: z.object({ added: z.number().int(), changed: z.number().int(), removed: z.number().int() }),
  url: z.string().nullable(),
});
export type Revision = z.infer<typeof Revision>;
export const RevisionList = page(Revision);

export const FieldChange = z.object({ field: z.string(), from: z.unknown(), to: z.unknown() });
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
});
export type RefreshResult = z.infer<typeof RefreshResult>;
