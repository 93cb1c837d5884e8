import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openBrowser, openTab, settled } from './browser.ts';
import { ACTIVE_RUN, FAILED_RUN } from './fixture/shop.ts';
import { iso, logKey } from './fixture/world.ts';
import { type Fixture, startFixture } from './fixture-server.ts';

const STEP = 'dlt_shop_events/page_views';

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
  fixture = await startFixture();
  context = await opened.newContext({
    viewport: { width: 1440, height: 900 },
    permissions: ['clipboard-read', 'clipboard-write'],
  });
});
afterEach(async () => {
  await context.close();
  await fixture.close();
});

async function tab(path = `/runs/${FAILED_RUN}`): Promise<Page> {
  const { page } = await openTab(context, fixture.url + path);
  await settled(page);
  return page;
}

const row = (page: Page, step: string) => page.locator('button.gantt-row', { hasText: step });
const parameter = (page: Page, name: string) => new URL(page.url()).searchParams.get(name);

it('shows the cause first, and that of the attempt before', async () => {
  const page = await tab();
  const card = page.getByRole('region', { name: 'Cause of the failure' });
  await card.getByText('HTTPError: 429').first().waitFor();
  await card.getByRole('link', { name: 'pipelines/dlt/shop_events/pipeline.py:31' }).waitFor();
  await card.getByRole('button', { name: 'Attempt 1' }).click();
  await card.getByText('ReadTimeout: no answer in 10 s').waitFor();
  expect(await card.getByText('HTTPError: 429 Too Many').count()).toBe(0);
});

it('splits the time of a step: waiting, environment, imports, work, and each attempt', async () => {
  const page = await tab();
  const kinds = async (step: string): Promise<(string | undefined)[]> => {
    const pieces = await row(page, step).locator('.piece').all();
    const classes = await Promise.all(pieces.map((piece) => piece.getAttribute('class')));
    return classes.map((text) => text?.split(/ is-| tone/)[1]);
  };
  await row(page, STEP).locator('.is-starting').first().waitFor();
  expect(await kinds(STEP)).toEqual([
    'waiting',
    'preparing',
    'starting',
    'work',
    'pause',
    'preparing',
    'starting',
    'work',
  ]);
  expect(await row(page, 'cart_events').locator('.gantt-stage').count()).toBe(3);
  expect(await row(page, STEP).locator('.sr-only').textContent()).toMatch(
    /^Failed, Waiting 12s, Preparing: environment and files 1.1s, Starting: interpreter and imports 1.4s, Attempt 1 failed/,
  );
});

it('zooms by a drag, keeps that in the address, and lets a bar be clicked for its log', async () => {
  const page = await tab();
  const lane = (await row(page, STEP).locator('.gantt-lane').boundingBox())!;
  const y = lane.y + lane.height / 2;
  await page.mouse.move(lane.x + lane.width * 0.2, y);
  await page.mouse.down();
  await page.mouse.move(lane.x + lane.width * 0.5, y, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/zoom=/);
  expect(parameter(page, 'step')).toBeNull();
  await page.getByTitle('Show all of its time').click();
  await page.waitForURL((url) => !url.searchParams.has('zoom'));
  // The work of the first attempt, in the middle of its log.
  const first = (await row(page, STEP).locator('.piece.is-work').first().boundingBox())!;
  await page.mouse.click(first.x + first.width * 0.6, first.y + 5);
  await page.waitForURL(/attempt=1/);
  await page.locator('.log-line.current').waitFor();
  expect(await page.locator('.log-line.current').textContent()).toMatch(/page \d+: 450 rows/);
});

it('searches, filters and wraps the log by the address, and links to a line of it', async () => {
  const page = await tab(`/runs/${FAILED_RUN}?find=page%204`);
  await page.getByText('3 of 50 lines').waitFor();
  expect(await page.locator('.log-line mark').count()).toBe(3);
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('');
  await page.getByRole('button', { name: 'Wrap' }).click();
  expect(parameter(page, 'wrap')).toBe('1');
  await page.locator('.log').evaluate((log) => (log.scrollTop = 0));
  await page.locator('.log-number', { hasText: /^7$/ }).click();
  await page.getByText('Link to line 7 copied').waitFor();
  const link = await page.evaluate<string>('navigator.clipboard.readText()');
  const other = await context.newPage();
  await other.goto(link);
  expect(await other.locator('.log-line.current .log-number').textContent()).toBe('7');
});

it('breaks long lines without hiding a part of them', async () => {
  const log = fixture.world.logs.get(logKey(FAILED_RUN, STEP, 2))!;
  const long = 'abcdefghij'.repeat(120);
  log.lines.splice(
    0,
    log.lines.length,
    ...[`\u001b[31m${long}`, `${long}\té漢字`, 'end'].map((text, index) => ({
      line: index + 1,
      at: iso(Date.now()),
      stream: 'stdout' as const,
      text,
    })),
  );
  const page = await tab(`/runs/${FAILED_RUN}?wrap=1`);
  await page.getByText('3 lines', { exact: true }).waitFor();
  const hidden = await page.evaluate<boolean[]>(
    `[...document.querySelectorAll('.log-line')].map((line) => line.scrollHeight - line.clientHeight > 1)`,
  );
  expect(hidden).toEqual([false, false, false]);
  expect(await page.locator('.log').evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
});

it('downloads what was read as text', async () => {
  const page = await tab();
  await page.getByText('50 lines').waitFor();
  const begun = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download' }).click();
  const download = await begun;
  expect(download.suggestedFilename()).toBe('dlt_shop_events-page_views-attempt-2.log');
  const text = readFileSync(await download.path(), 'utf8');
  expect(text.split('\n')).toHaveLength(51);
  expect(text).toContain('stderr requests.exceptions.HTTPError: 429');
  expect(text).not.toContain('\u001b');
});

it('runs again what failed, with the code that was changed since, by two keys', async () => {
  const run = fixture.world.runs.find(({ run_id: id }) => id === FAILED_RUN)!;
  for (const step of run.steps_list) if (step.pipeline === 'shop_events') step.latest!.changed = true;
  const page = await tab();
  await page.keyboard.press('r');
  const dialog = page.getByRole('dialog');
  await dialog.getByText('1 of 2 pipelines changed since: shop_events.').waitFor();
  expect(await dialog.getByRole('radio', { name: 'From the failure' }).isChecked()).toBe(true);
  expect(await dialog.getByRole('radio', { name: 'The latest commit' }).isChecked()).toBe(true);
  const sent = page.waitForRequest((request) => request.method() === 'POST');
  await page.keyboard.press('Enter');
  expect((await sent).postDataJSON()).toEqual({ from_failure: true, latest: true });
  await page.waitForURL(/01995fff-1111/);
});

it('says why the latest commit cannot run it', async () => {
  const run = fixture.world.runs.find(({ run_id: id }) => id === FAILED_RUN)!;
  run.steps_list.at(-1)!.latest = null;
  const page = await tab();
  await page.keyboard.press('r');
  const dialog = page.getByRole('dialog');
  await dialog.getByText('shop_report is not in the repository any more').waitFor();
  expect(await dialog.getByRole('radio', { name: 'The latest commit' }).isDisabled()).toBe(true);
  await dialog.getByRole('radio', { name: 'The whole run' }).check();
  const sent = page.waitForRequest((request) => request.method() === 'POST');
  await dialog.getByRole('button', { name: 'Run again' }).click();
  expect((await sent).postDataJSON()).toEqual({ from_failure: false, latest: false });
});

it('shows the settings of a step as they counted', async () => {
  const page = await tab(`/runs/${ACTIVE_RUN}`);
  const code = page.getByRole('region', { name: 'Code' });
  await code.getByText('dagster.yaml').first().click();
  await code.getByText('retry_policy.max_retries').waitFor();
  await code.getByText('enabled (default)').waitFor();
});

it('draws a thousand steps as it draws ten', async () => {
  const run = fixture.world.runs.find(({ run_id: id }) => id === FAILED_RUN)!;
  const [first] = run.steps_list;
  run.steps_list.unshift(
    ...Array.from({ length: 1_000 }, (_, index) => ({ ...first!, step_key: `step_${index}` })),
  );
  const page = await tab();
  await row(page, 'step_0').first().waitFor();
  expect(await page.locator('button.gantt-row').count()).toBeLessThan(80);
  await page
    .getByRole('group', { name: 'Steps' })
    .getByRole('button', { name: /^Failed/ })
    .click();
  await row(page, STEP).waitFor();
  expect(await page.locator('button.gantt-row').count()).toBe(1);
});
