import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createWatchDaemon } from '../../src/daemons/watch.ts';
import { createLogger } from '../../src/lib/log.ts';
import { type ComponentWorld, componentWorld, pythonFolder } from '../helpers/component.ts';
import { createRepository } from '../helpers/git-repository.ts';

async function watched(url: string): Promise<ComponentWorld> {
  const world = await componentWorld(url, { workingTrees: true });
  await world.refresh();
  const daemon = createWatchDaemon({ service: world.service, log: createLogger('silent') });
  daemon.start();
  onTestFinished(() => daemon.stop());
  return world;
}

/** Resolves when the served state is as said; looks whenever one is published. */
async function until(world: ComponentWorld, isSo: (names: readonly string[]) => boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = (): void => {
      const pipelines = world.service.component('shop')?.snapshot?.pipelines ?? [];
      if (isSo(pipelines.map(({ name }) => name))) resolve();
    };
    onTestFinished(world.service.onPublished(look));
    look();
  });
}

it('serves what is saved in a working copy, marked as uncommitted, and the commit when there is one', async () => {
  const repository = createRepository();
  repository.push(pythonFolder('a'));
  const world = await watched(repository.dir);
  repository.write(pythonFolder('b'));
  await until(world, (names) => names.includes('python_b'));
  expect(world.service.component('shop')?.snapshot?.repo).toMatchObject({
    uncommitted: true,
    message: 'Uncommitted changes',
    author: 'working copy',
  });
  const commit = repository.push({});
  await until(world, () => world.service.component('shop')?.snapshot?.repo.commit === commit);
  expect(world.service.component('shop')?.snapshot?.repo).not.toHaveProperty('uncommitted');
  const [newest] = await world.store.components.revisions('shop', { limit: 1 });
  expect(newest?.trigger).toEqual({ kind: 'watch' });
});

it('sees a file that an editor replaced by renaming', async () => {
  const repository = createRepository();
  repository.push(pythonFolder('a'));
  const world = await watched(repository.dir);
  const [file] = Object.keys(pythonFolder('c'));
  const dir = path.join(repository.dir, path.dirname(file as string));
  mkdirSync(dir, { recursive: true });
  for (const [name, content] of Object.entries(pythonFolder('c'))) {
    const target = path.join(repository.dir, name);
    writeFileSync(`${target}.swp`, content);
    renameSync(`${target}.swp`, target);
  }
  await until(world, (names) => names.includes('python_c'));
});

it('sees a push to a bare repository', async () => {
  const repository = createRepository();
  repository.push(pythonFolder('a'));
  const world = await watched(repository.bare);
  repository.push(pythonFolder('d'));
  await until(world, (names) => names.includes('python_d'));
  expect(world.service.component('shop')?.snapshot?.repo).not.toHaveProperty('uncommitted');
});
