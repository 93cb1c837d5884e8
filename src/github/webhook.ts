import { verify } from '@octokit/webhooks-methods';
import { z } from 'zod';
import { OperationalError } from '../lib/errors.ts';

/** What of a delivery the service acts on. */
export type WebhookEvent =
  | { readonly kind: 'ping'; readonly delivery: string }
  | {
      readonly kind: 'push';
      readonly delivery: string;
      /** Addresses by which the payload names its repository: only compared, never contacted. */
      readonly addresses: readonly string[];
      /** `refs/heads/main`, `refs/tags/v1`. */
      readonly ref: string;
      readonly after: string;
      readonly deleted: boolean;
    }
  | {
      readonly kind: 'pull_request';
      readonly delivery: string;
      readonly addresses: readonly string[];
      readonly action: string;
      readonly number: number;
      readonly head: string;
      /** Branch that it wants to change; '' when the payload does not say. */
      readonly base: string;
    }
  | { readonly kind: 'other'; readonly delivery: string; readonly event: string };

export interface WebhookRequest {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** As received: the signature is of these bytes. */
  readonly body: Uint8Array;
  readonly secret: string | null;
}

/** GitHub's own cap on a payload (docs.github.com, "Webhook events and payloads"). */
export const LARGEST_WEBHOOK_BODY = 25 * 1024 * 1024;
const SIGNATURE = /^sha256=[0-9a-f]{64}$/;

const Repository = z.object({
  clone_url: z.string().optional(),
  ssh_url: z.string().optional(),
  git_url: z.string().optional(),
  html_url: z.string().optional(),
  url: z.string().optional(),
});
const Push = z.object({
  ref: z.string(),
  after: z.string(),
  deleted: z.boolean().optional(),
  repository: Repository,
});
const PullRequest = z.object({
  action: z.string(),
  number: z.int(),
  pull_request: z.object({
    head: z.object({ sha: z.string() }),
    base: z.object({ ref: z.string() }).optional(),
  }),
  repository: Repository,
});

/**
 * Checks size and signature (constant time, SHA-256 only) before anything is parsed, then reads the event from JSON or
 * a form's `payload` field.
 * Throws `WEBHOOK_SECRET_MISSING`, `WEBHOOK_BODY_TOO_LARGE`, `WEBHOOK_SIGNATURE_INVALID`, `WEBHOOK_BODY_INVALID`.
 */
export async function readWebhook(request: WebhookRequest): Promise<WebhookEvent> {
  const { body, secret } = request;
  if (secret === null) {
    throw new OperationalError(
      'WEBHOOK_SECRET_MISSING',
      'ELT_WEBHOOK_SECRET is not set, no delivery is accepted',
      {
        hint: 'add the line "ELT_WEBHOOK_SECRET=<the secret of the webhook>" to .env and start again',
      },
    );
  }
  if (body.byteLength > LARGEST_WEBHOOK_BODY) {
    throw new OperationalError('WEBHOOK_BODY_TOO_LARGE', 'the body is larger than 25 MB');
  }
  await checkSignature(header(request, 'x-hub-signature-256'), body, secret);
  const delivery = header(request, 'x-github-delivery');
  const event = header(request, 'x-github-event');
  if (delivery === '' || delivery.length > 200) throw invalid('the header X-GitHub-Delivery is missing');
  if (event === '') throw invalid('the header X-GitHub-Event is missing');
  const payload = parsePayload(header(request, 'content-type'), body);
  if (event === 'ping') return { kind: 'ping', delivery };
  if (event === 'push') {
    const { ref, after, deleted, repository } = read(Push, payload);
    return {
      kind: 'push',
      delivery,
      addresses: addressesOf(repository),
      ref,
      after,
      deleted: deleted ?? /^0+$/.test(after),
    };
  }
  if (event === 'pull_request') {
    const { action, number, pull_request, repository } = read(PullRequest, payload);
    return {
      kind: 'pull_request',
      delivery,
      addresses: addressesOf(repository),
      action,
      number,
      head: pull_request.head.sha,
      base: pull_request.base?.ref ?? '',
    };
  }
  return { kind: 'other', delivery, event: event.slice(0, 100) };
}

async function checkSignature(signature: string, body: Uint8Array, secret: string): Promise<void> {
  // Bytes that are no UTF-8 become other bytes here, and are refused: the signature was over what was sent.
  const text = Buffer.from(body).toString('utf8');
  const good = SIGNATURE.test(signature) && text !== '' && (await verify(secret, text, signature));
  if (good) return;
  throw new OperationalError(
    'WEBHOOK_SIGNATURE_INVALID',
    signature === '' ? 'the header X-Hub-Signature-256 is missing' : 'the signature does not fit the body',
    { hint: "the webhook's secret on GitHub has to be ELT_WEBHOOK_SECRET" },
  );
}

function parsePayload(contentType: string, body: Uint8Array): unknown {
  const text = Buffer.from(body).toString('utf8');
  const isForm = contentType.toLowerCase().startsWith('application/x-www-form-urlencoded');
  const json = isForm ? new URLSearchParams(text).get('payload') : text;
  try {
    return JSON.parse(json ?? '');
  } catch {
    throw invalid(isForm ? 'the form field "payload" is not JSON' : 'the body is not JSON');
  }
}

function read<T>(schema: z.ZodType<T>, payload: unknown): T {
  const result = schema.safeParse(payload);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw invalid(`${issue?.path.join('.') || 'the payload'}: ${issue?.message ?? 'it cannot be read'}`);
}

function addressesOf(repository: z.infer<typeof Repository>): string[] {
  const { clone_url, ssh_url, git_url, html_url, url } = repository;
  return [clone_url, ssh_url, git_url, html_url, url].filter((address) => address !== undefined);
}

function header(request: WebhookRequest, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

function invalid(message: string): OperationalError {
  return new OperationalError('WEBHOOK_BODY_INVALID', message);
}
