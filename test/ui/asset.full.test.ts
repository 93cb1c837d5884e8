import { expect, it } from 'vitest';
import { keystrokes, partitionsDrawn, within } from './asset-budgets.ts';
import { openBrowser, openTab, settled } from './browser.ts';
import { startFixture } from './fixture-server.ts';

it('finds among ten thousand assets, and draws a hundred thousand partitions, without a wait', async () => {
  const browser = await openBrowser();
  if ('skip' in browser) throw new Error(browser.skip);
  const [most, large] = [await startFixture('most'), await startFixture('large')];
  try {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const { page, faults } = await openTab(context, `${most.url}/assets`);
    await settled(page);
    await page.getByText('10 k assets').waitFor();
    expect(await keystrokes(page)).toBeLessThanOrEqual(300);
    const drawn = await partitionsDrawn(page, large.url, 'hours_100k');
    expect(within(drawn, 1_500)).toBe(true);
    expect(drawn.bytes).toBeLessThanOrEqual(80_000);
    expect(faults).toEqual([]);
  } finally {
    await browser.close();
    await most.close();
    await large.close();
  }
});
