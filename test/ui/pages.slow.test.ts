import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openBrowser, openTab, settled } from './browser.ts';
import type { Scenario } from './fixture/scenarios.ts';
import { type Fixture, startFixture } from './fixture-server.ts';
import { faultsOf, OVERFLOW, PAGES } from './page-faults.ts';

let opened: Browser | { readonly skip: string };
let browser: Browser;
const fixtures = new Map<Scenario, Fixture>();

beforeAll(async () => {
  opened = await openBrowser();
});
afterAll(async () => {
  if ('close' in opened) await opened.close();
  for (const fixture of fixtures.values()) await fixture.close();
});

beforeEach((ctx) => {
  if ('skip' in opened) return ctx.skip(opened.skip);
  browser = opened;
});

async function served(scenario: Scenario): Promise<Fixture> {
  const known = fixtures.get(scenario) ?? (await startFixture(scenario));
  fixtures.set(scenario, known);
  return known;
}

// One test a view, all pages in it: what is slow is starting a page and axe itself. The other views are in the full tests.
it.each([
  ['light', 1440, 'shop'],
  ['dark', 390, 'empty'],
] as const)(
  'every page is sound, accessible and stays at home: %s, %i pixels, %s',
  async (colorScheme, width, scenario) => {
    expect(await faultsOf(browser, await served(scenario), { width, colorScheme }, scenario)).toEqual({});
  },
);

it('gives every page a title of its own', async () => {
  const { url } = await served('shop');
  const context = await browser.newContext();
  const titles: string[] = [];
  for (const name of [
    'home',
    'timeline',
    'assets',
    'asset',
    'lineage',
    'runs',
    'a failed run',
    'a running run',
    'backfills',
    'a running backfill',
    'insights',
    'audit',
    'automation',
    'git',
    'problems',
    'system',
  ]) {
    const { page } = await openTab(context, url + PAGES[name]!);
    await settled(page);
    titles.push(await page.title());
    await page.close();
  }
  await context.close();
  expect(new Set(titles).size).toBe(titles.length);
  expect(titles).toContain('✗ dlt_shop_events/cart_events and 2 more · elt');
});

it('reflows at 320 pixels', async () => {
  const { url } = await served('shop');
  const context = await browser.newContext({ viewport: { width: 320, height: 640 } });
  const wide: string[] = [];
  const { page } = await openTab(context, url);
  for (const [name, path] of Object.entries(PAGES)) {
    await page.goto(url + path);
    await settled(page);
    if ((await page.evaluate<number>(OVERFLOW)) > 0) wide.push(name);
  }
  await context.close();
  expect(wide).toEqual([]);
});

it('says what is true when there are no assets', async () => {
  const { url } = await served('empty');
  const context = await browser.newContext();
  const { page } = await openTab(context, `${url}/assets`);
  await page.getByText('No assets: 3 pipelines found, 2 disabled, 1 error').waitFor();
  await page.getByRole('link', { name: 'Show the problems' }).click();
  await page.getByRole('heading', { name: 'Problems' }).waitFor();
  await context.close();
});

it('is calm when nothing is wrong', async () => {
  const { url } = await served('calm');
  const context = await browser.newContext();
  const { page } = await openTab(context, url);
  await page.getByText('Nothing needs you.').waitFor();
  expect(await page.getByText('Needs attention').count()).toBe(0);
  await context.close();
});

it('keeps the chosen theme, without showing the other one first', async () => {
  const { url } = await served('shop');
  const context = await browser.newContext({ colorScheme: 'light' });
  const { page } = await openTab(context, url);
  await page.getByRole('group', { name: 'Theme' }).getByRole('button', { name: 'Dark' }).click();
  const ground = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
  const dark = await ground();
  // Before the module has run, the attribute that boot.js sets must be there already.
  await page.route('**/*.js', (route) =>
    route.request().url().endsWith('boot.js') ? route.continue() : route.abort(),
  );
  await page.reload();
  expect(await ground()).toBe(dark);
  await context.close();
});
