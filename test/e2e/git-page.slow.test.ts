import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { fakeClock } from '../helpers/fake-clock.ts';
import { ownService } from '../helpers/own-service.ts';
import { createRepository } from '../helpers/repository.ts';
import { openBrowser, openTab, settled } from '../ui/browser.ts';

const folder = (cron: string) => ({
  'pipelines/python/orders/main.py': 'print(1)\n',
  'pipelines/python/orders/dagster.yaml': `script: { command: [python, main.py] }\nschedule: { enabled: true, cron_schedule: "${cron}" }\n`,
});

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResult>(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })`,
  );
  const wide = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
  return [
    ...violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
    ...(wide > 0 ? [`${wide} pixels too wide`] : []),
  ];
}

it('rolls back by keyboard after showing what it changes, follows a pin made elsewhere, and resumes', async (ctx) => {
  const browser = await openBrowser();
  if ('skip' in browser) return ctx.skip(browser.skip);
  onTestFinished(() => browser.close());
  const repository = createRepository(folder('0 2 * * *'));
  const a = repository.head();
  const home = mkdtempSync(join(tmpdir(), 'elt-home-'));
  const service = await ownService({
    home,
    repo: repository.remote,
    clock: fakeClock(Date.UTC(2026, 0, 20, 12)),
    env: { ELT_REFRESH_INTERVAL: '1h' },
  });
  onTestFinished(async () => {
    await service.close({ endSteps: true });
    repository.remove();
    rmSync(home, { recursive: true, force: true });
  });
  const { client, url } = service;
  await client.serves(a);
  const b = repository.push(folder('0 9 * * *'), 'B loads nothing');
  await client.api('POST', '/api/v1/components/elt_pipelines/refresh?wait=true');

  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: 'reduce',
  });
  const { page, faults } = await openTab(context, `${url}/git`);
  await settled(page);

  // The earlier revision, opened and rolled back to without a mouse.
  await page.getByRole('button', { name: /Add pipelines/ }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.getByRole('button', { name: 'Roll back to this…' }).press('Enter');
  const dialog = page.getByRole('dialog', { name: `Roll back to ${a.slice(0, 7)}` });
  await dialog.getByText('0 9 * * * → 0 2 * * *').first().waitFor();
  await dialog.getByLabel('Why').fill('orders are doubled');
  expect(await faultsOf(page)).toEqual([]);
  await page.keyboard.press('Enter');

  await page
    .getByText(`Rolled back to ${a.slice(0, 7)}`)
    .first()
    .waitFor();
  await page.getByText(/1 commit ahead/).waitFor();
  await page.locator('.revision.live').getByText('back to revision 1').waitFor();
  await page.locator('.revision.fenced').getByText('B loads nothing').waitFor();
  expect(service.components.control('elt_pipelines')).toMatchObject({
    mode: 'rolled_back',
    by: 'page',
    reason: 'orders are doubled',
    fenced: [b],
  });
  await page
    .getByRole('row', { name: /Rollback/ })
    .getByText('orders are doubled')
    .waitFor();
  expect(await faultsOf(page)).toEqual([]);

  // A hold that another person sets shows without a reload, in the dark and on a phone too.
  await client.api('POST', '/api/v1/components/elt_pipelines/pin', { revision: b, expires_in: '2h' });
  await page
    .getByText(`Pinned to ${b.slice(0, 7)}`)
    .first()
    .waitFor();
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.locator('.hold').waitFor({ state: 'detached' });
  expect(service.components.control('elt_pipelines')).toBeNull();

  await page.getByRole('button', { name: 'Suspend…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
  await page.getByText(/^Suspended at/).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});
