import type { DefinedAlerts } from '../definitions/alerts.ts';
import type { Instant } from '../lib/clock.ts';

/** Whether a channel could send now. Never with a value of a variable. */
export type ChannelState =
  | { readonly ready: true }
  | { readonly ready: false; readonly problem: string; readonly hint: string };

/** What people may do with alerts; the delivery log and mutes themselves are the store's. */
export interface Alerting {
  /** Channels by id. */
  states(alerts: DefinedAlerts): ReadonlyMap<string, ChannelState>;
  /**
   * Sends a sample by each channel of a rule, at once, muted or not; ids of the deliveries, which have ended. Throws
   * `ALERT_RULE_NOT_FOUND`.
   */
  testRule(rule: string, by: string): Promise<readonly string[]>;
  /** Throws `ALERT_CHANNEL_NOT_FOUND`. */
  testChannel(channel: string, by: string): Promise<string>;
  /** A delivery that was given up is tried again. Throws `ALERT_DELIVERY_NOT_FOUND`, `ALERT_NOT_RETRYABLE`. */
  retry(deliveryId: string, by: string): Promise<void>;
  /** @param until null: until somebody unmutes it */
  mute(rule: string, until: Instant | null, reason: string, by: string): Promise<void>;
  unmute(rule: string, by: string): Promise<void>;
}
