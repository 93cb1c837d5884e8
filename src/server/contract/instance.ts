import { z } from 'zod';
import { PageQuery, page, RunStatus, Timestamp } from './common.ts';

export const Instance = z.object({
  version: z.string(),
  url: z.string(),
  demo: z.boolean(),
  started_at: Timestamp,
  definitions_digest: z.string(),
  counts: z.object({
    pipelines: z.number().int(),
    disabled: z.number().int(),
    held: z.number().int(),
    assets: z.number().int(),
    schedules: z.number().int(),
    errors: z.number().int(),
    warnings: z.number().int(),
    runs: z.partialRecord(RunStatus, z.number().int()),
  }),
  daemons: z.array(
    z.object({
      name: z.string(),
      at: Timestamp,
      status: z.enum(['ok', 'failed']),
      last_error: z.string().nullable(),
    }),
  ),
  concurrency: z.object({
    steps: z.number().int(),
    in_flight: z.number().int(),
    pools: z.record(z.string(), z.object({ limit: z.number().int(), held: z.number().int() })),
  }),
  alerts: z.object({
    failed: z.number().int().describe('Messages given up within the last day'),
    last_error: z.string().nullable(),
    unready: z
      .array(z.object({ channel: z.string(), problem: z.string(), hint: z.string() }))
      .describe('Channels of rules that cannot send'),
  }),
  storage: z.object({ database_bytes: z.number() }),
  environments: z.array(
    z.object({
      env_key: z.string(),
      status: z.enum(['building', 'ready', 'failed']),
      stage: z.string(),
      message: z.string(),
    }),
  ),
  last_event_id: z.number().int(),
  groups: z.array(z.string()),
});
export type Instance = z.infer<typeof Instance>;

export const AuditEntry = z.object({
  kind: z
    .enum(['change', 'launch', 'revision'])
    .describe('Done by a person or a delivery; a run that began by itself; a revision that was applied'),
  audit_id: z.number().int().describe('Of its kind'),
  at: Timestamp,
  actor: z.string(),
  action: z.string(),
  target: z.string(),
  details: z.record(z.string(), z.unknown()),
});
export type AuditEntry = z.infer<typeof AuditEntry>;
export const AuditQuery = PageQuery.extend({
  target: z.string().optional().describe('Only what was done to this run, backfill, schedule or component'),
  actor: z.string().optional().describe('`cli:ada`, `page`, `schedule:dlt_orders_schedule`, `poll`, …'),
  action: z.string().optional().describe('Its beginning: `run.`, `component.pin`'),
  people: z.enum(['true', 'false']).optional().describe('`true`: only what people and deliveries did'),
});
export const AuditList = page(AuditEntry);
export type AuditList = z.infer<typeof AuditList>;

/**
 * A message of `GET /api/v1/events` (Server-Sent Events): `id:` is the event id of the log, `event:` is `change`,
 * `log` or `reset` (the client's `Last-Event-ID` is too old: fetch anew), `data:` this object. Log messages carry no id.
 */
export const StreamChange = z.object({
  event_id: z.number().int(),
  at: Timestamp,
  type: z
    .string()
    .describe(
      'Type of the log event: run_started, step_succeeded, materialization, revision_applied, tick, …',
    ),
  run_id: z.string().nullable(),
  step_key: z.string().nullable(),
  attempt: z.number().int().nullable(),
  /** What a page has to look at again. */
  asset_keys: z.array(z.string()),
  component: z.string().nullable(),
  schedule: z.string().nullable(),
  backfill_id: z.string().nullable().describe('The backfill that changed, or that the run is of'),
  payload: z.record(z.string(), z.unknown()),
});
export type StreamChange = z.infer<typeof StreamChange>;

/** `?log=<run id>` adds these to the stream: more lines of a step are there. */
export const StreamLog = z.object({ run_id: z.string(), step_key: z.string(), attempt: z.number().int() });
export type StreamLog = z.infer<typeof StreamLog>;
