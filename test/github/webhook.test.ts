import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LARGEST_WEBHOOK_BODY, readWebhook } from '../../src/github/webhook.ts';
import { OperationalError } from '../../src/lib/errors.ts';

const SECRET = 'webhook-secret';
const PUSH = {
  ref: 'refs/heads/main',
  after: 'a'.repeat(40),
  repository: { clone_url: 'https://github.com/acme/x.git', ssh_url: 'git@github.com:acme/x.git' },
};

function signed(body: string | Uint8Array, headers: Record<string, string> = {}, secret = SECRET) {
  return {
    secret: SECRET,
    body: typeof body === 'string' ? Buffer.from(body) : body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': 'delivery-1',
      'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
      ...headers,
    },
  };
}

describe('what is accepted', () => {
  it('a push, as JSON and as a form', async () => {
    const event = {
      kind: 'push',
      delivery: 'delivery-1',
      ref: 'refs/heads/main',
      after: PUSH.after,
      deleted: false,
      addresses: ['https://github.com/acme/x.git', 'git@github.com:acme/x.git'],
    };
    const json = JSON.stringify(PUSH);
    expect(await readWebhook(signed(json))).toEqual(event);
    const form = `payload=${encodeURIComponent(json)}`;
    expect(await readWebhook(signed(form, { 'content-type': 'application/x-www-form-urlencoded' }))).toEqual(
      event,
    );
  });

  it('ping, a deleted branch, a pull request, anything else', async () => {
    expect(await readWebhook(signed('{"zen":"x"}', { 'x-github-event': 'ping' }))).toMatchObject({
      kind: 'ping',
    });
    const deleted = JSON.stringify({ ...PUSH, deleted: true, after: '0'.repeat(40) });
    expect(await readWebhook(signed(deleted))).toMatchObject({ kind: 'push', deleted: true });
    const pull = JSON.stringify({
      action: 'opened',
      number: 7,
      pull_request: { head: { sha: 'b' } },
      repository: PUSH.repository,
    });
    expect(await readWebhook(signed(pull, { 'x-github-event': 'pull_request' }))).toMatchObject({
      kind: 'pull_request',
      number: 7,
    });
    expect(await readWebhook(signed('{}', { 'x-github-event': 'star' }))).toMatchObject({
      kind: 'other',
      event: 'star',
    });
  });
});

describe('W2: signatures', () => {
  const json = JSON.stringify(PUSH);
  it.each([
    ['of another secret', signed(json, {}, 'other')],
    ['missing', signed(json, { 'x-hub-signature-256': '' })],
    [
      'truncated',
      signed(json, { 'x-hub-signature-256': signed(json).headers['x-hub-signature-256'].slice(0, -1) }),
    ],
    [
      'SHA-1 only',
      signed(json, {
        'x-hub-signature-256': '',
        'x-hub-signature': `sha1=${createHmac('sha1', SECRET).update(json).digest('hex')}`,
      }),
    ],
    [
      'SHA-1 in the place of SHA-256',
      signed(json, {
        'x-hub-signature-256': `sha1=${createHmac('sha1', SECRET).update(json).digest('hex')}`,
      }),
    ],
    ['over other bytes', { ...signed(json), body: Buffer.from(`${json} `) }],
    ['over bytes that are no UTF-8', signed(Buffer.from([0x7b, 0xff, 0x7d]))],
    ['of an empty body', signed('')],
  ])('%s', async (_, request) => {
    await expect(readWebhook(request)).rejects.toMatchObject({ code: 'WEBHOOK_SIGNATURE_INVALID' });
  });

  it('without a secret nothing is accepted', async () => {
    await expect(readWebhook({ ...signed(json), secret: null })).rejects.toMatchObject({
      code: 'WEBHOOK_SECRET_MISSING',
    });
  });
});

it('W3: a body of more than 25 MB is refused before anything else', async () => {
  const body = Buffer.alloc(LARGEST_WEBHOOK_BODY + 1);
  await expect(readWebhook({ ...signed('x'), body })).rejects.toMatchObject({
    code: 'WEBHOOK_BODY_TOO_LARGE',
  });
});

describe('W4: bodies that cannot be read', () => {
  it.each([
    ['no JSON', 'x'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a number where text belongs', JSON.stringify({ ...PUSH, ref: 1 })],
    ['no repository', JSON.stringify({ ...PUSH, repository: undefined })],
    ['__proto__', '{"__proto__": {"ref": "refs/heads/main", "after": "a"}}'],
    ['deep nesting', '['.repeat(200_000)],
  ])('%s', async (_, body) => {
    await expect(readWebhook(signed(body))).rejects.toMatchObject({ code: 'WEBHOOK_BODY_INVALID' });
  });

  it('any JSON gives an event or that error', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.jsonValue(),
        fc.constantFrom('push', 'pull_request', 'ping', 'x'),
        async (value, event) => {
          const result = await readWebhook(signed(JSON.stringify(value), { 'x-github-event': event })).catch(
            (error: unknown) => error,
          );
          if (result instanceof Error) expect(result).toBeInstanceOf(OperationalError);
        },
      ),
    );
  });
});
