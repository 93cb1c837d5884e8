import { z } from 'zod';

/** ISO 8601 instant in UTC with milliseconds, `2026-11-21T08:00:00.000Z`. */
export const Timestamp = z.iso.datetime();
export const AssetKeyText = z
  .string()
  .min(1)
  .describe('Asset key, `/`-joined; percent-encoded it is one URL segment');

export const Commit = z.object({
  component: z.string(),
  commit: z.string().describe('Full SHA'),
  url: z.string().nullable().describe('Link to the folder or commit at the Git host, if the host is known'),
});
export type Commit = z.infer<typeof Commit>;

export const Severity = z.enum(['error', 'warning', 'info']);

export const Diagnostic = z.object({
  code: z.string(),
  severity: Severity,
  message: z.string(),
  file: z.string(),
  line: z.number().int(),
  column: z.number().int(),
  hint: z.string().nullable(),
  path: z.string().nullable(),
  pipeline: z.string().nullable(),
  component: z.string().nullable(),
  /** The line at fault with two lines around it; empty if the file cannot be read. */
  excerpt: z.array(z.object({ line: z.number().int(), text: z.string() })),
  url: z.string().nullable(),
});
export type Diagnostic = z.infer<typeof Diagnostic>;

/** RFC 9457. */
export const Problem = z.object({
  type: z.string().describe('Link to the heading in docs/errors.md'),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  hint: z.string().nullable(),
  diagnostics: z.array(Diagnostic),
});
export type Problem = z.infer<typeof Problem>;

export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).optional(),
  cursor: z.string().optional(),
});

export function page<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next_cursor: z.string().nullable() });
}

export const RunStatus = z.enum(['QUEUED', 'STARTED', 'CANCELING', 'SUCCESS', 'FAILURE', 'CANCELED']);
export type RunStatus = z.infer<typeof RunStatus>;

export const StepStatus = z.enum([
  'waiting',
  'dispatched',
  'running',
  'attempt_failed',
  'retry_wait',
  'succeeded',
  'failed',
  'canceled',
  'skipped',
]);
export type StepStatus = z.infer<typeof StepStatus>;

export const MetadataValue = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  z.array(z.unknown()),
  z.record(z.string(), z.unknown()),
]);
export const Metadata = z.record(z.string(), MetadataValue);
export type Metadata = z.infer<typeof Metadata>;

export const PartitionSelection = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('none') }),
  z.object({ kind: z.literal('key'), key: z.string() }),
  z.object({ kind: z.literal('range'), start: z.string(), end: z.string() }),
  z.object({ kind: z.literal('keys'), keys: z.array(z.string()) }),
]);
export type PartitionSelection = z.infer<typeof PartitionSelection>;
