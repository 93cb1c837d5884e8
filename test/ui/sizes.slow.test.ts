import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openBrowser, openTab, settled } from './browser.ts';
import { SCRIPT } from './fixture/scenarios.ts';
import { FAILED_RUN } from './fixture/shop.ts';
import { iso, logKey } from './fixture/world.ts';
import { type Fixture, startFixture } from './fixture-server.ts';

const ASSETS = fileURLToPath(new URL('../../ui/dist/assets', import.meta.url));

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

async function using<T>(fixture: Fixture, work: (fixture: Fixture) => Promise<T>): Promise<T> {
  try {
    return await work(fixture);
  } finally {
    await fixture.close();
  }
}

/** Milliseconds in the page from an action until something is drawn. */
async function drawnIn(page: Page, action: string, condition: string): Promise<number> {
  return page.evaluate<number>(`new Promise((resolve) => {
    const started = performance.now();
    ${action};
    const look = () => ${condition} ? resolve(performance.now() - started) : requestAnimationFrame(look);
    requestAnimationFrame(look);
  })`);
}

/** Bytes on the wire of the built files whose name ends so. */
function compressed(suffix: string): number {
  return readdirSync(ASSETS)
    .filter((name) => name.endsWith(`${suffix}.br`))
    .reduce((sum, name) => sum + readFileSync(`${ASSETS}/${name}`).length, 0);
}

it('keeps to the budgets of a first load', async () => {
  await using(await startFixture(), async ({ url }) => {
    const context = await browser.newContext();
    const { page } = await openTab(context, url);
    await settled(page);
    const entries = (await page.evaluate(
      `[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].map(({ name, encodedBodySize }) => ({ name, size: encodedBodySize }))`,
    )) as { name: string; size: number }[];
    await context.close();
    const size = (pattern: RegExp): number =>
      entries.filter(({ name }) => pattern.test(name)).reduce((sum, entry) => sum + entry.size, 0);
    const sizes = {
      requests: entries.length,
      js: size(/\.js$/),
      css: size(/\.css$/),
      total: size(/^(?!.*\/api\/)/),
      allJs: compressed('.js'),
    };
    console.log(`first load: ${JSON.stringify(sizes)}`);
    expect(sizes.requests).toBeLessThanOrEqual(12);
    expect(sizes.js).toBeGreaterThan(10_000);
    expect(sizes.js).toBeLessThanOrEqual(60_000);
    expect(sizes.css).toBeLessThanOrEqual(15_000);
    expect(sizes.total).toBeLessThanOrEqual(120_000);
    expect(sizes.allJs).toBeLessThanOrEqual(160_000);
  });
});

it('keeps a log of 100,000 lines light', async () => {
  const fixture = await startFixture();
  const at = iso(Date.now());
  const lines = Array.from({ length: 100_000 }, (_, index) => ({
    line: index + 1,
    at,
    stream: 'stdout' as const,
    text: index === 77_776 ? 'ValueError: the needle' : `row ${index} \u001b[32mok\u001b[0m of the haystack`,
  }));
  fixture.world.logs.set(logKey(FAILED_RUN, 'dlt_shop_events/page_views', 2), { lines, complete: true });
  await using(fixture, async ({ url }) => {
    const context = await browser.newContext();
    const started = performance.now();
    const { page } = await openTab(context, `${url}/runs/${FAILED_RUN}`);
    await page.getByText('row 99999').last().waitFor();
    const opened = performance.now() - started;
    await page.getByText('100 k lines').waitFor();
    const whole = performance.now() - started;
    expect(await page.locator('.log-line').count()).toBeLessThan(120);
    await page.getByText('row 99999').last().waitFor();

    const jump = await drawnIn(
      page,
      `document.querySelector('[data-key="e"]').click()`,
      `document.querySelector('.log-line.current')?.textContent.includes('the needle')`,
    );
    const filter = await drawnIn(
      page,
      `const box = document.querySelector('.log-panel [data-filter]');
       box.value = 'row 4242 '; box.dispatchEvent(new Event('input', { bubbles: true }))`,
      `document.querySelectorAll('.log-line').length === 1`,
    );
    console.log(
      `log of 100,000 lines: end shown ${Math.round(opened)}, all read ${Math.round(whole)}, jump ${Math.round(jump)}, filter ${Math.round(filter)} ms`,
    );
    await page.getByText('1 of 100 k lines').waitFor();
    await page.getByRole('searchbox', { name: 'Search the log' }).fill('');
    await page.getByRole('button', { name: 'Errors only' }).click();
    await page.getByText('1 of 100 k lines').waitFor();
    expect(await page.locator('.log-line').count()).toBe(1);
    // Colours became classes; the escape codes are gone.
    expect(await page.locator('.log-text').first().textContent()).toBe('ValueError: the needle');
    await context.close();
  });
});

it('draws a thousand assets, listed and as a graph, without hanging', async () => {
  await using(await startFixture('many'), async ({ url }) => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const { page, faults } = await openTab(context, `${url}/assets`);
    await settled(page);
    await page.getByText('1,000 assets').waitFor();
    expect(await page.locator('.asset-body [role=row]').count()).toBeLessThan(80);
    const typed = performance.now();
    await page.getByRole('searchbox').fill('asset_987');
    await page.getByText('1 of 1000').waitFor();
    expect(performance.now() - typed).toBeLessThan(1_000);

    await page.goto(`${url}/lineage`);
    await page.locator('.graph-node').first().waitFor();
    expect(await page.locator('.graph-node').count()).toBe(20);
    await page.goto(`${url}/lineage?expand=all`);
    const started = performance.now();
    await page.locator('.graph-node').first().waitFor({ timeout: 20_000 });
    console.log(`1,000 assets expanded: ${Math.round(performance.now() - started)} ms`);
    await page.getByRole('button', { name: 'Zoom in' }).click();
    expect(faults).toEqual([]);
    await context.close();
  });
});

it('H3: shows hostile texts as texts, and drops links that run something', async () => {
  await using(await startFixture('hostile'), async ({ url }) => {
    const context = await browser.newContext();
    const { page, faults, strangers } = await openTab(context, `${url}/nowhere`);
    const paths = [
      '/',
      '/timeline?view=table',
      '/timeline',
      '/assets',
      '/assets/dlt_shop_orders',
      '/assets/dlt_shop_orders?tab=definition',
      '/runs',
      `/runs/${FAILED_RUN}`,
      '/git',
      '/git/plan?ref=feature',
      '/problems',
      '/automation',
      '/lineage?view=list',
    ];
    for (const path of paths) {
      await page.goto(url + path);
      await settled(page);
      expect(await page.evaluate('window.hacked'), path).toBeUndefined();
      expect(
        await page.locator('main img, main script, a[href^="javascript:"], a[href^="data:"]').count(),
        path,
      ).toBe(0);
      expect(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth'), path).toBe(0);
    }
    await page.goto(`${url}/assets/dlt_shop_orders`);
    await page.getByText(SCRIPT).first().waitFor();
    expect(faults).toEqual([]);
    expect(strangers).toEqual([]);
    await context.close();
  });
});
