import { spawn } from 'node:child_process';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  COMPONENT_CRASH_POINTS,
  type ComponentCrashPoint,
} from '../../src/component/component-crash-points.ts';
import {
  type ComponentWorld,
  componentSettings,
  componentWorld,
  pipelines,
  pythonFolder,
  serviceSettings,
  stateFile,
} from '../helpers/component.ts';
import { createRepository, temporaryDirectory } from '../helpers/git-repository.ts';

const SCRIPT = path.join(import.meta.dirname, '../helpers/control-process.ts');

/** True when what was asked for was acknowledged before the process ended. */
async function inProcess(
  home: string,
  repoUrl: string,
  action: string,
  revision: string,
  crashAt: ComponentCrashPoint | '',
): Promise<boolean> {
  const settings = JSON.stringify(serviceSettings(home, [componentSettings(home, repoUrl)]));
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', SCRIPT, settings, action, revision, crashAt],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  return output.includes('done');
}

/** Commit, hold and folders in memory, store and state file say one thing. */
async function expectWhole(world: ComponentWorld, folders: number): Promise<void> {
  const served = world.service.component('shop')!;
  const latest = await world.store.components.latestSnapshot('shop');
  expect(served.lastApplied).toMatchObject({ revisionId: latest!.revisionId });
  expect(served.snapshot?.repo.commit).toBe(latest!.snapshot.repo.commit);
  expect(JSON.parse(stateFile(world))).toMatchObject({
    repo: { commit: served.snapshot!.repo.commit },
    digest: served.snapshot!.digest,
  });
  expect(pipelines(world)).toHaveLength(folders);
  const { control } = served;
  if (control !== null && control.mode !== 'suspended') {
    expect(control).toMatchObject({ revisionId: latest!.revisionId, commit: latest!.snapshot.repo.commit });
  }
}

const gone = new Set<string>(COMPONENT_CRASH_POINTS);
const cases = [
  ['rollback', 'component.revision_prepared'],
  ['rollback', 'component.revision_stored'],
  ['rollback', 'component.revision_filed'],
  ['pin', 'component.control_stored'],
  ['suspend', 'component.control_stored'],
  ['resume', 'component.control_stored'],
  ['resume', 'component.revision_prepared'],
  ['resume', 'component.revision_stored'],
  // A newer commit ends the hold in the transaction that applies it.
  ['refresh', 'component.revision_prepared'],
  ['refresh', 'component.revision_stored'],
] as const satisfies readonly (readonly [string, ComponentCrashPoint])[];

describe('P1: killed at a step of a change of what is served', () => {
  afterAll(() => {
    // A new crash point without a case here is noticed.
    expect([...gone]).toEqual([]);
  });

  it.each(cases)('%s at %s: one whole revision, with its hold or without', async (action, point) => {
    gone.delete(point);
    const repository = createRepository();
    const a = repository.push(pythonFolder('a'));
    const home = temporaryDirectory();
    let world = await componentWorld(repository.bare, { home });
    await world.refresh();
    const b = repository.push(pythonFolder('b'));
    await world.refresh();
    const isHeld = action === 'resume' || action === 'refresh';
    const request = { by: 'page', reason: '', expiresAt: null };
    if (isHeld) await world.service.rollback('shop', a, request);
    const c = action === 'refresh' ? repository.push(pythonFolder('c')) : b;
    await world.service.close();
    await world.store.close();

    const revision = action === 'pin' ? b : a;
    expect(await inProcess(home, repository.bare, action, revision, point)).toBe(false);

    world = await componentWorld(repository.bare, { home });
    const stored = point !== 'component.revision_prepared';
    const poll = () => world.service.requestRefresh('shop', { kind: 'poll' });
    switch (action) {
      case 'rollback':
        expect(world.service.control('shop')?.mode ?? null).toBe(stored ? 'rolled_back' : null);
        expect(await poll()).toMatchObject({ commit: stored ? a : b });
        await expectWhole(world, stored ? 1 : 2);
        break;
      case 'pin':
      case 'suspend':
        expect(world.service.control('shop')?.mode).toBe(action === 'pin' ? 'pinned' : 'suspended');
        expect(await poll()).toMatchObject({ status: 'unchanged', commit: b });
        await expectWhole(world, 2);
        break;
      case 'resume':
        // Acknowledged or not: the hold ended in the store, and the next look applies the head.
        expect(world.service.control('shop')).toBeNull();
        expect(await poll()).toMatchObject({ commit: b, error: null });
        await expectWhole(world, 2);
        break;
      case 'refresh':
        expect(world.service.control('shop')?.mode ?? null).toBe(stored ? null : 'rolled_back');
        expect(await poll()).toMatchObject({ commit: c, error: null });
        expect(world.service.control('shop')).toBeNull();
        await expectWhole(world, 3);
        break;
    }
  });
});
