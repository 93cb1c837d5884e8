import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findChromium } from '../helpers/chromium.ts';
import { GIT_ENVIRONMENT } from '../helpers/git-repository.ts';
import { startGitServer } from '../helpers/git-server.ts';
import { createRepository } from '../helpers/repository.ts';
import { startService } from '../helpers/service.ts';

const REPORT = {
  'pipelines/python/hello/main.py': `
import time
print("first line", flush=True)
time.sleep(3)
print("last line", flush=True)
`,
  'pipelines/python/hello/dagster.yaml':
    'group: demo\ndescription: Says hello\nscript: { command: [python, main.py] }\n',
};

/** Not synchronously: the server that takes the push lives in this process. */
async function pushOverHttp(clone: string, remote: string): Promise<void> {
  await promisify(execFile)('git', ['push', '--quiet', remote, 'main'], {
    cwd: clone,
    env: { ...process.env, ...GIT_ENVIRONMENT },
  });
}

describe('the page', () => {
  it('shows a pushed folder without reload, runs it on a click and shows a line before the process ends', {
    timeout: 120_000,
  }, async (ctx) => {
    const found = await findChromium();
    if ('skip' in found) return ctx.skip(found.skip);
    const repository = createRepository({
      'pipelines/python/old/main.py': 'print(1)\n',
      'pipelines/python/old/dagster.yaml': 'script: { command: [python, main.py] }\n',
    });
    onTestFinished(() => repository.remove());
    const server = await startGitServer(dirname(repository.remote));
    const remote = `${server.url}/pipelines.git`;
    const home = mkdtempSync(join(tmpdir(), 'elt-home-'));
    onTestFinished(() => rmSync(home, { recursive: true, force: true }));
    const service = await startService({ home, repo: remote, env: { ELT_REFRESH_INTERVAL: '2s' } });
    onTestFinished(async () => void (await service.stop()));
    const browser = await chromium.launch({
      executablePath: found.executablePath,
      env: { ...process.env, ...found.env },
      args: ['--no-sandbox', '--disable-background-networking'],
    });
    onTestFinished(() => browser.close());

    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`${service.url}/assets`);
    await page.getByText('old', { exact: true }).first().waitFor();

    repository.commit(REPORT);
    await pushOverHttp(repository.clone, remote);
    await page.getByText('hello', { exact: true }).first().click({ timeout: 30_000 });
    await page
      .getByRole('button', { name: /^materialize/i })
      .first()
      .click();
    const queued = await service.event((change) => change.type === 'run_enqueued');
    await page.goto(`${service.url}/runs/${queued.run_id}`);
    await page.getByText('first line').first().waitFor({ timeout: 20_000 });
    expect(await service.api('GET', `/api/v1/runs/${queued.run_id}`)).toMatchObject({
      status: 'STARTED',
      asset_keys: ['hello'],
    });
    await page.getByText('last line').first().waitFor({ timeout: 20_000 });
    expect((await service.ended(queued.run_id!)).status).toBe('SUCCESS');
    expect(errors).toEqual([]);
  });
});
