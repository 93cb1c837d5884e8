import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ComponentSettings } from '../../src/config/settings.ts';
import {
  type ComponentWorld,
  componentWorld,
  condition,
  pipelines,
  pythonFolder,
  START,
  stateFile,
} from '../helpers/component.ts';
import { createRepository, GIT_ENVIRONMENT, type TestRepository } from '../helpers/git-repository.ts';
import { type GitServer, startGitServer } from '../helpers/git-server.ts';

interface Served {
  readonly repository: TestRepository;
  readonly server: GitServer;
  readonly world: ComponentWorld;
  /** Of the service; git takes proxies from it. */
  readonly environment: Record<string, string>;
  /** Commit that is served. */
  readonly good: string;
}

/** A component that serves two pipelines from a Git server. */
async function served(settings: Partial<ComponentSettings> = {}, tag?: string): Promise<Served> {
  const repository = createRepository();
  const good = repository.push({ ...pythonFolder('a'), ...pythonFolder('b') });
  if (tag !== undefined) {
    repository.git('tag', '-a', tag, '-m', tag);
    repository.git('push', '--quiet', 'origin', tag);
  }
  const server = await startGitServer(path.dirname(repository.bare));
  const environment: Record<string, string> = { ...GIT_ENVIRONMENT };
  const world = await componentWorld(`${server.url}/remote.git`, { settings, environment });
  expect(await world.refresh()).toMatchObject({ status: 'applied', commit: good });
  return { repository, server, world, environment, good };
}

/** Definitions, store and state file still say what they said. */
async function expectKept({ world, good }: Served): Promise<void> {
  expect(pipelines(world)).toEqual(['a', 'b'].map((name) => `${name} current ${good.slice(0, 7)}`));
  expect([...world.service.definitions().assets.nodes.keys()].sort()).toEqual(['a', 'b']);
  expect(JSON.parse(stateFile(world))).toMatchObject({ repo: { commit: good } });
  expect((await world.store.components.latestSnapshot('shop'))?.snapshot.repo.commit).toBe(good);
  const left = readdirSync(path.join(world.dir, 'repo_clone'), { recursive: true }).map(String);
  expect(left.filter((name) => /\.lock$|tmp_pack_/.test(name))).toEqual([]);
}

describe('G1: the remote cannot be reached', () => {
  it.each<[string, (served: Served) => void, RegExp]>([
    ['5xx', ({ server }) => void (server.fault = { kind: 'status', status: 502 }), /502/],
    ['the connection is cut', ({ server }) => void (server.fault = { kind: 'cut' }), /./],
    ['nothing listens', ({ environment }) => void (environment.http_proxy = 'http://127.0.0.1:1'), /connect/],
    [
      'a name that DNS does not know',
      ({ environment }) => void (environment.http_proxy = 'http://nobody.invalid:1'),
      /resolve/,
    ],
    [
      'TLS that cannot be spoken',
      ({ environment, server }) => void (environment.http_proxy = `https://${server.host}`),
      /TLS|SSL/,
    ],
  ])('%s: the last good is served, its age is shown, it recovers alone', async (_, breakIt, reason) => {
    const made = await served();
    const { world, repository, server, environment } = made;
    breakIt(made);
    const next = repository.push(pythonFolder('c'));
    world.clock.advance(60_000);
    for (const _look of ['first', 'second']) {
      expect(await world.refresh()).toMatchObject({ status: 'failed', error: { code: 'GIT_UNREACHABLE' } });
      world.clock.advance(60_000);
    }
    await expectKept(made);
    expect(condition(world, 'FetchFailed')).toMatchObject({
      status: 'True',
      reason: 'Unreachable',
      message: expect.stringMatching(reason),
      since: START + 60_000,
    });
    expect(condition(world, 'Ready')).toMatchObject({ status: 'True', reason: 'LastKnownGood' });
    expect(condition(world, 'Stalled')).toMatchObject({ status: 'False' });
    expect(world.service.component('shop')).toMatchObject({
      lastAttempted: { at: START + 120_000, commit: null },
      lastApplied: { at: START },
    });
    server.fault = { kind: 'none' };
    delete environment['http_proxy'];
    expect(await world.refresh()).toMatchObject({ status: 'applied', commit: next });
    expect(condition(world, 'FetchFailed')).toMatchObject({ status: 'False' });
  });
});

it('G3: a token that expired stalls with the reason; a new one is taken by the next look', async () => {
  let token = 'ghp_first_0123456789';
  const made = await served({ token: () => token });
  const { world, server, repository } = made;
  server.token = 'ghp_second_0123456789';
  const next = repository.push(pythonFolder('c'));
  const failed = await world.refresh();
  expect(failed).toMatchObject({ status: 'failed', error: { code: 'GIT_AUTHENTICATION_FAILED' } });
  await expectKept(made);
  for (const type of ['Stalled', 'FetchFailed'] as const)
    expect(condition(world, type)).toMatchObject({ status: 'True', reason: 'AuthenticationFailed' });
  token = 'ghp_second_0123456789';
  expect(await world.refresh()).toMatchObject({ status: 'applied', commit: next });
  const told = JSON.stringify([failed, world.service.component('shop'), stateFile(world)]);
  expect(told).not.toMatch(/ghp_(first|second)/);
});

describe('G5: what is followed is not what it was', () => {
  const branchGone = (...refs: string[]) => {
    return ({ repository }: Served): void => {
      repository.git('--git-dir', repository.bare, 'config', 'receive.denyDeleteCurrent', 'ignore');
      repository.git('push', '--quiet', 'origin', ...refs, ':refs/heads/main');
    };
  };

  it.each<[string, (served: Served) => void, string]>([
    ['the branch is deleted', branchGone('HEAD:refs/heads/other'), 'other'],
    ['the branch is renamed', branchGone('HEAD:refs/heads/trunk'), 'trunk'],
    [
      'the default branch is another one and the old one is gone',
      (made) => {
        branchGone('HEAD:refs/heads/develop')(made);
        made.repository.git('--git-dir', made.repository.bare, 'symbolic-ref', 'HEAD', 'refs/heads/develop');
      },
      'develop',
    ],
  ])('%s: stalled with what there is instead, everything kept', async (_, change, instead) => {
    const made = await served();
    const { world, repository, good } = made;
    change(made);
    for (const allowPrune of [false, true]) {
      const outcome = await world.service.requestRefresh('shop', { kind: 'poll' }, { allowPrune });
      expect(outcome).toMatchObject({
        status: 'failed',
        commit: good,
        error: { code: 'GIT_BRANCH_NOT_FOUND', hint: `it has ${instead}: set ELT_REPO_BRANCH` },
      });
      await expectKept(made);
    }
    expect(condition(world, 'Stalled')).toMatchObject({
      status: 'True',
      reason: 'BranchNotFound',
      message: expect.stringContaining('"main"'),
    });
    expect(condition(world, 'Ready')).toMatchObject({ status: 'True', reason: 'LastKnownGood' });
    const again = await world.restart();
    await again.refresh();
    await expectKept({ ...made, world: again });
    repository.git('push', '--quiet', 'origin', 'HEAD:refs/heads/main');
    expect(await again.refresh()).toMatchObject({ status: 'unchanged', error: null });
    expect(condition(again, 'Stalled')).toMatchObject({ status: 'False' });
  });

  it('another default branch beside the followed one changes nothing', async () => {
    const made = await served();
    const { repository, world } = made;
    repository.git('push', '--quiet', 'origin', 'HEAD:refs/heads/trunk');
    repository.git('--git-dir', repository.bare, 'symbolic-ref', 'HEAD', 'refs/heads/trunk');
    expect(await world.refresh()).toMatchObject({ status: 'unchanged', error: null });
    await expectKept(made);
  });

  it('the tag is moved: stalled until a person takes the commit that it names now', async () => {
    const made = await served({ ref: { kind: 'tag', name: 'v1' } }, 'v1');
    const { repository, world, good } = made;
    const moved = repository.push({ ...pythonFolder('a', 'group: other\n'), 'pipelines/python/b': null });
    repository.git('tag', '--force', '-a', 'v1', '-m', 'moved');
    repository.git('push', '--quiet', '--force', 'origin', 'v1');
    for (const trigger of [{ kind: 'poll' }, { kind: 'webhook', delivery: 'd' }] as const) {
      expect(await world.service.requestRefresh('shop', trigger)).toMatchObject({
        status: 'failed',
        commit: good,
        error: {
          code: 'GIT_TAG_MOVED',
          message: expect.stringMatching(`${good.slice(0, 12)}.*${moved.slice(0, 12)}`),
        },
      });
      await expectKept(made);
    }
    expect(condition(world, 'Stalled')).toMatchObject({ status: 'True', reason: 'TagMoved' });
    expect(condition(world, 'Ready')).toMatchObject({ status: 'True', reason: 'LastKnownGood' });
    const again = await world.restart();
    expect(await again.refresh()).toMatchObject({ error: { code: 'GIT_TAG_MOVED' } });
    const ada = { by: 'cli:ada', reason: 'the release was made again', expiresAt: null };
    await again.service.pin('shop', moved, ada);
    expect(await again.service.resume('shop', 'cli:ada')).toMatchObject({ commit: moved, error: null });
    expect(pipelines(again).map((text) => text.split(' ')[0])).toEqual(['a']);
    expect(condition(again, 'Stalled')).toMatchObject({ status: 'False' });
  });

  it('the tag is moved while something is held: the end of the hold does not take it', async () => {
    const made = await served({ ref: { kind: 'tag', name: 'v1' } }, 'v1');
    const { repository, world, good } = made;
    const hold = { by: 'cli:ada', reason: '', expiresAt: world.clock.now() + 60_000 };
    await world.service.pin('shop', good, hold);
    repository.push(pythonFolder('c'));
    repository.git('tag', '--force', '-a', 'v1', '-m', 'moved');
    repository.git('push', '--quiet', '--force', 'origin', 'v1');
    expect(await world.refresh()).toMatchObject({ status: 'unchanged', commit: good });
    world.clock.advance(60_001);
    expect(await world.refresh()).toMatchObject({ commit: good, error: { code: 'GIT_TAG_MOVED' } });
    await expectKept(made);
  });

  it('the tag is deleted: stalled with the tags that there are', async () => {
    const made = await served({ ref: { kind: 'tag', name: 'v1' } }, 'v1');
    const { repository, world } = made;
    repository.git('push', '--quiet', 'origin', 'HEAD:refs/tags/v2', ':refs/tags/v1');
    expect(await world.refresh()).toMatchObject({
      error: { code: 'GIT_BRANCH_NOT_FOUND', hint: 'it has v2: set repo_tag' },
    });
    await expectKept(made);
  });

  it('another tag in the settings is no moved tag, nor is a hold that ends', async () => {
    const made = await served({ ref: { kind: 'tag', name: 'v1' } }, 'v1');
    const { repository, good } = made;
    const next = repository.push(pythonFolder('c'));
    repository.git('tag', 'v2');
    repository.git('push', '--quiet', 'origin', 'v2');
    const world = await made.world.restart({ ref: { kind: 'tag', name: 'v2' }, digest: 'other settings' });
    expect(await world.refresh()).toMatchObject({ status: 'applied', commit: next });
    await world.service.pin('shop', good, { by: 'page', reason: '', expiresAt: null });
    expect(await world.service.resume('shop', 'page')).toMatchObject({ status: 'applied', commit: next });
  });
});

it('G9: a damaged mirror that cannot be cloned again keeps its place, and what was served still is', async () => {
  const made = await served();
  const { world, server, repository } = made;
  const mirror = path.join(world.dir, 'repo_clone');
  writeFileSync(path.join(mirror, 'HEAD'), 'garbage');
  const next = repository.push(pythonFolder('c'));
  const files = () => readdirSync(mirror, { recursive: true }).map(String).sort();
  const before = files();
  let contacts = 0;
  server.before = (line) => {
    // The first contact lists, the second clones.
    if (line.includes('/info/refs') && ++contacts === 2) server.fault = { kind: 'cut' };
    return Promise.resolve();
  };
  expect(await world.refresh()).toMatchObject({ error: { code: 'GIT_UNREACHABLE' } });
  expect(contacts).toBe(2);
  expect(files()).toEqual(before);
  await expectKept(made);
  server.before = null;
  server.fault = { kind: 'none' };
  expect(await world.refresh()).toMatchObject({ status: 'applied', commit: next });
  expect(readdirSync(world.dir).filter((name) => /\.(new|old)$/.test(name))).toEqual([]);
});

it('G16: the head moves between list and fetch: the revision is the commit whose files were read', async () => {
  const made = await served();
  const { repository, server, world } = made;
  repository.push(pythonFolder('a', 'group: listed\n'));
  let moved = '';
  let contacts = 0;
  server.before = (line) => {
    // The first contact lists, the second fetches.
    if (line.includes('/info/refs') && ++contacts === 2)
      moved = repository.push(pythonFolder('a', 'group: moved\n'));
    return Promise.resolve();
  };
  // A poll asks where the head is before it fetches.
  const { commit, revisionId } = await world.service.requestRefresh('shop', { kind: 'poll' });
  expect(moved).not.toBe('');
  expect(commit).toBe(moved);
  expect(await world.store.components.revision('shop', revisionId!)).toMatchObject({ commit: moved });
  const [a] = world.service.component('shop')!.snapshot!.pipelines;
  expect([a!.code.commit, a!.config.group]).toEqual([moved, 'moved']);
  expect(JSON.parse(stateFile(world))).toMatchObject({ repo: { commit: moved } });
});
