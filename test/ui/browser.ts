import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import { findChromium } from '../helpers/chromium.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** A Chromium with the page built for it, or why there is none. */
export async function openBrowser(): Promise<Browser | { readonly skip: string }> {
  const found = await findChromium();
  if ('skip' in found) return found;
  await run('sh', [`${root}/scripts/build-ui.sh`]);
  return chromium.launch({
    executablePath: found.executablePath,
    env: { ...process.env, ...found.env },
    args: ['--no-sandbox', '--disable-background-networking'],
  });
}

export interface Tab {
  readonly page: Page;
  /** Console errors and warnings, uncaught exceptions, refused policies. */
  readonly faults: string[];
  /** Requests to anywhere but the service. */
  readonly strangers: string[];
}

export async function openTab(context: BrowserContext, url: string): Promise<Tab> {
  const page = await context.newPage();
  const faults: string[] = [];
  const strangers: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) strangers.push(request.url());
  });
  await page.goto(url);
  return { page, faults, strangers };
}

export type View = Pick<BrowserContextOptions, 'colorScheme' | 'viewport'>;

/** Nothing is loading any more: a heading, no skeleton, and the header has its facts. */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1').waitFor();
  await page.locator('.connection.is-live').waitFor({ state: 'attached' });
  await page.locator('.skeleton, .header-bone').first().waitFor({ state: 'detached' });
}
