import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { validateWorkingCopy } from '../../src/component/validate.ts';
import { pythonFolder } from '../helpers/component.ts';
import { temporaryDirectory } from '../helpers/git-repository.ts';

const environment = { names: new Set<string>(), passEnv: [] };

function workingCopy(files: Readonly<Record<string, string>>): string {
  const dir = temporaryDirectory();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    writeFileSync(path.join(dir, name), text);
  }
  return dir;
}

it('reports every mistake with its place, without Git', async () => {
  const dir = workingCopy({
    ...pythonFolder('good'),
    ...pythonFolder('bad', 'retries: -1\nschedule: {enabled: true, cron_schedule: "0 0 * *"}\n'),
    'pipelines/python/good/node_modules/x/dagster.yaml': 'broken: [',
    'dagster.yaml': 'concurrency: {pools: {duckdb: 1}}\n',
  });
  const { diagnostics, definitions } = await validateWorkingCopy({
    dir,
    pipelinesDirectory: 'pipelines',
    environment,
  });
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  expect(errors.map(({ file, line }) => `${file}:${line}`)).toEqual([
    'pipelines/python/bad/dagster.yaml:2',
    'pipelines/python/bad/dagster.yaml:3',
  ]);
  expect([...definitions.assets.nodes.keys()]).toEqual(['good']);
  expect(definitions.instance.pools).toEqual({ duckdb: 1 });
});

it('takes the pipelines folder itself, and names a path that is not there', async () => {
  const dir = workingCopy(pythonFolder('a'));
  const inside = path.join(dir, 'pipelines');
  const { definitions } = await validateWorkingCopy({
    dir: inside,
    pipelinesDirectory: 'pipelines',
    environment,
  });
  expect(definitions.pipelines.size).toBe(1);
  await expect(
    validateWorkingCopy({ dir: path.join(dir, 'none'), pipelinesDirectory: 'pipelines', environment }),
  ).rejects.toMatchObject({ code: 'PIPELINES_DIRECTORY_MISSING' });
});
