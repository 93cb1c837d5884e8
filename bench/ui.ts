import { loadavg } from 'node:os';
import type { Browser } from 'playwright-core';
import { ROOT } from '../test/helpers/service.ts';
import { openBrowser } from '../test/ui/browser.ts';
import type { Figure } from './figure.ts';
import { type DagsterServer, dagsterVenv, startDagster } from './ui/dagster.ts';
import { type ColdLoad, coldLoad, idleRequests } from './ui/page-load.ts';
import { servedFigures } from './ui/served.ts';
import { sizeFigures } from './ui/sizes.ts';

/** What the other one takes for the same on this machine, in this run. */
interface Anchor {
  readonly home: ColdLoad;
  readonly lineage: ColdLoad;
  readonly thousand: ColdLoad;
  readonly partitions: ColdLoad;
  readonly idle: number;
}

const IDLE_SECONDS = 20;
/** On Dagster's overview: its timeline, with or without runs. */
const OVERVIEW = 'text=/No runs or scheduled ticks|shop_job/';

/** The page's budgets, each beside what Dagster takes for it where it is installed (`npm run bench:dagster`). */
export async function benchUi(): Promise<readonly Figure[]> {
  const browser = await openBrowser();
  if ('skip' in browser) throw new Error(browser.skip);
  try {
    console.log(`  load before: ${loads()}`);
    const venv = dagsterVenv(ROOT);
    const anchor = venv === null ? null : await measureDagster(browser, venv);
    if (anchor === null) console.log('  Dagster is not installed: npm run bench:dagster');
    const served = await servedFigures(browser);
    console.log(
      `  requests of the first load:\n${served.home.requests.map((one) => `    ${one}`).join('\n')}`,
    );
    const sizes = await sizeFigures(browser);
    console.log(`  load after: ${loads()}`);
    return [
      ...firstLoad(served.home, anchor?.home),
      ...ofLoad('lineage of 12 assets', served.lineage, anchor?.lineage, 500),
      ...served.figures.map((figure) =>
        figure.what.includes('at rest') && anchor !== null
          ? { ...figure, peer: `Dagster ${anchor.idle} in ${IDLE_SECONDS} s (overview)` }
          : figure,
      ),
      ...sizes.map((figure) => beside(figure, anchor)),
    ];
  } finally {
    await browser.close();
  }
}

function firstLoad(ours: ColdLoad, theirs: ColdLoad | undefined): Figure[] {
  const kilobytes = (of: (load: ColdLoad) => number) => (load: ColdLoad) => of(load) / 1000;
  const row = (what: string, unit: string, aim: number | null, of: (load: ColdLoad) => number): Figure =>
    figureOf(`first load: ${what}`, unit, aim, of(ours), theirs === undefined ? null : of(theirs));
  const figures = [
    // The picture of the tab is the browser's own wish, beside the page's.
    row(
      'requests, without the favicon',
      '',
      12,
      ({ requests }) => requests.filter((one) => !one.includes('favicon')).length,
    ),
    row(
      'all',
      'kB',
      120,
      kilobytes(({ bytes }) => bytes.all),
    ),
    row(
      'JavaScript',
      'kB',
      60,
      kilobytes(({ bytes }) => bytes.js),
    ),
    row(
      'CSS',
      'kB',
      15,
      kilobytes(({ bytes }) => bytes.css),
    ),
    row(
      'API',
      'kB',
      null,
      kilobytes(({ bytes }) => bytes.api),
    ),
    row('first contentful paint', 'ms', 300, ({ firstPaintMs }) => firstPaintMs),
    row('content drawn', 'ms', 500, ({ drawnMs }) => drawnMs),
    row('heap', 'MB', 60, ({ heap }) => heap / 1e6),
  ];
  if (theirs === undefined) return figures;
  return [
    ...figures,
    {
      what: 'first load: paint, part of Dagster’s',
      value: ours.firstPaintMs / theirs.firstPaintMs,
      unit: '',
      aim: 0.3,
    },
    {
      what: 'first load: drawn, part of Dagster’s',
      value: ours.drawnMs / theirs.drawnMs,
      unit: '',
      aim: 0.35,
    },
  ];
}

function ofLoad(what: string, ours: ColdLoad, theirs: ColdLoad | undefined, aim: number): Figure[] {
  return [
    figureOf(`${what}: drawn, cold`, 'ms', aim, ours.drawnMs, theirs?.drawnMs ?? null),
    figureOf(
      `${what}: all`,
      'kB',
      null,
      ours.bytes.all / 1000,
      theirs === undefined ? null : theirs.bytes.all / 1000,
    ),
  ];
}

/** Dagster's number where it was measured with the same: its lineage of a thousand is collapsed, expanded it never ends. */
function beside(figure: Figure, anchor: Anchor | null): Figure {
  if (anchor === null) return figure;
  const of = (theirs: number): Figure => figureOf(figure.what, figure.unit, figure.aim, figure.value, theirs);
  if (/cut across layers: collapsed/.test(figure.what)) return of(anchor.thousand.drawnMs);
  if (figure.what.startsWith('10,000 partitions: drawn')) return of(anchor.partitions.drawnMs);
  if (figure.what.startsWith('10,000 partitions: API')) return of(anchor.partitions.bytes.api / 1000);
  return figure;
}

function figureOf(
  what: string,
  unit: string,
  aim: number | null,
  value: number,
  theirs: number | null,
): Figure {
  const figure = { what, value, unit, aim };
  if (theirs === null) return figure;
  const ratio = theirs === 0 ? '' : `, ours ×${(value / theirs).toFixed(2)}`;
  return { ...figure, peer: `Dagster ${theirs.toFixed(theirs < 100 ? 1 : 0)} ${unit}${ratio}` };
}

async function measureDagster(browser: Browser, venv: string): Promise<Anchor> {
  return using(await startDagster(venv, 'small'), async ({ url }) => {
    const home = await coldLoad(browser, url, OVERVIEW);
    const lineage = await coldLoad(browser, `${url}/asset-groups`, 'text=ingest');
    const partitions = await coldLoad(browser, `${url}/assets/hours?view=partitions`, 'text=/Missing/');
    const idle = await idleRequests(browser, url, OVERVIEW, IDLE_SECONDS);
    const thousand = await using(await startDagster(venv, 'large'), (large) =>
      coldLoad(browser, `${large.url}/asset-groups`, 'text=group_07'),
    );
    return { home, lineage, partitions, idle, thousand };
  });
}

async function using<T>(server: DagsterServer, work: (server: DagsterServer) => Promise<T>): Promise<T> {
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

function loads(): string {
  return loadavg()
    .map((one) => one.toFixed(1))
    .join(' ');
}
