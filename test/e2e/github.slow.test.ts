import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  createRepository,
  GIT_ENVIRONMENT,
  type TestRepository,
  temporaryDirectory,
} from '../helpers/git-repository.ts';
import { type GitServer, startGitServer } from '../helpers/git-server.ts';
import { type GithubServer, startGithub } from '../helpers/github-server.ts';
import { type RunningService, startService } from '../helpers/service.ts';

const SECRET = 'the-secret-of-the-webhook';
const TOKEN = 'ghp_planted0123456789abcdefghijklmnop';
const OTHER_SECRET = 'planted-in-the-environment-4711';

interface World {
  readonly repository: TestRepository;
  readonly git: GitServer;
  readonly github: GithubServer;
  readonly service: RunningService;
  readonly home: string;
  readonly address: string;
}

function folder(name: string, yaml = ''): Record<string, string> {
  return {
    [`pipelines/python/${name}/dagster.yaml`]: `script: { command: [python, main.py] }\n${yaml}`,
    [`pipelines/python/${name}/main.py`]: `print("${name}")\n`,
  };
}

async function world(files: Readonly<Record<string, string>>): Promise<World> {
  const root = temporaryDirectory();
  const repository = createRepository(path.join(root, 'acme'));
  repository.push(files);
  const git = await startGitServer(root);
  git.token = TOKEN;
  const github = await startGithub();
  const address = `${git.url}/acme/remote.git`;
  const home = temporaryDirectory();
  mkdirSync(path.join(home, 'defs/shop'), { recursive: true });
  writeFileSync(
    path.join(home, 'defs/shop/defs.yaml'),
    `type: elt.EltGithubComponent
attributes:
  repo_url: ${address}
  github_token: \${GITHUB_TOKEN}
  refresh_interval: 1h
  github: { statuses: true, pr_comments: true, api_url: "${github.url}" }
`,
  );
  const service = await startService({
    home,
    env: {
      GITHUB_TOKEN: TOKEN,
      ELT_WEBHOOK_SECRET: SECRET,
      ELT_PUBLIC_URL: 'https://elt.example.com/',
      SHOP_API_KEY: OTHER_SECRET,
    },
  });
  onTestFinished(async () => void (await service.stop()));
  await service.serves(repository.git('rev-parse', 'HEAD').trim());
  return { repository, git, github, service, home, address };
}

let deliveries = 0;

async function deliver(made: World, event: string, payload: object): Promise<number> {
  const body = JSON.stringify({ ...payload, repository: { clone_url: made.address } });
  deliveries += 1;
  const response = await fetch(new URL('/webhooks/github', made.service.url), {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-github-delivery': `delivery-${deliveries}`,
      'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
    },
  });
  return response.status;
}

async function pushed(made: World, files: Readonly<Record<string, string>>): Promise<string> {
  const commit = made.repository.push(files);
  expect(await deliver(made, 'push', { ref: 'refs/heads/main', after: commit })).toBe(202);
  await made.service.serves(commit);
  return commit;
}

describe('with statuses and comments on', () => {
  it('H2: each commit gets its own status: green, red with the place, green again', async () => {
    const made = await world(folder('first'));
    const { github, repository } = made;
    const good = repository.git('rev-parse', 'HEAD').trim();
    await github.called(() => github.statusesOf(good).some((text) => text.includes(' success ')));
    const bad = await pushed(made, folder('first', 'schedule: { enabled: true, cron_schedule: "0 0 *" }\n'));
    await github.called(() => github.statusesOf(bad).length > 0);
    expect(github.statusesOf(bad).at(-1)).toMatch(
      /^elt\/shop failure python_first kept at the last good revision: pipelines\/python\/first\/dagster\.yaml:2:\d+ error SCHEDULE_CRON_INVALID/,
    );
    const mended = await pushed(made, folder('first', 'group: mended\n'));
    await github.called(() => github.statusesOf(mended).some((text) => text.includes(' success ')));
    expect(github.statusesOf(bad).every((text) => text.includes(' failure '))).toBe(true);
    const status = github.calls.find(({ path: where }) => where.endsWith(`/statuses/${bad}`));
    expect(status).toMatchObject({
      authorization: `token ${TOKEN}`,
      path: `/repos/acme/remote/statuses/${bad}`,
      body: { target_url: 'https://elt.example.com/git' },
    });
  });

  it('plans a pull request of a fork in one comment, and runs nothing of it', async () => {
    const made = await world(folder('first'));
    const { github, repository, home } = made;
    const marker = path.join(home, 'marker');
    const touch = `open(${JSON.stringify(marker)}, "a").write("ran\\n")\n`;
    repository.git('checkout', '--quiet', '-b', 'fork');
    repository.write({
      'pipelines/dlt/evil/pipeline.py': `${touch}import dlt\npipeline = dlt.pipeline("evil")\n`,
      'pipelines/dlt/evil/setup.py': touch,
      'pipelines/dlt/evil/dagster.yaml': 'schedule: { enabled: true, cron_schedule: "0 4 * * *" }\n',
      'pipelines/dbt/evil/dbt_project.yml': 'name: evil\nversion: "1"\nprofile: evil\n',
      'pipelines/dbt/evil/models/m.sql': "{{ evil() }} select 1 as a, '@everyone' as b\n",
      'pipelines/dbt/evil/macros/evil.sql': `{% macro evil() %}{{ run_query("copy (select 1) to '${marker}'") }}{% endmacro %}\n`,
      'pipelines/python/first/main.py': touch,
    });
    repository.git('add', '--all');
    repository.git('commit', '--quiet', '-m', 'Add @everyone');
    repository.git('push', '--quiet', 'origin', 'HEAD:refs/pull/7/head');
    const head = repository.git('rev-parse', 'HEAD').trim();
    const payload = {
      action: 'opened',
      number: 7,
      pull_request: { head: { sha: head }, base: { ref: 'main' } },
    };
    expect(await deliver(made, 'pull_request', payload)).toBe(202);
    await github.called(() => github.statusesOf(head).length > 0);
    const [comment] = github.comments.get(7) ?? [];
    expect(comment?.body).toContain('ELT plan of `shop`');
    expect(comment?.body).toContain('dlt_evil');
    expect(comment?.body).toContain('dlt_evil_schedule');
    expect(existsSync(marker)).toBe(false);
    expect(existsSync(path.join(home, 'trees'))).toBe(false);
    // The fork goes on: the same comment says what it says now.
    repository.write({ 'pipelines/dlt': null });
    repository.git('commit', '--quiet', '--all', '-m', 'Take it back');
    repository.git('push', '--quiet', '--force', 'origin', 'HEAD:refs/pull/7/head');
    const next = repository.git('rev-parse', 'HEAD').trim();
    await deliver(made, 'pull_request', {
      ...payload,
      action: 'synchronize',
      pull_request: { head: { sha: next }, base: { ref: 'main' } },
    });
    await github.called(() => github.statusesOf(next).length > 0);
    expect(github.comments.get(7)).toHaveLength(1);
    expect(github.comments.get(7)?.[0]?.body).not.toContain('dlt_evil');
    expect(existsSync(marker)).toBe(false);
    // The control: what stands there does write the marker when it is run.
    const control = spawn('python3', ['-c', touch], { env: GIT_ENVIRONMENT, stdio: 'ignore' });
    await new Promise((resolve) => control.once('exit', resolve));
    expect(existsSync(marker)).toBe(true);
  });

  it('H1: an outage of the API holds no refresh up', async () => {
    const made = await world(folder('first'));
    const { github } = made;
    github.interceptors.push(() => ({ status: 503, body: { message: 'down' } }));
    const commit = await pushed(made, folder('second'));
    await github.called(() => github.calls.some(({ path: where }) => where.includes(commit)));
    expect(await made.service.api('GET', '/api/v1/components/shop')).toMatchObject({ head: { commit } });
  });
});

it('G3: is nowhere to be found: not in files, database, logs, API, page, Git configuration or process arguments', async () => {
  const made = await world(folder('first', 'env: { KEY: "${SHOP_API_KEY}" }\n'));
  const { service, repository, git, home } = made;
  repository.push({
    'pipelines/python/first/main.py':
      'import os\nprint("key", os.environ["KEY"])\nraise RuntimeError(os.environ["KEY"])\n',
  });
  git.fault = { kind: 'hang' };
  const arrived = git.nextRequest();
  void service.api('POST', '/api/v1/components/shop/refresh', {}).catch(() => undefined);
  await arrived;
  const during = commandLines();
  git.fault = { kind: 'none' };
  git.cutHanging();
  expect(during.filter((line) => line.includes('git')).length).toBeGreaterThan(0);
  const outcome = await service.api('POST', '/api/v1/components/shop/refresh?wait=true', {});
  await service.serves(repository.git('rev-parse', 'HEAD').trim());
  const launched = await service.launch('first');
  const run = await service.ended(launched.run_ids[0] as string);
  expect(run.status).toBe('FAILURE');
  const printed = JSON.stringify(await service.api('GET', `/api/v1/runs/${run.run_id}/logs?limit=1000`));
  expect(printed).toContain('key ***');
  const paths = [
    'components',
    'assets',
    'instance',
    'audit',
    'diagnostics',
    `runs/${run.run_id}`,
    `runs/${run.run_id}/events`,
  ];
  const answers = await Promise.all(
    paths.map((name) => service.api('GET', `/api/v1/${name}`).then((json) => JSON.stringify(json))),
  );
  const metrics = await (await fetch(new URL('/metrics', service.url))).text();
  const page = await (await fetch(service.url)).text();
  const places = {
    files: textBelow(home),
    output: service.output(),
    answers: answers.join('\n') + printed + JSON.stringify(outcome) + metrics + page,
    during: during.join('\n'),
    after: commandLines().join('\n'),
    told: made.github.calls.map(({ body }) => JSON.stringify(body)).join('\n'),
  };
  for (const [name, text] of Object.entries(places)) {
    expect(text.length, name).toBeGreaterThan(0);
    for (const secret of [TOKEN, OTHER_SECRET, SECRET, Buffer.from(TOKEN).toString('base64')]) {
      expect(text.includes(secret), `${name} holds ${secret}`).toBe(false);
    }
  }
  // The control: the same search finds what was put there.
  writeFileSync(path.join(home, 'planted.txt'), `x${TOKEN}x`);
  expect(textBelow(home).includes(TOKEN)).toBe(true);
  const shown = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', TOKEN], { stdio: 'ignore' });
  onTestFinished(() => void shown.kill('SIGKILL'));
  await new Promise((resolve) => shown.once('spawn', resolve));
  expect(commandLines().some((line) => line.includes(TOKEN))).toBe(true);
});

/** Every file below a folder, as bytes; defs.yaml names variables and no value. */
function textBelow(dir: string): string {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8')];
      } catch {
        return [];
      }
    });
}
