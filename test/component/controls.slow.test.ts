import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ControlRequest } from '../../src/component/control.ts';
import {
  type ComponentWorld,
  componentWorld,
  condition,
  pipelines,
  pythonFolder,
  START,
  stateFile,
} from '../helpers/component.ts';
import { createRepository, type TestRepository } from '../helpers/git-repository.ts';
import { startGitServer } from '../helpers/git-server.ts';

const ADA: ControlRequest = { by: 'cli:ada', reason: 'B loads nothing', expiresAt: null };
const WITH_SCHEDULE = (cron: string) => `schedule: {enabled: true, cron_schedule: "${cron}"}\n`;

function cronOf(world: ComponentWorld): string | undefined {
  return [...world.service.definitions().schedules.values()][0]?.config.cron.join();
}

/** Of a component that was pushed A, then B, and went back to A. */
async function rolledBack(): Promise<{
  repository: TestRepository;
  world: ComponentWorld;
  a: string;
  b: string;
}> {
  const repository = createRepository();
  const a = repository.push(pythonFolder('orders', WITH_SCHEDULE('0 2 * * *')), 'A');
  const world = await componentWorld(repository.bare);
  await world.refresh();
  const b = repository.push(pythonFolder('orders', WITH_SCHEDULE('0 9 * * *')), 'B, bad');
  await world.refresh();
  expect(cronOf(world)).toBe('0 9 * * *');
  const outcome = await world.service.rollback('shop', 1, ADA);
  expect(outcome).toMatchObject({ status: 'applied', commit: a, revisionId: 3, error: null });
  return { repository, world, a, b };
}

const poll = (world: ComponentWorld) => world.service.requestRefresh('shop', { kind: 'poll' });

describe('rollback', () => {
  it('W6: ten polls, a restart and a delivery of B sent again leave A with its schedules; C ends it', async () => {
    const { repository, world, a, b } = await rolledBack();
    for (let n = 0; n < 10; n++) {
      const outcome = await poll(world);
      expect(outcome).toMatchObject({ status: 'unchanged', commit: a, revisionId: 3 });
      expect(outcome.note).toContain(`the head is ${b.slice(0, 12)}, 1 ahead`);
    }
    const again = await world.restart();
    const redelivered = await again.service.requestRefresh('shop', { kind: 'webhook', delivery: 'b-again' });
    expect(redelivered).toMatchObject({ status: 'unchanged', commit: a });
    expect(cronOf(again)).toBe('0 2 * * *');
    expect(condition(again, 'Ready')).toMatchObject({ status: 'True', reason: 'RolledBack' });
    expect(condition(again, 'Ready')?.message).toMatch(/by cli:ada \(B loads nothing\).*1 ahead/);
    expect(JSON.parse(stateFile(again))).toMatchObject({ repo: { commit: a } });
    const c = repository.push(pythonFolder('orders', WITH_SCHEDULE('0 5 * * *')), 'C');
    expect(await poll(again)).toMatchObject({ status: 'applied', commit: c });
    expect(cronOf(again)).toBe('0 5 * * *');
    expect(again.service.control('shop')).toBeNull();
    expect(condition(again, 'Ready')).toMatchObject({ reason: 'Applied' });
    const log = await again.store.operations.auditLog({ limit: 5 });
    expect(log.map(({ actor, action }) => `${actor} ${action}`)).toEqual([
      `commit ${c.slice(0, 12)} component.resume`,
      'cli:ada component.rollback',
    ]);
  });

  it('is a revision of its own in the history, with who and to what', async () => {
    const { world, a, b } = await rolledBack();
    const rows = await world.store.components.revisions('shop', { limit: 5 });
    expect(rows.map(({ revisionId, commit, trigger }) => [revisionId, commit, trigger])).toEqual([
      [3, a, { kind: 'rollback', by: 'cli:ada', revisionId: 1 }],
      [2, b, { kind: 'cli', by: 'test' }],
      [1, a, { kind: 'cli', by: 'test' }],
    ]);
    expect(await world.service.drift()).toEqual([
      {
        kind: 'rollback',
        component: 'shop',
        target: 'shop',
        git: `main@${b.slice(0, 12)}`,
        actual: a.slice(0, 12),
        by: 'cli:ada',
        at: START,
        reason: 'B loads nothing',
        expiresAt: null,
      },
    ]);
  });

  it('G4: a branch that is forced back to a fenced commit, or to A, changes nothing', async () => {
    const { repository, world, a, b } = await rolledBack();
    const bad = repository.push(pythonFolder('orders', WITH_SCHEDULE('0 10 * * *')), 'C, bad too');
    await poll(world);
    await world.service.rollback('shop', a, ADA);
    for (const commit of [b, a, bad]) {
      repository.git('push', '--quiet', '--force', 'origin', `${commit}:refs/heads/main`);
      expect(await poll(world)).toMatchObject({ status: 'unchanged', commit: a });
    }
    expect(world.service.control('shop')?.fenced).toEqual([bad, b]);
  });

  it('G4: a rewritten history that is newer than what is fenced ends it', async () => {
    const { repository, world, a } = await rolledBack();
    repository.git('reset', '--quiet', '--hard', a);
    const c = repository.push(pythonFolder('orders', WITH_SCHEDULE('0 6 * * *')), 'C');
    expect(await poll(world)).toMatchObject({ status: 'applied', commit: c });
  });

  it('keeps out a commit that was pushed before it and not seen yet', async () => {
    const { repository, world, a } = await rolledBack();
    await world.service.resume('shop', 'cli:ada');
    const unseen = repository.push(pythonFolder('orders', WITH_SCHEDULE('0 11 * * *')), 'pushed, not seen');
    await world.service.rollback('shop', a, ADA);
    expect(await poll(world)).toMatchObject({ status: 'unchanged', commit: a });
    expect(world.service.control('shop')?.fenced[0]).toBe(unseen);
  });

  it('needs no network, and does not wait for a refresh that hangs; that one then sees A', async () => {
    const repository = createRepository();
    const server = await startGitServer(path.dirname(repository.bare));
    const a = repository.push(pythonFolder('orders'), 'A');
    const world = await componentWorld(`${server.url}/remote.git`);
    await world.refresh();
    const b = repository.push(pythonFolder('orders', 'group: bad\n'), 'B');
    await world.refresh();
    server.fault = { kind: 'hang' };
    const arrived = server.nextRequest();
    const hanging = world.refresh();
    await arrived;
    const outcome = await world.service.rollback('shop', a, ADA);
    expect(outcome).toMatchObject({ status: 'applied', commit: a });
    expect(world.service.control('shop')?.fenced).toEqual([b]);
    server.fault = { kind: 'status', status: 503 };
    const resumed = world.service.suspend('shop', ADA).catch((error: unknown) => error);
    expect(await resumed).toMatchObject({ code: 'CONTROL_CONFLICT' });
    expect(await hanging).toMatchObject({ status: 'failed', commit: a });
  });

  it('restores folders that were held as they were', async () => {
    const repository = createRepository();
    const first = repository.push({ ...pythonFolder('a'), ...pythonFolder('b') });
    const world = await componentWorld(repository.bare);
    await world.refresh();
    repository.push(pythonFolder('a', 'retries: many\n'));
    await world.refresh();
    const broken = pipelines(world);
    expect(broken).toEqual([`a held ${first.slice(0, 7)}`, `b current ${first.slice(0, 7)}`]);
    repository.push({ ...pythonFolder('a', 'group: fixed\n'), ...pythonFolder('b', 'group: new\n') });
    await world.refresh();
    await world.service.rollback('shop', 2, ADA);
    expect(pipelines(world)).toEqual(broken);
    expect(world.service.component('shop')?.snapshot?.diagnostics).toHaveLength(1);
    expect(condition(world, 'Degraded')).toMatchObject({ reason: 'PipelinesHeld' });
  });

  it('G4: needs nothing from the remote, also of commits that a force-push took away and after everything was collected', async () => {
    const repository = createRepository();
    const a = repository.push(pythonFolder('orders', '', 'print("A")\n'), 'A');
    const world = await componentWorld(repository.bare);
    await world.refresh();
    repository.push(pythonFolder('orders', '', 'print("B")\n'), 'B');
    await world.refresh();
    repository.git('checkout', '--quiet', '--orphan', 'new');
    repository.push(pythonFolder('orders', '', 'print("C")\n'), 'C');
    repository.git('push', '--quiet', '--force', 'origin', 'new:refs/heads/main');
    await world.refresh();
    await world.service.collectGarbage();
    repository.git('--git-dir', path.join(world.dir, 'repo_clone'), 'gc', '--quiet', '--prune=now');
    rmSync(repository.bare, { recursive: true });
    expect(await world.service.rollback('shop', 1, ADA)).toMatchObject({ status: 'applied', commit: a });
    const { code } = world.service.component('shop')!.snapshot!.pipelines[0]!;
    const tree = await world.service.code.materialise(code);
    expect(readFileSync(path.join(tree, 'run.py'), 'utf8')).toBe('print("A")\n');
  });

  it('brings files that are gone from the mirror, also of a commit that no branch holds any more', async () => {
    const { repository, world, a } = await rolledBack();
    const again = await world.restart();
    repository.git('checkout', '--quiet', '--orphan', 'new');
    repository.push({ 'a.txt': '' }, 'orphan');
    repository.git('push', '--quiet', '--force', 'origin', 'new:refs/heads/main');
    rmSync(path.join(again.dir, 'repo_clone'), { recursive: true });
    await again.service.pin('shop', 2, ADA);
    expect(await again.service.rollback('shop', 1, ADA)).toMatchObject({ status: 'applied', commit: a });
    expect(await again.service.readFile('shop', a, 'pipelines/python/orders/run.py')).toBe('print(1)\n');
  });

  it.each([
    ['99', 'REVISION_NOT_FOUND'],
    ['feedface', 'REVISION_NOT_FOUND'],
    ['main', 'REVISION_NOT_FOUND'],
  ])('to %s is %s', async (revision, code) => {
    const repository = createRepository();
    repository.push(pythonFolder('orders'));
    const world = await componentWorld(repository.bare);
    await world.refresh();
    await expect(world.service.rollback('shop', revision, ADA)).rejects.toMatchObject({ code });
    await expect(world.service.rollback('other', revision, ADA)).rejects.toMatchObject({
      code: 'COMPONENT_UNKNOWN',
    });
  });
});

describe('pin', () => {
  it('stays whatever comes, until it is resumed', async () => {
    const { repository, world, a } = await rolledBack();
    expect(await world.service.pin('shop', a.slice(0, 7), { ...ADA, reason: '' })).toMatchObject({
      status: 'unchanged',
      revisionId: 3,
    });
    const c = repository.push(pythonFolder('orders', WITH_SCHEDULE('0 5 * * *')), 'C');
    expect(await poll(world)).toMatchObject({ status: 'unchanged', commit: a });
    const again = await world.restart();
    expect(await poll(again)).toMatchObject({ status: 'unchanged', commit: a });
    expect(condition(again, 'Ready')).toMatchObject({
      reason: 'Pinned',
      message: `pinned to ${a.slice(0, 12)} by cli:ada; the head is ${c.slice(0, 12)}, 2 ahead; until elt resume`,
    });
    expect(await again.service.resume('shop', 'page')).toMatchObject({ status: 'applied', commit: c });
    expect(condition(again, 'Ready')).toMatchObject({ reason: 'Applied' });
    expect(await again.service.drift()).toEqual([]);
  });

  it('to a commit that was never applied, by its id or by a tag, reads and applies it', async () => {
    const { repository, world, a } = await rolledBack();
    const between = repository.push(pythonFolder('orders', WITH_SCHEDULE('0 3 * * *')), 'between');
    repository.git('tag', 'v1.2');
    repository.git('push', '--quiet', 'origin', 'v1.2');
    repository.push(pythonFolder('orders', WITH_SCHEDULE('0 4 * * *')), 'head');
    expect(await world.service.pin('shop', between, ADA)).toMatchObject({
      status: 'applied',
      commit: between,
    });
    expect(cronOf(world)).toBe('0 3 * * *');
    await world.service.pin('shop', a, ADA);
    expect(await world.service.pin('shop', 'v1.2', ADA)).toMatchObject({ commit: between });
    const [row] = await world.store.components.revisions('shop', { limit: 1 });
    expect(row?.trigger).toMatchObject({ kind: 'pin', by: 'cli:ada' });
    await expect(world.service.pin('shop', 'v9', ADA)).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND' });
    expect(world.service.control('shop')?.commit).toBe(between);
  });

  it('G6: to a commit without pipelines is refused and changes nothing', async () => {
    const { repository, world, a } = await rolledBack();
    const empty = repository.push({ pipelines: null, 'README.md': 'x' });
    await expect(world.service.pin('shop', empty, ADA)).rejects.toMatchObject({
      code: 'PIPELINES_DIRECTORY_MISSING',
    });
    expect(world.service.control('shop')).toMatchObject({ mode: 'rolled_back', commit: a });
  });

  it('ends by itself when its time is over', async () => {
    const { world, a, b } = await rolledBack();
    await world.service.pin('shop', a, { ...ADA, expiresAt: world.clock.now() + 60_000 });
    expect(await poll(world)).toMatchObject({ status: 'unchanged', commit: a });
    expect(condition(world, 'Ready')?.message).toContain('at the latest at 2026-01-20T12:01:00Z');
    world.clock.advance(60_000);
    expect(await poll(world)).toMatchObject({ status: 'applied', commit: b });
    expect((await world.store.operations.auditLog({ limit: 1 }))[0]).toMatchObject({
      actor: 'expiry',
      action: 'component.resume',
    });
  });
});

describe('suspend', () => {
  it('serves what it has, tells how far the head is, and applies nothing until it is resumed', async () => {
    const repository = createRepository();
    const a = repository.push(pythonFolder('orders'));
    const world = await componentWorld(repository.bare);
    await world.refresh();
    expect(await world.service.suspend('shop', ADA)).toMatchObject({ mode: 'suspended', by: 'cli:ada' });
    repository.push(pythonFolder('b'));
    const head = repository.push(pythonFolder('c'));
    const again = await world.restart();
    const outcome = await again.refresh();
    expect(outcome).toMatchObject({ status: 'unchanged', commit: a, error: null });
    expect(outcome.note).toBe(
      `suspended, ${a.slice(0, 12)} is served by cli:ada (B loads nothing); the head is ${head.slice(0, 12)}, 2 ahead; until elt resume`,
    );
    expect(again.service.component('shop')).toMatchObject({
      remoteHead: { commit: head, ahead: 2 },
      control: { mode: 'suspended' },
    });
    expect(await again.service.resume('shop', 'api')).toMatchObject({ status: 'applied', commit: head });
  });

  it('a fetch that fails is shown beside it', async () => {
    const repository = createRepository();
    const server = await startGitServer(path.dirname(repository.bare));
    repository.push(pythonFolder('orders'));
    const world = await componentWorld(`${server.url}/remote.git`);
    await world.refresh();
    await world.service.suspend('shop', ADA);
    server.fault = { kind: 'status', status: 503 };
    expect(await world.refresh()).toMatchObject({ status: 'failed', error: { code: 'GIT_UNREACHABLE' } });
    expect(condition(world, 'Ready')).toMatchObject({ reason: 'Suspended' });
    expect(condition(world, 'FetchFailed')).toMatchObject({ status: 'True' });
  });
});

it('a stopped schedule is drift until its time is over', async () => {
  const repository = createRepository();
  repository.push(pythonFolder('orders', WITH_SCHEDULE('0 2 * * *')));
  const world = await componentWorld(repository.bare);
  await world.refresh();
  const [schedule] = [...world.service.definitions().schedules.keys()] as [string];
  const override = {
    status: 'STOPPED',
    by: 'page',
    at: START,
    reason: 'load',
    expiresAt: START + 10,
  } as const;
  await world.store.schedules.setOverride(schedule, override, START);
  expect(await world.service.drift()).toEqual([
    {
      kind: 'schedule',
      component: 'shop',
      target: schedule,
      git: 'RUNNING',
      actual: 'STOPPED',
      by: 'page',
      at: START,
      reason: 'load',
      expiresAt: START + 10,
    },
  ]);
  world.clock.advance(10);
  expect(await world.service.drift()).toEqual([]);
});
