import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openBrowser, openTab, settled } from './browser.ts';
import { iso } from './fixture/world.ts';
import { type Fixture, startFixture } from './fixture-server.ts';

let opened: Browser | { readonly skip: string };
let context: BrowserContext;
let fixture: Fixture;

beforeAll(async () => {
  opened = await openBrowser();
});
afterAll(async () => {
  if ('close' in opened) await opened.close();
});
beforeEach(async (ctx) => {
  if ('skip' in opened) return ctx.skip(opened.skip);
  fixture = await startFixture('calm');
  context = await opened.newContext();
});
afterEach(async () => {
  await context.close();
  await fixture.close();
});

/** What the header says of Git. */
const sync = (page: Page) => page.locator('header a.header-state[href="/git"]');

it('H4: a page that stays open through a restart, a sync and 10,000 events says what is so, and never "Synced" when it cannot know', async () => {
  // Its waits are the page's own: half a minute of a test that nobody has to sit through.
  await context.clock.install();
  const { page, faults } = await openTab(context, `${fixture.url}/git`);
  await settled(page);
  await sync(page).getByText('Synced', { exact: true }).waitFor();

  // The service is away: soon nothing is claimed any more, in the header or on the page.
  const { port } = new URL(fixture.url);
  await fixture.close();
  await page.getByText('Reconnecting').waitFor();
  await page.clock.fastForward('00:10');
  await page.getByText('Stale since').waitFor();
  await sync(page).getByText('Unknown').waitFor();
  expect(await page.getByText('Synced', { exact: true }).count()).toBe(0);

  // It is back, and stalled meanwhile: the page hears what it missed.
  fixture = await startFixture('calm', Number(port));
  const [component] = fixture.world.components;
  const stalled = component!.conditions.find(({ type }) => type === 'Stalled')!;
  Object.assign(stalled, { status: 'True', reason: 'AuthenticationFailed', message: 'the token expired' });
  fixture.emit({ type: 'component_condition', component: component!.name });
  await page.clock.fastForward('01:00');
  await page.locator('.connection.is-live').waitFor();
  await sync(page).getByText('Stalled').waitFor();
  expect(await page.getByText('Synced', { exact: true }).count()).toBe(0);

  // A sync: seen while it runs, and what it ended with.
  component!.refreshing = true;
  fixture.emit({ type: 'component_condition', component: component!.name });
  await sync(page).getByText('Syncing').waitFor();
  Object.assign(stalled, { status: 'False', reason: 'Progressing', message: '' });
  component!.refreshing = false;
  component!.pipelines[0]!.status = 'held';
  fixture.emit({ type: 'revision_applied', component: component!.name });
  await sync(page).getByText('Held 1').waitFor();

  // 10,000 events: few requests, a page that answers, and the last one counts.
  await page.goto(`${fixture.url}/assets`);
  await settled(page);
  fixture.requests.length = 0;
  const tools = await context.newCDPSession(page);
  const heap = async () => {
    await tools.send('HeapProfiler.collectGarbage');
    return (await tools.send('Runtime.getHeapUsage')).usedSize;
  };
  const nodes = () => page.evaluate<number>('document.getElementsByTagName("*").length');
  const [heapBefore, nodesBefore] = [await heap(), await nodes()];
  const keys = [...fixture.world.assets.keys()];
  let longest = 0;
  for (let n = 0; n < 10_000; n++) {
    fixture.emit({ type: 'materialization', asset_keys: [keys[n % keys.length]!] });
    // As they come over a network, not in one breath; the page answers in between.
    if (n % 100 !== 99) continue;
    const asked = performance.now();
    await page.evaluate('document.title');
    longest = Math.max(longest, performance.now() - asked);
  }
  const [first] = keys;
  Object.assign(fixture.world.assets.get(first!)!, { state: 'failed' });
  fixture.emit({ type: 'run_failed', asset_keys: [first!] });
  component!.pipelines[0]!.status = 'current';
  component!.last_applied!.at = iso(Date.now());
  fixture.emit({ type: 'revision_applied', component: component!.name });
  const row = page.getByRole('row').filter({ has: page.locator(`a[title="${first}"]`) });
  await row.getByText('Failed').waitFor();
  await sync(page).getByText('Synced', { exact: true }).waitFor();
  console.log(`10,000 events: ${fixture.requests.length} requests, longest wait ${Math.round(longest)} ms`);
  expect(fixture.requests.length).toBeLessThan(500);
  expect(longest).toBeLessThan(2_000);
  expect(await nodes()).toBeLessThan(nodesBefore * 1.5);
  expect(await heap()).toBeLessThan(heapBefore + 20_000_000);
  expect(faults.filter((text) => !/ERR_|Failed to (load|fetch)|network/i.test(text))).toEqual([]);
});
