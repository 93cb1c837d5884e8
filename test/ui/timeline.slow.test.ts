import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openBrowser, openTab, settled } from './browser.ts';
import { FAILED_RUN } from './fixture/shop.ts';
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
  context = await opened.newContext({ viewport: { width: 1440, height: 900 } });
});
afterEach(async () => {
  await context.close();
  await fixture.close();
});

async function tab(path: string): Promise<Page> {
  const { page } = await openTab(context, fixture.url + path);
  await settled(page);
  await page.locator('.tl, .table').first().waitFor();
  return page;
}

const lane = (page: Page, name: string) => page.locator(`[data-lane="${name}"]`);

it('shows groups as lanes, unfolds one, and keeps that in the address', async () => {
  const page = await tab('/timeline');
  expect(await lane(page, 'web').locator('.tl-bar.is-failed').count()).toBe(1);
  await lane(page, 'web').getByRole('button').click();
  await lane(page, 'dlt_shop_events/page_views').waitFor();
  expect(new URL(page.url()).searchParams.get('open')).toBe('web');
  await page.reload();
  await lane(page, 'dlt_shop_events/page_views').waitFor();
  // More runs than bars: how many began when.
  expect(await lane(page, 'sales').locator('.tl-density path').count()).toBeGreaterThan(0);
  expect(await lane(page, 'sales').locator('.tl-bar').count()).toBe(0);
});

it('marks what was applied from Git, and leads to it', async () => {
  const page = await tab('/timeline?range=6h');
  const flag = page.locator('.tl-flag', { hasText: '3f1c9ae' });
  expect(await flag.getAttribute('title')).toContain('Run the catalogue every four hours');
  expect(await page.locator('.tl-plane .tl-line').count()).toBe(1);
  await flag.click();
  await page.waitForURL(/\/git\?rev=shop%3A42/);
});

it('shows the time that is dragged across, and comes back to now', async () => {
  const page = await tab('/timeline');
  const area = (await lane(page, 'branches').locator('.tl-area').boundingBox())!;
  const y = area.y + area.height / 2;
  await page.mouse.move(area.x + area.width * 0.2, y);
  await page.mouse.down();
  await page.mouse.move(area.x + area.width * 0.4, y, { steps: 4 });
  await page.locator('.tl-brush').waitFor();
  const request = page.waitForRequest(/api\/v1\/timeline\?from=/);
  await page.mouse.up();
  await request;
  const asked = new URL(page.url()).searchParams;
  const hours = (Date.parse(asked.get('to')!) - Date.parse(asked.get('from')!)) / 3_600_000;
  // A fifth of 24 hours and the 6 ahead.
  expect(hours).toBeCloseTo(6, 0);
  await page.getByRole('button', { name: 'Zoom out' }).click();
  await page.waitForURL((url) => url.searchParams.get('from') !== asked.get('from'));
  await page.getByTitle('Back to now').click();
  await page.waitForURL((url) => !url.searchParams.has('from'));
});

it('opens a run by arrows, and by a click beside a bar that is too thin to hit', async () => {
  const page = await tab('/timeline?open=web');
  await lane(page, 'reports').locator('.tl-area').focus();
  await page.keyboard.press('ArrowLeft');
  await page.getByText('Failed in 47s').waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(FAILED_RUN));
  await page.goBack();
  const bar = (await lane(page, 'reports').locator('.tl-bar').boundingBox())!;
  await page.mouse.click(bar.x - 5, bar.y + bar.height / 2);
  await page.waitForURL(new RegExp(FAILED_RUN));
});

it('draws a run that starts and ends while it is looked at', async () => {
  const page = await tab('/timeline?range=1h');
  const run = fixture.world.runs.find(({ status }) => status === 'STARTED')!;
  const bar = lane(page, 'tills').locator('.tl-bar');
  expect(await bar.getAttribute('class')).toContain('is-running');
  Object.assign(run, { status: 'FAILURE', ended_at: new Date().toISOString() });
  fixture.emit({ type: 'run_failed', run_id: run.run_id, asset_keys: run.asset_keys });
  await lane(page, 'tills').locator('.tl-bar.is-failed').waitFor();
});

it('has the same as rows of a table', async () => {
  const page = await tab('/timeline?range=6h');
  await page.getByRole('button', { name: 'Table' }).click();
  const table = page.getByRole('table');
  await table.getByText('shop_events_schedule').first().waitFor();
  await table
    .getByRole('row', { name: /Failed.*47s/ })
    .first()
    .waitFor();
});
