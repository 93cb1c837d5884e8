import { expect, it } from 'vitest';
import { openBrowser } from './browser.ts';
import type { Scenario } from './fixture/scenarios.ts';
import { startFixture } from './fixture-server.ts';
import { faultsOf, type Look } from './page-faults.ts';

async function faultsIn(scenario: Scenario, look: Look): Promise<Record<string, unknown>> {
  const browser = await openBrowser();
  if ('skip' in browser) throw new Error(browser.skip);
  const fixture = await startFixture(scenario);
  try {
    return await faultsOf(browser, fixture, look, scenario);
  } finally {
    await fixture.close();
    await browser.close();
  }
}

// Nothing, the demo's size, a thousand assets: by day and by night, on a desk and on a phone.
it.each(
  (['empty', 'shop', 'many'] as const).flatMap((scenario) =>
    (['light', 'dark'] as const).flatMap((theme) =>
      [1440, 390].map((width) => [scenario, theme, width] as const),
    ),
  ),
)(
  'every page is sound, accessible and stays at home: %s, %s, %i pixels',
  async (scenario, colorScheme, width) => {
    expect(await faultsIn(scenario, { width, colorScheme })).toEqual({});
  },
);

it.each(['light', 'dark'] as const)(
  'every page keeps to AAA of contrast where it is asked for: %s',
  async (colorScheme) => {
    expect(await faultsIn('shop', { width: 1440, colorScheme, contrast: 'more' })).toEqual({});
  },
);
