import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { ensureDemoRepository } from '../../src/component/demo-repository.ts';
import { validateWorkingCopy } from '../../src/component/validate.ts';
import { componentWorld } from '../helpers/component.ts';
import { GIT_ENVIRONMENT, temporaryDirectory } from '../helpers/git-repository.ts';

const root = path.join(import.meta.dirname, '../..');

it('makes a bare repository and a clone with its own name, serves it, and keeps what was pushed', async () => {
  const home = temporaryDirectory();
  const options = { home, root, environment: GIT_ENVIRONMENT };
  const demo = await ensureDemoRepository(options);
  expect(demo).toEqual({ bare: path.join(home, 'demo.git'), work: path.join(home, 'demo'), created: true });
  const { PATH, GIT_CONFIG_GLOBAL, GIT_CONFIG_SYSTEM } = GIT_ENVIRONMENT;
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', demo.work, ...args], {
      env: { PATH, GIT_CONFIG_GLOBAL, GIT_CONFIG_SYSTEM },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  const world = await componentWorld(demo.bare, { home });
  const outcome = await world.refresh();
  expect(outcome.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(outcome).toMatchObject({ status: 'applied', commit: git('rev-parse', 'HEAD') });

  writeFileSync(path.join(demo.work, 'note.txt'), 'mine');
  git('add', 'note.txt');
  git('commit', '--quiet', '-m', 'note');
  git('push', '--quiet');
  rmSync(demo.work, { recursive: true });
  expect(await ensureDemoRepository(options)).toMatchObject({ created: true });
  expect(readFileSync(path.join(demo.work, 'note.txt'), 'utf8')).toBe('mine');
  expect(await ensureDemoRepository(options)).toMatchObject({ created: false });
});

it('the demo validates as a working copy, with the pipelines that a refresh gives', async () => {
  const validation = await validateWorkingCopy({
    dir: path.join(root, 'fixtures/repo'),
    pipelinesDirectory: 'pipelines',
    environment: { names: new Set(), passEnv: [] },
  });
  expect(validation.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(validation.definitions.pipelines.size).toBeGreaterThan(5);
  expect(validation.pipelinesDirectory).toBe('pipelines');
});
