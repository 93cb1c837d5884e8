import type { Alerting } from '../../alerts/alerting.ts';
import { variablesOf } from '../../definitions/alert-variables.ts';
import type { DefinedChannel, DefinedRule } from '../../definitions/alerts.ts';
import type { DeliveryRow, RuleMute } from '../../store/alert-store.ts';
import type { AlertChannel, AlertDelivery, AlertMute, AlertRule } from '../contract/alert.ts';
import { linkOf, timestamp, timestampOrNull, type ViewContext } from './view-context.ts';

export function alertDeliveryView(row: DeliveryRow): AlertDelivery {
  return {
    delivery_id: row.deliveryId,
    alert_id: row.alertId,
    rule: row.rule,
    channel: row.channel,
    event: row.event,
    severity: row.severity,
    title: row.title,
    count: row.count,
    test: row.isTest,
    status: row.status,
    attempts: row.attempts,
    created_at: timestamp(row.createdAt),
    next_attempt_at: row.status === 'waiting' ? timestamp(row.dueAt) : null,
    ended_at: timestampOrNull(row.endedAt),
    error: row.lastError,
    response: row.response,
    uncertain: row.uncertain,
  };
}

export function alertRuleView(
  context: ViewContext,
  rule: DefinedRule,
  mute: RuleMute | undefined,
  last: DeliveryRow | undefined,
): AlertRule {
  return {
    name: rule.id,
    component: rule.component,
    on: [...rule.on],
    select: rule.select,
    channels: [...rule.channelIds],
    severity: rule.severity,
    enabled: rule.enabled,
    repeat_after_seconds: rule.repeatAfterSeconds,
    group_wait_seconds: rule.groupWaitSeconds,
    mute: muteView(context, rule, mute),
    source: sourceView(context, rule),
    last_delivery: last === undefined ? null : alertDeliveryView(last),
  };
}

/** Never its address. */
export function alertChannelView(
  context: ViewContext,
  channel: DefinedChannel,
  states: ReturnType<Alerting['states']>,
  last: DeliveryRow | undefined,
): AlertChannel {
  const state = states.get(channel.id);
  return {
    name: channel.id,
    component: channel.component,
    type: channel.type,
    variables: [...variablesOf(channel)],
    ready: state?.ready ?? false,
    problem: state?.ready === false ? state.problem : null,
    hint: state?.ready === false ? state.hint : null,
    source: sourceView(context, channel),
    last_delivery: last === undefined ? null : alertDeliveryView(last),
  };
}

function muteView(context: ViewContext, rule: DefinedRule, mute: RuleMute | undefined): AlertMute | null {
  if (mute !== undefined) {
    const { until, by, at, reason } = mute;
    return { until: timestampOrNull(until), by, at: timestamp(at), reason };
  }
  const own = rule.mute;
  if (own === null || (own.until !== null && own.until <= context.now)) return null;
  return { until: timestampOrNull(own.until), by: 'Git', at: null, reason: '' };
}

function sourceView(
  context: ViewContext,
  { component, source }: Pick<DefinedRule, 'component' | 'source'>,
): AlertRule['source'] {
  const { file, line } = source;
  const commit = context.components.get(component)?.snapshot?.repo.commit;
  return {
    file,
    line,
    url: commit === undefined ? null : linkOf(context, component, { commit, path: file, line }),
  };
}
