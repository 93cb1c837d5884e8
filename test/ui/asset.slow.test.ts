import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { keystrokes, partitionsDrawn, within } from './asset-budgets.ts';
import { openBrowser, openTab, settled } from './browser.ts';
import type { Scenario } from './fixture/scenarios.ts';
import { FAILED_RUN } from './fixture/shop.ts';
import { type Fixture, startFixture } from './fixture-server.ts';

let opened: Browser | { readonly skip: string };
let browser: Browser;

beforeAll(async () => {
  opened = await openBrowser();
});
afterAll(async () => {
  if ('close' in opened) await opened.close();
});
beforeEach((ctx) => {
  if ('skip' in opened) return ctx.skip(opened.skip);
  browser = opened;
});

/** A page of one scenario; what it says on the console is a fault. */
async function visit(
  scenario: Scenario,
  path: string,
  work: (page: Page, fixture: Fixture) => Promise<void>,
): Promise<void> {
  const fixture = await startFixture(scenario);
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, timezoneId: 'UTC' });
  try {
    const { page, faults, strangers } = await openTab(context, fixture.url + path);
    await settled(page);
    await work(page, fixture);
    expect(faults).toEqual([]);
    expect(strangers).toEqual([]);
  } finally {
    await context.close();
    await fixture.close();
  }
}

it('plots the numbers with gaps and commits, leads from a point to its run, and tells them as a table', async () => {
  await visit('shop', '/assets/dlt_shop_orders?tab=plots', async (page, { url }) => {
    const rows = page.getByRole('slider', { name: 'Rows by time: 22 of 22 points' });
    await rows.focus();
    await page.keyboard.press('ArrowLeft');
    await page.getByText('1,284').first().waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/runs\//);

    await page.goto(`${url}/assets/dlt_shop_orders?tab=plots`);
    await page.getByRole('button', { name: 'By partition' }).click();
    // Failed and missing days are gaps.
    await page.getByRole('slider', { name: 'Rows by partition: 23 of 30 points' }).waitFor();
    expect(await page.locator('.plot').count()).toBe(5);
    await page.getByRole('button', { name: 'Table', exact: true }).click();
    await page.getByRole('row', { name: /2026-01-17 .*never written/ }).waitFor();
    await page.getByRole('row', { name: /^Median/ }).waitFor();
    expect(new URL(page.url()).search).toBe('?tab=plots&by=partition&view=table');
    const before = await page.getByRole('row', { name: /^2026-01-31/ }).textContent();
    await page.reload();
    expect(await page.getByRole('row', { name: /^2026-01-31/ }).textContent()).toBe(before);
  });
});

it('says of a cell what it holds, by pointer and keyboard, and opens its run', async () => {
  await visit('shop', '/assets/daily_raw_data?tab=partitions', async (page) => {
    const cell = page.getByRole('gridcell', { name: 'A, 2026-01-12: failed' });
    await cell.hover();
    const card = page.getByRole('tooltip');
    await card.getByText('A|2026-01-12').waitFor();
    await card.getByText('failed 3 h ago, 4.8s').waitFor();
    await page.mouse.move(5, 5);
    await card.waitFor({ state: 'detached' });

    await cell.click();
    await page.keyboard.press('ArrowLeft');
    await card.getByText('A|2026-01-11').waitFor();
    await card.getByText('commit').waitFor();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.waitForURL(new RegExp(`/runs/${FAILED_RUN}$`));
  });
});

it('selects by drag, keeps the selection in the address, and opens the dialog with exactly it', async () => {
  await visit('shop', '/assets/daily_raw_data?tab=partitions', async (page) => {
    const cell = (row: string, day: string) =>
      page.getByRole('gridcell', { name: new RegExp(`^${row}, 2026-01-${day}:`) });
    await cell('A', '12').hover();
    await page.mouse.down();
    await cell('B', '16').hover();
    await page.mouse.up();
    await page.waitForURL(/sel=0\.7-1\.11/);
    await page.reload();
    await page.getByRole('button', { name: 'Backfill 5 of 10 (only failed and missing)' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByLabel('date From').inputValue()).toBe('2026-01-12');
    expect(await dialog.getByLabel('date To, inclusive').inputValue()).toBe('2026-01-16');
    expect(await dialog.locator('.matrix-cell[aria-selected=true]').count()).toBe(5);
    await dialog.getByRole('button', { name: /^All/ }).click();
    expect(await dialog.locator('.matrix-cell[aria-selected=true]').count()).toBe(28);
    await dialog.getByRole('button', { name: 'Latest' }).click();
    expect(await dialog.locator('.matrix-cell[aria-selected=true]').count()).toBe(2);
  });
});

it('finds a setting by its line and a line by its setting, and the history beside it', async () => {
  await visit('shop', '/assets/dlt_shop_orders?tab=definition', async (page) => {
    await page
      .getByRole('row', { name: /^kinds/ })
      .getByRole('button')
      .click();
    expect(await page.locator('.code-line.marked .code-number').textContent()).toBe('10');
    await page.getByText('3 defaults').click();
    await page.getByRole('row', { name: 'env.SHOP_TOKEN from SHOP_TOKEN default' }).waitFor();
    await page.locator('.code-line').nth(2).click();
    expect(await page.locator('.settings tr.marked').textContent()).toContain('group');
    expect(await page.getByRole('link', { name: 'line 3' }).getAttribute('href')).toMatch(
      /dagster\.yaml#L3$/,
    );

    await page.getByRole('tab', { name: 'History' }).click();
    await page.getByText('schedule.cron_schedule').waitFor();
    await page.getByText('26 runs, 3 failed').waitFor();
    await page.getByRole('tab', { name: /^Checks/ }).click();
    await page.getByText('Last 18 results, 1 failed').click();
    await page.getByText('1277 rows').first().waitFor();
  });
});

it('walks the tree by arrows, filters in the address, selects with Shift and stops schedules', async () => {
  await visit('shop', '/assets?view=tree', async (page, { requests }) => {
    const tree = page.getByRole('tree');
    await tree.focus();
    const active = async (): Promise<string | null> =>
      page.evaluate<string>('document.querySelector(".tree-line.active").textContent');
    await page.keyboard.press('ArrowLeft');
    expect(await page.getByRole('treeitem', { name: /^branches/ }).getAttribute('aria-expanded')).toBe(
      'false',
    );
    await page.keyboard.press('ArrowDown');
    expect(await active()).toContain('catalog');
    await page.keyboard.press('ArrowRight');
    expect(await active()).toContain('dlt_shop_catalog/customers');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/assets\/dlt_shop_catalog%2Fcustomers$/);

    await page.goBack();
    await page.getByRole('button', { name: 'Table' }).click();
    await page.getByLabel('owner').selectOption('team:catalog');
    await page.getByText('3 of 14').waitFor();
    await page.getByLabel('kind').selectOption('duckdb');
    expect(new URL(page.url()).search).toBe('?owner=team%3Acatalog&kind=duckdb');
    for (const key of ['j', 'x', 'j', 'j', 'Shift+X']) await page.keyboard.press(key);
    await page.getByText('3 selected').waitFor();
    await page.getByRole('button', { name: 'Stop 1 schedule' }).click();
    await page.getByText('1 schedule stopped').waitFor();
    expect(requests.filter((line) => line.startsWith('POST'))).toEqual([
      'POST /api/v1/schedules/shop_catalog_schedule/stop',
    ]);
  });
});

it('finds among a thousand assets as fast as one types', async () => {
  await visit('many', '/assets', async (page) => {
    await page.getByText('1,000 assets').waitFor();
    // The budget of a quiet machine is 50 ms.
    expect(await keystrokes(page)).toBeLessThanOrEqual(150);
    expect(await page.locator('.asset-body [role=row]').count()).toBeLessThan(80);
  });
});

it('draws ten thousand partitions, and a year of days for each of a hundred keys, within a second', async () => {
  await visit('large', '/assets', async (page, { url }) => {
    const hours = await partitionsDrawn(page, url, 'hours_10k');
    expect(hours.bytes).toBeLessThanOrEqual(40_000);
    expect(within(hours, 800)).toBe(true);
    const cells = await partitionsDrawn(page, url, 'ledger');
    expect(within(cells, 1_000)).toBe(true);
    expect(await page.locator('.matrix-cell').count()).toBeLessThan(1_500);
  });
});
