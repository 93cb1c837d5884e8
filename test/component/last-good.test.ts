import { chmodSync, existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { STATE_FILE } from '../../src/state/state-file.ts';
import {
  componentWorld,
  condition,
  named,
  pipelines,
  pythonFolder,
  stateFile,
} from '../helpers/component.ts';
import { createRepository, GIT_ENVIRONMENT, temporaryDirectory } from '../helpers/git-repository.ts';
import { startGitServer } from '../helpers/git-server.ts';

describe('what must not take good pipelines down', () => {
  it('G1, A2, A5: a failed fetch keeps everything and is shown; it recovers alone', async () => {
    const repository = createRepository();
    const first = repository.push(pythonFolder('a'));
    const server = await startGitServer(path.dirname(repository.bare));
    const world = await componentWorld(`${server.url}/remote.git`);
    await world.refresh();
    const state = JSON.parse(stateFile(world));
    server.fault = { kind: 'status', status: 503 };
    expect(await world.refresh()).toMatchObject({
      status: 'failed',
      commit: first,
      error: { code: 'GIT_UNREACHABLE' },
    });
    expect(pipelines(world)).toHaveLength(1);
    expect(condition(world, 'FetchFailed')).toMatchObject({ status: 'True', reason: 'Unreachable' });
    expect(condition(world, 'Ready')).toMatchObject({ status: 'True', reason: 'LastKnownGood' });
    const { conditions, ...rest } = JSON.parse(stateFile(world));
    expect(conditions).toContainEqual(expect.objectContaining({ type: 'FetchFailed', status: 'True' }));
    expect(rest).toEqual({ ...state, conditions: undefined });
    const again = await world.restart();
    expect(pipelines(again)).toHaveLength(1);
    server.fault = { kind: 'none' };
    const second = repository.push(pythonFolder('b'));
    expect(await again.refresh()).toMatchObject({ status: 'applied', commit: second });
    expect(condition(again, 'FetchFailed')).toMatchObject({ status: 'False' });
  });

  it('A2: a first refresh that fails leaves a reason, not an empty success', async () => {
    const world = await componentWorld(path.join(temporaryDirectory(), 'nothing'));
    expect(await world.refresh()).toMatchObject({
      status: 'failed',
      error: { code: 'GIT_REPOSITORY_NOT_FOUND' },
    });
    expect(condition(world, 'Ready')).toMatchObject({ status: 'False', reason: 'NoRevision' });
    expect(condition(world, 'Stalled')).toMatchObject({ status: 'True', reason: 'RepositoryNotFound' });
    expect(existsSync(path.join(world.dir, STATE_FILE))).toBe(false);
  });

  it('A7: definitions come from the state, whoever loads them and however often, never from a pull', async () => {
    const repository = createRepository();
    const first = repository.push(pythonFolder('a'));
    const world = await componentWorld(repository.bare);
    await world.refresh();
    const { digest } = world.service.definitions();
    repository.push(pythonFolder('b'));
    const again = await world.restart();
    expect(again.service.definitions().digest).toBe(digest);
    expect(again.service.definitions().assets.nodes.get('a')?.code?.commit).toBe(first);
    expect(again.service.component('shop')?.lastAttempted).toBeNull();
  });

  it('C4: a variable that is set later is seen by the next look, without a push or a restart', async () => {
    const repository = createRepository();
    repository.push(pythonFolder('a', 'env: { KEY: "${SHOP_KEY}" }\n'));
    const environment: Record<string, string> = { ...GIT_ENVIRONMENT };
    const world = await componentWorld(repository.bare, { environment });
    expect((await world.refresh()).diagnostics.map(({ message }) => message)).toEqual([
      'SHOP_KEY is not set',
    ]);
    environment['SHOP_KEY'] = 'x';
    expect((await world.refresh()).diagnostics).toEqual([]);
  });

  it('C4: a variable that is missing makes its folder Degraded by the name alone; the others go on', async () => {
    const repository = createRepository();
    repository.push({ ...pythonFolder('a'), ...pythonFolder('b') });
    const environment = { ...GIT_ENVIRONMENT, OTHER_KEY: 'a-value-that-is-secret' };
    const world = await componentWorld(repository.bare, { environment });
    await world.refresh();
    const yaml = 'env: { KEY: "${SHOP_KEY}", OTHER: "${OTHER_KEY}" }\n';
    const commit = repository.push({ ...pythonFolder('a', yaml), ...pythonFolder('b', 'group: new\n') });
    expect((await world.refresh()).diagnostics).toMatchObject([
      { file: 'pipelines/python/a/dagster.yaml', message: 'SHOP_KEY is not set' },
    ]);
    expect(pipelines(world)).toContain(`b current ${commit.slice(0, 7)}`);
    expect(condition(world, 'Degraded')).toMatchObject({
      status: 'True',
      reason: 'VariablesMissing',
      message: 'python_a: SHOP_KEY is not set',
    });
    expect(JSON.stringify([world.service.component('shop'), stateFile(world)])).not.toContain('a-value-that');
  });

  it('names the folder that ELT_PIPELINES_DIR should be, when there is one', async () => {
    const repository = createRepository();
    repository.push({ 'jobs/python/a/dagster.yaml': 'script: main.py\n', 'jobs/python/a/main.py': '' });
    repository.push({ 'jobs/dlt/b/pipeline.py': 'def run(): pass\n' });
    const world = await componentWorld(repository.bare);
    expect(await world.refresh()).toMatchObject({
      error: {
        code: 'PIPELINES_DIRECTORY_MISSING',
        hint: 'push it, or set ELT_PIPELINES_DIR=jobs (pipelines are there)',
      },
    });
  });

  it.each([
    ['the branch is deleted', 'GIT_BRANCH_NOT_FOUND'],
    ['the pipelines directory is gone', 'PIPELINES_DIRECTORY_MISSING'],
    ['every pipeline is gone', 'PRUNE_GUARD'],
  ])('G5, G6: %s: everything stays until it is confirmed', async (what, code) => {
    const repository = createRepository();
    const first = repository.push({ ...pythonFolder('a'), 'other.txt': '' });
    const world = await componentWorld(repository.bare);
    await world.refresh();
    repository.git('--git-dir', repository.bare, 'config', 'receive.denyDeleteCurrent', 'ignore');
    if (code === 'GIT_BRANCH_NOT_FOUND')
      repository.git('push', '--quiet', 'origin', 'HEAD:refs/heads/other', ':refs/heads/main');
    else
      repository.push(
        { 'pipelines/python': null, ...(code === 'PRUNE_GUARD' ? { 'pipelines/.gitkeep': '' } : {}) },
        what,
      );
    expect(await world.refresh()).toMatchObject({ status: 'failed', commit: first, error: { code } });
    expect(pipelines(world)).toHaveLength(1);
    expect(condition(world, 'Stalled')).toMatchObject({ status: 'True' });
    if (code === 'GIT_BRANCH_NOT_FOUND') return;
    const confirmed = await world.service.requestRefresh(
      'shop',
      { kind: 'cli', by: 'test' },
      { allowPrune: true },
    );
    expect(confirmed).toMatchObject({ status: 'applied', diff: { removed: [named('a')] } });
  });

  it('G6: an empty repository', async () => {
    const world = await componentWorld(createRepository().bare);
    expect(await world.refresh()).toMatchObject({ error: { code: 'REPOSITORY_EMPTY' } });
  });

  it('G11: the state of another repository is not served; its inventory stays in the store', async () => {
    const [old, next] = [createRepository(), createRepository()];
    old.push(pythonFolder('a'));
    next.push(pythonFolder('b'));
    const world = await componentWorld(old.bare);
    await world.refresh();
    const moved = await world.restart({ repoUrl: next.bare });
    expect(moved.service.component('shop')?.snapshot).toBeNull();
    expect([...moved.service.definitions().assets.nodes]).toEqual([]);
    expect((await moved.store.components.latestSnapshot('shop'))?.snapshot.pipelines).toHaveLength(1);
    expect(await moved.refresh()).toMatchObject({
      status: 'applied',
      diff: { added: [named('b')], removed: [] },
    });
  });

  it('G13: a refused address is a reason without its password', async () => {
    const world = await componentWorld('https://user:pa55word@github.com/a/b?token=x');
    const outcome = await world.refresh();
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'GIT_URL_REFUSED' } });
    expect(JSON.stringify([outcome, world.service.components()])).not.toMatch(/pa55word|token=x/);
  });

  it.each(['missing', 'truncated', 'of another version'])(
    'C7: a state file that is %s is written again',
    async (what) => {
      const repository = createRepository();
      repository.push(pythonFolder('a'));
      const world = await componentWorld(repository.bare);
      await world.refresh();
      const whole = JSON.parse(stateFile(world));
      const file = path.join(world.dir, STATE_FILE);
      if (what === 'missing') rmSync(file);
      else if (what === 'truncated') truncateSync(file, 100);
      else writeFileSync(file, JSON.stringify({ ...whole, version: 9, digest: 'x' }));
      const again = await world.restart();
      expect(pipelines(again)).toHaveLength(1);
      await again.refresh();
      expect(JSON.parse(stateFile(again)).digest).toBe(whole.digest);
    },
  );

  it('C7: with a new database the state file serves at once', async () => {
    const repository = createRepository();
    repository.push(pythonFolder('a'));
    const world = await componentWorld(repository.bare);
    await world.refresh();
    const { service, store } = world;
    await service.close();
    await store.close();
    for (const name of readdirSync(world.home))
      if (name.startsWith('elt.db')) rmSync(path.join(world.home, name));
    const again = await componentWorld(repository.bare, { home: world.home });
    expect(pipelines(again)).toHaveLength(1);
    expect(await again.refresh()).toMatchObject({ status: 'unchanged', revisionId: 1 });
  });

  it.each([
    ['a folder', 'update folder_state set body = substr(body, 1, 20)'],
    ['a revision', 'update revision set header = substr(header, 1, 20)'],
  ])('P10: %s that cannot be read from the database keeps no service from starting', async (_, damage) => {
    const repository = createRepository();
    repository.push(pythonFolder('a'));
    const world = await componentWorld(repository.bare);
    await world.refresh();
    await world.service.close();
    await world.store.close();
    const database = new Database(path.join(world.home, 'elt.db'));
    database.exec(damage);
    database.close();
    const again = await componentWorld(repository.bare, { home: world.home });
    expect(pipelines(again)).toHaveLength(1);
    const commit = repository.push(pythonFolder('b'));
    expect(await again.refresh()).toMatchObject({ status: 'applied', commit });
    // What was damaged was written anew: the database can be read again.
    expect((await again.store.components.latestSnapshot('shop'))?.snapshot.repo.commit).toBe(commit);
    expect(pipelines(await again.restart())).toHaveLength(2);
  });

  it.each([
    ['older than the database', 1],
    ['of a newer release', 2],
  ])('C7: a state file that is %s is not served, and is written again', async (_, version) => {
    const repository = createRepository();
    repository.push(pythonFolder('a'));
    const world = await componentWorld(repository.bare);
    await world.refresh();
    const old = stateFile(world);
    const commit = repository.push(pythonFolder('b'));
    await world.refresh();
    const newest = JSON.parse(stateFile(world));
    writeFileSync(path.join(world.dir, STATE_FILE), old.replace('"version": 1', `"version": ${version}`));
    const again = await world.restart();
    expect(again.service.component('shop')?.snapshot).toMatchObject({
      repo: { commit },
      digest: newest.digest,
    });
    expect(pipelines(again)).toHaveLength(2);
    await again.refresh();
    expect(JSON.parse(stateFile(again)).digest).toBe(newest.digest);
  });

  it('G9: a mirror whose objects are damaged is cloned again in the same refresh', async () => {
    const repository = createRepository();
    repository.push(pythonFolder('a'));
    const world = await componentWorld(repository.bare);
    await world.refresh();
    const packs = path.join(world.dir, 'repo_clone/objects/pack');
    for (const name of readdirSync(packs)) {
      const file = path.join(packs, name);
      chmodSync(file, 0o644);
      if (name.endsWith('.pack')) truncateSync(file, 40);
    }
    const commit = repository.push(pythonFolder('b'));
    expect(await world.refresh()).toMatchObject({ status: 'applied', commit });
  });
});
