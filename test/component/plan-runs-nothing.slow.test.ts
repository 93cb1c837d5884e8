import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readWorkingCopy } from '../../src/component/working-copy.ts';
import { componentWorld, pythonFolder } from '../helpers/component.ts';
import { createRepository, GIT_ENVIRONMENT, temporaryDirectory } from '../helpers/git-repository.ts';
import { startGitServer } from '../helpers/git-server.ts';
import { testTools } from '../helpers/tool-environments.ts';

/** Law 10: a stranger's pull request is read, never run. */
it('a fork whose pipeline, setup, dbt macro and hooks each write a marker leaves none', async () => {
  const out = temporaryDirectory();
  const mark = (name: string): string => `open(${JSON.stringify(path.join(out, name))}, "w").close()\n`;
  const repo = createRepository();
  repo.push(pythonFolder('a'));
  repo.git('checkout', '--quiet', '-b', 'fork');
  repo.push({
    'pipelines/dlt/evil/pipeline.py': `${mark('pipeline')}import dlt\n@dlt.resource\ndef rows():\n    yield 1\n\ndef run():\n    pass\n`,
    'pipelines/dlt/evil/dagster.yaml': 'dlt: {asset_per: resource}\n',
    'pipelines/dlt/evil/setup.py': mark('setup'),
    'pipelines/dlt/evil/requirements.txt': '-e .\n',
    'pipelines/dbt/evil/dbt_project.yml':
      "name: evil\nversion: '1.0.0'\nprofile: evil\non-run-start: ['{{ mark() }}']\n",
    'pipelines/dbt/evil/profiles.yml':
      'evil: {target: dev, outputs: {dev: {type: duckdb, path: ":memory:"}}}\n',
    'pipelines/dbt/evil/macros/mark.sql': `{% macro mark() %}copy (select 1 as x) to '${path.join(out, 'macro')}'{% endmacro %}\n`,
    'pipelines/dbt/evil/models/m.sql': 'select 1 as x\n',
    '.gitattributes': '* filter=evil\n',
    '.gitmodules': `[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% ${path.join(out, 'submodule')}\n`,
    'hooks/post-checkout': `#!/bin/sh\ntouch ${path.join(out, 'hook')}\n`,
  });
  repo.git('push', '--quiet', 'origin', 'fork:refs/pull/7/head');
  const server = await startGitServer(path.dirname(repo.bare));
  const world = await componentWorld(`${server.url}/remote.git`);
  const copy = readWorkingCopy(repo.dir, 'pipelines', { ids: 'content' });
  await world.service.plan('shop', { kind: 'directory', label: 'copy', copy });
  const plan = await world.service.plan('shop', { kind: 'ref', ref: 'refs/pull/7/head' });
  const pipelines = plan.changes.filter(({ kind }) => kind === 'pipeline').map(({ key }) => key);
  expect(pipelines).toEqual(['dbt_evil', 'dlt_evil', 'python_a']);
  expect(plan.notes.map((note) => note.split(' are ')[0])).toEqual([
    'the assets of dbt_evil',
    'the assets of dlt_evil',
  ]);
  expect(readdirSync(out)).toEqual([]);
  for (const made of ['trees', 'envs', 'environments', 'discovery', 'data'])
    expect(existsSync(path.join(world.home, made)), made).toBe(false);

  // The markers do work: running what was only read writes them.
  const { python } = await testTools();
  const run = (cwd: string, ...args: string[]): void => {
    const env = { ...GIT_ENVIRONMENT, HOME: out, DBT_SEND_ANONYMOUS_USAGE_STATS: 'false' };
    execFileSync(python, args, { cwd: path.join(repo.dir, cwd), env, stdio: 'ignore' });
  };
  run('pipelines/dlt/evil', 'setup.py');
  run('pipelines/dlt/evil', 'pipeline.py');
  run('pipelines/dbt/evil', '-m', 'dbt.cli.main', 'run', '--profiles-dir', '.');
  expect(
    readdirSync(out)
      .filter((name) => !name.startsWith('.'))
      .sort(),
  ).toEqual(['macro', 'pipeline', 'setup']);
});
