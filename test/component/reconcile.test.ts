import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  bare,
  componentWorld,
  condition,
  named,
  pipelines,
  pythonFolder,
  stateFile,
} from '../helpers/component.ts';
import { createRepository } from '../helpers/git-repository.ts';
import { startGitServer } from '../helpers/git-server.ts';

describe('refresh', () => {
  it('applies a commit, writes the state whole, publishes definitions; then there is no work', async () => {
    const repository = createRepository();
    const first = repository.push({ ...pythonFolder('a'), ...pythonFolder('b') }, 'two pipelines');
    const world = await componentWorld(repository.bare);
    const published: string[] = [];
    world.service.onPublished((definitions) => published.push([...definitions.assets.nodes.keys()].join()));
    const outcome = await world.refresh();
    expect(outcome).toMatchObject({
      status: 'applied',
      revisionId: 1,
      commit: first,
      diff: { added: [named('a'), named('b')], removed: [], changed: [] },
      error: null,
    });
    expect(published).toHaveLength(1);
    expect([...world.service.definitions().pipelines.keys()].map((key) => bare(key.slice(5)))).toEqual([
      'a',
      'b',
    ]);
    const state = JSON.parse(stateFile(world));
    expect(state).toMatchObject({
      version: 1,
      component: 'shop',
      repo: { commit: first, branch: 'main', author: 'Ada' },
    });
    expect(condition(world, 'Ready')).toMatchObject({ status: 'True', reason: 'Applied' });
    expect(await world.refresh()).toMatchObject({ status: 'unchanged', revisionId: 1, commit: first });
    expect(published).toHaveLength(1);
    expect(JSON.stringify(state)).not.toContain(world.home);
    expect(JSON.stringify(state)).not.toContain(repository.bare);
  });

  it('C7: keeps the state of the revision before beside the new one, and says in the file what it says', async () => {
    const repository = createRepository();
    const first = repository.push(pythonFolder('a'));
    const world = await componentWorld(repository.bare);
    await world.refresh();
    const second = repository.push(pythonFolder('b'));
    world.clock.advance(1000);
    await world.refresh();
    await world.refresh();
    const previous = path.join(world.dir, 'pipelines_state.previous.json');
    expect(JSON.parse(readFileSync(previous, 'utf8'))).toMatchObject({ repo: { commit: first } });
    const state = JSON.parse(stateFile(world));
    expect(state).toMatchObject({ repo: { commit: second } });
    const told = world.service.component('shop')!.conditions.map(({ since, ...rest }) => ({
      ...rest,
      since: new Date(since).toISOString(),
    }));
    expect(state.conditions).toEqual(told);
  });

  it('only the folder that changed gets the new commit; the same commit gives the same bytes', async () => {
    const repository = createRepository();
    const first = repository.push({ ...pythonFolder('a'), ...pythonFolder('b') });
    const world = await componentWorld(repository.bare);
    await world.refresh();
    const second = repository.push(pythonFolder('b', 'group: sales\n'));
    const { diff } = await world.refresh();
    expect(diff.changed.map(({ pipeline, fields }) => [pipeline, fields.map(({ field }) => field)])).toEqual([
      [named('b'), ['group']],
    ]);
    expect(pipelines(world)).toEqual([`a current ${first.slice(0, 7)}`, `b current ${second.slice(0, 7)}`]);
    const digest = world.service.component('shop')?.snapshot?.digest;
    const again = await world.restart();
    expect(await again.refresh()).toMatchObject({ status: 'unchanged' });
    expect(again.service.component('shop')?.snapshot?.digest).toBe(digest);
  });

  it('C1, A4, A13: a broken folder keeps its last good revision, others advance, the error has file and line', async () => {
    const repository = createRepository();
    const first = repository.push({ ...pythonFolder('a'), ...pythonFolder('b') });
    const world = await componentWorld(repository.bare);
    await world.refresh();
    const second = repository.push({
      ...pythonFolder('a', 'schedule:\n  enabled: true\n  cron: "0 2 * * *"\n'),
      ...pythonFolder('b', 'group: sales\n'),
      ...pythonFolder('new', 'retries: -1\n'),
    });
    const outcome = await world.refresh();
    expect(outcome.status).toBe('applied');
    expect(pipelines(world)).toEqual([`a held ${first.slice(0, 7)}`, `b current ${second.slice(0, 7)}`]);
    const errors = outcome.diagnostics.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ file, line }) => `${file}:${line}`)).toEqual(
      expect.arrayContaining(['pipelines/python/a/dagster.yaml:4', 'pipelines/python/new/dagster.yaml:2']),
    );
    expect(condition(world, 'Degraded')).toMatchObject({
      status: 'True',
      reason: 'PipelinesHeld',
      message: expect.stringMatching(/\ba$|_a$/),
    });
    const nodes = [...world.service.definitions().assets.nodes.values()];
    expect(nodes.map((node) => [bare(node.pipeline), node.held])).toEqual([
      ['a', true],
      ['b', false],
    ]);
    repository.push(pythonFolder('a', 'group: fixed\n'));
    repository.push({ 'pipelines/python/new': null });
    await world.refresh();
    expect(condition(world, 'Degraded')).toMatchObject({ status: 'False' });
  });

  it('C2: of two folders with one asset the older holder keeps it, both are flagged', async () => {
    const repository = createRepository();
    const asset = (name: string): Record<string, string> => ({
      [`pipelines/python/${name}/dagster.yaml`]: 'script: {command: [python, run.py], assets: [shared]}\n',
      [`pipelines/python/${name}/run.py`]: '',
    });
    repository.push(asset('z_older'));
    const world = await componentWorld(repository.bare);
    await world.refresh();
    repository.push(asset('a_newer'));
    const { diagnostics } = await world.refresh();
    expect(world.service.definitions().assets.nodes.get('shared')?.pipeline).toEqual(named('z_older'));
    const flagged = diagnostics
      .filter(({ code }) => code === 'ASSET_DUPLICATE')
      .map(({ file }) => path.dirname(file));
    expect(new Set(flagged)).toEqual(new Set(['pipelines/python/a_newer', 'pipelines/python/z_older']));
  });

  it('G4: a rewritten history is followed and said; the tree of the lost commit stays', async () => {
    const repository = createRepository();
    const base = repository.push(pythonFolder('a', '', 'print("lost")\n'));
    const lost = repository.push(pythonFolder('b'));
    const world = await componentWorld(repository.bare);
    await world.refresh();
    const code = world.service.component('shop')!.snapshot!.pipelines[0]!.code;
    repository.git('reset', '--quiet', '--hard', base);
    repository.git('commit', '--quiet', '--amend', '-m', 'rewritten');
    repository.push(pythonFolder('a', '', 'print("new")\n'));
    await world.refresh();
    expect(condition(world, 'Ready')).toMatchObject({
      status: 'True',
      reason: 'HistoryRewritten',
      message: expect.stringContaining(lost.slice(0, 12)),
    });
    expect(await world.service.collectGarbage()).toEqual({ trees: 0, commits: 0 });
    const tree = await world.service.code.materialise(code);
    expect(readFileSync(path.join(tree, 'run.py'), 'utf8')).toBe('print("lost")\n');
  });

  it('G16: the revision is the commit that was read', async () => {
    const repository = createRepository();
    const first = repository.push(pythonFolder('a'));
    const world = await componentWorld(repository.bare);
    const { commit, revisionId } = await world.refresh();
    expect(commit).toBe(first);
    expect((await world.store.components.revision('shop', revisionId!))?.commit).toBe(first);
    expect(await world.service.readFile('shop', first, 'pipelines/python/a/run.py')).toBe('print(1)\n');
    expect(await world.service.readFile('shop', first, 'pipelines/python/a')).toBeNull();
    expect(await world.service.readFile('shop', '--upload-pack=x', 'x')).toBeNull();
  });

  it('G12: a folder with a submodule is refused, the rest continues', async () => {
    const repository = createRepository();
    const commit = repository.push({ ...pythonFolder('a'), ...pythonFolder('b') });
    repository.git('update-index', '--add', '--cacheinfo', `160000,${commit},pipelines/python/b/sub`);
    repository.git('commit', '--quiet', '-m', 'submodule');
    repository.git('push', '--quiet', 'origin', 'HEAD');
    const world = await componentWorld(repository.bare);
    const { diagnostics } = await world.refresh();
    expect(pipelines(world).map((text) => text.split(' ')[0])).toEqual(['a']);
    expect(diagnostics.map(({ code }) => code)).toContain('PATH_REFUSED');
  });

  it('background discovery enters as a refresh of the same commit', async () => {
    const repository = createRepository();
    repository.push({
      'pipelines/dlt/orders/pipeline.py':
        'import dlt\n\nfor_name = "x"\npipeline = dlt.pipeline(pipeline_name="orders")\npipeline.run([{"id": 1}], table_name=for_name)\n',
      'pipelines/dlt/orders/dagster.yaml': 'dlt: {asset_per: resource}\n',
    });
    const started: string[] = [];
    const world = await componentWorld(repository.bare, {
      runDiscoveryJob: async (job, { code }) => {
        started.push(job.pipeline);
        await code.materialise(job.code);
        return {
          inputsDigest: job.inputsDigest,
          kind: job.kind,
          status: 'complete',
          envKey: 'env',
          assets: [{ key: 'dlt_orders/x', kind: 'dlt', resource: 'x', deps: [], checks: [] }],
          diagnostics: [],
        };
      },
    });
    await world.refresh();
    expect(condition(world, 'Reconciling')).toMatchObject({ status: 'True', reason: 'DiscoveryPending' });
    await world.service.settled();
    expect(started.map(bare)).toEqual(['orders']);
    expect(condition(world, 'Reconciling')).toMatchObject({ status: 'False' });
    expect([...world.service.definitions().assets.nodes.keys()]).toContain('dlt_orders/x');
    const again = await world.restart();
    await again.refresh();
    await again.service.settled();
    expect(started.map(bare)).toEqual(['orders']);
  });
});

describe('G15: a push storm', () => {
  it('has at most one refresh in flight and one waiting, and ends at the final head', async () => {
    const repository = createRepository();
    repository.push(pythonFolder('a'));
    const server = await startGitServer(path.dirname(repository.bare));
    const world = await componentWorld(`${server.url}/remote.git`);
    const asked: Promise<unknown>[] = [];
    let head = '';
    for (let n = 0; n < 10; n++) {
      head = repository.push(pythonFolder('a', `group: g${n}\n`));
      for (let m = 0; m < 10; m++) asked.push(world.refresh());
    }
    await Promise.all(asked);
    expect(world.service.component('shop')?.lastApplied?.commit).toBe(head);
    expect((await world.store.components.revisions('shop', { limit: 50 })).length).toBeLessThanOrEqual(2);
    expect(world.service.component('shop')?.refreshing).toBe(false);
  });

  it('who asks while one runs gets one that began after the asking', async () => {
    const repository = createRepository();
    repository.push(pythonFolder('a'));
    const server = await startGitServer(path.dirname(repository.bare));
    const world = await componentWorld(`${server.url}/remote.git`);
    const arrived = server.nextRequest();
    const first = world.refresh();
    await arrived;
    const head = repository.push(pythonFolder('b'));
    const [, second, third] = await Promise.all([first, world.refresh(), world.refresh()]);
    expect(second.commit).toBe(head);
    expect(third).toBe(second);
  });
});
