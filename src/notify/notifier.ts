import type { EmailBody } from '../alerts/email-body.ts';
import type { ChannelTarget } from '../alerts/resolve-channel.ts';

export interface Notice {
  /** The same at each attempt: what a receiver knows a repeat by. */
  readonly deliveryId: string;
  readonly event: string;
  /** Epoch milliseconds: the date of a mail, the same at each attempt. */
  readonly at: number;
  readonly body:
    | { readonly kind: 'json'; readonly value: Readonly<Record<string, unknown>> }
    | { readonly kind: 'email'; readonly value: EmailBody };
}

export type NoticeResult =
  | { readonly ok: true; readonly response: string }
  | {
      readonly ok: false;
      /** What happened; holds no secret. */
      readonly error: string;
      /** False: the receiver refuses it, again would be no better. */
      readonly retry: boolean;
      readonly retryAfterMs: number | null;
    };

/** The way out: one attempt at a time, bounded in time and size. Never rejects. */
export interface Notifier {
  send(target: ChannelTarget, notice: Notice, signal: AbortSignal): Promise<NoticeResult>;
}
