import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openBrowser, openTab, settled } from './browser.ts';
import type { Scenario } from './fixture/scenarios.ts';
import { ACTIVE_RUN, FAILED_RUN } from './fixture/shop.ts';
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
  context = await opened.newContext({ viewport: { width: 1440, height: 900 } });
});
afterEach(async () => {
  await context.close();
  await fixture.close();
});

async function tab(path: string, scenario: Scenario = 'shop'): Promise<Page> {
  fixture = await startFixture(scenario);
  const { page } = await openTab(context, fixture.url + path);
  await settled(page);
  return page;
}

it('puts what needs somebody first, each with one action', async () => {
  const page = await tab('/');
  const items = page.locator('.attention-item');
  await items.first().waitFor();
  for (const item of await items.all()) expect(await item.locator('a, button').count()).toBe(1);
  expect(await items.first().textContent()).toContain('HTTPError: 429');
  // Gaps of several assets are one thing to do.
  await items.getByText('Partitions: 3 failed, 22 missing').waitFor();
  await items.getByRole('button', { name: 'Backfill…' }).click();
  await page
    .getByRole('dialog', { name: /Backfill/ })
    .getByText('mart_daily_data')
    .first()
    .waitFor();
});

it('shows what runs, what is live and what it changed, the next ten ticks, the last runs and the day', async () => {
  const page = await tab('/');
  const region = (name: string) => page.getByRole('region', { name });
  await region('Running now').getByRole('link', { name: 'dlt_shop_orders and 3 more' }).waitFor();
  expect(await region('Live from Git').getByRole('link', { name: '1 changed' }).getAttribute('href')).toBe(
    '/git?rev=shop%3A42',
  );
  expect(await region('Next ticks').getByRole('listitem').count()).toBe(10);
  expect(await region('Last 20 runs by group').locator('.strip').count()).toBeGreaterThan(5);
  await region('Last 24 hours').locator('[data-lane="web"] .tl-bar.is-failed').waitFor();
});

it('shows what runs behind many runs that have ended since, and counts it', async () => {
  fixture = await startFixture();
  const { world } = fixture;
  const [ended] = world.runs.filter(({ status }) => status === 'SUCCESS');
  const later = Array.from({ length: 40 }, (_, index) => ({ ...ended!, run_id: `later-${index}` }));
  world.runs.unshift(...later);
  const active = world.runs.filter(({ status }) => status === 'STARTED' || status === 'QUEUED');
  Object.assign(world.instance.counts.runs, { STARTED: 1, QUEUED: active.length - 1 });
  const { page } = await openTab(context, fixture.url);
  const region = page.getByRole('region', { name: 'Running now' });
  await region.getByRole('link', { name: 'dlt_shop_orders and 3 more' }).waitFor();
  expect(await region.locator('.count').textContent()).toBe(String(active.length));
});

it('is one calm line when nothing is wrong, then the day', async () => {
  const page = await tab('/', 'calm');
  await page.getByText('Nothing needs you.').waitFor();
  expect(await page.getByText('Needs attention').count()).toBe(0);
  await page.getByRole('region', { name: 'Last 24 hours' }).locator('.tl').waitFor();
});

it('asks for less than a dozen things to show the first page', async () => {
  const page = await tab('/');
  await page.locator('.tl').waitFor();
  const names = await page.evaluate<string[]>(
    `performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)`,
  );
  // And the page itself.
  expect(names.length + 1, names.join('\n')).toBeLessThanOrEqual(12);
});

it('cancels and runs again several runs at once', async () => {
  const page = await tab('/runs?why=person');
  await page.getByRole('row', { name: /Running/ }).waitFor();
  expect(await page.locator('[data-row]').count()).toBe(2);
  await page.getByLabel('Cause').selectOption('');
  expect(new URL(page.url()).search).toBe('');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  const bar = page.getByRole('region', { name: 'Selection' });
  await bar.getByText('2 selected').waitFor();
  const requests = () => fixture.requests.filter((request) => request.startsWith('POST'));
  await bar.getByRole('button', { name: 'Cancel 1' }).click();
  await page.getByText('1 run being canceled').waitFor();
  expect(requests()).toEqual([`POST /api/v1/runs/${ACTIVE_RUN}/cancel`]);
  await page.getByRole('checkbox', { name: /cart_events/ }).check();
  await bar.getByRole('button', { name: 'Run 1 again' }).click();
  await page.getByText('1 run started again').waitFor();
  expect(requests()).toContain(`POST /api/v1/runs/${FAILED_RUN}/retry`);
});
