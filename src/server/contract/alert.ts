import { z } from 'zod';
import { ALERT_EVENTS } from '../../definitions/alerts.ts';
import { PageQuery, page, Timestamp } from './common.ts';

export const AlertEventName = z.enum(ALERT_EVENTS);
export const AlertSeverityName = z.enum(['WARN', 'ERROR']);
export const DeliveryState = z.enum(['waiting', 'sending', 'sent', 'failed', 'muted']);
export type DeliveryState = z.infer<typeof DeliveryState>;

const Source = z.object({ file: z.string(), line: z.number().int(), url: z.string().nullable() });

export const AlertDelivery = z.object({
  delivery_id: z.string().describe('The `X-ELT-Delivery` of a webhook, the left side of a Message-ID'),
  alert_id: z.string(),
  rule: z.string().nullable().describe('Null: a test of the channel'),
  channel: z.string(),
  event: AlertEventName,
  severity: AlertSeverityName,
  title: z.string(),
  count: z.number().int().describe('How many things the message tells of'),
  test: z.boolean(),
  status: DeliveryState.describe('`failed`: given up; `muted`: nothing is sent'),
  attempts: z.number().int(),
  created_at: Timestamp,
  next_attempt_at: Timestamp.nullable(),
  ended_at: Timestamp.nullable(),
  error: z.string().nullable().describe('Of the last attempt'),
  response: z.string().nullable().describe('What the receiver said'),
  uncertain: z
    .boolean()
    .describe('The service ended while it was being sent: it may have arrived before its last attempt'),
});
export type AlertDelivery = z.infer<typeof AlertDelivery>;

export const AlertMute = z.object({
  until: Timestamp.nullable(),
  by: z.string().describe('`Git`: the rule says so itself'),
  at: Timestamp.nullable(),
  reason: z.string(),
});
export type AlertMute = z.infer<typeof AlertMute>;

export const AlertRule = z.object({
  name: z.string(),
  component: z.string(),
  on: z.array(AlertEventName),
  select: z.string().nullable(),
  channels: z.array(z.string()),
  severity: AlertSeverityName.describe('The least that is told'),
  enabled: z.boolean(),
  repeat_after_seconds: z.number().nullable(),
  group_wait_seconds: z.number(),
  mute: AlertMute.nullable(),
  source: Source,
  last_delivery: AlertDelivery.nullable(),
});
export type AlertRule = z.infer<typeof AlertRule>;

export const AlertChannel = z.object({
  name: z.string(),
  component: z.string(),
  type: z.enum(['slack', 'email', 'webhook']),
  variables: z.array(z.string()).describe('Names, never values'),
  ready: z.boolean(),
  problem: z.string().nullable().describe('Why it cannot send'),
  hint: z.string().nullable(),
  source: Source,
  last_delivery: AlertDelivery.nullable(),
});
export type AlertChannel = z.infer<typeof AlertChannel>;

export const AlertOverview = z.object({
  rules: z.array(AlertRule),
  channels: z.array(AlertChannel),
});
export type AlertOverview = z.infer<typeof AlertOverview>;

export const AlertDeliveryQuery = PageQuery.extend({
  status: DeliveryState.optional(),
  rule: z.string().optional(),
  channel: z.string().optional(),
});
export const AlertDeliveryList = page(AlertDelivery);
export const AlertTestResult = z.object({ items: z.array(AlertDelivery) });
export type AlertTestResult = z.infer<typeof AlertTestResult>;

export const AlertMuteRequest = z
  .object({
    reason: z.string().max(500).optional(),
    expires_in: z.string().optional().describe('`2h`, `1d`, `90m`; absent: until it is unmuted'),
  })
  .nullish();
