import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { openTab, settled } from './browser.ts';
import { FAILED_BACKFILL, LIVE_BACKFILL } from './fixture/backfills.ts';
import type { Scenario } from './fixture/scenarios.ts';
import { ACTIVE_RUN, FAILED_RUN, GOOD_RUN } from './fixture/shop.ts';
import type { Fixture } from './fixture-server.ts';

type Paths = Readonly<Record<string, string>>;

/** Pages that need nothing to be there. */
const ALWAYS: Paths = {
  home: '/',
  timeline: '/timeline?open=web',
  'the timeline as a table': '/timeline?view=table&range=6h',
  assets: '/assets',
  'assets, filtered to nothing': '/assets?q=zzzz',
  'assets as a tree': '/assets?view=tree&status=failed',
  'lineage as a list': '/lineage?view=list',
  runs: '/runs',
  backfills: '/backfills',
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

/** Every page, and what it can show. */
export const PAGES: Paths = {
  ...ALWAYS,
  asset: '/assets/dlt_shop_orders',
  'an asset with a slash in its key': '/assets/dlt_shop_catalog%2Fproducts',
  'an external asset': '/assets/warehouse%2Ffx_rates',
  'partitions as a strip and a calendar': '/assets/dlt_shop_orders?tab=partitions&sel=8-16',
  matrix: '/assets/daily_raw_data?tab=partitions&sel=0.6-1.12',
  plots: '/assets/dlt_shop_orders?tab=plots&by=partition',
  'plots as a table': '/assets/dlt_shop_orders?tab=plots&view=table',
  'checks of an asset': '/assets/dlt_shop_orders?tab=checks',
  'history of an asset': '/assets/dlt_shop_orders?tab=history',
  'runs of an asset': '/assets/dlt_shop_orders?tab=runs',
  'lineage of an asset': '/assets/mart_daily_data?tab=lineage',
  definition: '/assets/dlt_shop_orders?tab=definition',
  'state of dlt': '/pipelines/shop%2Fshop_orders',
  lineage: '/lineage?sel=mart_daily_data&view=graph',
  'a failed run': `/runs/${FAILED_RUN}`,
  'a running run': `/runs/${ACTIVE_RUN}`,
  'a good run': `/runs/${GOOD_RUN}`,
  'a running backfill': `/backfills/${LIVE_BACKFILL}`,
  'a backfill of two dimensions': `/backfills/${FAILED_BACKFILL}`,
};

const OF_THOUSAND: Paths = {
  ...ALWAYS,
  'one of very many assets': '/assets/asset_987',
  'its lineage': '/assets/asset_987?tab=lineage',
  'lineage in groups': '/lineage?view=graph',
  'lineage expanded': '/lineage?view=graph&expand=all',
};

/** The pages that there are in a world, by what they show. */
export function pagesOf(scenario: Scenario): Paths {
  if (scenario === 'empty') return ALWAYS;
  return scenario === 'many' ? OF_THOUSAND : PAGES;
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

export interface Look {
  readonly width: number;
  readonly colorScheme: 'light' | 'dark';
  /** As the system asks for it. */
  readonly contrast?: 'more';
}

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
export const OVERFLOW = 'document.documentElement.scrollWidth - window.innerWidth';

/** WCAG 2.2 A and AA; with much contrast AAA's contrast too. One text per violation. */
async function violationsOf(page: Page, contrast: boolean): Promise<string[]> {
  await page.evaluate(axe.source);
  const options = { runOnly: TAGS, rules: { 'color-contrast-enhanced': { enabled: contrast } } };
  const { violations } = await page.evaluate<AxeResult>(`axe.run(document, ${JSON.stringify(options)})`);
  return violations.map(
    ({ id, nodes }) => `axe ${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join('\n')}`,
  );
}

/**
 * What is wrong with each page in one look: errors, requests to elsewhere, axe, overflow. Empty: nothing. With
 * `ELT_SCREENSHOTS` set, a picture of each is kept in that folder.
 */
export async function faultsOf(
  browser: Browser,
  { url }: Fixture,
  { width, colorScheme, contrast }: Look,
  scenario: Scenario,
): Promise<Record<string, unknown>> {
  const context = await browser.newContext({
    colorScheme,
    viewport: { width, height: width < 500 ? 844 : 900 },
    reducedMotion: 'reduce',
    ...(contrast === undefined ? {} : { contrast }),
  });
  const { page, faults, strangers } = await openTab(context, `${url}/nowhere`);
  const folder = screenshotFolder(
    `${scenario}-${colorScheme}-${width}${contrast === undefined ? '' : '-contrast'}`,
  );
  const found: Record<string, unknown> = {};
  for (const [name, path] of Object.entries(pagesOf(scenario))) {
    await page.goto(url + path);
    await settled(page);
    if (/lineage/.test(path)) await page.locator('.graph-node, .table, .empty').first().waitFor();
    // What the selection comes to is asked for after it is drawn.
    if (/&sel=/.test(path)) await page.locator('main .button.primary:enabled').first().waitFor();
    if (folder !== null) await page.screenshot({ path: join(folder, `${name.replaceAll(/\W+/g, '-')}.png`) });
    const violations = await violationsOf(page, contrast === 'more');
    const overflow = await page.evaluate<number>(OVERFLOW);
    const problems = [
      ...faults.splice(0),
      ...strangers.splice(0),
      ...violations,
      ...(overflow > 0 ? [`the page is ${overflow} pixels wider than the window`] : []),
    ];
    if (problems.length > 0) found[name] = problems;
  }
  await context.close();
  return found;
}

function screenshotFolder(look: string): string | null {
  const root = process.env['ELT_SCREENSHOTS'] ?? '';
  if (root === '') return null;
  const folder = join(root, look);
  mkdirSync(folder, { recursive: true });
  return folder;
}
