import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Component } from '../src/server/contract/component.ts';
import type { TestRepository } from '../test/helpers/repository.ts';
import { ROOT } from '../test/helpers/service.ts';
import { type Figure, median } from './figure.ts';
import { createLargeRepository, folder } from './large-repository.ts';
import { type ServiceProcess, startServiceProcess } from './service-process.ts';

const TRIES = 5;
const REST_SECONDS = Number(process.env['BENCH_REST_SECONDS'] ?? 60);
const FOLDERS = 1000;
const SECRET = 'bench-webhook-secret';
/** What the page asks for when it is opened and its main pages are looked at. */
const PAGE = ['instance', 'assets', 'lineage', 'runs', 'schedules', 'jobs', 'components', 'diagnostics'];

/** The service as `./elt-dev` starts it and the command line, at the demo and at 1,000 folders. */
export async function benchService(): Promise<readonly Figure[]> {
  return [...(await atDemo()), ...(await atThousand()), ...commands()];
}

async function atDemo(): Promise<Figure[]> {
  const home = mkdtempSync(join(tmpdir(), 'elt-bench-'));
  try {
    const first = await startServiceProcess(home);
    await settled(first);
    await first.stop();
    const cold = await startServiceProcess(home, { NODE_DISABLE_COMPILE_CACHE: '1' });
    await cold.stop();
    const starts = await secondsOfStarts(home, {});
    const service = await startServiceProcess(home);
    await wait(REST_SECONDS * 1000);
    const atRest = service.memory();
    await readPage(service);
    await wait(REST_SECONDS * 1000);
    const afterPage = service.memory();
    await service.stop();
    return [
      {
        what: 'demo: ./elt-dev to a healthy answer, no compile cache',
        value: cold.seconds,
        unit: 's',
        aim: null,
      },
      {
        what: `demo: second ./elt-dev to a healthy answer (median of ${TRIES})`,
        value: starts,
        unit: 's',
        aim: 0.5,
      },
      {
        what: `demo: memory ${REST_SECONDS} s after the start (VmRSS)`,
        value: atRest,
        unit: 'MiB',
        aim: 110,
      },
      { what: 'demo: memory after the page was served', value: afterPage, unit: 'MiB', aim: 110 },
    ];
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function atThousand(): Promise<Figure[]> {
  const home = mkdtempSync(join(tmpdir(), 'elt-bench-'));
  const repository = createLargeRepository(FOLDERS);
  try {
    const env = {
      ELT_REPO_URL: repository.remote,
      ELT_WEBHOOK_SECRET: SECRET,
      ELT_REFRESH_INTERVAL: '1h',
    };
    const first = await startServiceProcess(home, env);
    const begun = performance.now();
    await settled(first);
    const refresh = (performance.now() - begun) / 1000;
    await first.stop();
    const starts = await secondsOfStarts(home, env);
    const service = await startServiceProcess(home, env);
    await settled(service);
    await wait(REST_SECONDS * 1000);
    const atRest = service.memory();
    const firstPush = await pushToVisible(service, repository, 'pushed_first');
    const secondPush = await pushToVisible(service, repository, 'pushed_second');
    const list = await medianOf(() => service.get('/api/v1/assets'));
    const cliList = medianOfCommands(['list', '--url', service.url]);
    await readPage(service);
    await wait(REST_SECONDS * 1000);
    const afterwards = service.memory();
    await service.stop();
    const validate = medianOfCommands(['validate', repository.clone]);
    const at = (what: string) => `${FOLDERS} folders: ${what}`;
    return [
      { what: at('first refresh, from a healthy answer on'), value: refresh, unit: 's', aim: null },
      {
        what: at(`second ./elt-dev to a healthy answer (median of ${TRIES})`),
        value: starts,
        unit: 's',
        aim: 0.8,
      },
      { what: at(`memory ${REST_SECONDS} s after the start (VmRSS)`), value: atRest, unit: 'MiB', aim: null },
      {
        what: at('signed webhook to asset in the API, first push after a start'),
        value: firstPush,
        unit: 's',
        aim: 2,
      },
      { what: at('signed webhook to asset in the API, next push'), value: secondPush, unit: 's', aim: 2 },
      { what: at(`GET /api/v1/assets (median of ${TRIES})`), value: list, unit: 's', aim: null },
      { what: at('memory after two pushes and the page (VmRSS)'), value: afterwards, unit: 'MiB', aim: null },
      { what: at(`elt list (median of ${TRIES})`), value: cliList, unit: 's', aim: null },
      { what: at(`elt validate (median of ${TRIES})`), value: validate, unit: 's', aim: 1.5 },
    ];
  } finally {
    repository.remove();
    rmSync(home, { recursive: true, force: true });
  }
}

function commands(): Figure[] {
  return [
    {
      what: `elt --version (median of ${TRIES})`,
      value: medianOfCommands(['--version']),
      unit: 's',
      aim: 0.08,
    },
    { what: `elt --help (median of ${TRIES})`, value: medianOfCommands(['--help']), unit: 's', aim: 0.12 },
  ];
}

async function secondsOfStarts(home: string, env: Readonly<Record<string, string>>): Promise<number> {
  const seconds: number[] = [];
  for (let index = 0; index < TRIES; index++) {
    const service = await startServiceProcess(home, env);
    seconds.push(service.seconds);
    await service.stop();
  }
  return median(seconds);
}

/** Until everything is served and nothing is being discovered. */
async function settled(service: ServiceProcess): Promise<void> {
  for (;;) {
    const { items } = await service.get<{ items: Component[] }>('/api/v1/components');
    const isSettled = items.every(
      ({ last_applied, refreshing, pipelines }) =>
        last_applied !== null && !refreshing && pipelines.every((one) => one.discovery.status !== 'pending'),
    );
    if (isSettled) return;
    // The answer lists every pipeline: asking too often would be what is measured.
    await wait(100);
  }
}

async function pushToVisible(
  service: ServiceProcess,
  repository: TestRepository,
  name: string,
): Promise<number> {
  const files = Object.entries(folder(7)).map(([file, text]) => [file.replace('p0007', name), text] as const);
  const commit = repository.push(Object.fromEntries(files));
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    after: commit,
    repository: { clone_url: repository.remote, full_name: 'bench/pipelines' },
  });
  const signature = createHmac('sha256', SECRET).update(body).digest('hex');
  const begun = performance.now();
  const response = await fetch(`${service.url}/webhooks/github`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': `bench-${name}`,
      'x-hub-signature-256': `sha256=${signature}`,
    },
  });
  if (response.status !== 202) throw new Error(`the webhook answered ${response.status}`);
  for (;;) {
    const { status } = await fetch(`${service.url}/api/v1/assets/${name}`);
    if (status === 200) return (performance.now() - begun) / 1000;
    await wait(10);
  }
}

async function readPage(service: ServiceProcess): Promise<void> {
  const page = await fetch(service.url);
  await page.text();
  for (const path of PAGE) await service.get(`/api/v1/${path}`);
}

async function medianOf(work: () => Promise<unknown>): Promise<number> {
  const seconds: number[] = [];
  for (let index = 0; index < TRIES; index++) {
    const begun = performance.now();
    await work();
    seconds.push((performance.now() - begun) / 1000);
  }
  return median(seconds);
}

function medianOfCommands(args: readonly string[]): number {
  const seconds: number[] = [];
  for (let index = 0; index < TRIES; index++) {
    const begun = performance.now();
    execFileSync(join(ROOT, 'elt'), args, { stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 64e6 });
    seconds.push((performance.now() - begun) / 1000);
  }
  return median(seconds);
}
