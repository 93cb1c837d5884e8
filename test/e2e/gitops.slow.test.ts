import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Diagnostic } from '../../src/server/contract/common.ts';
import type { Component, Drift, Revision } from '../../src/server/contract/component.ts';
import type { Schedule } from '../../src/server/contract/schedule.ts';
import { deliverPush } from '../helpers/deliver.ts';
import { type FakeClock, fakeClock } from '../helpers/fake-clock.ts';
import { GIT_ENVIRONMENT } from '../helpers/git-repository.ts';
import { startGitServer } from '../helpers/git-server.ts';
import { type GithubServer, startGithub } from '../helpers/github-server.ts';
import { type OwnService, ownService } from '../helpers/own-service.ts';
import { createRepository, type TestRepository } from '../helpers/repository.ts';
import { type CliResult, runCli } from '../helpers/run-cli.ts';
import { openBrowser, openTab, settled } from '../ui/browser.ts';

const SECRET = 'a-secret-of-the-webhook';
const T0 = Date.UTC(2026, 0, 20, 12);

interface World {
  readonly repository: TestRepository;
  readonly service: OwnService;
  readonly clock: FakeClock;
  readonly elt: (...args: string[]) => Promise<CliResult>;
  readonly component: () => Promise<Component>;
}

/** The whole service on a repository that a real Git server serves; only time is the test's. */
async function world(
  files: Readonly<Record<string, string>>,
  github?: GithubServer,
): Promise<World & { requests: readonly { line: string }[]; url: string }> {
  const repository = createRepository(files);
  // An address as GitHub has them: of an owner and a name.
  const owner = path.dirname(repository.remote);
  const server = await startGitServer(path.dirname(owner));
  const url = `${server.url}/${path.basename(owner)}/${path.basename(repository.remote)}`;
  const home = mkdtempSync(path.join(tmpdir(), 'elt-home-'));
  const clock = fakeClock(T0);
  const env = {
    ELT_WEBHOOK_SECRET: SECRET,
    ELT_REFRESH_INTERVAL: '1h',
    GITHUB_TOKEN: 'ghp_0123456789abcdef',
  };
  if (github !== undefined) {
    mkdirSync(path.join(home, 'defs/elt_pipelines'), { recursive: true });
    writeFileSync(
      path.join(home, 'defs/elt_pipelines/defs.yaml'),
      `type: elt.EltGithubComponent\nattributes:\n  github: { statuses: true, api_url: "${github.url}" }\n`,
    );
  }
  const service = await ownService({ home, repo: url, clock, env });
  onTestFinished(async () => {
    await service.close({ endSteps: true });
    repository.remove();
    rmSync(home, { recursive: true, force: true });
  });
  await service.client.serves(repository.head());
  return {
    repository,
    service,
    clock,
    url,
    requests: server.requests,
    elt: (...args) => runCli(args, { env: { ELT_URL: service.url! } }),
    component: async () =>
      (await service.client.api<{ items: Component[] }>('GET', '/api/v1/components')).items[0]!,
  };
}

const folder = (name: string, text: string, yaml = ''): Record<string, string> => ({
  [`pipelines/python/${name}/main.py`]: `print("${text}")\n`,
  [`pipelines/python/${name}/dagster.yaml`]: `script: { command: [python, main.py] }\n${yaml}`,
});
const EVERY_MINUTE = 'schedule: { enabled: true, cron_schedule: "* * * * *" }\n';

/** Ten ways to break a folder: what is pushed, and the line of its `dagster.yaml` that is told. */
const BROKEN: readonly (readonly [string, string, number])[] = [
  ['syntax', 'group: [\n', 3],
  ['type', 'retries: many\n', 2],
  ['range', 'retries: -1\n', 2],
  ['misspelt key', 'shedule: { enabled: true }\n', 2],
  ['key twice', 'group: a\ngroup: b\n', 3],
  ['bad cron', 'schedule: { enabled: true, cron_schedule: "61 * * * *" }\n', 2],
  ['bad zone', 'schedule: { enabled: true, cron_schedule: "0 2 * * *", timezone: Mars/Olympus }\n', 2],
  ['bad date', 'partitions: { enabled: true, cron_schedule: "0 0 * * *", start_date: "2026-13-01" }\n', 2],
  [
    'end before start',
    'partitions: { enabled: true, cron_schedule: "0 0 * * *", start_date: "2026-02-01", end_date: "2026-01-01" }\n',
    2,
  ],
  ['tool', 'tool: spark\n', 2],
];

/** Every broken folder's file and line stands on the page of problems. */
async function expectOnPage(url: string, names: readonly string[]): Promise<void> {
  const browser = await openBrowser();
  // Without a browser the machine's set-up test says so.
  if ('skip' in browser) return;
  onTestFinished(() => browser.close());
  const { page } = await openTab(await browser.newContext(), `${url}/problems`);
  await settled(page);
  for (const [n, name] of names.entries()) {
    const place = `pipelines/python/${name}/dagster.yaml:${BROKEN[n]![2]}`;
    await page.getByText(place).first().waitFor();
  }
}

describe('GitOps', () => {
  it('C1: of 20 folders, broken one after the other in ten ways, the others advance and the broken run and tick from their last good revision', async () => {
    const names = Array.from({ length: 20 }, (_, n) => `p${String(n).padStart(2, '0')}`);
    const first = names.flatMap((name, n) =>
      Object.entries(folder(name, `${name} first`, n === 0 ? EVERY_MINUTE : '')),
    );
    const github = await startGithub();
    const { repository, service, clock, elt, component } = await world(Object.fromEntries(first), github);
    const { client } = service;
    const good = repository.head();
    await github.called(() => github.statusesOf(good).some((text) => text.includes(' success ')));

    for (const [n, [way, yaml, line]] of BROKEN.entries()) {
      const [broken, fine] = [names[n]!, names[n + 10]!];
      const commit = repository.push(
        { ...folder(broken, `${broken} broken`, yaml), ...folder(fine, `${fine} second`) },
        way,
      );
      await client.api('POST', '/api/v1/components/elt_pipelines/refresh?wait=true');
      const { pipelines, last_applied: applied } = await component();
      const states = new Map(pipelines.map((one) => [one.name, `${one.status} ${one.commit}`]));
      expect([way, applied?.commit]).toEqual([way, commit]);
      expect([way, states.get(`python_${broken}`)]).toEqual([way, `held ${good}`]);
      expect([way, states.get(`python_${fine}`)]).toEqual([way, `current ${commit}`]);
      expect(pipelines.filter(({ status }) => status === 'held')).toHaveLength(n + 1);
      const { items } = await client.api<{ items: Diagnostic[] }>(
        'GET',
        '/api/v1/diagnostics?severity=error',
      );
      const file = `pipelines/python/${broken}/dagster.yaml`;
      const lines = items.filter((one) => one.file === file).map((one) => one.line);
      expect([way, [...new Set(lines)]]).toEqual([way, [line]]);
      await github.called(() => github.statusesOf(commit).length > 0);
      expect([way, github.statusesOf(commit)]).toEqual([
        way,
        [expect.stringMatching(/^elt\/elt_pipelines failure python_p00/)],
      ]);
    }
    expect(github.statusesOf(good).every((text) => !text.includes(' failure '))).toBe(true);
    await expectOnPage(service.url!, names.slice(0, 10));

    const status = (await elt('status')).stdout;
    expect(status).toContain('served from their last good revision');
    for (const [n, name] of names.slice(0, 10).entries())
      expect(status).toMatch(new RegExp(`pipelines/python/${name}/dagster.yaml:${BROKEN[n]![2]}:\\d+ error`));

    // In one run each reads its own revision.
    const { run_ids: runIds } = await client.launch('*');
    expect(runIds).toHaveLength(1);
    const run = await client.ended(runIds[0]!);
    expect(run.status).toBe('SUCCESS');
    for (const [n, name] of names.entries())
      expect(await client.log(run.run_id, `python_${name}`)).toContain(
        `${name} ${n < 10 ? 'first' : 'second'}`,
      );
    expect(new Set(run.steps_list.map((step) => step.commit.commit)).size).toBe(11);

    // And the schedule of a broken folder ticks as its last good revision says.
    clock.set(T0 + 60_000);
    const tick = await client.event((change) => change.type === 'tick');
    expect(tick.schedule).toBe('python_p00_schedule');
    const [scheduled] = await service.store.runs.list({ schedule: 'python_p00_schedule', limit: 5 });
    const ended = await client.ended(scheduled!.runId);
    expect(ended.status).toBe('SUCCESS');
    expect(await client.log(ended.run_id, 'python_p00')).toContain('p00 first');
    expect(ended.steps_list[0]!.commit.commit).toBe(good);
  });

  it('G12: a link out of the folder is refused for that folder alone', async () => {
    const { repository, service, component } = await world({ ...folder('a', 'a'), ...folder('b', 'b') });
    symlinkSync('/etc/passwd', path.join(repository.clone, 'pipelines/python/a/secret'));
    const commit = repository.push(folder('b', 'second'));
    await service.client.api('POST', '/api/v1/components/elt_pipelines/refresh?wait=true');
    const { pipelines, diagnostics } = await component();
    expect(pipelines.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'python_a held',
      'python_b current',
    ]);
    expect(pipelines[1]!.commit).toBe(commit);
    expect(diagnostics.map(({ code }) => code)).toContain('PATH_REFUSED');
    unlinkSync(path.join(repository.clone, 'pipelines/python/a/secret'));
  });

  it('H3: hostile texts of a push are inert in the API and on the page', async (ctx) => {
    const script = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
    const yaml = [
      `description: ${JSON.stringify(`${script} \u202egnp.exe`)}`,
      `tags: { note: ${JSON.stringify(script)} }`,
      `metadata: [{ key: text, value: ${JSON.stringify(script)}, type: text }]`,
    ];
    const link = 'metadata: [{ key: docs, value: "javascript:window.hacked=1", type: url }]\n';
    const { repository, service, component } = await world({
      ...folder('a', script.replaceAll('"', "'"), `${yaml.join('\n')}\n`),
      ...folder('b', 'b'),
    });
    const commit = repository.push(folder('b', 'b', link), `${script}\n\n[x](javascript:window.hacked=1)`);
    await service.client.api('POST', '/api/v1/components/elt_pipelines/refresh?wait=true');
    const { pipelines, diagnostics, head } = await component();
    expect(head).toMatchObject({ commit });
    expect(head?.message).toContain(script);
    // A link that runs something is refused where it is written.
    expect(pipelines.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'python_a current',
      'python_b held',
    ]);
    expect(diagnostics.map(({ code }) => code)).toEqual(['CONFIG_TYPE']);
    for (const url of ['components', 'assets', 'assets/a', 'diagnostics']) {
      const response = await fetch(new URL(`/api/v1/${url}`, service.client.url), {
        headers: { accept: 'text/html' },
      });
      expect(response.headers.get('content-type')).toMatch(/^application\/json/);
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    }
    const { run_ids: runs } = await service.client.launch('a');
    expect((await service.client.ended(runs[0]!)).status).toBe('SUCCESS');
    const browser = await openBrowser();
    if ('skip' in browser) return ctx.skip(browser.skip);
    onTestFinished(() => browser.close());
    const { page, faults } = await openTab(await browser.newContext(), service.client.url);
    for (const where of [
      '/',
      '/git',
      '/problems',
      '/assets/a',
      '/assets/a?tab=definition',
      `/runs/${runs[0]}`,
    ]) {
      await page.goto(service.client.url + where);
      await settled(page);
      expect(await page.evaluate('window.hacked'), where).toBeUndefined();
      const alive = page.locator('main img, main script, a[href^="javascript:"], a[href^="data:"]');
      expect(await alive.count(), where).toBe(0);
    }
    await page.getByText("<img src=x onerror='window.hacked=1'>").first().waitFor();
    expect(faults).toEqual([]);
  });

  it('G15, W1, W6: a hundred pushes, each told twice and out of order, end at the final head, with few refreshes and no run twice', async () => {
    const { repository, service, clock, url, requests, component } = await world({
      ...folder('a', 'first', EVERY_MINUTE),
      ...folder('b', 'first'),
    });
    const git = promisify(execFile);
    const before = requests.length;
    const answers: Promise<Response>[] = [];
    const waiting: { commit: string; id: number }[] = [];
    const deliver = ({ commit, id }: { commit: string; id: number }): void => {
      answers.push(deliverPush({ url: service.url!, secret: SECRET, repo: url, commit, id }));
    };
    let head = '';
    for (let n = 0; n < 100; n++) {
      writeFileSync(path.join(repository.clone, 'pipelines/python/b/main.py'), `print(${n})\n`);
      const at = { cwd: repository.clone, env: GIT_ENVIRONMENT };
      await git('git', ['commit', '--quiet', '--all', '-m', `push ${n}`], at);
      await git('git', ['push', '--quiet', 'origin', 'main'], at);
      head = (await git('git', ['rev-parse', 'HEAD'], at)).stdout.trim();
      waiting.push({ commit: head, id: n + 1 });
      // Deliveries of three pushes arrive in the opposite order, and then again.
      if (waiting.length === 3 || n === 99) for (const one of waiting.splice(0).reverse()) deliver(one);
    }
    for (let id = 1; id <= 100; id++) deliver({ commit: head, id });
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses.slice(0, 100)).toEqual(Array.from({ length: 100 }, () => 202));
    expect(statuses.slice(100)).toEqual(Array.from({ length: 100 }, () => 200));
    await service.client.serves(head);
    await service.components.settled();
    const refreshes = requests.slice(before).filter(({ line }) => line.includes('/info/refs')).length;
    const revisions = await service.store.components.revisions('elt_pipelines', { limit: 1_000 });
    // Each refresh that fetches asks twice: what the head is, and then for its objects.
    expect(revisions.length - 1).toBeLessThan(100);
    expect(refreshes).toBeLessThan(200);
    console.log(`100 pushes, 200 deliveries: ${revisions.length - 1} revisions, ${refreshes} contacts`);
    expect((await component()).last_applied?.commit).toBe(head);

    // What is told late moves nothing back.
    const late = await deliverPush({
      url: service.url!,
      secret: SECRET,
      repo: url,
      commit: revisions.at(-1)!.commit,
      id: 500,
    });
    expect(late.status).toBe(202);
    await service.components.settled();
    expect((await component()).last_applied?.commit).toBe(head);

    clock.set(T0 + 60_000);
    await service.client.event((change) => change.type === 'tick');
    const runs = await service.store.runs.list({ limit: 10 });
    expect(runs.map(({ cause }) => cause)).toEqual([
      { kind: 'schedule', schedule: 'python_a_schedule', tick: T0 + 60_000 },
    ]);
  });

  it('a rollback by hand holds against a delivery sent again, is shown everywhere, and ends with a newer commit', async () => {
    const { repository, service, url, elt, component } = await world(folder('a', 'first', EVERY_MINUTE));
    const { client } = service;
    const a = repository.head();
    const b = repository.push(
      folder('a', 'bad', 'schedule: { enabled: true, cron_schedule: "0 9 * * *" }\n'),
    );
    const send = (commit: string, id: number) =>
      deliverPush({ url: service.url!, secret: SECRET, repo: url, commit, id });
    await send(b, 1);
    await client.serves(b);

    const back = await elt('rollback', a.slice(0, 8), '--reason', 'orders are doubled', '--for', '2h');
    expect([back.code, back.stdout]).toEqual([0, expect.stringContaining('rolled back to')]);
    expect((await send(b, 1)).status).toBe(200);
    expect((await send(b, 2)).status).toBe(202);
    await service.components.settled();
    expect((await elt('refresh')).stdout).toMatch(/unchanged .*\n.*orders are doubled/);
    const held = await component();
    expect(held).toMatchObject({
      head: { commit: a },
      remote_head: { commit: b, ahead: 1 },
      control: { mode: 'rolled_back', reason: 'orders are doubled', fenced: [b] },
    });
    const { items: schedules } = await client.api<{ items: Schedule[] }>('GET', '/api/v1/schedules');
    expect(schedules.map((one) => one.cron_schedule)).toEqual([['* * * * *']]);

    await elt('schedules', 'stop', 'python_a', '--reason', 'quiet');
    const { items: drift } = await client.api<{ items: Drift[] }>('GET', '/api/v1/drift');
    expect(drift.map(({ kind, target, reason }) => [kind, target, reason])).toEqual([
      ['rollback', 'elt_pipelines', 'orders are doubled'],
      ['schedule', 'python_a_schedule', 'quiet'],
    ]);
    const status = (await elt('status')).stdout;
    expect(status).toContain('! RolledBack: rolled back to');
    expect(status).toMatch(
      /≠ schedule python_a_schedule: Git says RUNNING, it is STOPPED; cli:\S+, .*\(quiet\)/,
    );
    const history = (await elt('history')).stdout;
    expect(history).toMatch(/3 +served = 1/);
    expect(history).toMatch(/2 +fenced/);
    const conflict = await elt('suspend');
    expect([conflict.code, conflict.stderr]).toEqual([5, expect.stringContaining('CONTROL_CONFLICT')]);
    expect((await elt('rollback', '77')).code).toBe(4);
    expect((await elt('pin', a, '--for', 'soon')).code).toBe(2);

    const c = repository.push(folder('a', 'good', 'group: new\n'));
    await send(c, 3);
    await client.serves(c);
    expect((await component()).control).toBeNull();
    const { items: revisions } = await client.api<{ items: Revision[] }>(
      'GET',
      '/api/v1/components/elt_pipelines/revisions',
    );
    expect(
      revisions.map(({ commit, trigger, served, fenced }) => [commit, trigger.kind, served, fenced]),
    ).toEqual([
      [c, 'webhook', true, false],
      [a, 'rollback', false, false],
      [b, 'webhook', false, false],
      [a, 'startup', false, false],
    ]);
    const suspended = await elt('suspend', '--json');
    expect(JSON.parse(suspended.stdout)).toMatchObject({ mode: 'suspended' });
    expect((await elt('resume')).code).toBe(0);
  });
});
