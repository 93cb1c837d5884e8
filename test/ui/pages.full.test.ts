import type { Browser } from 'playwright-core';
import { expect, it } from 'vitest';
import { openBrowser } from './browser.ts';
import { startFixture } from './fixture-server.ts';
import { faultsOf } from './page-faults.ts';

it.each([
  ['dark', 1440, 'shop'],
  ['light', 390, 'shop'],
  ['dark', 390, 'empty'],
] as const)(
  'every page is sound, accessible and stays at home: %s, %i pixels, %s',
  async (theme, width, scenario) => {
    const opened = await openBrowser();
    if ('skip' in opened) throw new Error(opened.skip);
    const browser: Browser = opened;
    const fixture = await startFixture(scenario);
    try {
      expect(await faultsOf(browser, fixture, width, theme, scenario)).toEqual({});
    } finally {
      await fixture.close();
      await browser.close();
    }
  },
);
