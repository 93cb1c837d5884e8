import { chromium } from 'playwright-core';
import { expect, it } from 'vitest';
import { findChromium } from '../helpers/chromium.ts';

it('finds a Chromium that draws a page', async (ctx) => {
  const found = await findChromium();
  if ('skip' in found) return ctx.skip(found.skip);
  const { executablePath, env } = found;
  const browser = await chromium.launch({
    executablePath,
    env: { ...process.env, ...env },
    args: ['--no-sandbox'],
  });
  try {
    const page = await browser.newPage();
    await page.setContent('<title>hello</title><h1>drawn</h1>');
    expect(await page.title()).toBe('hello');
    expect((await page.screenshot()).length).toBeGreaterThan(1000);
  } finally {
    await browser.close();
  }
});
