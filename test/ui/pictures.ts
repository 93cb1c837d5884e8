/** `npm run pictures`: the pictures of README.md and docs, of the pages that the tests look at. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../helpers/service.ts';
import { openBrowser, openTab, settled } from './browser.ts';
import { startFixture } from './fixture-server.ts';
import { PAGES } from './page-faults.ts';

const FOLDER = join(ROOT, 'docs', 'img');
const PICTURES = [
  { file: 'home.png', page: 'home', theme: 'light' },
  { file: 'assets.png', page: 'assets', theme: 'light' },
  { file: 'timeline.png', page: 'timeline', theme: 'dark' },
  { file: 'lineage.png', page: 'lineage', theme: 'light' },
  { file: 'matrix.png', page: 'matrix', theme: 'light' },
  { file: 'failed-run.png', page: 'a failed run', theme: 'dark' },
  { file: 'git.png', page: 'git', theme: 'light' },
  { file: 'problems.png', page: 'problems', theme: 'light' },
] as const;

const browser = await openBrowser();
if ('skip' in browser) throw new Error(browser.skip);
const fixture = await startFixture('shop');
mkdirSync(FOLDER, { recursive: true });
for (const { file, page: name, theme } of PICTURES) {
  const context = await browser.newContext({
    colorScheme: theme,
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
    timezoneId: 'Europe/Vienna',
  });
  const { page } = await openTab(context, fixture.url + PAGES[name]);
  await settled(page);
  if (name === 'lineage') await page.locator('.graph-node').first().waitFor();
  if (name === 'home' || name === 'timeline') await page.locator('.tl-bar').first().waitFor();
  await page.screenshot({ path: join(FOLDER, file) });
  await context.close();
}
await browser.close();
await fixture.close();
console.log(`${PICTURES.length} pictures in ${FOLDER}`);
