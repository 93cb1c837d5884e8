import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openBrowser, openTab, settled } from './browser.ts';
import { ACTIVE_RUN } from './fixture/shop.ts';
import { iso } from './fixture/world.ts';
import { type Fixture, startFixture } from './fixture-server.ts';

const KEY = 'stg_daily_raw_data';
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

it('leads from an asset to what its condition asked for, and why', async () => {
  const page = await tab(`/assets/${KEY}`);
  await page.getByText(/^By its condition, asked /).waitFor();
  await page.getByRole('link', { name: 'its condition' }).click();
  const evaluations = page.getByRole('list', { name: `Evaluations of ${KEY}` });
  await evaluations.getByText('Asked for nothing').waitFor();
  await evaluations.getByRole('button', { name: '12 min ago' }).click();
  const tree = page.getByRole('list', { name: 'Parts of the condition' }).nth(1);
  await tree.getByText('all_deps_blocking_checks_passed', { exact: true }).waitFor();
  expect(await tree.getByText('2 of 720').first().isVisible()).toBe(true);
  // What lies deep is closed until it is asked for.
  expect(await tree.getByText('newly_missing').count()).toBe(0);
  await tree.getByRole('button', { name: /^any of these/ }).click();
  await tree.getByText('newly_missing').waitFor();
  await tree.getByRole('button', { name: 'eager' }).click();
  await tree.getByText('newly_missing').waitFor({ state: 'detached' });
});

it('follows what is asked for, without a reload and without polling', async () => {
  const page = await tab('/automation');
  const card = page.locator('li.condition').filter({ hasText: KEY });
  await card.getByText('12 min ago').waitFor();
  fixture.requests.length = 0;
  const { automation } = fixture.world.assets.get(KEY)!;
  const request = automation!.latest_request!;
  Object.assign(request, { at: iso(Date.now()), requested: 1, run_ids: [ACTIVE_RUN] });
  fixture.emit({ type: 'automation_evaluated', asset_keys: [KEY] });
  await card.getByText('just now').waitFor();
  expect(fixture.requests).toEqual(['GET /api/v1/automation/assets']);
});
