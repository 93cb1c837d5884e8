import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { createBackfillDaemon } from '../../src/daemons/backfill.ts';
import { createLogger } from '../../src/lib/log.ts';
import { DAILY, DAILY_BY_CATEGORY, type SamplePipeline } from '../helpers/sample-definitions.ts';
import { seen, settleBackfills } from '../helpers/settle-backfills.ts';
import { ROOT, type StepScript, type Surface, surface } from '../helpers/surface.ts';
import { openBrowser, openTab, settled } from './browser.ts';

/** It is 2026-01-20 for the service. */
const SHOP: Record<string, SamplePipeline> = {
  orders: { config: { partitions: DAILY }, assets: { orders: {} } },
  tills: { config: { partitions: DAILY_BY_CATEGORY }, assets: { tills: {} } },
};
const FAILED = {
  type: 'step_failed',
  seconds: 1,
  error: { code: 'STEP_FAILED', message: 'HTTP 429', failureClass: 'user' },
  finishedAssets: [],
  failedBlockingChecks: [],
} as const;

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

/** The real page over the real API and the real engine; only the steps are scripted. */
async function served(
  step: (key: string) => StepScript,
): Promise<{ service: Surface; page: Page; url: string; carryOn: () => void }> {
  const service = await surface({
    pipelines: SHOP,
    step: ({ partitionKeys: [key = ''] }) => step(key),
    deps: { uiDir: join(ROOT, 'ui', 'dist') },
  });
  await service.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = service.app.server.address() as { port: number };
  const { backfills, clock } = service;
  const { operations } = service.store;
  const daemon = createBackfillDaemon({ backfills, operations, clock, logger: createLogger('silent') });
  onTestFinished(() => daemon.stop());
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const url = `http://127.0.0.1:${port}`;
  const { page } = await openTab(context, `${url}/nowhere`);
  return { service, page, url, carryOn: () => daemon.start() };
}

it('starts a backfill from a dialog by keyboard alone, follows it live, and retries what failed', async () => {
  let fails = true;
  let holds = true;
  const { service, page, url, carryOn } = await served((key) => {
    if (key === '2026-01-03') return { hold: holds };
    return fails && key === '2026-01-02' ? { result: FAILED } : {};
  });
  await page.goto(`${url}/assets/orders?tab=partitions`);
  await settled(page);
  await page.keyboard.press('b');
  const dialog = page.getByRole('dialog', { name: 'Backfill orders' });
  await dialog.getByRole('button', { name: 'Backfill 19 partitions' }).waitFor();
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<{ violations: readonly { id: string }[] }>(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })`,
  );
  expect(violations.map(({ id }) => id)).toEqual([]);

  await dialog.getByRole('button', { name: 'Range' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.type('2026-01-01');
  await page.keyboard.press('Tab');
  await page.keyboard.type('2026-01-03');
  await dialog.getByText('3 partitions in 3 runs').waitFor();
  await dialog.getByRole('button', { name: 'Backfill 3 partitions' }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/backfills\/[0-9a-f-]{36}$/);
  expect((await service.store.backfills.list({ limit: 5 })).map(({ request }) => request.cause)).toEqual([
    { kind: 'page', user: 'page' },
  ]);

  // Nothing is loaded again: what changes comes by the stream.
  await page.getByText('3 to do').waitFor();
  carryOn();
  await page.getByText('1 in progress').waitFor();
  await page.getByText('1 failed').first().waitFor();
  await page.getByText('1 materialized').waitFor();
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  const confirm = page.getByRole('dialog', { name: /Cancel the backfill/ });
  await confirm.getByText('Runs of 1 partition are under way').waitFor();
  await confirm.getByRole('button', { name: 'Cancel the backfill' }).click();
  await page.locator('h1').getByText('Canceled').waitFor();
  await page.getByRole('row', { name: /Failed 2026-01-02/ }).waitFor();

  fails = false;
  holds = false;
  const before = page.url();
  await page.getByRole('button', { name: 'Retry what failed' }).click();
  await page.getByRole('dialog').getByText('1 failed, 1 canceled').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Run 2 partitions' }).click();
  await page.waitForURL((next) => next.href !== before && /\/backfills\//.test(next.href));
  await page.locator('h1').getByText('Succeeded').waitFor();
  await page.getByText('2 materialized').waitFor();
  await page.goto(`${url}/backfills`);
  await page.getByRole('row', { name: /Succeeded orders .*2\/2/ }).waitFor();
});

it('takes the missing and failed ones of a rectangle, and of a part of the line', async () => {
  const { service, page, url } = await served((key) => (key === 'B|2026-01-02' ? { result: FAILED } : {}));
  const { app, store } = service;
  for (const [selection, partitions] of [
    ['tills', ['A|2026-01-01', 'B|2026-01-02']],
    ['orders', ['2026-01-10']],
  ] as const) {
    await app.inject({ method: 'POST', url: '/api/v1/runs', payload: { selection, partitions } });
  }
  await seen(store, (_, runs) => runs.ended === 3);

  await page.goto(`${url}/assets/tills?tab=partitions`);
  await page.getByRole('gridcell', { name: 'A, 2026-01-01: materialized' }).focus();
  for (const key of ['ArrowRight', 'ArrowLeft', 'Shift+ArrowDown', 'Shift+ArrowRight']) {
    await page.keyboard.press(key);
  }
  await page.getByRole('button', { name: 'Backfill 3 of 4 (only failed and missing)' }).click();
  const dialog = page.getByRole('dialog', { name: 'Backfill tills' });
  expect(await dialog.getByLabel('category From').inputValue()).toBe('A');
  expect(await dialog.getByLabel('date To, inclusive').inputValue()).toBe('2026-01-02');
  await dialog.getByRole('button', { name: 'Backfill 3 partitions' }).click();
  await page.waitForURL(/\/backfills\//);
  await settleBackfills(service);
  await page.getByRole('gridcell', { name: 'A, 2026-01-01: not of this backfill' }).waitFor();
  await page.getByRole('gridcell', { name: 'B, 2026-01-02: failed' }).waitFor();

  await page.goto(`${url}/assets/tills?tab=plots&by=partition&row=B`);
  await page.getByRole('slider', { name: /^Rows by partition: 1 of 19 points/ }).waitFor();
  await page.goto(`${url}/assets/tills?tab=history`);
  await page.getByText('2 failed').waitFor();

  await page.goto(`${url}/assets/orders?tab=partitions`);
  const line = page.locator('.partition-strip svg');
  const box = (await line.boundingBox())!;
  const at = (day: number): number => box.x + (box.width * (day - 0.5)) / 19;
  await page.mouse.move(at(9), box.y + 10);
  await page.mouse.down();
  await page.mouse.move(at(12), box.y + 10, { steps: 3 });
  await page.mouse.up();
  await page.getByText('2026-01-09 … 2026-01-12').waitFor();
  await page.getByRole('status').getByRole('button', { name: 'Backfill 3 of 4…' }).click();
  await page.getByRole('dialog').getByText('3 partitions in 3 runs').waitFor();
  await page
    .getByRole('dialog')
    .getByRole('checkbox', { name: /^Missing/ })
    .uncheck();
  await page.getByRole('dialog').getByText('0 partitions in 0 runs').waitFor();
  expect(await page.getByRole('button', { name: 'Backfill 0 partitions' }).isDisabled()).toBe(true);
});
