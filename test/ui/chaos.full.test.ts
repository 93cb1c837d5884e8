import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { openBrowser, openTab, settled } from './browser.ts';
import { ACTIVE_RUN } from './fixture/shop.ts';
import { startFixture } from './fixture-server.ts';

const TABS = 20;

it('serves twenty tabs by one stream, which passes on when its tab is closed', async () => {
  const browser = await openBrowser();
  if ('skip' in browser) throw new Error(browser.skip);
  const fixture = await startFixture();
  try {
    const context = await browser.newContext();
    const pages: Page[] = [];
    for (let index = 0; index < TABS; index += 1) {
      const { page } = await openTab(context, `${fixture.url}/assets`);
      await settled(page);
      pages.push(page);
      expect(fixture.streams()).toBe(1);
    }
    const shown = async (word: string, where: readonly Page[]): Promise<void> => {
      for (const page of where) {
        const row = page.getByRole('row').filter({ has: page.locator('a[title="shop_report"]') });
        await page.bringToFront();
        await row.getByText(word).waitFor();
      }
    };
    const becomes = (state: 'running' | 'failed', type: string): void => {
      fixture.world.assets.get('shop_report')!.state = state;
      fixture.emit({ type, asset_keys: ['shop_report'], run_id: ACTIVE_RUN });
    };
    becomes('running', 'run_started');
    await shown('Running', pages);
    // The leader and half of those that wait go; somebody takes over, with what was said meanwhile.
    for (const page of pages.splice(0, TABS / 2)) await page.close();
    becomes('failed', 'run_failed');
    await shown('Failed', pages);
    expect(fixture.streams()).toBe(1);
    await context.close();
  } finally {
    await browser.close();
    await fixture.close();
  }
});
