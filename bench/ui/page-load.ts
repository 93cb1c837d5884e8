import type { Browser } from 'playwright-core';
import { median } from '../figure.ts';

/** A load in a profile that never saw the page: nothing is cached, nothing is warm but the machine. */
export interface ColdLoad {
  readonly requests: readonly string[];
  /** On the wire, headers left out: of everything, of scripts, of style sheets, of the API. */
  readonly bytes: { readonly all: number; readonly js: number; readonly css: number; readonly api: number };
  readonly firstPaintMs: number;
  /** From the navigation until what the page is about is drawn. */
  readonly drawnMs: number;
  /** Used by JavaScript after a collection, bytes. */
  readonly heap: number;
}

const VIEW = { viewport: { width: 1440, height: 900 } };
const KINDS: readonly (readonly [keyof ColdLoad['bytes'], RegExp])[] = [
  ['js', /\.js(?:\?|$)/],
  ['css', /\.css(?:\?|$)/],
  ['api', /\/(?:api|graphql)(?:\/|\?|$)/],
];

/** One cold load; `drawn` is a selector of what is waited for. */
async function loadOnce(browser: Browser, url: string, drawn: string): Promise<ColdLoad> {
  const context = await browser.newContext(VIEW);
  try {
    const page = await context.newPage();
    const tools = await context.newCDPSession(page);
    const urls = new Map<string, string>();
    const requests: string[] = [];
    const bytes = { all: 0, js: 0, css: 0, api: 0 };
    await tools.send('Network.enable');
    tools.on('Network.requestWillBeSent', ({ requestId, request }) => {
      if (!request.url.startsWith('http')) return;
      urls.set(requestId, request.url);
      requests.push(`${request.method} ${request.url.slice(new URL(request.url).origin.length)}`);
    });
    tools.on('Network.dataReceived', ({ requestId, encodedDataLength }) => {
      const of = urls.get(requestId);
      if (of === undefined) return;
      bytes.all += encodedDataLength;
      for (const [kind, pattern] of KINDS) if (pattern.test(of)) bytes[kind] += encodedDataLength;
    });
    const begun = performance.now();
    await page.goto(url, { waitUntil: 'commit' });
    await page.locator(drawn).first().waitFor({ timeout: 60_000 });
    const drawnMs = performance.now() - begun;
    // What is asked for behind the first content belongs to the load as well.
    await page.waitForLoadState('load');
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 500))');
    const firstPaintMs = await page.evaluate<number>(
      `performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN`,
    );
    await tools.send('HeapProfiler.collectGarbage');
    const { usedSize: heap } = await tools.send('Runtime.getHeapUsage');
    return { requests, bytes, firstPaintMs, drawnMs, heap };
  } finally {
    await context.close();
  }
}

/** The middle one of several cold loads, each number for itself. */
export async function coldLoad(browser: Browser, url: string, drawn: string, tries = 3): Promise<ColdLoad> {
  const loads: ColdLoad[] = [];
  for (let one = 0; one < tries; one += 1) loads.push(await loadOnce(browser, url, drawn));
  const middle = (of: (load: ColdLoad) => number): number => median(loads.map(of));
  return {
    requests: loads[0]!.requests,
    bytes: {
      all: middle(({ bytes }) => bytes.all),
      js: middle(({ bytes }) => bytes.js),
      css: middle(({ bytes }) => bytes.css),
      api: middle(({ bytes }) => bytes.api),
    },
    firstPaintMs: middle(({ firstPaintMs }) => firstPaintMs),
    drawnMs: middle(({ drawnMs }) => drawnMs),
    heap: middle(({ heap }) => heap),
  };
}

/** Requests of a page at which nobody does anything. */
export async function idleRequests(
  browser: Browser,
  url: string,
  drawn: string,
  seconds: number,
): Promise<number> {
  const context = await browser.newContext(VIEW);
  const page = await context.newPage();
  await page.goto(url);
  await page.locator(drawn).first().waitFor({ timeout: 60_000 });
  await page.waitForTimeout(2_000);
  let requests = 0;
  page.on('request', () => {
    requests += 1;
  });
  await page.waitForTimeout(seconds * 1_000);
  await context.close();
  return requests;
}
