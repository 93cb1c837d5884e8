import axe from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openBrowser, openTab, settled } from './browser.ts';
import { FAILED_BACKFILL, LIVE_BACKFILL } from './fixture/backfills.ts';
import type { Scenario } from './fixture/scenarios.ts';
import { ACTIVE_RUN, FAILED_RUN, GOOD_RUN } from './fixture/shop.ts';
import { type Fixture, startFixture } from './fixture-server.ts';

const PAGES: Readonly<Record<string, string>> = {
  home: '/',
  assets: '/assets',
  'assets, filtered to nothing': '/assets?q=zzzz',
  asset: '/assets/dlt_shop_orders',
  'an asset with a slash in its key': '/assets/dlt_shop_catalog%2Fproducts',
  'an external asset': '/assets/warehouse%2Ffx_rates',
  partitions: '/assets/dlt_shop_orders?tab=partitions',
  matrix: '/assets/daily_raw_data?tab=partitions',
  'runs of an asset': '/assets/dlt_shop_orders?tab=runs',
  'lineage of an asset': '/assets/mart_daily_data?tab=lineage',
  definition: '/assets/dlt_shop_orders?tab=definition',
  lineage: '/lineage?sel=mart_daily_data&view=graph',
  'lineage as a list': '/lineage?view=list',
  runs: '/runs',
  'a failed run': `/runs/${FAILED_RUN}`,
  'a running run': `/runs/${ACTIVE_RUN}`,
  'a good run': `/runs/${GOOD_RUN}`,
  backfills: '/backfills',
  'a running backfill': `/backfills/${LIVE_BACKFILL}`,
  'a backfill of two dimensions': `/backfills/${FAILED_BACKFILL}`,
  automation: '/automation',
  git: '/git?rev=shop:42',
  plan: '/git/plan?ref=feature',
  problems: '/problems',
  system: '/system',
  'an address of nothing': '/nowhere',
};

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

const AXE_RUN = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })`;
const OVERFLOW = 'document.documentElement.scrollWidth - window.innerWidth';

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

async function faultsOf(
  width: number,
  colorScheme: 'light' | 'dark',
  scenario: Scenario,
): Promise<Record<string, unknown>> {
  const { url } = await served(scenario);
  const context = await browser.newContext({
    colorScheme,
    viewport: { width, height: width < 500 ? 844 : 900 },
    reducedMotion: 'reduce',
  });
  const { page, faults, strangers } = await openTab(context, `${url}/nowhere`);
  const found: Record<string, unknown> = {};
  for (const [name, path] of Object.entries(PAGES)) {
    if (scenario === 'empty' && /(?:assets|runs|backfills)\//.test(path)) continue;
    await page.goto(url + path);
    await settled(page);
    if (/lineage/.test(path)) await page.locator('.graph-node, .table, .empty').first().waitFor();
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate<AxeResult>(AXE_RUN);
    const overflow = await page.evaluate<number>(OVERFLOW);
    const problems = [
      ...faults.splice(0),
      ...strangers.splice(0),
      ...violations.map(
        ({ id, nodes }) =>
          `axe ${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join('\n')}`,
      ),
      ...(overflow > 0 ? [`the page is ${overflow} pixels wider than the window`] : []),
    ];
    if (problems.length > 0) found[name] = problems;
  }
  await context.close();
  return found;
}

// One test a view, all pages in it: what is slow is starting a page and axe itself.
it.each([
  ['light', 1440, 'shop'],
  ['dark', 1440, 'shop'],
  ['light', 390, 'shop'],
  ['dark', 390, 'shop'],
  ['light', 1440, 'empty'],
  ['dark', 390, 'empty'],
] as const)(
  'every page is sound, accessible and stays at home: %s, %i pixels, %s',
  async (theme, width, scenario) => {
    expect(await faultsOf(width, theme, scenario)).toEqual({});
  },
);

it('gives every page a title of its own', async () => {
  const { url } = await served('shop');
  const context = await browser.newContext();
  const titles: string[] = [];
  for (const name of [
    'home',
    'assets',
    'asset',
    'lineage',
    'runs',
    'a failed run',
    'a running run',
    'backfills',
    'a running backfill',
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
