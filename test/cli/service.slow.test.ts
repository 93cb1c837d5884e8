import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRepository, type TestRepository } from '../helpers/repository.ts';
import { type CliResult, runCli } from '../helpers/run-cli.ts';
import { type RunningService, startService, TEST_CACHE } from '../helpers/service.ts';

const PIPELINES = {
  'pipelines/python/hello/main.py': 'print("first")\nprint("second")\n',
  'pipelines/python/hello/dagster.yaml': 'script: { command: [python, main.py] }\n',
  'pipelines/python/broken/main.py': 'raise ValueError("no such table")\n',
  'pipelines/python/broken/dagster.yaml': 'script: { command: [python, main.py] }\n',
  'pipelines/python/endless/main.py':
    'import time\nprint("waiting", flush=True)\nwhile True:\n    time.sleep(0.1)\n',
  'pipelines/python/endless/dagster.yaml': 'script: { command: [python, main.py] }\n',
  'pipelines/python/off/main.py': 'print(1)\n',
  'pipelines/python/off/dagster.yaml': 'enabled: false\nscript: { command: [python, main.py] }\n',
};

describe('with a service', () => {
  let repository: TestRepository;
  let home: string;
  let service: RunningService;
  let env: Record<string, string>;

  beforeAll(async () => {
    repository = createRepository(PIPELINES);
    home = mkdtempSync(join(tmpdir(), 'elt-cli-'));
    service = await startService({ home, repo: repository.remote });
    await service.serves(repository.push({}));
    env = { ELT_HOME: home, ELT_REPO_URL: repository.remote, ELT_CACHE_DIR: TEST_CACHE };
  });

  afterAll(async () => {
    await service.stop();
    repository.remove();
    rmSync(home, { recursive: true, force: true });
  });

  const elt = (...args: string[]) => runCli(args, { env, cwd: home });

  it('leaves a file that only its user reads, by which commands find it', async () => {
    expect(statSync(join(home, 'service.json')).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(join(home, 'service.json'), 'utf8'))).toMatchObject({ url: service.url });
    const status = await elt('status');
    expect(status.code, status.stderr).toBe(0);
    expect(status.stdout).toContain(service.url);
  });

  it('runs assets, waits, prints the result; the log follows', async () => {
    const run = await elt('materialize', 'hello', '--wait');
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/✓ SUCCESS/);
    expect(run.stderr).toMatch(/✓ hello/);
    const logs = await elt('logs', 'hello');
    expect(logs.stdout).toContain('first\nsecond\n');
    const json = await elt('logs', 'latest', '--json');
    expect(
      json.stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { text: string }).text),
    ).toContain('second');
  });

  it('launches without waiting: ids on stdout', async () => {
    const launched = await elt('run', 'hello');
    expect(launched.code).toBe(0);
    expect(launched.stdout).toMatch(/^[0-9a-f-]{36}\n$/);
    const followed = await elt('logs', launched.stdout.trim(), '-f');
    expect(followed.code, followed.stderr).toBe(0);
    expect(followed.stdout).toContain('second');
    expect(followed.stderr).toMatch(/ended with SUCCESS/);
  });

  it('ends with 1 when a run fails, and shows the cause; the retry is another run', async () => {
    const run = await elt('materialize', 'broken', '--wait', '--json');
    expect(run.code).toBe(1);
    const document = JSON.parse(run.stdout) as { run_ids: string[]; runs: { error: { message: string } }[] };
    expect(document.runs[0]?.error.message).toContain('no such table');
    const shown = await elt('runs', 'show', document.run_ids[0]!.slice(-12));
    expect(shown.stdout).toMatch(/✗ FAILURE[\s\S]*no such table/);
    const retried = await elt('retry', document.run_ids[0]!, '--from-failure');
    expect(retried.stdout.trim()).not.toBe(document.run_ids[0]);
    await service.ended(retried.stdout.trim());
  });

  it('follows a running log from its first line and cancels; Ctrl+C on a waiting command cancels too', async () => {
    const launched = (await elt('run', 'endless')).stdout.trim();
    const asked: Promise<CliResult>[] = [];
    const followed = await runCli(['logs', launched, '-f'], {
      env,
      cwd: home,
      onOutput: ({ stdout }) => {
        if (stdout.includes('waiting') && asked.length === 0) asked.push(elt('cancel', launched));
      },
    });
    expect(await Promise.all(asked)).toMatchObject([{ code: 0 }]);
    expect(followed.code).toBe(1);
    expect((await service.ended(launched)).status).toBe('CANCELED');

    let interrupted = false;
    const waiting = await runCli(['run', 'endless', '--wait'], {
      env,
      cwd: home,
      onOutput: ({ stderr }, kill) => {
        if (interrupted || !stderr.includes('started')) return;
        interrupted = true;
        kill('SIGINT');
      },
    });
    expect(waiting.code, waiting.stderr).toBe(1);
    expect(waiting.stdout).toMatch(/⊘ CANCELED/);
    expect(waiting.stderr).toMatch(/cancelling 1 run; Ctrl\+C again leaves at once/);
  });

  it('refuses a second service of the home, and a port that is taken, with 5 and the holder', async () => {
    const second = await elt('dev', '0');
    expect(second.code).toBe(5);
    expect(second.stderr).toMatch(new RegExp(`error HOME_LOCKED .*${service.url}, pid ${service.pid}`));
    const other = mkdtempSync(join(tmpdir(), 'elt-cli-'));
    const port = new URL(service.url).port;
    const taken = await runCli(['dev', port], { env: { ...env, ELT_HOME: other }, cwd: other });
    rmSync(other, { recursive: true, force: true });
    expect(taken.code).toBe(5);
    expect(taken.stderr).toMatch(
      new RegExp(
        `error PORT_IN_USE port ${port} on 127.0.0.1 is held by another ELT service, pid ${service.pid}`,
      ),
    );
    expect(taken.stderr).toContain('--port 0');
  });

  it('refuses to bind openly without a token, and nothing listens', async () => {
    const other = mkdtempSync(join(tmpdir(), 'elt-cli-'));
    const open = await runCli(['dev', '0', '--host', '0.0.0.0'], {
      env: { ...env, ELT_HOME: other },
      cwd: other,
    });
    rmSync(other, { recursive: true, force: true });
    expect(open.code).toBe(3);
    expect(open.stderr).toMatch(/error BIND_WITHOUT_TOKEN [\s\S]*ELT_API_TOKEN/);
  });

  it('talks to a service with a token by the address and the token alone', async () => {
    const other = mkdtempSync(join(tmpdir(), 'elt-cli-'));
    const guarded = await startService({
      home: other,
      repo: repository.remote,
      env: { ELT_API_TOKEN: 'a token' },
    });
    try {
      const without = await runCli(['list'], { env: { ELT_URL: guarded.url }, cwd: other });
      expect([without.code, without.stderr]).toEqual([6, expect.stringContaining('UNAUTHORIZED')]);
      const withToken = await runCli(['runs'], {
        env: { ELT_URL: guarded.url, ELT_API_TOKEN: 'a token' },
        cwd: other,
      });
      expect(withToken.code, withToken.stderr).toBe(0);
    } finally {
      expect(await guarded.stop('SIGINT')).toBe(130);
      rmSync(other, { recursive: true, force: true });
    }
  });
});

describe('elt dev', () => {
  it('prints its address, what it serves, the next tick, and for the demo four lines that push a change', async () => {
    const home = mkdtempSync(join(tmpdir(), 'elt-cli-'));
    const printed = await runCli(['dev', '0'], {
      env: { ELT_HOME: home, ELT_CACHE_DIR: TEST_CACHE },
      cwd: home,
      onOutput: ({ stdout }, kill) => {
        if (/^ {2}git push$/m.test(stdout)) kill('SIGINT');
      },
    });
    rmSync(home, { recursive: true, force: true });
    expect(printed.code, printed.stderr).toBe(130);
    const [first] = printed.stdout.split('\n');
    expect(first).toMatch(/^http:\/\/127\.0\.0\.1:\d+ {2}elt \d/);
    expect(printed.stdout).toMatch(
      /demo\.git@[0-9a-f]{7} \(main\): 13 pipelines, 1 disabled, \d+ assets; next tick in /,
    );
    expect(printed.stdout).toMatch(/\n {2}cd demo\n {2}sed .*\n {2}git commit .*\n {2}git push\n/);
    expect(printed.stderr).toMatch(/ending: no step is running/);
  });

  it('says at Ctrl+C that a running step goes on, and the next start takes it over', async () => {
    const repository = createRepository(PIPELINES);
    const home = mkdtempSync(join(tmpdir(), 'elt-cli-'));
    const options = { home, repo: repository.remote };
    const first = await startService(options);
    await first.serves(repository.push({}));
    const { run_ids: ids } = await first.launch('endless');
    await first.event((change) => change.type === 'step_started');
    expect(await first.stop('SIGINT')).toBe(130);
    expect(first.output()).toMatch(/1 step \(\w+\) goes on without the service: the next start takes over/);
    const second = await startService(options);
    try {
      const cancel = await runCli(['cancel', ids[0]!], { env: { ELT_HOME: home }, cwd: home });
      expect(cancel.code, cancel.stderr).toBe(0);
      expect((await second.ended(ids[0]!)).status).toBe('CANCELED');
    } finally {
      await second.stop();
      repository.remove();
      rmSync(home, { recursive: true, force: true });
    }
  });
});

describe('without a service', () => {
  it('materialize runs the steps itself, says so, and waits', async () => {
    const repository = createRepository(PIPELINES);
    const home = mkdtempSync(join(tmpdir(), 'elt-cli-'));
    try {
      const env = { ELT_HOME: home, ELT_REPO_URL: repository.remote, ELT_CACHE_DIR: TEST_CACHE };
      const run = await runCli(['materialize', 'hello'], { env, cwd: home });
      expect(run.code, run.stderr).toBe(0);
      expect(run.stderr).toMatch(/no service runs: this command stays until the end/);
      expect(run.stdout).toMatch(/✓ SUCCESS/);
      const logs = await runCli(['logs', 'latest', '-f'], { env, cwd: home });
      expect([logs.code, logs.stdout]).toEqual([0, expect.stringContaining('second\n')]);
    } finally {
      repository.remove();
      rmSync(home, { recursive: true, force: true });
    }
  });
});
