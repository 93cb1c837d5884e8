import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../../src/server/contract/plan.ts';
import { createRepository, git, type TestRepository } from '../helpers/repository.ts';
import { runCli } from '../helpers/run-cli.ts';

const DAILY =
  'script: { command: [python, main.py] }\npartitions: { enabled: true, type: time, time: { start: "2026-01-03", end: "2026-01-11", cron_schedule: "0 0 * * *" } }\n';
const FILES = {
  'pipelines/python/daily/main.py': 'print("daily")\n',
  'pipelines/python/daily/dagster.yaml': DAILY,
};

/** `elt plan` without a service: the command opens ELT_HOME itself. */
describe('elt plan', () => {
  let repository: TestRepository;
  let home: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    repository = createRepository(FILES);
    home = mkdtempSync(join(tmpdir(), 'elt-cli-'));
    env = { ELT_HOME: home, ELT_REPO_URL: repository.remote };
    expect(await runCli(['refresh'], { env, cwd: home })).toMatchObject({ code: 0 });
    git(repository.clone, 'checkout', '--quiet', '-b', 'feature');
    repository.commit({ 'pipelines/python/daily/dagster.yaml': DAILY.replace('2026-01-03', '2026-01-01') });
    git(repository.clone, 'push', '--quiet', 'origin', 'feature');
  });

  afterAll(() => {
    repository.remove();
    rmSync(home, { recursive: true, force: true });
  });

  const elt = (...args: string[]) => runCli(args, { env, cwd: home });

  it('of a ref says what changes and what to run; 10 only if asked', async () => {
    const found = await elt('plan', '--ref', 'feature');
    expect(found.code, found.stderr).toBe(0);
    expect(found.stdout).toContain('partitions.time.start: "2026-01-03" → "2026-01-01"');
    expect(found.stdout).toContain('2 missing: 2026-01-01 … 2026-01-02');
    expect(found.stdout).toContain('$ elt backfill daily --from 2026-01-01 --to 2026-01-02');
    expect((await elt('plan', '--ref', 'feature', '--exit-code')).code).toBe(10);
    expect(await elt('plan', '--exit-code')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('no change that matters'),
    });
    // It was a look: nothing became a revision.
    expect(JSON.parse((await elt('history', '--json')).stdout)).toMatchObject({
      items: [{ revision_id: 1 }],
    });
  });

  it('of a working directory leaves out what Git ignores, and ends with 3 on errors', async () => {
    repository.commit({ '.gitignore': '*.duckdb\n' });
    git(repository.clone, 'checkout', '--quiet', 'main');
    git(repository.clone, 'merge', '--quiet', 'feature');
    const write = (files: Record<string, string>) => repository.commit(files);
    write({ 'pipelines/python/daily/dagster.yaml': DAILY });
    const dir = repository.clone;
    const same = JSON.parse((await elt('plan', '--dir', dir, '--json')).stdout) as Plan;
    expect(same).toMatchObject({
      has_changes: false,
      to: { commit: null, label: 'working directory clone' },
    });
    write({
      'pipelines/python/daily/data.duckdb': 'x',
      'pipelines/python/daily/main.py': 'print("other")\n',
    });
    git(dir, 'rm', '--quiet', '--cached', '--ignore-unmatch', 'pipelines/python/daily/data.duckdb');
    const other = JSON.parse((await elt('plan', '--dir', dir, '--json')).stdout) as Plan;
    expect(other.changes.map(({ key, fields }) => [key, fields.map(({ files }) => files)])).toEqual([
      ['python_daily', [['~ main.py']]],
    ]);
    write({ 'pipelines/python/daily/dagster.yaml': `${DAILY}retries: many\n` });
    const broken = await elt('plan', '--dir', dir, '--exit-code');
    expect(broken.code).toBe(3);
    expect(broken.stdout).toMatch(/pipelines\/python\/daily\/dagster\.yaml:3:10 error CONFIG_TYPE/);
    expect(broken.stdout).toContain('held at their last good revision: python_daily');
  });

  it.each([
    [['--ref', 'none'], 6, /GIT_BRANCH_NOT_FOUND .*"none"\n {2}it has the branches feature, main/],
    [['--revision', '99'], 4, /REVISION_NOT_FOUND/],
    [['--ref', 'a', '--dir', '.'], 2, /one of --ref, --dir and --revision/],
    [['--dir', '/nowhere'], 3, /PIPELINES_DIRECTORY_MISSING/],
    [['--component', 'other'], 4, /COMPONENT_UNKNOWN/],
  ])('%j ends with %i', async (args, code, message) => {
    const found = await elt('plan', ...args);
    expect([found.code, found.stderr]).toEqual([code, expect.stringMatching(message)]);
  });
});
