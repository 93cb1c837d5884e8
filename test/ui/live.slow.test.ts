import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openBrowser, openTab, settled } from './browser.ts';
import { assetOf } from './fixture/assets.ts';
import { ACTIVE_RUN } from './fixture/shop.ts';
import { iso, logKey } from './fixture/world.ts';
import { type Fixture, startFixture } from './fixture-server.ts';

let opened: Browser | { readonly skip: string };
let context: BrowserContext;
let fixture: Fixture;

beforeAll(async () => {
  opened = await openBrowser();
});
afterAll(async () => {
  if ('close' in opened) await opened.close();
});
beforeEach(async (ctx) => {
  if ('skip' in opened) return ctx.skip(opened.skip);
  fixture = await startFixture();
  context = await opened.newContext();
});
afterEach(async () => {
  await context.close();
  await fixture.close();
});

async function tab(path: string): Promise<Page> {
  const { page } = await openTab(context, fixture.url + path);
  await settled(page);
  return page;
}

const row = (page: Page, key: string) =>
  page.getByRole('row').filter({ has: page.locator(`a[title="${key}"]`) });

it('shows a pushed folder without a reload, and asks only for what an event names', async () => {
  const page = await tab('/assets');
  fixture.requests.length = 0;
  fixture.world.assets.get('shop_report')!.state = 'running';
  fixture.emit({ type: 'run_started', asset_keys: ['shop_report'], run_id: ACTIVE_RUN });
  await row(page, 'shop_report').getByText('Running').waitFor();
  const asked = fixture.requests.filter((request) => request.includes('/assets'));
  expect(asked).toEqual(['GET /api/v1/assets?limit=1000&selection=key%3Ashop_report']);

  fixture.world.assets.set('hello', assetOf('hello', { group: 'demo' }));
  fixture.emit({ type: 'revision_applied', component: 'shop' });
  await row(page, 'hello').waitFor();
});

it('draws an event within 250 ms', async () => {
  const page = await tab('/assets');
  const taken: number[] = [];
  // The middle of several: another process may have the machine for a moment.
  for (const [state, word] of [
    ['failed', 'Failed'],
    ['running', 'Running'],
    ['materialized', 'Materialized'],
    ['queued', 'Queued'],
    ['failed', 'Failed'],
  ] as const) {
    await page.evaluate(`
      void (window.seen = new Promise((resolve) => {
        new MutationObserver(() => {
          const row = document.querySelector('a[title="shop_report"]').closest('[role=row]');
          if (row.textContent.includes('${word}')) resolve(performance.timeOrigin + performance.now());
        }).observe(document.querySelector('main'), { subtree: true, childList: true, characterData: true });
      }))`);
    fixture.world.assets.get('shop_report')!.state = state;
    const sent = performance.timeOrigin + performance.now();
    fixture.emit({ type: 'run_started', asset_keys: ['shop_report'], run_id: ACTIVE_RUN });
    taken.push((await page.evaluate<number>('window.seen')) - sent);
  }
  console.log(`event to pixel: ${taken.map(Math.round).join(', ')} ms`);
  expect(taken.sort((a, b) => a - b)[2]).toBeLessThan(250);
});

it('is quiet when nothing happens', async () => {
  const page = await tab('/');
  fixture.requests.length = 0;
  // The clock of "3 min ago" moves meanwhile: no request may come of it.
  await page.clock.install();
  await page.clock.fastForward('01:00');
  await page.evaluate('new Promise((resolve) => requestAnimationFrame(resolve))');
  expect(fixture.requests).toEqual([]);
});

it('holds one stream for all tabs, and hands it over when its tab closes', async () => {
  const first = await tab('/assets');
  const second = await tab('/assets');
  expect(fixture.streams()).toBe(1);
  fixture.world.assets.get('shop_report')!.state = 'running';
  fixture.emit({ type: 'run_started', asset_keys: ['shop_report'], run_id: ACTIVE_RUN });
  await row(first, 'shop_report').getByText('Running').waitFor();
  await row(second, 'shop_report').getByText('Running').waitFor();

  await first.close();
  fixture.world.assets.get('shop_report')!.state = 'failed';
  // Sent while nobody listens, perhaps: the next holder resumes from the last event that it saw.
  fixture.emit({ type: 'run_failed', asset_keys: ['shop_report'], run_id: ACTIVE_RUN });
  await row(second, 'shop_report').getByText('Failed').waitFor();
});

it('says that the service is away, keeps the data, and catches up', async () => {
  const page = await tab('/assets');
  fixture.setAnswering(false);
  fixture.dropStreams();
  await page.getByText('Reconnecting').waitFor();
  expect(await row(page, 'shop_report').count()).toBe(1);
  await page.getByText('Stale since').waitFor({ timeout: 20_000 });
  await page.getByText('The service does not answer.').waitFor();

  fixture.world.assets.get('shop_report')!.state = 'running';
  fixture.emit({ type: 'run_started', asset_keys: ['shop_report'], run_id: ACTIVE_RUN });
  fixture.setAnswering(true);
  await page.locator('.connection.is-live').waitFor({ timeout: 30_000 });
  await row(page, 'shop_report').getByText('Running').waitFor();
});

it('fetches all anew when the service cannot replay', async () => {
  const page = await tab('/assets');
  fixture.world.assets.set('hello', assetOf('hello', { group: 'demo' }));
  fixture.reset();
  await row(page, 'hello').waitFor();
});

it('shows an environment being built', async () => {
  const page = await tab('/assets');
  fixture.world.instance.environments.push({
    env_key: 'py311',
    status: 'building',
    stage: 'installing',
    message: '12 of 84 packages',
  });
  fixture.emit({ type: 'environment_progress' });
  await page.getByText('Preparing the Python environment py311.').waitFor();
  await page.getByText('12 of 84 packages').waitFor();
});

it('launches once, however often it is clicked, and shows it queued at once', async () => {
  const page = await tab('/assets/shop_report');
  const runs = fixture.world.runs.length;
  const button = page.getByRole('button', { name: /^materialize/i });
  await button.dblclick();
  await page.locator('h1').getByText('Queued').waitFor();
  await page.getByText('Queued: shop_report').waitFor();
  expect(fixture.world.runs.length).toBe(runs + 1);
  await page.getByRole('link', { name: 'Show the run' }).click();
  await page.waitForURL(/\/runs\//);
});

it('launches what was chosen, and says why it was refused', async () => {
  const page = await tab('/assets/dlt_shop_orders');
  await page.getByRole('button', { name: 'Materialize…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('The latest partition').waitFor();
  await dialog.getByRole('button', { name: /^Missing/ }).click();
  await dialog.getByText('6 partitions missing').waitFor();
  await dialog.getByRole('button', { name: 'Pick keys' }).click();
  await dialog.getByRole('textbox').fill('2026-01-11\n2026-01-12');
  await dialog.getByText('2 partitions', { exact: true }).waitFor();
  const sent = page.waitForRequest((request) => request.method() === 'POST');
  await dialog.getByRole('button', { name: 'Materialize', exact: true }).click();
  const request = await sent;
  expect(request.headers()['x-elt-client']).toBe('page');
  expect(request.postDataJSON()).toEqual({
    selection: 'key:dlt_shop_orders',
    partitions: ['2026-01-11', '2026-01-12'],
    idempotency_key: expect.any(String),
  });
  await dialog.waitFor({ state: 'detached' });

  await page.route('**/api/v1/runs', (route) =>
    route.fulfill({
      status: 422,
      contentType: 'application/problem+json',
      body: JSON.stringify({
        detail: 'there is no partition "x"',
        code: 'PARTITION_UNKNOWN',
        hint: 'The last one is 2026-01-31.',
      }),
    }),
  );
  await page.getByRole('button', { name: 'Materialize…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Materialize', exact: true }).click();
  await page.getByText('there is no partition "x" The last one is 2026-01-31.').waitFor();
});

it('materializes everything with the latest partitions', async () => {
  const page = await tab('/assets');
  await page.getByRole('button', { name: 'Materialize all…' }).click();
  const sent = page.waitForRequest((request) => request.method() === 'POST');
  await page.getByRole('dialog').getByRole('button', { name: 'Materialize', exact: true }).click();
  expect((await sent).postDataJSON()).toMatchObject({ selection: '*', partition: 'latest' });
});

it('streams the lines of a run', async () => {
  const page = await tab(`/runs/${ACTIVE_RUN}`);
  await page.getByText('writing to').waitFor();
  const log = fixture.world.logs.get(logKey(ACTIVE_RUN, 'daily_raw_data', 1))!;
  log.lines.push({ line: 4, at: iso(Date.now()), stream: 'stdout', text: 'a line that came later' });
  fixture.announceLog({ run_id: ACTIVE_RUN, step_key: 'daily_raw_data', attempt: 1 });
  await page.getByText('a line that came later').waitFor();
});

it('stops and starts a schedule', async () => {
  const page = await tab('/automation');
  const toggle = page.getByRole('switch', { name: 'shop_orders_schedule runs' });
  await toggle.click();
  await page.getByText('Stopped by page').waitFor();
  expect(await toggle.getAttribute('aria-checked')).toBe('false');
  expect(fixture.world.schedules.find(({ name }) => name === 'shop_orders_schedule')?.status).toBe('STOPPED');
});

it('shows what a revision changed', async () => {
  const page = await tab('/git');
  await page.getByRole('button', { name: /Run the catalogue/ }).click();
  await page.getByText('schedule.cron_schedule').waitFor();
  await page.getByText('0 */4 * * *').waitFor();
});
