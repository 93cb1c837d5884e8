import { createHmac } from 'node:crypto';
import { loadavg } from 'node:os';
import type { Browser, Page } from 'playwright-core';
import type { TestRepository } from '../test/helpers/repository.ts';
import { openBrowser, openTab, settled } from '../test/ui/browser.ts';
import { type Figure, median } from './figure.ts';
import type { ServiceProcess } from './service-process.ts';

export const WEBHOOK_SECRET = 'bench-webhook-secret';
const TRIES = 7;
const AIM = { unit: 's', aim: 0.3, peer: 'Dagster: 14.9 s' } as const;

/** From the return of `git push`, with the webhook sent at that moment, to the asset on a page that is open. */
export async function benchPush(
  service: ServiceProcess,
  repository: TestRepository,
  url: string,
): Promise<readonly Figure[]> {
  const browser = await openBrowser();
  const seen =
    'skip' in browser
      ? await overStream(service, repository, url)
      : await inBrowser(browser, service, repository, url);
  const [first, ...rest] = seen;
  const load = `load ${loadavg()[0]!.toFixed(1)}`;
  const end = 'skip' in browser ? `event of the stream (${browser.skip})` : 'text on the open page';
  return [
    { what: `git push with its webhook → ${end}, the first`, value: first!, unit: 's', aim: null },
    {
      what: `git push with its webhook → ${end} (median of ${rest.length}; ${load})`,
      value: median(rest),
      ...AIM,
    },
  ];
}

async function inBrowser(
  browser: Browser,
  service: ServiceProcess,
  repository: TestRepository,
  url: string,
): Promise<number[]> {
  try {
    const { page } = await openTab(await browser.newContext(), `${service.url}/assets`);
    await settled(page);
    const seconds: number[] = [];
    for (let nth = 0; nth <= TRIES; nth++) {
      // By its group the first of all, so that it is drawn where the page stands.
      const name = `a_pushed_${nth}`;
      await watchFor(page, name);
      const pushed = push(repository, name);
      await deliver(service, url, pushed.commit, name);
      seconds.push(((await page.evaluate<number>('window.seen')) - pushed.at) / 1000);
    }
    return seconds;
  } finally {
    await browser.close();
  }
}

/** `window.seen` resolves with the epoch milliseconds at which the text is in the page. */
async function watchFor(page: Page, name: string): Promise<void> {
  await page.evaluate(`
    void (window.seen = new Promise((resolve) => {
      new MutationObserver(() => {
        if (document.querySelector('a[title="${name}"]') !== null) resolve(performance.timeOrigin + performance.now());
      }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    }))`);
}

async function overStream(
  service: ServiceProcess,
  repository: TestRepository,
  url: string,
): Promise<number[]> {
  const abort = new AbortController();
  const stream = await fetch(`${service.url}/api/v1/events`, {
    headers: { accept: 'text/event-stream' },
    signal: abort.signal,
  });
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  const seconds: number[] = [];
  for (let nth = 0; nth <= TRIES; nth++) {
    const { at, commit } = push(repository, `a_pushed_${nth}`);
    await deliver(service, url, commit, `a_pushed_${nth}`);
    for (let text = ''; !text.includes(commit); ) text += (await reader.read()).value ?? '';
    seconds.push((epoch() - at) / 1000);
  }
  abort.abort();
  return seconds;
}

function push(repository: TestRepository, name: string): { readonly commit: string; readonly at: number } {
  const commit = repository.push({
    [`pipelines/python/${name}/dagster.yaml`]: 'group: a_pushed\nscript: { command: [python, main.py] }\n',
    [`pipelines/python/${name}/main.py`]: 'print("done")\n',
  });
  return { commit, at: epoch() };
}

async function deliver(service: ServiceProcess, url: string, commit: string, id: string): Promise<void> {
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    after: commit,
    repository: { clone_url: url, full_name: 'bench/pipelines' },
  });
  const signature = createHmac('sha256', WEBHOOK_SECRET).update(body).digest('hex');
  const response = await fetch(`${service.url}/webhooks/github`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': `bench-${id}`,
      'x-hub-signature-256': `sha256=${signature}`,
    },
  });
  if (response.status !== 202) throw new Error(`the webhook answered ${response.status}`);
}

function epoch(): number {
  return performance.timeOrigin + performance.now();
}
