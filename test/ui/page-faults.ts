import axe from 'axe-core';
import type { Browser } from 'playwright-core';
import { openTab, settled } from './browser.ts';
import { FAILED_BACKFILL, LIVE_BACKFILL } from './fixture/backfills.ts';
import type { Scenario } from './fixture/scenarios.ts';
import { ACTIVE_RUN, FAILED_RUN, GOOD_RUN } from './fixture/shop.ts';
import type { Fixture } from './fixture-server.ts';

/** Every page, and what it can show. */
export const PAGES: Readonly<Record<string, string>> = {
  home: '/',
  timeline: '/timeline?open=web',
  'the timeline as a table': '/timeline?view=table&range=6h',
  assets: '/assets',
  'assets, filtered to nothing': '/assets?q=zzzz',
  'assets as a tree': '/assets?view=tree&status=failed',
  asset: '/assets/dlt_shop_orders',
  'an asset with a slash in its key': '/assets/dlt_shop_catalog%2Fproducts',
  'an external asset': '/assets/warehouse%2Ffx_rates',
  partitions: '/assets/dlt_shop_orders?tab=partitions&sel=8-16',
  matrix: '/assets/daily_raw_data?tab=partitions&sel=0.6-1.12',
  plots: '/assets/dlt_shop_orders?tab=plots&by=partition',
  'plots as a table': '/assets/dlt_shop_orders?tab=plots&view=table',
  'checks of an asset': '/assets/dlt_shop_orders?tab=checks',
  'history of an asset': '/assets/dlt_shop_orders?tab=history',
  'runs of an asset': '/assets/dlt_shop_orders?tab=runs',
  'lineage of an asset': '/assets/mart_daily_data?tab=lineage',
  definition: '/assets/dlt_shop_orders?tab=definition',
  lineage: '/lineage?sel=mart_daily_data&view=graph',
  'lineage as a list': '/lineage?view=list',
  runs: '/runs',
  'a failed run': `/runs/${FAILED_RUN}`,
  'a running run': `/runs/${ACTIVE_RUN}`,
  'a good run': `/runs/${GOOD_RUN}`,
  backfills: '/backfills',
  'a running backfill': `/backfills/${LIVE_BACKFILL}`,
  'a backfill of two dimensions': `/backfills/${FAILED_BACKFILL}`,
  insights: '/insights?metric=cost',
  'insights by asset': '/insights?by=asset&days=7&sort=rows',
  audit: '/audit',
  automation: '/automation',
  alerts: '/alerts',
  git: '/git?rev=shop:42',
  plan: '/git/plan?ref=feature',
  problems: '/problems',
  system: '/system',
  'an address of nothing': '/nowhere',
};

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

const AXE_RUN = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })`;
export const OVERFLOW = 'document.documentElement.scrollWidth - window.innerWidth';

/** What is wrong with each page in one view: errors, requests to elsewhere, axe, overflow. Empty: nothing. */
export async function faultsOf(
  browser: Browser,
  { url }: Fixture,
  width: number,
  colorScheme: 'light' | 'dark',
  scenario: Scenario,
): Promise<Record<string, unknown>> {
  const context = await browser.newContext({
    colorScheme,
    viewport: { width, height: width < 500 ? 844 : 900 },
    reducedMotion: 'reduce',
  });
  const { page, faults, strangers } = await openTab(context, `${url}/nowhere`);
  const found: Record<string, unknown> = {};
  for (const [name, path] of Object.entries(PAGES)) {
    if (scenario === 'empty' && /(?:assets|runs|backfills)\//.test(path)) continue;
    await page.goto(url + path);
    await settled(page);
    if (/lineage/.test(path)) await page.locator('.graph-node, .table, .empty').first().waitFor();
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate<AxeResult>(AXE_RUN);
    const overflow = await page.evaluate<number>(OVERFLOW);
    const problems = [
      ...faults.splice(0),
      ...strangers.splice(0),
      ...violations.map(
        ({ id, nodes }) =>
          `axe ${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join('\n')}`,
      ),
      ...(overflow > 0 ? [`the page is ${overflow} pixels wider than the window`] : []),
    ];
    if (problems.length > 0) found[name] = problems;
  }
  await context.close();
  return found;
}
