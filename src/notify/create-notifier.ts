import { createRedactor } from '../lib/secret.ts';
import { postJson } from './http.ts';
import type { NoticeResult, Notifier } from './notifier.ts';

export interface NotifierOptions {
  /** For `User-Agent`. */
  readonly version: string;
  /** Host of the page: the right side of Message-IDs. */
  readonly host: string;
  /** Of one attempt. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const LONGEST_ANSWER = 250;

/** Slack, webhooks and mail. What a receiver answers or a failure says passes the redactor before anybody sees it. */
export function createNotifier({ version, host, timeoutMs = TIMEOUT_MS }: NotifierOptions): Notifier {
  return {
    async send(target, notice, signal) {
      const redact = createRedactor(target.secrets);
      // Masked before it is cut: half a secret would be found by nobody.
      const shown = (text: string): string => redact(text).slice(0, LONGEST_ANSWER);
      const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const result = await attempt(bounded);
      if (result.ok) return { ...result, response: shown(result.response) };
      const error =
        bounded.aborted && !signal.aborted ? `no answer within ${timeoutMs / 1000} s` : result.error;
      return { ...result, error: shown(error) };

      async function attempt(abort: AbortSignal): Promise<NoticeResult> {
        if (target.type === 'email' && notice.body.kind === 'email') {
          // Only who sends mail pays for its import.
          const { sendMail } = await import('./mail.ts');
          return sendMail(target, notice.body.value, { notice, host, timeoutMs, signal: abort });
        }
        if (target.type !== 'email' && notice.body.kind === 'json') {
          return postJson(target, notice.body.value, { notice, version, signal: abort });
        }
        return { ok: false, error: 'this message is not for this channel', retry: false, retryAfterMs: null };
      }
    },
  };
}
