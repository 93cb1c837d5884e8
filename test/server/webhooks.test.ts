import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RETENTION } from '../../src/daemons/retention.ts';
import { type Surface, type SurfaceOptions, surface } from '../helpers/surface.ts';

const SECRET = 'a webhook secret';
const CONFIGURED: SurfaceOptions = { settings: { webhookSecret: SECRET } };
const PUSH = {
  ref: 'refs/heads/main',
  after: 'd'.repeat(40),
  repository: { clone_url: 'https://github.com/shop/pipelines.git' },
};

function sign(body: string | Buffer, secret = SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

interface Sent {
  readonly body?: string | Buffer;
  readonly event?: string;
  readonly delivery?: string;
  readonly signature?: string;
  readonly type?: string;
  readonly url?: string;
}

function deliver({ app }: Surface, sent: Sent = {}) {
  const body = sent.body ?? JSON.stringify(PUSH);
  return app.inject({
    method: 'POST',
    url: sent.url ?? '/webhooks/github',
    payload: body,
    headers: {
      'content-type': sent.type ?? 'application/json',
      'x-github-event': sent.event ?? 'push',
      'x-github-delivery': sent.delivery ?? 'delivery-1',
      'x-hub-signature-256': sent.signature ?? sign(body),
      // Git hosts come by any name: this route has no Host check.
      host: 'elt.example.com',
    },
  });
}

describe('webhooks', () => {
  it.each(['/webhooks/github', '/webhook'])('asks for a refresh by a signed push: %s', async (url) => {
    const service = await surface(CONFIGURED);
    const response = await deliver(service, { url });
    expect(response.statusCode, response.body).toBe(202);
    expect(response.json()).toMatchObject({ outcome: 'refreshing', components: ['main'] });
    expect(service.refreshes).toEqual([
      { component: 'main', trigger: { kind: 'webhook', delivery: 'delivery-1' } },
    ]);
  });

  it('takes a form', async () => {
    const service = await surface(CONFIGURED);
    const body = new URLSearchParams({ payload: JSON.stringify(PUSH) }).toString();
    const response = await deliver(service, { body, type: 'application/x-www-form-urlencoded' });
    expect([response.statusCode, service.refreshes.length]).toEqual([202, 1]);
  });

  it('W1: does nothing for a delivery that it has seen, and says so with 200', async () => {
    const service = await surface(CONFIGURED);
    await deliver(service);
    service.clock.advance(2 * 24 * 3600 * 1000);
    const again = await deliver(service);
    expect([again.statusCode, again.json<{ outcome: string }>().outcome]).toEqual([200, 'seen']);
    expect(service.refreshes).toHaveLength(1);
  });

  it('W1: knows a delivery that is sent again after the 3 days in which GitHub does, retention or not', async () => {
    const service = await surface(CONFIGURED);
    await deliver(service);
    service.clock.advance(3 * 24 * 3600 * 1000);
    const now = service.clock.now();
    const { events, ticks, deliveries } = DEFAULT_RETENTION;
    const since = { eventsSince: now - events, ticksSince: now - ticks, deliveriesSince: now - deliveries };
    await service.store.operations.prune(since);
    const again = await deliver(service);
    expect([again.statusCode, again.json<{ outcome: string }>().outcome]).toEqual([200, 'seen']);
    expect(service.refreshes).toHaveLength(1);
  });

  it.each([
    ['missing', '', 401],
    ['of another secret', sign(JSON.stringify(PUSH), 'other'), 401],
    ['of other bytes', sign('{}'), 401],
    ['SHA-1', `sha1=${'a'.repeat(40)}`, 401],
    ['cut', sign(JSON.stringify(PUSH)).slice(0, -2), 401],
  ])('W2: refuses a signature that is %s, and nothing happens', async (_name, signature, status) => {
    const service = await surface(CONFIGURED);
    const response = await deliver(service, { signature });
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([
      status,
      'WEBHOOK_SIGNATURE_INVALID',
    ]);
    expect(service.refreshes).toEqual([]);
    expect(await service.store.operations.deliveries(10)).toEqual([]);
  });

  it('refuses everything with 503 while no secret is set', async () => {
    const service = await surface();
    const response = await deliver(service);
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([
      503,
      'WEBHOOK_SECRET_MISSING',
    ]);
    expect(service.refreshes).toEqual([]);
  });

  it('W3: refuses a huge body with 413 before it has read it', async () => {
    const service = await surface(CONFIGURED);
    await service.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = service.app.server.address() as { port: number };
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(
          `POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Hub-Signature-256: ${sign('x')}\r\nContent-Length: 99999999999\r\n\r\nstart`,
        );
      });
      socket.setEncoding('utf8').on('data', resolve).on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('WEBHOOK_BODY_TOO_LARGE');
  });

  it('W3: refuses what is unsigned before it has read the body', async () => {
    const service = await surface(CONFIGURED);
    await service.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = service.app.server.address() as { port: number };
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write('POST /webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
      });
      socket.setEncoding('utf8').on('data', resolve).on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('W3: refuses a body without end with 413 once it is too large, in bounded memory', async () => {
    const service = await surface(CONFIGURED);
    await service.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = service.app.server.address() as { port: number };
    const chunk = Buffer.from(`100000\r\n${'x'.repeat(0x100000)}\r\n`);
    const before = process.memoryUsage().rss;
    let sent = 0;
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(
          `POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Hub-Signature-256: ${sign('x')}\r\nTransfer-Encoding: chunked\r\n\r\n`,
        );
        const more = (): void => {
          while (!socket.destroyed) {
            sent += chunk.length;
            if (!socket.write(chunk)) return;
          }
        };
        socket.on('drain', more);
        more();
      });
      socket.setEncoding('utf8').once('data', (text) => {
        socket.destroy();
        resolve(String(text));
      });
      socket.on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(sent).toBeLessThan(60_000_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
    expect(await service.store.operations.deliveries(10)).toEqual([]);
  });

  it('W3: ends a body that comes too slowly with 408', async () => {
    const service = await surface(CONFIGURED);
    await service.app.ready();
    expect(service.app.server.requestTimeout).toBe(30_000);
    // The same limit, sooner: nobody waits half a minute here.
    Object.assign(service.app.server, {
      requestTimeout: 200,
      headersTimeout: 200,
      connectionsCheckingInterval: 50,
    });
    await service.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = service.app.server.address() as { port: number };
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(
          `POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Hub-Signature-256: ${sign('x')}\r\nContent-Length: 100\r\n\r\n{`,
        );
      });
      socket.setEncoding('utf8').on('data', resolve).on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(service.refreshes).toEqual([]);
  });

  it('W4: answers 400 to any signed body that is no push, and lives', async () => {
    const service = await surface(CONFIGURED);
    const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const bodies = [
      '',
      '{',
      'null',
      '[]',
      nested,
      '{"__proto__":{"ref":"refs/heads/main"}}',
      JSON.stringify({ ...PUSH, ref: 7 }),
      JSON.stringify({ ...PUSH, repository: 'x' }),
      JSON.stringify({ ...PUSH, after: null }),
    ];
    for (const body of bodies) {
      const response = await deliver(service, { body });
      expect([400, 401], body.slice(0, 50)).toContain(response.statusCode);
    }
    await fc.assert(
      fc.asyncProperty(fc.json(), async (body) => {
        const response = await deliver(service, { body });
        expect(response.statusCode).toBe(400);
      }),
      { numRuns: 50 },
    );
    expect(service.refreshes).toEqual([]);
    expect((await deliver(service)).statusCode).toBe(202);
  });

  it.each([
    [
      'another repository',
      { ...PUSH, repository: { clone_url: 'https://github.com/shop/other.git' } },
      'push',
    ],
    ['another branch', { ...PUSH, ref: 'refs/heads/dev' }, 'push'],
    ['a tag', { ...PUSH, ref: 'refs/tags/main' }, 'push'],
    ['a deleted branch', { ...PUSH, after: '0'.repeat(40), deleted: true }, 'push'],
    ['a ping', { zen: 'Keep it logically awesome.' }, 'ping'],
    ['another event', {}, 'star'],
  ])('W5: takes %s with 200 and does nothing', async (_name, payload, event) => {
    const service = await surface(CONFIGURED);
    const response = await deliver(service, { body: JSON.stringify(payload), event });
    expect(response.statusCode, response.body).toBe(200);
    expect(response.json()).toMatchObject({ outcome: 'ignored', components: [] });
    expect(service.refreshes).toEqual([]);
    expect(await service.store.operations.deliveries(10)).toMatchObject([
      { id: 'delivery-1', event: expect.any(String), outcome: response.json<{ reason: string }>().reason },
    ]);
  });
});
