import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AssetSummary } from '../../src/server/contract/asset.ts';
import type { Component } from '../../src/server/contract/component.ts';
import { createRepository, type TestRepository } from '../helpers/repository.ts';
import { type RunningService, startService } from '../helpers/service.ts';

const SECRET = 'a-secret-of-the-webhook';
const script = (text: string) => ({
  'main.py': `print("${text}")\n`,
  'dagster.yaml': 'group: demo\nscript: { command: [python, main.py] }\n',
});
function folder(name: string, text: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(script(text)).map(([file, content]) => [`pipelines/python/${name}/${file}`, content]),
  );
}

describe('a push', () => {
  let repository: TestRepository;
  let home: string;
  let service: RunningService;
  let deliveries = 0;

  beforeAll(async () => {
    repository = createRepository({ ...folder('first', 'one'), ...folder('second', 'two') });
    home = mkdtempSync(join(tmpdir(), 'elt-home-'));
    const env = { ELT_WEBHOOK_SECRET: SECRET, ELT_REFRESH_INTERVAL: '1h' };
    service = await startService({ home, repo: repository.remote, env });
    await service.serves(repository.head());
  });
  afterAll(async () => {
    await service.stop();
    repository.remove();
    rmSync(home, { recursive: true, force: true });
  });

  function deliver(commit: string, secret = SECRET): Promise<Response> {
    const body = JSON.stringify({
      ref: 'refs/heads/main',
      after: commit,
      repository: { clone_url: repository.remote, full_name: 'shop/pipelines' },
    });
    deliveries += 1;
    return fetch(new URL('/webhooks/github', service.url), {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'push',
        'x-github-delivery': `00000000-0000-0000-0000-${String(deliveries).padStart(12, '0')}`,
        'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
      },
    });
  }
  const keys = async () =>
    (await service.api<{ items: AssetSummary[] }>('GET', '/api/v1/assets')).items.map((asset) => asset.key);

  it('with a wrong signature changes nothing', async () => {
    const commit = repository.push(folder('third', 'three'));
    const response = await deliver(commit, 'another-secret');
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 'WEBHOOK_SIGNATURE_INVALID' });
    expect(await keys()).toEqual(['first', 'second']);
  });

  it('with a right signature shows its asset without a restart', async () => {
    const commit = repository.push(folder('fourth', 'four'));
    const response = await deliver(commit);
    expect(response.status).toBe(202);
    await service.serves(commit);
    expect(await keys()).toEqual(['first', 'fourth', 'second', 'third']);
  });

  it('C1: that breaks a folder leaves every other as it was, and the broken one runs from its last good revision', async () => {
    const broken =
      'group: demo\nscript:\n  command: [python, main.py]\nshedule: { enabled: true, cron_schedule: "0 2 * * *" }\nretries: many\n';
    const commit = repository.push({
      'pipelines/python/first/dagster.yaml': broken,
      'pipelines/python/first/main.py': 'print("broken")\n',
      'pipelines/python/second/main.py': 'print("new")\n',
    });
    expect((await deliver(commit)).status).toBe(202);
    const component: Component = await service.serves(commit);
    expect(component.pipelines.map((pipeline) => [pipeline.name, pipeline.status])).toEqual([
      ['python_first', 'held'],
      ['python_fourth', 'current'],
      ['python_second', 'current'],
      ['python_third', 'current'],
    ]);
    const errors = component.diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
    expect(errors.map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`)).toEqual([
      'pipelines/python/first/dagster.yaml:4:1 CONFIG_UNKNOWN_KEY',
      'pipelines/python/first/dagster.yaml:5:10 CONFIG_TYPE',
    ]);
    expect(errors[0]!.hint).toContain('schedule');

    const { run_ids: runIds } = await service.launch('first or second');
    const run = await service.ended(runIds[0]!);
    expect(run.status).toBe('SUCCESS');
    expect(await service.log(run.run_id, 'python_first')).toContain('one');
    expect(await service.log(run.run_id, 'python_second')).toContain('new');
    const commits = new Map(run.steps_list.map((step) => [step.step_key, step.commit.commit]));
    expect(commits.get('python_second')).toBe(commit);
    expect(commits.get('python_first')).not.toBe(commit);
  });

  it('W1: of one delivery twice refreshes once', async () => {
    deliveries -= 1;
    const commit = repository.push(folder('fifth', 'five'));
    const response = await deliver(commit);
    expect(response.status).toBe(200);
    expect(await keys()).not.toContain('fifth');
  });
});
