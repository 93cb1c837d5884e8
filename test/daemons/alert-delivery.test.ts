import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AlertChannel } from '../../src/definitions/alerts.ts';
import type { StepResult } from '../../src/events/run-event.ts';
import {
  FLOOD,
  HANG,
  type HookAnswer,
  OK,
  startHook,
  startMailServer,
  status,
} from '../helpers/alert-receivers.ts';
import { rule } from '../helpers/alert-rule.ts';
import { type AlertWorldOptions, alertWorld } from '../helpers/alert-world.ts';

const SECRET = 'xoxb-9f8e7d6c5b4a';
const SOURCE = { file: 'dagster.yaml', line: 1, column: 1 };
const HOSTILE = '<!channel> `x` *b* <https://evil.example|click> & "q"\r\nBcc: all@example.com';
const failed: StepResult = {
  type: 'step_failed',
  seconds: 1,
  error: { code: 'STEP_FAILED', message: HOSTILE, failureClass: 'user' },
  finishedAssets: [],
  failedBlockingChecks: [],
};

async function world(options: AlertWorldOptions = {}, answer: HookAnswer = OK) {
  const hook = await startHook();
  hook.answer = answer;
  const made = await alertWorld({
    pipelines: { users: { assets: { users: {} } } },
    alerts: { rules: [rule({ groupWaitSeconds: 0 })] },
    environment: { ELT_ALERT_URL: `${hook.url}/services/${SECRET}` },
    timeoutMs: 300,
    step: () => ({ result: failed }),
    ...options,
  });
  await made.launch('*');
  await made.look();
  return { ...made, hook };
}

describe('a delivery', () => {
  it.each<[string, HookAnswer, string]>([
    ['an error of the server', status(500, 'oops'), '500 oops'],
    ['no answer in time', HANG, 'no answer within 0.3 s'],
    ['a time-out of its own', status(408), '408'],
  ])('that meets %s is tried again, later each time, for a day', async (_, answer, error) => {
    const { clock, look, hook, deliveries, nextAt } = await world({}, answer);
    const waits: number[] = [];
    for (let tries = 0; tries < 4; tries++) {
      expect(await deliveries()).toMatchObject([
        { status: 'waiting', attempts: tries + 1, lastError: error },
      ]);
      waits.push(((await nextAt()) ?? 0) - clock.now());
      clock.set((await nextAt())!);
      await look();
    }
    expect(waits).toEqual([10_000, 20_000, 40_000, 80_000]);
    hook.answer = OK;
    clock.set((await nextAt())!);
    await look();
    expect(await deliveries()).toMatchObject([{ status: 'sent', attempts: 6, response: '200 ok' }]);
    expect(await nextAt()).toBeNull();
  });

  it('that was not taken for a day is given up, and tried again when somebody asks', async () => {
    const { clock, look, hook, deliveries, nextAt, alerts } = await world({}, status(503));
    for (let at = await nextAt(); at !== null; at = await nextAt()) {
      clock.set(at);
      await look();
    }
    const [given] = await deliveries();
    expect(given).toMatchObject({ status: 'failed', lastError: '503' });
    expect(given!.endedAt! - given!.createdAt).toBeGreaterThan(20 * 3_600_000);
    hook.answer = OK;
    await alerts.retry(given!.deliveryId, 'page');
    await look();
    expect(await deliveries()).toMatchObject([{ status: 'sent', lastError: null }]);
    await expect(alerts.retry(given!.deliveryId, 'page')).rejects.toMatchObject({
      code: 'ALERT_NOT_RETRYABLE',
    });
  });

  it('waits as long as a receiver asks, and so do the others of its channel', async () => {
    const { clock, launch, look, hook, deliveries, nextAt } = await world(
      {},
      status(429, '', { 'retry-after': '120' }),
    );
    clock.advance(61_000);
    await launch('users');
    await look();
    expect(hook.posts).toHaveLength(1);
    expect(await nextAt()).toBe(clock.now() + 59_000);
    hook.answer = OK;
    clock.advance(59_000);
    await look();
    expect((await deliveries()).map((row) => row.status)).toEqual(['sent', 'sent']);
  });

  it.each<[string, HookAnswer, RegExp]>([
    ['a refusal', status(404, 'no_service'), /^404 no_service$/],
    [
      'a redirect',
      status(302, '', { location: 'http://169.254.169.254/' }),
      /^302: redirects are not followed$/,
    ],
  ])('that meets %s is not tried again', async (_, answer, error) => {
    const { deliveries, hook, nextAt } = await world({}, answer);
    expect(await deliveries()).toMatchObject([
      { status: 'failed', attempts: 1, lastError: expect.stringMatching(error) as string },
    ]);
    expect(hook.posts).toHaveLength(1);
    expect(await nextAt()).toBeNull();
  });

  it('reads no more of an answer than it shows', async () => {
    const { deliveries } = await world({}, FLOOD);
    const [row] = await deliveries();
    expect(row).toMatchObject({ status: 'sent' });
    expect(row!.response!.length).toBeLessThan(300);
  });

  it('shows no part of a secret that stands where an answer is cut off', async () => {
    for (const before of [192, 242]) {
      const { deliveries } = await world({}, status(500, 'x'.repeat(before) + SECRET));
      const [row] = await deliveries();
      expect(row!.lastError).not.toContain(SECRET.slice(0, 3));
    }
  });

  it('that was taken is not repeated because its answer does not end', async () => {
    const { deliveries, hook } = await world({}, (response) => void response.writeHead(200).write('taken'));
    expect(await deliveries()).toMatchObject([{ status: 'sent', attempts: 1 }]);
    expect(hook.posts).toHaveLength(1);
  });

  it('gives user and password of an address as browsers do', async () => {
    const hook = await startHook();
    hook.answer = status(500, `who is ${Buffer.from('ada:open/sesame').toString('base64')}?`);
    const environment = { ELT_ALERT_URL: hook.url.replace('//', '//ada:open%2Fsesame@') };
    const { deliveries } = await world({ environment });
    expect(hook.posts.map(({ headers }) => headers.authorization)).toEqual([
      `Basic ${Buffer.from('ada:open/sesame').toString('base64')}`,
    ]);
    expect(await deliveries()).toMatchObject([{ status: 'waiting', lastError: '500 who is ***?' }]);
  });

  it('waits for a variable that is not set, and says which; values are nowhere', async () => {
    const environment: Record<string, string> = {};
    const { hook, look, clock, nextAt, deliveries, settings, app } = await world(
      { environment },
      (response) => void response.writeHead(500).end(`echo ${SECRET}`),
    );
    expect(await deliveries()).toMatchObject([
      {
        status: 'waiting',
        lastError: 'ELT_ALERT_URL is not set (add the line ELT_ALERT_URL=… to .env)',
      },
    ]);
    environment['ELT_ALERT_URL'] = `${hook.url}/${SECRET}`;
    clock.set((await nextAt())!);
    await look();
    expect(await deliveries()).toMatchObject([{ status: 'waiting', attempts: 2 }]);
    hook.answer = OK;
    clock.set((await nextAt())!);
    await look();
    expect(hook.posts).toHaveLength(2);
    const shown = await Promise.all(
      ['/alerts', '/alerts/deliveries', '/audit'].map((url) => app.inject({ url: `/api/v1${url}` })),
    );
    const stored = readFileSync(join(settings.home, 'elt.db'), 'latin1');
    const log = readFileSync(join(settings.home, 'elt.db-wal'), 'latin1');
    const texts = [...shown.map(({ body }) => body), stored, log];
    // Not as a matcher: a failure would print a database.
    expect(texts.filter((text) => text.includes(SECRET))).toHaveLength(0);
  });

  it('is of no use where the host is not one of ELT_ALERT_HOSTS, or the repository chose it', async () => {
    const channel = (url: string): AlertChannel => ({
      type: 'webhook',
      name: 'team',
      url,
      headers: [{ name: 'X-Key', value: '${ELT_ALERT_KEY}' }],
      secret: null,
      source: SOURCE,
    });
    const environment = { ELT_ALERT_KEY: SECRET };
    const rules = [rule({ groupWaitSeconds: 0 })];
    const chosen = await world({
      alerts: { channels: [channel('https://evil.example/')], rules },
      environment,
    });
    expect((await chosen.deliveries())[0]?.lastError).toMatch(
      /would send a variable to a host that the repository chose/,
    );
    const named = await world({
      alerts: { channels: [channel('https://evil.example/')], rules },
      environment,
      policy: { hosts: ['*.example.com'] },
    });
    expect((await named.deliveries())[0]?.lastError).toMatch(/is not one of ELT_ALERT_HOSTS/);
  });
});

describe('what is sent', () => {
  it('to Slack is inert, whatever users wrote', async () => {
    const { hook } = await world();
    const { text, blocks } = hook.posts[0]!.json as { text: string; blocks: { text?: { text: string } }[] };
    expect(text).toBe('users failed');
    expect(blocks[1]?.text?.text).toContain(
      '`&lt;!channel&gt; ˋxˋ *b* &lt;https://evil.example|click&gt; &amp; "q"`',
    );
  });

  it('to a webhook is signed', async () => {
    const key = 'a-key-of-the-operator';
    const hook = await startHook();
    const { deliveries } = await world({
      alerts: {
        channels: [
          {
            type: 'webhook',
            name: 'team',
            url: '${ELT_ALERT_HOOK}',
            headers: [{ name: 'Authorization', value: 'Bearer ${ELT_ALERT_TOKEN}' }],
            secret: '${ELT_ALERT_KEY}',
            source: SOURCE,
          },
        ],
        rules: [rule({ groupWaitSeconds: 0 })],
      },
      environment: { ELT_ALERT_HOOK: hook.url, ELT_ALERT_TOKEN: SECRET, ELT_ALERT_KEY: key },
    });
    expect(hook.posts).toHaveLength(1);
    const [first] = hook.posts;
    const [row] = await deliveries();
    expect(first!.headers).toMatchObject({
      authorization: `Bearer ${SECRET}`,
      'x-elt-delivery': row!.deliveryId,
      'x-elt-event': 'run_failure',
      'x-elt-signature-256': `sha256=${createHmac('sha256', key).update(first!.text).digest('hex')}`,
      'user-agent': 'elt/1.2.3',
    });
    expect(first!.json).toMatchObject({
      version: 1,
      rule: 'all',
      event: 'run_failure',
      count: 1,
      test: false,
      items: [{ asset_keys: ['users'], commit: 'c'.repeat(40), partition: null }],
    });
  });

  it('by mail has one Message-ID over all attempts, and nobody adds a header to it', async () => {
    const mail = await startMailServer();
    mail.refuse = { code: 451, message: 'try later' };
    const name = 'users\r\nBcc: all@example.com';
    const { look, clock, nextAt, deliveries, hook } = await world({
      pipelines: { users: { assets: { [name]: {} } } },
      alerts: {
        channels: [
          {
            type: 'email',
            name: 'team',
            to: ['ops@example.com', 'data@example.com'],
            from: 'elt@example.com',
            smtp: '${ELT_ALERT_SMTP}',
            source: SOURCE,
          },
        ],
        rules: [rule({ groupWaitSeconds: 0 })],
      },
      environment: { ELT_ALERT_SMTP: mail.url },
      timeoutMs: 5_000,
    });
    expect(hook.posts).toEqual([]);
    const [waiting] = await deliveries();
    expect(waiting).toMatchObject({
      status: 'waiting',
      lastError: expect.stringContaining('try later') as string,
    });
    mail.refuse = null;
    clock.set((await nextAt())!);
    await look();
    expect(mail.mails).toHaveLength(1);
    const [{ raw, to }] = mail.mails as [{ raw: string; to: string[] }];
    expect(to).toEqual(['ops@example.com', 'data@example.com']);
    expect(raw).toContain(`Message-ID: <${waiting!.deliveryId}@elt.example.com>`);
    const [head = ''] = raw.split('\r\n\r\n', 1);
    expect(head.replaceAll(/\r\n\s+/g, ' ')).toContain(
      'Subject: [elt] ERROR: users Bcc: all@example.com failed',
    );
    expect(head).not.toMatch(/^Bcc:/m);
    const html = raw.slice(raw.indexOf('text/html'));
    expect(html).toContain('&lt;!channel&gt;');
    expect(html).not.toContain('<!channel>');
    expect(await deliveries()).toMatchObject([{ status: 'sent' }]);
  });

  it.each([
    [550, 'no such user', false],
    [452, 'too many', true],
  ])('by mail and refused with %i is tried again only if that helps', async (code, message, again) => {
    const mail = await startMailServer();
    mail.refuse = { code, message };
    const { deliveries } = await world({
      alerts: {
        channels: [
          {
            type: 'email',
            name: 'team',
            to: ['ops@example.com'],
            from: 'elt@example.com',
            smtp: '${ELT_ALERT_SMTP}',
            source: SOURCE,
          },
        ],
        rules: [rule({ groupWaitSeconds: 0 })],
      },
      environment: { ELT_ALERT_SMTP: mail.url },
      timeoutMs: 5_000,
    });
    expect((await deliveries())[0]?.status).toBe(again ? 'waiting' : 'failed');
  });
});

describe('a test', () => {
  it('is sent at once by each channel of a rule, and says how it went', async () => {
    const hook = await startHook();
    const service = await alertWorld({
      settings: { environment: { ELT_ALERT_URL: `${hook.url}/${SECRET}` } },
    });
    const tested = await service.app.inject({ method: 'POST', url: '/api/v1/alerts/rules/all/test' });
    expect(tested.json()).toMatchObject({
      items: [
        { rule: 'all', channel: 'team', status: 'sent', test: true, title: 'Test: example_asset failed' },
      ],
    });
    hook.answer = status(403, 'invalid_token');
    const refused = await service.app.inject({ method: 'POST', url: '/api/v1/alerts/channels/team/test' });
    expect(refused.json()).toMatchObject({
      items: [{ rule: null, status: 'failed', error: '403 invalid_token', attempts: 1 }],
    });
    const unknown = await service.app.inject({ method: 'POST', url: '/api/v1/alerts/channels/taem/test' });
    expect(unknown.json()).toMatchObject({ code: 'ALERT_CHANNEL_NOT_FOUND', hint: 'did you mean team?' });
    const overview = (await service.app.inject({ url: '/api/v1/alerts' })).json<object>();
    expect(overview).toMatchObject({
      channels: [{ name: 'team', type: 'slack', variables: ['ELT_ALERT_URL'], ready: true }],
      rules: [{ name: 'all', source: { url: expect.stringMatching(/dagster\.yaml#L1$/) as string } }],
    });
    expect(JSON.stringify(overview)).not.toContain(hook.url);
  });
});
