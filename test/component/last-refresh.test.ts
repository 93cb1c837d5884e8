import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ComponentWorld, componentWorld, pipelines, pythonFolder } from '../helpers/component.ts';
import { GIT_ENVIRONMENT, temporaryDirectory } from '../helpers/git-repository.ts';
import { createRepository, type TestRepository } from '../helpers/repository.ts';

describe('the first refresh after a start', () => {
  let repository: TestRepository;
  let world: ComponentWorld;
  let log: string;

  beforeEach(async (context) => {
    repository = createRepository({ ...pythonFolder('a'), ...pythonFolder('b') });
    context.onTestFinished(() => repository.remove());
    const bin = temporaryDirectory();
    log = path.join(bin, 'log');
    const git = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
    writeFileSync(path.join(bin, 'git'), `#!/bin/sh\necho "$*" >> '${log}'\nexec ${git} "$@"\n`, {
      mode: 0o755,
    });
    const environment = { ...GIT_ENVIRONMENT, PATH: `${bin}:${process.env['PATH']}` };
    world = await componentWorld(repository.remote, { environment });
    await start();
  });

  /** What a service does when it has started; true: the folders' files were read. */
  async function start(): Promise<boolean> {
    rmSync(log, { force: true });
    await world.service.requestRefresh('shop', { kind: 'startup' });
    return readsFiles();
  }
  const readsFiles = () => existsSync(log) && /ls-tree|cat-file --batch/.test(readFileSync(log, 'utf8'));
  const lastRefresh = () => path.join(world.dir, 'pipelines_state.refresh.json');

  it('reads nothing when nothing changed', async () => {
    expect(readsFiles()).toBe(true);
    world = await world.restart();
    expect(await start()).toBe(false);
    expect(pipelines(world)).toHaveLength(2);
  });

  it('sees a push that came in between', async () => {
    repository.push(pythonFolder('c'));
    world = await world.restart();
    expect(await start()).toBe(true);
    expect(pipelines(world)).toHaveLength(3);
  });

  it.each([
    ['the settings changed', () => world.restart({ digest: 'other settings' })],
    [
      'the file is damaged',
      () => {
        writeFileSync(lastRefresh(), '{"fingerprint": "sha2');
        return world.restart();
      },
    ],
    [
      'the mirror is gone',
      () => {
        rmSync(path.join(world.dir, 'repo_clone'), { recursive: true });
        return world.restart();
      },
    ],
    [
      'another state is served than it left',
      () => {
        const last = JSON.parse(readFileSync(lastRefresh(), 'utf8')) as Record<string, string>;
        writeFileSync(lastRefresh(), JSON.stringify({ ...last, digest: 'sha256:0' }));
        return world.restart();
      },
    ],
  ])('reads the files when %s', async (_, restart) => {
    world = await restart();
    expect(await start()).toBe(true);
    expect(pipelines(world)).toHaveLength(2);
  });

  it('reads the files when somebody asks for it', async () => {
    world = await world.restart();
    rmSync(log, { force: true });
    await world.refresh();
    expect(readsFiles()).toBe(true);
  });
});
