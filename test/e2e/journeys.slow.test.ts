import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { RunDetail } from '../../src/server/contract/run.ts';
import { type GitServer, openGitServer } from '../helpers/git-server.ts';
import { createRepository, type TestRepository } from '../helpers/repository.ts';
import { type RunningService, startService } from '../helpers/service.ts';
import { openBrowser, openTab, settled } from '../ui/browser.ts';

const SECRET = 'a-secret-of-the-webhook';
const ENV = { ELT_WEBHOOK_SECRET: SECRET, ELT_REFRESH_INTERVAL: '1h' };
const BROKEN = 'orders = [1, 2]\nprint("two orders")\nprint(orders[7])\n';
const MENDED = BROKEN.replace('[7]', '[1]');
const folder = (name: string, code: string, yaml = ''): Record<string, string> => ({
  [`pipelines/python/${name}/main.py`]: code,
  [`pipelines/python/${name}/dagster.yaml`]: `script: { command: [python, main.py] }\n${yaml}`,
});

// One service, one repository behind a real Git server, one browser; each journey goes on where the one before ended.
let opened: Browser | { readonly skip: string };
let repository: TestRepository;
let server: GitServer & { close(): Promise<void> };
let repo: string;
let home: string;
let service: RunningService;
let context: BrowserContext;
let page: Page;
let faults: string[];

beforeAll(async () => {
  opened = await openBrowser();
  repository = createRepository({
    ...folder('orders', BROKEN),
    ...folder('report', 'print("a report")\n', 'deps: [orders]\n'),
    ...folder('stock', 'print("in stock")\n'),
  });
  const owner = dirname(repository.remote);
  server = await openGitServer(dirname(owner));
  repo = `${server.url}/${basename(owner)}/${basename(repository.remote)}`;
  home = mkdtempSync(join(tmpdir(), 'elt-home-'));
  service = await startService({ home, repo, env: ENV });
  await service.serves(repository.head());
});
afterAll(async () => {
  if ('close' in opened) await opened.close();
  await service.stop();
  await server.close();
  repository.remove();
  rmSync(home, { recursive: true, force: true });
});
beforeEach(async (ctx) => {
  if ('skip' in opened) return ctx.skip(opened.skip);
  context = await opened.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  ({ page, faults } = await openTab(context, service.url));
  await settled(page);
  // A reload would take it away: what is seen from here on came by itself.
  await page.evaluate('window.sameLoad = true');
});
afterEach(async () => {
  expect(await page.evaluate('window.sameLoad'), 'the page was not loaded anew').toBe(true);
  // Of requests while there was no service, the browser itself complains.
  expect(faults.filter((text) => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED/.test(text))).toEqual([]);
  await context.close();
});

async function push(files: Readonly<Record<string, string | null>>, message: string): Promise<string> {
  const commit = repository.push(files, message);
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    after: commit,
    repository: { clone_url: repo, full_name: 'shop/pipelines' },
  });
  const response = await fetch(new URL('/webhooks/github', service.url), {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': commit,
      'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
    },
  });
  expect(response.status).toBe(202);
  return commit;
}

/** The commit that the header of every page calls live. */
const live = (commit: string) =>
  page.locator('header.strip-bar .chip.commit').getByText(commit.slice(0, 7)).waitFor();
const sync = (text: string) =>
  page.locator('header.strip-bar a.header-state[href="/git"]').getByText(text, { exact: true }).waitFor();

async function run(selection: string): Promise<RunDetail> {
  const { run_ids: runIds } = await service.launch(selection);
  return service.ended(runIds[0]!);
}

/** By the palette: what is typed, and Enter. */
async function command(typed: string, option: string | RegExp): Promise<void> {
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').waitFor();
  await page.keyboard.type(typed);
  await page.getByRole('option', { name: option, selected: true }).waitFor();
  await page.keyboard.press('Enter');
}

it('leads by keyboard from the failed asset to its line, sees the fix live, and runs it again until all is well', async () => {
  expect((await run('*')).status).toBe('FAILURE');
  await page.getByText('IndexError').first().waitFor();
  let keys = 0;
  const press = async (key: string): Promise<void> => {
    keys += 1;
    await page.keyboard.press(key);
  };
  await press('j');
  await press('Enter');
  const card = page.getByRole('region', { name: 'Cause of the failure' });
  await card.getByText('pipelines/python/orders/main.py:3').waitFor();
  await card.locator('.chip.commit').getByText(repository.head().slice(0, 7)).waitFor();
  expect(keys).toBeLessThanOrEqual(12);

  const fix = await push({ 'pipelines/python/orders/main.py': MENDED }, 'Read the last order');
  await live(fix);
  await press('r');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('radio', { name: /The latest commit/, checked: true }).waitFor();
  await dialog.getByRole('radio', { name: /From the failure/, checked: true }).waitFor();
  await press('Enter');
  await page.locator('h1').getByText('Succeeded').waitFor();
  await page.locator('.facts-line .chip.commit').getByText(fix.slice(0, 7)).waitFor();
  await press('g');
  await press('h');
  await page.getByText('Nothing needs you.').waitFor();
  console.log(`from the failure to all is well: ${keys} keys`);
});

it('shows a bad push where it is, keeps everything else, and forgets it when it is mended', async () => {
  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await page.getByText('No problems').waitFor();
  const bad = 'script: { command: [python, main.py] }\ndeps: [orders]\nshedule: { enabled: true }\n';
  const commit = await push(
    { 'pipelines/python/report/dagster.yaml': bad, 'pipelines/python/stock/main.py': 'print("more")\n' },
    'Break the report, improve the stock',
  );
  const file = page.getByRole('region', { name: 'pipelines/python/report/dagster.yaml' });
  await file.getByText('pipelines/python/report/dagster.yaml:3:1').first().waitFor();
  await file.getByText('held at its last good revision').waitFor();
  expect(await file.locator('.at-fault').first().textContent()).toContain('shedule');
  expect(await file.locator('.excerpt-caret').first().textContent()).toContain('^');
  await file
    .getByText(/schedule/)
    .first()
    .waitFor();
  await live(commit);
  await sync('Held 1');

  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await page.getByText('3 assets').waitFor();
  for (const key of ['orders', 'report', 'stock']) await page.locator(`a[title="${key}"]`).waitFor();
  const both = await run('report or stock');
  expect(both.status).toBe('SUCCESS');
  expect(await service.log(both.run_id, 'python_stock')).toContain('more');
  expect(await service.log(both.run_id, 'python_report')).toContain('a report');

  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await file.waitFor();
  await push(folder('report', 'print("a report")\n', 'deps: [orders]\n'), 'Mend the report');
  await page.getByText('No problems').waitFor();
  await sync('Synced');
});

it('rolls back and resumes by keyboard, and what runs follows', async () => {
  expect((await run('orders')).status).toBe('SUCCESS');
  await command('roll back add pipelines', /^Roll back to .* Add pipelines/);
  const dialog = page.getByRole('dialog', { name: /^Roll back to/ });
  await dialog.getByText('orders').first().waitFor();
  await page.keyboard.type('the fix doubles orders');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await sync('Rolled back');
  // Runs stand at the revision that was live when they were asked for.
  const fixed = page.locator('.revision').filter({ hasText: 'Read the last order' });
  await fixed.getByRole('link', { name: /^Last \d runs: 0 failed/ }).waitFor();
  await page.getByText('the fix doubles orders').first().waitFor();
  expect((await run('orders')).status).toBe('FAILURE');

  await command('resume', /^Resume following Git/);
  await sync('Synced');
  await live(repository.head());
  expect((await run('orders')).status).toBe('SUCCESS');
});

it('says that Git is away and serves on; follows again when it is back', async () => {
  server.fault = { kind: 'status', status: 503 };
  await command('sync with git', /^Sync with Git now/);
  await sync('Offline');
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await page.getByText('3 assets').waitFor();
  expect((await run('stock')).status).toBe('SUCCESS');
  server.fault = { kind: 'none' };
  const commit = await push(folder('stock', 'print("even more")\n'), 'Count again');
  await live(commit);
  await sync('Synced');
});

it('goes on with the same page when the service is killed under it: the run, its log, what was missed', async () => {
  const go = join(home, 'go');
  const code = `import os, time\nprint("began")\nwhile not os.path.exists(${JSON.stringify(go)}): time.sleep(0.05)\nprint("ended")\n`;
  await live(await push(folder('stock', code), 'Wait for a file'));
  const { run_ids: runIds } = await service.launch('stock');
  const id = runIds[0]!;
  await service.line(id, 'python_stock', 'began');
  // Through a link of the page, so that it stays the same load.
  await command(id, /^stock/);
  const log = page.getByRole('log');
  await log.getByText('began').waitFor();

  const port = Number(new URL(service.url).port);
  await service.stop('SIGKILL');
  await page.getByText('Reconnecting').or(page.getByText('Stale since')).waitFor();
  writeFileSync(go, '');
  service = await startService({ home, port, repo, env: ENV });
  expect((await service.ended(id)).status).toBe('SUCCESS');
  await page.locator('.connection.is-live').waitFor({ timeout: 60_000 });
  await page.locator('h1').getByText('Succeeded').waitFor();
  await log.getByText('ended').waitFor();
  expect(await log.getByText('began').count()).toBe(1);
  expect(await log.getByText('ended').count()).toBe(1);
});
