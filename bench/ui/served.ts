import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import type { LaunchResponse, RunDetail } from '../../src/server/contract/run.ts';
import { ROOT } from '../../test/helpers/service.ts';
import type { Figure } from '../figure.ts';
import { type ServiceProcess, startServiceProcess } from '../service-process.ts';
import { type ColdLoad, coldLoad, idleRequests } from './page-load.ts';
import { createSampleRepository } from './sample-repository.ts';

const REST_SECONDS = Number(process.env['BENCH_REST_SECONDS'] ?? 60);
const CHANGES = 40;

export interface Served {
  readonly home: ColdLoad;
  readonly lineage: ColdLoad;
  readonly figures: readonly Figure[];
}

/** The page as `./elt-dev` serves it: first load, lineage, an event's way to the screen, rest. */
export async function servedFigures(browser: Browser): Promise<Served> {
  const directory = mkdtempSync(join(tmpdir(), 'elt-bench-'));
  const repository = createSampleRepository();
  const service = await startServiceProcess(directory, {
    ELT_REPO_URL: repository.remote,
    ELT_REFRESH_INTERVAL: '1h',
  });
  try {
    await ranOnce(service);
    const home = await coldLoad(browser, service.url, '.tl-bar', 5);
    const lineage = await coldLoad(
      browser,
      `${service.url}/lineage?view=graph&expand=all`,
      '.graph-node-key',
    );
    return {
      home,
      lineage,
      figures: [
        ...builtSizes(),
        {
          what: `requests in ${REST_SECONDS} s at rest`,
          value: await idleRequests(browser, service.url, '.tl-bar', REST_SECONDS),
          unit: '',
          aim: 0,
        },
        await toPixel(browser, service),
      ],
    };
  } finally {
    await service.stop();
    repository.remove();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function ranOnce(service: ServiceProcess): Promise<void> {
  while ((await service.get<{ items: unknown[] }>('/api/v1/assets')).items.length < 12) await wait(100);
  const { run_ids: ids } = await service.post<LaunchResponse>('/api/v1/runs', { selection: '*' });
  for (const id of ids)
    while (!/SUCCESS|FAILURE/.test((await service.get<RunDetail>(`/api/v1/runs/${id}`)).status))
      await wait(200);
}

/** Of the built files, compressed as they are sent. */
function builtSizes(): Figure[] {
  const folder = join(ROOT, 'ui/dist/assets');
  const sum = (suffix: string): number =>
    readdirSync(folder)
      .filter((name) => name.endsWith(`${suffix}.br`))
      .reduce((all, name) => all + statSync(join(folder, name)).size, 0) / 1000;
  return [
    { what: 'JavaScript of all pages together', value: sum('.js'), unit: 'kB', aim: 160 },
    { what: 'CSS', value: sum('.css'), unit: 'kB', aim: 15 },
  ];
}

/** From the request that changes something to the frame that shows it: through store, event log, stream and page. */
async function toPixel(browser: Browser, service: ServiceProcess): Promise<Figure> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${service.url}/automation`);
  const toggle = page.locator('[role=switch]').first();
  await toggle.waitFor();
  await page.locator('.connection.is-live').waitFor();
  const { items } = await service.get<{ items: { name: string; status: string }[] }>('/api/v1/schedules');
  const [schedule] = items;
  if (schedule === undefined) throw new Error('the sample has no schedule');
  let running = schedule.status === 'RUNNING';
  const times: number[] = [];
  for (let change = 0; change < CHANGES; change += 1) {
    running = !running;
    await page.evaluate(`void (window.seen = new Promise((resolve) => {
      const toggle = document.querySelector('[role=switch]');
      const observer = new MutationObserver(() => {
        if (toggle.getAttribute('aria-checked') !== '${running}') return;
        observer.disconnect();
        requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now()));
      });
      observer.observe(toggle, { attributes: true });
    }))`);
    const asked = performance.timeOrigin + performance.now();
    await service.post(`/api/v1/schedules/${schedule.name}/${running ? 'start' : 'stop'}`, {});
    times.push((await page.evaluate<number>('window.seen')) - asked);
  }
  await context.close();
  times.sort((a, b) => a - b);
  const value = times[Math.floor(times.length * 0.95)]!;
  return { what: `an event to its pixel, p95 of ${CHANGES}`, value, unit: 'ms', aim: 250 };
}
