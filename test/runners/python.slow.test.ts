import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { pythonRunner } from '../../src/runners/python.ts';
import { duckdbCount } from '../helpers/duckdb.ts';
import { pipesVariables } from '../helpers/pipes.ts';
import { dayPartition, StepFolder, stepSpec } from '../helpers/run-step-command.ts';
import { ROOT, testTools } from '../helpers/tool-environments.ts';

beforeAll(async () => void (await testTools()));

const script = (...command: string[]) => ({ script: { command, assets: ['report'] } });

describe('script.command', () => {
  it('runs in the working directory with the environment first on PATH, and nothing in between', async () => {
    const folder = await StepFolder.create({
      'where.py':
        'import os, shutil, sys, helper\nprint(os.getcwd(), sys.executable, shutil.which("python"), helper.NAME, os.environ["MINE"])\nopen("out.txt", "w").write("x")\n',
      'helper.py': 'NAME = "helper"\n',
    });
    const { python } = await testTools();
    const outcome = await folder.run(pythonRunner, stepSpec('python', script('python', 'where.py')), {
      env: { MINE: 'yes' },
    });
    expect(outcome.stdout.toString().trim()).toBe(`${folder.work} ${python} ${python} helper yes`);
    expect(outcome.exitCode).toBe(0);
    expect(outcome.events).toEqual([]);
    // Relative writes stay, byte code does not: it would outlive the revision.
    expect(existsSync(join(folder.work, 'out.txt'))).toBe(true);
    expect(existsSync(join(folder.work, '__pycache__'))).toBe(false);
  });

  it('runs another program too, and passes its exit code on', async () => {
    const folder = await StepFolder.create({ 'fail.sh': 'echo "no data" >&2\nexit 3\n' });
    const outcome = await folder.run(pythonRunner, stepSpec('python', script('sh', 'fail.sh')));
    expect([outcome.exitCode, outcome.stderr]).toEqual([3, 'no data\n']);
  });

  it('reports through Dagster Pipes into the events file', async () => {
    const folder = await StepFolder.create(join(ROOT, 'fixtures/repo/pipelines/python/daily_raw_data'));
    const file = join(folder.root, 'shop.duckdb');
    const spec = stepSpec(
      'python',
      { ...script('python', 'load_tills.py'), name: 'daily_raw_data' },
      {
        ...dayPartition('2026-01-06'),
        partitions: { kind: 'key', key: 'B|2026-01-06' },
        partitionDimensions: { category: 'B', date: '2026-01-06' },
      },
    );
    const outcome = await folder.run(pythonRunner, spec, {
      env: (eventsFile) => ({
        DUCKDB_DATABASE: file,
        ...pipesVariables(['daily_raw_data'], 'B|2026-01-06', eventsFile),
      }),
    });
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    const rows = await duckdbCount(file, 'select count(*) from raw_tills.daily_raw_data');
    expect(outcome.events.map((event) => event.method)).toEqual([
      'opened',
      'log',
      'report_asset_check',
      'report_asset_materialization',
      'closed',
    ]);
    expect(outcome.events[3]?.params).toMatchObject({
      asset_key: 'daily_raw_data',
      metadata: { 'dagster/row_count': { raw_value: rows } },
    });
  });

  it('ends at once on SIGTERM', async () => {
    const folder = await StepFolder.create({ 'wait.py': 'import time\nprint("waiting")\ntime.sleep(60)\n' });
    const outcome = await folder.run(pythonRunner, stepSpec('python', script('python', 'wait.py')), {
      onOutput: (text, kill) => text.includes('waiting') && kill('SIGTERM'),
    });
    expect(outcome.signal).toBe('SIGTERM');
  });
});
