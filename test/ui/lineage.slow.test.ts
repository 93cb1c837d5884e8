import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openBrowser, openTab } from './browser.ts';
import { type Fixture, startFixture } from './fixture-server.ts';

let opened: Browser | { readonly skip: string };
let fixture: Fixture;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  opened = await openBrowser();
  fixture = await startFixture();
  if ('skip' in opened) return;
  context = await opened.newContext({ viewport: { width: 1440, height: 900 }, acceptDownloads: true });
  ({ page } = await openTab(context, `${fixture.url}/lineage?view=graph`));
});
afterAll(async () => {
  if ('close' in opened) await opened.close();
  await fixture.close();
});
beforeEach((ctx) => {
  if ('skip' in opened) ctx.skip(opened.skip);
});

const drawn = async (): Promise<string[]> =>
  (await page.locator('.graph-node-key').allTextContents()).toSorted();

it('draws what is selected by state, and says when a word is none', async () => {
  await page.locator('.graph-node').first().waitFor();
  const box = page.getByRole('searchbox', { name: 'group:marts+' });
  await box.fill('status:failed');
  await box.press('Enter');
  await expect.poll(drawn).toEqual(['page_views']);
  expect(new URL(page.url()).searchParams.get('q')).toBe('status:failed');
  await box.fill('status:broken');
  await box.press('Enter');
  await page.getByText('There is no status broken').waitFor();
  await box.press('Escape');
  await page.getByText('There is no status broken').waitFor({ state: 'detached' });
  expect((await drawn()).length).toBeGreaterThan(5);
});

it('jumps to an asset from the tree', async () => {
  const tree = page.getByRole('navigation', { name: 'Assets by group' });
  await tree.getByRole('button', { name: 'marts' }).click();
  await tree.getByRole('button', { name: 'mart_daily_data' }).click();
  await page.getByRole('complementary', { name: 'Selected asset' }).getByText('mart_daily_data').waitFor();
  await page.locator('.graph-node.selected').waitFor();
});

it('is saved as a picture, as it is drawn', async () => {
  const saved = async (name: string): Promise<Buffer> => {
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: `Save as ${name}` }).click(),
    ]);
    return readFileSync(await file.path());
  };
  const svg = (await saved('SVG')).toString('utf8');
  expect(svg).toContain('mart_daily_data</text>');
  expect(svg.match(/<g /g)).toHaveLength((await drawn()).length);
  expect((await saved('PNG')).subarray(1, 4).toString()).toBe('PNG');
});
