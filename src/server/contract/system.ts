import { z } from 'zod';

export const Health = z.object({
  status: z.enum(['ok', 'draining']),
  name: z.literal('elt-gitops'),
  version: z.string(),
  pid: z.number().int(),
});
export type Health = z.infer<typeof Health>;

export const Readiness = z.object({
  ready: z.boolean(),
  waiting_for: z.array(z.string()).describe('What is not there yet, for people'),
});
export type Readiness = z.infer<typeof Readiness>;

export const RefreshQuery = z.object({
  wait: z.enum(['true', 'false']).optional().describe('`true`: answer when the refresh has ended'),
  allow_prune: z
    .enum(['true', 'false'])
    .optional()
    .describe('`true`: a revision without any pipeline may be applied'),
});
export const RefreshAccepted = z.object({ component: z.string(), accepted: z.literal(true) });
export type RefreshAccepted = z.infer<typeof RefreshAccepted>;

export const CancelResponse = z.object({ run_id: z.string(), accepted: z.literal(true) });
export type CancelResponse = z.infer<typeof CancelResponse>;

export const WebhookResponse = z.object({
  outcome: z
    .enum(['refreshing', 'planning', 'ignored', 'seen'])
    .describe('`seen`: this delivery came before and nothing is done again'),
  reason: z.string(),
  components: z.array(z.string()).describe('Components that will be refreshed, or whose plan will be told'),
});
export type WebhookResponse = z.infer<typeof WebhookResponse>;

export const StreamQuery = z.object({
  log: z.string().optional().describe('Runs whose log notices are wanted too, comma-separated'),
  after: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .describe('Where to begin, for clients that cannot set `Last-Event-ID`, which wins'),
});
