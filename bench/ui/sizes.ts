import type { Browser, Page } from 'playwright-core';
import type { Scenario } from '../../test/ui/fixture/scenarios.ts';
import { FAILED_RUN } from '../../test/ui/fixture/shop.ts';
import { iso, logKey } from '../../test/ui/fixture/world.ts';
import { type Fixture, startFixture } from '../../test/ui/fixture-server.ts';
import { type Figure, median } from '../figure.ts';

const TRIES = 3;
const LINES = 100_000;

/** What the page draws of worlds too large to be made by runs: example data over HTTP, all else as it is served. */
export async function sizeFigures(browser: Browser): Promise<Figure[]> {
  return [
    ...(await graph(browser, 'contiguous', 'groups that are layers')),
    ...(await graph(browser, 'many', 'groups that cut across layers')),
    ...(await partitions(browser)),
    ...(await search(browser)),
    ...(await log(browser)),
  ];
}

async function at<T>(
  browser: Browser,
  scenario: Scenario,
  work: (page: Page, fixture: Fixture) => Promise<T>,
): Promise<T> {
  const fixture = await startFixture(scenario);
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    return await work(await context.newPage(), fixture);
  } finally {
    await context.close();
    await fixture.close();
  }
}

/** From a whole load until something is drawn, milliseconds: the middle of several. */
async function drawn(page: Page, address: string, selector: string): Promise<number> {
  const times: number[] = [];
  for (let one = 0; one < TRIES; one += 1) {
    await page.goto('about:blank');
    const begun = performance.now();
    await page.goto(address, { waitUntil: 'commit' });
    // At a far zoom names are hidden: what counts is that nodes stand where they belong.
    await page.locator(selector).first().waitFor({ state: 'attached' });
    await page.evaluate('new Promise((resolve) => requestAnimationFrame(resolve))');
    times.push(performance.now() - begun);
  }
  return median(times);
}

function graph(browser: Browser, scenario: Scenario, what: string): Promise<Figure[]> {
  return at(browser, scenario, async (page, { url }) => {
    const collapsed = await drawn(page, `${url}/lineage?view=graph`, '.graph-node');
    const expanded = await drawn(page, `${url}/lineage?view=graph&expand=all`, '.graph-node-key');
    // Frames of a second of zooming in and out: what the browser itself needs for a frame is in them.
    const frames = await page.evaluate<number[]>(`new Promise((resolve) => {
      const canvas = document.querySelector('.graph-node').closest('[tabindex], svg').parentElement;
      const times = []; let last = performance.now(); const begun = last;
      const tick = (now) => {
        times.push(now - last); last = now;
        canvas.dispatchEvent(new WheelEvent('wheel', { deltaY: now % 200 < 100 ? 20 : -20, ctrlKey: true, bubbles: true, cancelable: true, clientX: 700, clientY: 450 }));
        if (now - begun < 1000) requestAnimationFrame(tick); else resolve(times);
      };
      requestAnimationFrame(tick);
    })`);
    return [
      { what: `lineage of 1,000 assets, ${what}: collapsed`, value: collapsed, unit: 'ms', aim: 800 },
      { what: `lineage of 1,000 assets, ${what}: expanded`, value: expanded, unit: 'ms', aim: 2_500 },
      {
        what: `lineage of 1,000 assets, ${what}: frame while zooming, p95`,
        value: p95(frames),
        unit: 'ms',
        aim: 20,
      },
    ];
  });
}

function partitions(browser: Browser): Promise<Figure[]> {
  return at(browser, 'large', async (page, { url }) => {
    const figures: Figure[] = [];
    for (const [key, what, aim, bytes] of [
      ['hours_10k', '10,000 partitions', 800, 40_000],
      ['hours_100k', '100,000 partitions', 1_500, null],
      ['ledger', '365 × 100 matrix', 1_000, null],
    ] as const) {
      const value = await drawn(page, `${url}/assets/${key}?tab=partitions`, '.matrix-cell, .matrix canvas');
      const api = await page.evaluate<number>(
        `performance.getEntriesByType('resource').filter(({ name }) => name.includes('/partitions')).reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`,
      );
      figures.push({ what: `${what}: drawn`, value, unit: 'ms', aim });
      figures.push({
        what: `${what}: API`,
        value: api / 1000,
        unit: 'kB',
        aim: bytes === null ? null : bytes / 1000,
      });
    }
    return figures;
  });
}

const TYPED = `(async () => {
  const box = document.querySelector('[data-filter]');
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
  const times = [];
  for (let turn = 0; turn < 4; turn += 1)
    for (const text of ['a', 'as', 'ass', 'asse', 'asset', 'asset_9', 'asset_98', 'asset_987', 'ast98', 'grp 98', '']) {
      const started = performance.now();
      set.call(box, text);
      box.dispatchEvent(new InputEvent('input', { bubbles: true }));
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      times.push(performance.now() - started);
    }
  return times;
})()`;

async function search(browser: Browser): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [scenario, number, aim] of [
    ['many', '1,000', 50],
    ['most', '10,000', 100],
  ] as const) {
    const times = await at(browser, scenario, async (page, { url }) => {
      await page.goto(`${url}/assets`);
      await page.locator('.asset-body [role=row]').first().waitFor();
      return page.evaluate<number[]>(TYPED);
    });
    figures.push({
      what: `search of ${number} assets: key to frame, p95`,
      value: p95(times),
      unit: 'ms',
      aim,
    });
  }
  return figures;
}

function log(browser: Browser): Promise<Figure[]> {
  return at(browser, 'shop', async (page, fixture) => {
    const when = iso(Date.now());
    const lines = Array.from({ length: LINES }, (_, index) => ({
      line: index + 1,
      at: when,
      stream: 'stdout' as const,
      text:
        index === 77_776 ? 'ValueError: the needle' : `row ${index} \u001b[32mok\u001b[0m of the haystack`,
    }));
    fixture.world.logs.set(logKey(FAILED_RUN, 'dlt_shop_events/page_views', 2), { lines, complete: true });
    const begun = performance.now();
    await page.goto(`${fixture.url}/runs/${FAILED_RUN}`, { waitUntil: 'commit' });
    await page
      .getByText(`row ${LINES - 1}`)
      .last()
      .waitFor();
    const opened = performance.now() - begun;
    await page.getByText('100 k lines').waitFor();
    const jump = await until(
      page,
      `document.querySelector('[data-key="e"]').click()`,
      `document.querySelector('.log-line.current')?.textContent.includes('the needle')`,
    );
    const filter = await until(
      page,
      `const box = document.querySelector('.log-panel [data-filter]'); box.value = 'row 4242 '; box.dispatchEvent(new Event('input', { bubbles: true }))`,
      `document.querySelectorAll('.log-line').length === 1`,
    );
    return [
      { what: 'log of 100,000 lines: its end shown', value: opened, unit: 'ms', aim: 1_000 },
      { what: 'log of 100,000 lines: jump to the error', value: jump, unit: 'ms', aim: 100 },
      { what: 'log of 100,000 lines: filtered', value: filter, unit: 'ms', aim: 300 },
    ];
  });
}

/** Milliseconds in the page from an action until something is so. */
function until(page: Page, action: string, condition: string): Promise<number> {
  return page.evaluate<number>(`new Promise((resolve) => {
    const started = performance.now();
    ${action};
    const look = () => ${condition} ? resolve(performance.now() - started) : requestAnimationFrame(look);
    requestAnimationFrame(look);
  })`);
}

function p95(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.95)]!;
}
