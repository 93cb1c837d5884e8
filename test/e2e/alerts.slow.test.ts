import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { OK, startHook, startMailServer, status } from '../helpers/alert-receivers.ts';
import { ownService } from '../helpers/own-service.ts';
import { createRepository } from '../helpers/repository.ts';
import { openBrowser, openTab, settled } from '../ui/browser.ts';

const SECRET = 'xoxb-9f8e7d6c5b4a';
/** Fails twice, then succeeds; the other fails for good. */
const FLAKY = 'import os, sys\nsys.exit(1 if int(os.environ["ELT_ATTEMPT"]) < 3 else 0)\n';
const BROKEN = 'import sys\nsys.exit("HTTP 429 from the source")\n';
const ALERTS = `alerts:
  channels:
    team: { type: slack, url: "\${ELT_ALERT_URL}" }
    ops: { type: email, to: ops@example.com, from: elt@example.com, smtp: "\${ELT_ALERT_SMTP}" }
  rules:
    - { name: failures, on: [run_failure], channels: [team, ops], group_wait: 0s }
`;

it('tells Slack and mail of what failed for good, and shows on the page what became of it', {
  timeout: 90_000,
}, async (ctx) => {
  const browser = await openBrowser();
  if ('skip' in browser) return ctx.skip(browser.skip);
  onTestFinished(() => browser.close());
  const [hook, mail] = [await startHook(), await startMailServer()];
  hook.answer = status(404, 'no_service');
  const script = 'script: { command: [python, main.py] }\n';
  const repository = createRepository({
    'dagster.yaml': ALERTS,
    'pipelines/python/flaky/main.py': FLAKY,
    'pipelines/python/flaky/dagster.yaml': `${script}retry_policy: { max_retries: 2 }\n`,
    'pipelines/python/broken/main.py': BROKEN,
    'pipelines/python/broken/dagster.yaml': script,
  });
  const home = mkdtempSync(join(tmpdir(), 'elt-home-'));
  const service = await ownService({
    home,
    repo: repository.remote,
    clock: systemClock(),
    env: {
      ELT_REFRESH_INTERVAL: '1h',
      ELT_ALERT_URL: `${hook.url}/services/${SECRET}`,
      ELT_ALERT_SMTP: mail.url,
    },
  });
  onTestFinished(async () => {
    await service.close({ endSteps: true });
    repository.remove();
    rmSync(home, { recursive: true, force: true });
  });
  const { client } = service;
  const url = service.url!;
  await client.serves(repository.head());

  const { run_ids: flaky } = await client.launch('flaky');
  const { run_ids: broken } = await client.launch('broken');
  await client.ended(flaky[0]!);
  await client.ended(broken[0]!);
  const told = (wanted: string) =>
    client.event(({ type, payload }) => type === 'alert_changed' && payload['status'] === wanted);
  await Promise.all([told('failed'), told('sent')]);
  expect(hook.posts.map(({ json }) => json['text'])).toEqual(['broken failed']);
  expect(hook.posts[0]!.text).toContain(`${url}/runs/${broken[0]}`);
  expect(hook.posts[0]!.text).toContain('HTTP 429 from the source');
  expect(mail.mails).toHaveLength(1);
  expect(mail.mails[0]!.raw).toContain('Subject: [elt] ERROR: broken failed');

  // Home says that somebody was not reached, and leads to the message.
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: 'reduce',
  });
  const { page, faults, strangers } = await openTab(context, url);
  await settled(page);
  const attention = page.locator('.attention-item', { hasText: '1 alert could not be delivered' });
  await attention.getByText('404 no_service').waitFor();
  await attention.getByRole('link').click();
  const message = page.getByRole('row', { name: /broken failed/ });
  await message.getByText('404 no_service').waitFor();

  // The receiver is mended: a test says so at once, the message is tried again, live.
  hook.answer = OK;
  const channel = page.getByRole('table', { name: 'Channels of alerts' }).getByRole('row', { name: /team/ });
  await channel.getByRole('button', { name: 'Test' }).click();
  await channel.getByText('200 ok').waitFor();
  await message.getByRole('button', { name: 'Try again' }).click();
  await message.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Sent', exact: true }).click();
  await page.getByRole('row', { name: /broken failed.*failures team/ }).waitFor();

  // Muted by keyboard, for as long as was chosen.
  const rule = page.getByRole('row', { name: /^failures/ }).first();
  await rule.getByRole('button', { name: 'Mute…' }).press('Enter');
  await page.getByRole('dialog').getByLabel('Why').fill('the source is down');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await rule.getByText(/by page, again in 4 h.*the source is down/).waitFor();
  await rule.getByRole('button', { name: 'Unmute' }).click();
  await rule.getByText('On', { exact: true }).waitFor();
  expect([faults, strangers]).toEqual([[], []]);
  await context.close();

  // Whoever may read all of it finds no address of Slack.
  const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const leaks = files.filter(({ parentPath, name }) => readFileSync(join(parentPath, name)).includes(SECRET));
  expect(leaks.map(({ name }) => name)).toEqual([]);
});
