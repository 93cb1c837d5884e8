import { createTransport } from 'nodemailer';
import type { EmailBody } from '../alerts/email-body.ts';
import type { ChannelTarget } from '../alerts/resolve-channel.ts';
import { isLoopback } from '../lib/loopback.ts';
import { networkError } from './network-error.ts';
import type { Notice, NoticeResult } from './notifier.ts';
import { oneLine } from './one-line.ts';

/**
 * Sends one mail. Its Message-ID is made of the delivery's id, so that a mail that is sent twice is one to the receiver.
 * A password only goes over an encrypted connection, on this machine aside.
 */
export async function sendMail(
  target: Extract<ChannelTarget, { type: 'email' }>,
  body: EmailBody,
  options: { notice: Notice; host: string; timeoutMs: number; signal: AbortSignal },
): Promise<NoticeResult> {
  const { notice, host, timeoutMs, signal } = options;
  const url = new URL(target.smtp);
  const secure = url.protocol === 'smtps:';
  const server = url.hostname.replace(/^\[|\]$/g, '');
  const user = decodeURIComponent(url.username);
  const transport = createTransport({
    host: server,
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTLS: !secure && user !== '' && !isLoopback(server),
    ...(user === '' ? {} : { auth: { user, pass: decodeURIComponent(url.password) } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const end = (): void => transport.close();
  signal.addEventListener('abort', end, { once: true });
  try {
    const info = await untilAborted(
      transport.sendMail({
        from: target.from,
        to: [...target.to],
        subject: body.subject,
        text: body.text,
        html: body.html,
        messageId: `<${notice.deliveryId}@${host}>`,
        date: new Date(notice.at),
        headers: { 'X-Elt-Delivery': notice.deliveryId, 'Auto-Submitted': 'auto-generated' },
      }),
      signal,
    );
    const refused = info.rejected.length === 0 ? '' : `; refused for ${info.rejected.join(', ')}`;
    return { ok: true, response: oneLine(info.response) + refused };
  } catch (error) {
    return failure(error);
  } finally {
    signal.removeEventListener('abort', end);
    transport.close();
  }
}

/** Permanent answers of SMTP (5xx) are not worth another attempt; a wrong password is none either. */
function failure(error: unknown): NoticeResult {
  const { responseCode, response, code } = error as {
    responseCode?: unknown;
    response?: unknown;
    code?: unknown;
  };
  if (typeof responseCode === 'number') {
    const said = typeof response === 'string' ? oneLine(response) : String(responseCode);
    return { ok: false, error: said, retry: responseCode < 500, retryAfterMs: null };
  }
  const retry = code !== 'EAUTH' && code !== 'EENVELOPE';
  return { ok: false, error: networkError(error), retry, retryAfterMs: null };
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(new Error('aborted'));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    // Whoever waits has gone; how it ends is nobody's business any more.
    work.catch(() => undefined);
  }
}
