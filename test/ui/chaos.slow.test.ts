import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openBrowser, openTab, settled } from './browser.ts';
import { HEAVY_KEY, LONG_KEY, RIGHT_TO_LEFT } from './fixture/scenarios.ts';
import { startFixture } from './fixture-server.ts';
import { OVERFLOW } from './page-faults.ts';

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

it('keeps names of 200 characters and from right to left in their places, and 3 MB of metadata folded', async () => {
  const fixture = await startFixture('hostile');
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  try {
    const { page, faults } = await openTab(context, `${fixture.url}/nowhere`);
    const show = async (path: string): Promise<void> => {
      await page.goto(fixture.url + path);
      await settled(page);
      expect(await page.evaluate(OVERFLOW), path).toBe(0);
    };
    for (const width of [390, 1440]) {
      await page.setViewportSize({ width, height: 844 });
      for (const path of ['/', '/assets?view=tree', '/lineage', '/insights?by=asset']) await show(path);
      for (const key of [LONG_KEY, RIGHT_TO_LEFT, HEAVY_KEY])
        await show(`/assets/${encodeURIComponent(key)}`);
    }
    expect(await page.locator('h1').textContent()).toContain(HEAVY_KEY);
    // Three megabytes lie there, none of it is laid out, and the page answers.
    await page.getByText('50 k items').waitFor();
    const begun = performance.now();
    await page.getByRole('tab', { name: 'Runs' }).click();
    await page.getByRole('tab', { name: 'Runs', selected: true }).waitFor();
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(faults).toEqual([]);
  } finally {
    await context.close();
    await fixture.close();
  }
});

it('is not misled by the clock of the machine that it is looked at on, nor by a change of its zone', async () => {
  const fixture = await startFixture('shop');
  const context = await browser.newContext();
  try {
    // Three hours ahead, before anything is asked.
    await context.addInitScript(`{
      const now = Date.now.bind(Date);
      Date.now = () => now() + 3 * 3600_000;
    }`);
    const { page } = await openTab(context, `${fixture.url}/assets/dlt_shop_orders`);
    await settled(page);
    await page.getByText('12 min ago').first().waitFor();
    expect(await page.getByText('3 h ago').count()).toBe(0);

    await page.goto(`${fixture.url}/automation?q=orders`);
    const yours = async (): Promise<string | null> =>
      page.locator('.schedule-next').getByText(/yours/).first().textContent();
    const zones = await context.newCDPSession(page);
    const moveTo = async (timezoneId: string): Promise<void> => {
      await zones.send('Emulation.setTimezoneOverride', { timezoneId });
    };
    await moveTo('Europe/Vienna');
    await redrawn(page);
    const first = await yours();
    await moveTo('Asia/Kathmandu');
    // The next look at the clock shows it: nothing of the zone is remembered.
    await redrawn(page);
    const second = await yours();
    expect(first).toMatch(/yours/);
    expect(second).toMatch(/yours/);
    expect(second).not.toBe(first);
  } finally {
    await context.close();
    await fixture.close();
  }
});

/** As a look at another list and back. */
async function redrawn(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Assets' }).click();
  await page.getByRole('heading', { level: 1, name: 'Assets' }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { level: 1, name: 'Automation' }).waitFor();
}
