import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRepository, type TestRepository } from '../helpers/repository.ts';
import { runCli } from '../helpers/run-cli.ts';

const PIPELINES = {
  'pipelines/python/hello/main.py': 'print("hello")\n',
  'pipelines/python/hello/dagster.yaml':
    'group: demo\nscript: { command: [python, main.py] }\nschedule: { enabled: true, cron_schedule: "0 2 * * *", timezone: Europe/Berlin }\n',
  'pipelines/python/daily/main.py': 'print("daily")\n',
  'pipelines/python/daily/dagster.yaml':
    'deps: [hello]\nscript: { command: [python, main.py] }\npartitions: { enabled: true, type: time, time: { start: "2026-01-01", end: "2026-01-11", cron_schedule: "0 0 * * *" } }\n',
  'pipelines/python/off/main.py': 'print("off")\n',
  'pipelines/python/off/dagster.yaml': 'enabled: false\nscript: { command: [python, main.py] }\n',
};

/** Commands without a service: each opens ELT_HOME itself. */
describe('without a service', () => {
  let repository: TestRepository;
  let home: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    repository = createRepository(PIPELINES);
    home = mkdtempSync(join(tmpdir(), 'elt-cli-'));
    env = { ELT_HOME: home, ELT_REPO_URL: repository.remote };
    expect(await runCli(['refresh'], { env, cwd: home })).toMatchObject({ code: 0 });
  });

  afterAll(() => {
    repository.remove();
    rmSync(home, { recursive: true, force: true });
  });

  const elt = (...args: string[]) => runCli(args, { env, cwd: home });

  it('lists assets, shows one, draws the lineage', async () => {
    const [list, show, lineage] = await Promise.all([elt('list'), elt('show', 'hello'), elt('lineage')]).then(
      (all) => all.map((result) => result),
    );
    const results = [list!, show!, lineage!];
    // One of them at a time holds the home: the others wait or say who holds it, none of them breaks.
    for (const result of results) expect([0, 5]).toContain(result.code);
    const alone = await elt('list');
    expect(alone.code, alone.stderr).toBe(0);
    expect(alone.stdout.split('\n').map((line) => line.split(/\s{2,}/).slice(0, 2))).toEqual([
      ['ASSET', 'GROUP'],
      ['daily', 'default'],
      ['hello', 'demo'],
      ['off', 'default'],
      [''],
    ]);
    expect((await elt('lineage')).stdout).toBe('hello  · never\n└─ daily  · never\noff  · never\n');
    expect((await elt('show', 'daily')).stdout).toMatch(/^partitions\s+0\/10$/m);
  });

  it.each([
    [['show', 'helo'], 4, /ASSET_NOT_FOUND .*\n {2}did you mean hello/],
    [['materialize', 'daily'], 2, /PARTITION_NEEDED [\s\S]*--partition latest/],
    [['materialize', 'off'], 5, /PIPELINE_DISABLED/],
  ])('%j ends with %i', async (args, code, message) => {
    const result = await elt(...args);
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toMatch(message);
  });

  it('checks everything, one line each', async () => {
    const [text, json] = [await elt('doctor'), await elt('doctor', '--json')];
    expect(text.code, text.stdout).toBe(0);
    for (const name of [
      'node',
      'git',
      'python',
      'settings',
      'home',
      'disk',
      'store',
      'repository elt_pipelines',
    ]) {
      expect(text.stdout).toMatch(new RegExp(`^[✓!] ${name}: `, 'm'));
    }
    expect(JSON.parse(json.stdout)).toMatchObject({ items: expect.any(Array) });
  });

  it('says where settings come from, and no secret', async () => {
    writeFileSync(join(home, '.env'), '');
    const result = await runCli(['config', 'show', '--origin'], {
      cwd: home,
      env: { ...env, ELT_API_TOKEN: 'very-secret', GITHUB_TOKEN: 'ghp_secret' },
    });
    expect(result.stdout).toMatch(/^ELT_API_TOKEN\s+\(set\)\s+environment$/m);
    expect(result.stdout).toMatch(/^ELT_PORT\s+3000\s+default$/m);
    expect(result.stdout).not.toMatch(/very-secret|ghp_secret/);
  });

  it('prints what a push changes, and 3 with the place when a folder broke', async () => {
    repository.push({
      'pipelines/python/hello/dagster.yaml':
        'group: demo\nscript: { command: [python, main.py] }\nschedule: { enabled: true, cron_schedule: "0 4 * * *", timezone: Europe/Berlin }\n',
    });
    const changed = await elt('refresh');
    expect(changed.code).toBe(0);
    expect(changed.stdout).toMatch(
      /~ python_hello\n[\s\S]*schedule\.cron[\s\S]*"0 2 \* \* \*"[\s\S]*→[\s\S]*"0 4 \* \* \*"/,
    );
    repository.push({ 'pipelines/python/hello/dagster.yaml': 'group: [demo\n' });
    const broken = await elt('refresh');
    expect(broken.code).toBe(3);
    expect(broken.stdout).toMatch(/pipelines\/python\/hello\/dagster\.yaml:\d+:\d+ error YAML_SYNTAX/);
    const status = await elt('status');
    expect(status.code).toBe(0);
    expect(status.stdout).toMatch(/held at their last good revision: python_hello/);
    expect((await elt('list')).stdout).toMatch(/^hello .*\(held\)/m);
  });

  it('says that the repository cannot be reached, with 6, and goes on showing what there is', async () => {
    const elsewhere = {
      env: { ...env, ELT_HOME: `${home}-2`, ELT_REPO_URL: join(home, 'no-such.git') },
      cwd: home,
    };
    const result = await runCli(['refresh'], elsewhere);
    rmSync(`${home}-2`, { recursive: true, force: true });
    expect(result.code, result.stdout + result.stderr).toBe(6);
    expect(result.stdout + result.stderr).toMatch(/GIT_\w+ /);
  });

  it('runs a backfill to its end, and carries one on that was left by Ctrl+C', async () => {
    let left = false;
    const range = ['--from', '2026-01-01', '--to', '2026-01-03'];
    const first = await runCli(['backfill', 'daily', ...range], {
      env,
      cwd: home,
      onOutput: (sofar, kill) => {
        if (left || !/3 partitions in 3 runs/.test(sofar.stderr)) return;
        left = true;
        kill('SIGINT');
      },
    });
    expect([first.code, first.stdout], first.stderr).toEqual([130, '']);
    expect(first.stderr).toMatch(/goes on with the next service: elt dev\nor here.*: elt backfill resume/);
    const second = await elt('backfill', 'resume', 'latest');
    expect(second.stdout, second.stderr).toMatch(/✓ COMPLETED_SUCCESS {2}3\/3 ✓\n$/);
    expect(second.code).toBe(0);
    const runs = JSON.parse((await elt('runs', '--asset', 'daily', '--json')).stdout) as {
      items: { partitions: { key: string } }[];
    };
    expect(runs.items.map(({ partitions }) => partitions.key).sort()).toEqual([
      '2026-01-01',
      '2026-01-02',
      '2026-01-03',
    ]);
  });

  it('keeps its data folder to the user', () => {
    expect(statSync(join(home, 'elt.db')).mode & 0o077).toBe(0);
  });
});
