import { createHmac } from 'node:crypto';
import type { ChannelTarget } from '../alerts/resolve-channel.ts';
import { networkError } from './network-error.ts';
import type { Notice, NoticeResult } from './notifier.ts';
import { oneLine } from './one-line.ts';

/** What is read of an answer, at most. */
const LARGEST_ANSWER = 4096;

/**
 * POSTs JSON once. Redirects are not followed: they would carry the body to a host that nobody named. 408, 429 and 5xx
 * are worth another attempt, other refusals are not. The signature is GitHub's: HMAC-SHA256 of the bytes sent.
 */
export async function postJson(
  target: Extract<ChannelTarget, { type: 'slack' | 'webhook' }>,
  value: Readonly<Record<string, unknown>>,
  { notice, version, signal }: { notice: Notice; version: string; signal: AbortSignal },
): Promise<NoticeResult> {
  const body = JSON.stringify(value);
  const headers: Record<string, string> = {
    ...target.headers,
    'content-type': 'application/json; charset=utf-8',
    'user-agent': `elt/${version}`,
  };
  if (target.type === 'webhook') {
    headers['x-elt-delivery'] = notice.deliveryId;
    headers['x-elt-event'] = notice.event;
    if (target.secret !== null) {
      headers['x-elt-signature-256'] =
        `sha256=${createHmac('sha256', target.secret).update(body).digest('hex')}`;
    }
  }
  try {
    const response = await fetch(target.url, { method: 'POST', headers, body, redirect: 'manual', signal });
    // Its status says that it was taken: a message whose answer does not end is not sent again.
    const answer = await beginningOf(response).catch(() => '');
    if (response.ok) return { ok: true, response: `${response.status} ${answer}`.trim() };
    return refusal(response, answer);
  } catch (error) {
    return { ok: false, error: networkError(error), retry: true, retryAfterMs: null };
  }
}

function refusal(response: Response, answer: string): NoticeResult {
  const { status } = response;
  if (status >= 300 && status < 400) {
    return { ok: false, error: `${status}: redirects are not followed`, retry: false, retryAfterMs: null };
  }
  const retry = status === 408 || status === 429 || status >= 500;
  const retryAfterMs = retry ? retryAfter(response.headers.get('retry-after')) : null;
  return { ok: false, error: `${status} ${answer}`.trim(), retry, retryAfterMs };
}

/** Seconds or a date (RFC 9110 §10.2.3); null: neither. */
function retryAfter(text: string | null): number | null {
  if (text === null) return null;
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}

/** The first bytes, on one line; what else comes is not read. */
async function beginningOf(response: Response): Promise<string> {
  if (response.body === null) return '';
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  while (size < LARGEST_ANSWER) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    size += value.length;
  }
  await reader.cancel().catch(() => undefined);
  const text = new TextDecoder().decode(Buffer.concat(pieces).subarray(0, LARGEST_ANSWER));
  return oneLine(text);
}
