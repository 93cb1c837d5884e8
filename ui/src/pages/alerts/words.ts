import type { AlertDelivery, AlertMute, AlertRule } from '../../../../src/server/contract/alert.ts';
import type { Shown } from '../../lib/status.ts';

const EVENTS: Readonly<Record<AlertRule['on'][number], string>> = {
  run_failure: 'a run fails for good',
  check_failure: 'a check does not pass',
  asset_stale: 'an asset is stale',
  asset_recovered: 'an asset recovers',
  pipeline_broken: 'a pipeline is broken',
  pipeline_recovered: 'a pipeline is served again',
  sync_failed: 'Git cannot be followed',
  sync_recovered: 'Git is followed again',
  backfill_failed: 'a backfill is not whole',
  schedule_missed: 'a tick is missed',
};

const DELIVERIES: Readonly<Record<AlertDelivery['status'], Shown>> = {
  waiting: { tone: 'wait', text: 'Waiting' },
  sending: { tone: 'run', text: 'Sending' },
  sent: { tone: 'ok', text: 'Sent' },
  failed: { tone: 'bad', text: 'Failed' },
  muted: { tone: 'idle', text: 'Muted' },
};

/** `when a run fails for good, or an asset is stale` */
export function eventsText(on: AlertRule['on']): string {
  const words = on.map((event) => EVENTS[event]);
  return `when ${words.join(', or ')}`;
}

export function deliveryShown({ status, attempts }: Pick<AlertDelivery, 'status' | 'attempts'>): Shown {
  if (status === 'waiting' && attempts > 0) return { tone: 'warn', text: 'Trying again' };
  return DELIVERIES[status];
}

export function ruleShown({ enabled, mute }: Pick<AlertRule, 'enabled' | 'mute'>): Shown {
  if (!enabled) return { tone: 'idle', text: 'Disabled' };
  return mute === null ? { tone: 'ok', text: 'On' } : { tone: 'warn', text: 'Muted' };
}

export function muteAuthor({ by }: AlertMute): string {
  return by === 'Git' ? 'in Git' : `by ${by}`;
}

/** What a delivery's last attempt came to, in a line. */
export function resultText({ status, error, response, uncertain }: AlertDelivery): string {
  const cut = uncertain && status !== 'sent' ? 'It may have arrived: the service ended while sending. ' : '';
  return cut + (error ?? response ?? '');
}
