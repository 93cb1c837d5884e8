import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openBrowser, openTab, settled } from './browser.ts';
import { COMMIT } from './fixture/assets.ts';
import { FAILED_RUN } from './fixture/shop.ts';
import { type Fixture, startFixture } from './fixture-server.ts';

let opened: Browser | { readonly skip: string };
let fixture: Fixture;
let page: Page;

beforeAll(async () => {
  opened = await openBrowser();
  fixture = await startFixture();
});
afterAll(async () => {
  if ('close' in opened) await opened.close();
  await fixture.close();
});
beforeEach(async (ctx) => {
  if ('skip' in opened) return ctx.skip(opened.skip);
  ({ page } = await openTab(await opened.newContext(), fixture.url));
  await settled(page);
});

async function press(...keys: string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

it('goes to every page by g and a letter', async () => {
  for (const [key, heading] of [
    ['t', 'Timeline'],
    ['r', 'Runs'],
    ['b', 'Backfills'],
    ['a', 'Assets'],
    ['l', 'Lineage'],
    ['u', 'Automation'],
    ['g', 'Git'],
    ['p', 'Problems'],
    ['s', 'System'],
    ['h', 'Home'],
  ] as const) {
    await press('g', key);
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  }
});

it('finds the failing line from the start in 12 keys', async () => {
  await press('j', 'Enter');
  await page.getByText('HTTPError: 429').first().waitFor();
  await page.getByRole('link', { name: 'pipelines/dlt/shop_events/pipeline.py:31' }).waitFor();
});

it('filters a list and walks it', async () => {
  await press('g', 'a');
  await page.getByRole('heading', { name: 'Assets' }).waitFor();
  await press('/');
  await page.keyboard.type('isues catalg');
  await page.getByText('No asset passes').waitFor();
  await press('Escape', '/');
  await page.keyboard.type('catlog');
  await page.getByRole('link', { name: 'dlt_shop_catalog/products' }).waitFor();
  expect(await page.getByRole('link', { name: 'daily_raw_data' }).count()).toBe(0);
  await page.getByRole('searchbox').blur();
  await press('j', 'x', 'j', 'x');
  await page.getByText('2 selected').waitFor();
  await press('Enter');
  await page.waitForURL(/\/assets\/dlt_shop_catalog/);
  const here = page.url();
  await page.locator('h1 .mono-title').waitFor();
  await press('[');
  await page.waitForURL((url) => url.href !== here);
  await press(']');
  await page.waitForURL(here);
});

it.each(['Control+k', 'Meta+k'])('goes anywhere and does anything by %s', async (keys) => {
  await press(keys);
  const input = page.getByRole('combobox');
  await input.waitFor();
  await page.keyboard.type('shop_orders');
  await page.getByRole('option', { name: 'dlt_shop_orders sales' }).waitFor();
  await press('Enter');
  await page.waitForURL(/dlt_shop_orders/);
  await press(keys);
  await input.waitFor();
  await page.keyboard.type('materialize shop_report');
  await page.getByRole('option', { name: 'Materialize shop_report' }).waitFor();
  await press('Enter');
  await page.getByRole('dialog', { name: 'Materialize shop_report' }).waitFor();
  await press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

it('finds runs and commits by name, id and sha, and acts on what is selected', async () => {
  const choose = async (typed: string, name: string | RegExp): Promise<void> => {
    await press('Control+k');
    await page.getByRole('combobox', { name: 'Asset, run, commit, page or command' }).waitFor();
    await page.keyboard.type(typed);
    await page.getByRole('option', { name, selected: true }).waitFor();
    await press('Enter');
  };
  await choose(FAILED_RUN.slice(0, 13), /failed/);
  await page.waitForURL(`**/runs/${FAILED_RUN}`);
  await choose(COMMIT.slice(0, 8), /^3f1c9ae /);
  await page.locator('.revision').getByText('schedule.cron_schedule').waitFor();
  // By its address as well; and two of them compared.
  await page.goto(`${fixture.url}/git/${COMMIT.slice(0, 10)}`);
  await page.locator('.revision').getByText('schedule.cron_schedule').waitFor();
  await page.goto(`${fixture.url}/git/compare/41...42`);
  await page.waitForURL('**/git/plan?from=41&to=42');
  await page.goto(`${fixture.url}/git/0123456789`);
  await page.getByText('No revision of 0123456789 is kept').waitFor();

  await press('g', 'a');
  await page.getByRole('heading', { name: 'Assets' }).waitFor();
  await press('j', 'x', '.');
  await page.getByRole('region', { name: 'Selection' }).getByText('1 selected').waitFor();
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Materialize…');
});

it('lists its keys on ?', async () => {
  await press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).getByText('Filter this list').waitFor();
});

it('takes no key from a field', async () => {
  await press('g', 'a');
  await page.getByRole('searchbox').fill('g');
  await page.getByRole('searchbox').press('r');
  expect(new URL(page.url()).pathname).toBe('/assets');
});

it('moves through the matrix by arrows and launches a rectangle', async () => {
  await page.goto(`${fixture.url}/assets/daily_raw_data?tab=partitions`);
  const cell = page.getByRole('gridcell', { name: 'A, 2026-01-05: materialized' });
  await cell.focus();
  await press('ArrowRight', 'Shift+ArrowDown', 'Shift+ArrowRight');
  await page.getByText('4 partitions', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Materialize 4…' }).click();
  expect(await page.getByRole('dialog').getByRole('textbox').inputValue()).toBe(
    'A|2026-01-06\nA|2026-01-07\nB|2026-01-06\nB|2026-01-07',
  );
});

it('follows the lineage by arrows', async () => {
  await page.goto(`${fixture.url}/lineage?sel=mart_daily_data&view=graph`);
  await page.getByRole('button', { name: /^mart_daily_data/ }).focus();
  await press('ArrowRight');
  await page.waitForURL(/sel=shop_report/);
});

it('returns the focus when a dialog closes', async () => {
  const button = page.getByRole('button', { name: 'Materialize all…' });
  await button.focus();
  await press('Enter');
  await page.getByRole('dialog').waitFor();
  await press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Materialize all…');
});
