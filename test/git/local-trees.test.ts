import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createLocalTrees, type LocalTrees } from '../../src/git/local-trees.ts';
import { type Mirror, openMirror } from '../../src/git/mirror.ts';
import { createLogger } from '../../src/lib/log.ts';
import type { CodeRef } from '../../src/state/code-ref.ts';
import {
  createRepository,
  GIT_ENVIRONMENT,
  makeExecutable,
  type TestRepository,
  temporaryDirectory,
} from '../helpers/git-repository.ts';

const MAIN = { kind: 'branch', name: 'main' } as const;

let repository: TestRepository;
let mirror: Mirror;
let trees: LocalTrees;
let dir: string;

beforeEach(async () => {
  const root = temporaryDirectory();
  repository = createRepository(root);
  mirror = await openMirror({
    dir: path.join(root, 'repo_clone'),
    remote: { kind: 'local', url: repository.bare, host: null, path: repository.bare },
    token: () => null,
    environment: GIT_ENVIRONMENT,
    log: createLogger('silent'),
  });
  dir = path.join(root, 'trees');
  await mkdir(dir);
  trees = createLocalTrees({ dir, objects: () => mirror.objects() });
});

async function codeOf(folder: string, commit: string): Promise<CodeRef> {
  await mirror.fetch(MAIN);
  const treeId = repository.git('rev-parse', `${commit}:${folder}`).trim();
  return { component: 'c', commit, dir: folder, treeId, contentDigest: treeId };
}

/** Git's own id of a directory's content, computed from the disk. */
function hashOf(tree: string): string {
  const index = path.join(temporaryDirectory(), 'index');
  const git = (...args: string[]): string =>
    execFileSync('git', ['--git-dir', path.join(repository.dir, '.git'), '--work-tree', tree, ...args], {
      env: { ...GIT_ENVIRONMENT, GIT_INDEX_FILE: index },
      cwd: tree,
      encoding: 'utf8',
    }).trim();
  git('add', '--all', '--force', '.');
  return git('write-tree');
}

describe('materialise', () => {
  it('lays out exactly the tree, read-only, with content-bound times, and links equal files', async () => {
    repository.write({ 'p/run.sh': '#!/bin/sh\n' });
    makeExecutable(path.join(repository.dir, 'p/run.sh'));
    const first = repository.push({ 'p/pipeline.py': 'x = 1\n', 'p/data/a.csv': 'a\n', 'p/empty': '' });
    const code = await codeOf('p', first);
    const tree = await trees.materialise(code);
    expect(tree).toBe(path.join(dir, code.treeId));
    expect(hashOf(tree)).toBe(code.treeId);
    expect(statSync(path.join(tree, 'pipeline.py')).mode & 0o777).toBe(0o444);
    expect(statSync(path.join(tree, 'run.sh')).mode & 0o777).toBe(0o555);
    expect(statSync(path.join(tree, 'data')).mode & 0o777).toBe(0o555);

    // Same size, other content: another time, so that Python's byte code is not taken for current.
    const second = repository.push({ 'p/pipeline.py': 'x = 2\n' });
    const next = await trees.materialise(await codeOf('p', second));
    expect(statSync(path.join(next, 'data/a.csv')).ino).toBe(statSync(path.join(tree, 'data/a.csv')).ino);
    expect(statSync(path.join(next, 'pipeline.py')).mtimeMs).not.toBe(
      statSync(path.join(tree, 'pipeline.py')).mtimeMs,
    );
    expect(hashOf(tree)).toBe(code.treeId);
  });

  it('answers many askers at once with one tree', async () => {
    const code = await codeOf('p', repository.push({ 'p/a': '1' }));
    const made = await Promise.all(Array.from({ length: 8 }, () => trees.materialise(code)));
    expect(new Set(made)).toEqual(new Set([path.join(dir, code.treeId)]));
    expect((await readdir(dir)).toSorted()).toEqual(
      ['.objects', code.treeId, `${code.treeId}.json`].toSorted(),
    );
  });

  it('G9: puts back what root wrote, removed or added, in every tree that shares the file', async () => {
    const first = await codeOf('p', repository.push({ 'p/pipeline.py': 'x = 1\n', 'p/data/a.csv': 'a\n' }));
    const second = await codeOf('p', repository.push({ 'p/pipeline.py': 'x = 2\n' }));
    const one = await trees.materialise(first);
    const two = await trees.materialise(second);
    execFileSync('chmod', ['-R', 'u+w', one]);
    appendFileSync(path.join(one, 'data/a.csv'), 'b\n');
    rmSync(path.join(one, 'pipeline.py'));
    symlinkSync('/etc/passwd', path.join(one, 'pipeline.py'));
    writeFileSync(path.join(one, 'data/new.csv'), 'n');
    await mkdir(path.join(one, '__pycache__'));
    expect(readFileSync(path.join(two, 'data/a.csv'), 'utf8')).toBe('a\nb\n');
    expect(await trees.materialise(first)).toBe(one);
    expect(hashOf(one)).toBe(first.treeId);
    expect(existsSync(path.join(one, '__pycache__'))).toBe(false);
    await trees.materialise(second);
    expect(hashOf(two)).toBe(second.treeId);
  });

  it('G4: a commit that a force-push lost still gives its tree', async () => {
    const lost = repository.push({ 'p/a': '1' });
    const code = await codeOf('p', lost);
    await mirror.keep(lost);
    repository.git('checkout', '--quiet', '--orphan', 'fresh');
    repository.git('branch', '--quiet', '-M', 'main');
    repository.push({ 'p/a': '2' });
    await mirror.fetch(MAIN);
    await mirror.release([]);
    expect(readFileSync(path.join(await trees.materialise(code), 'a'), 'utf8')).toBe('1');
  });

  it.each([
    ['a link out of the folder', { target: '../../secret' }, 'leads out of the folder'],
    ['an absolute link', { target: '/etc/passwd' }, 'leads out of the folder'],
    ['a link in a circle', { target: 'link' }, 'leads in a circle'],
    ['a link to nothing', { target: 'gone' }, 'leads to nothing'],
    ['a Git LFS pointer', { lfs: true }, 'Git LFS pointer'],
    ['names that differ in case', { files: { 'p/a.py': '', 'p/A.py': '' } }, 'differ only in case'],
    ['a newline in a name', { files: { 'p/a\nb': '' } }, 'control character'],
    ['a right-to-left mark', { files: { 'p/a\u202eb': '' } }, 'text direction'],
  ])('G12: refuses %s', async (_, what, message) => {
    repository.write({ 'p/ok': '1' });
    if ('target' in what) symlinkSync(what.target, path.join(repository.dir, 'p/link'));
    const files =
      'files' in what
        ? what.files
        : 'lfs' in what
          ? { 'p/big': 'version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n' }
          : {};
    const code = await codeOf('p', repository.push(files));
    await expect(trees.materialise(code)).rejects.toMatchObject({
      code: 'PATH_REFUSED',
      message: expect.stringContaining(message),
    });
    expect((await readdir(dir)).filter((name) => name !== '.objects')).toEqual([]);
  });

  it('G12: refuses a submodule, takes a link inside the folder', async () => {
    repository.write({ 'p/data/real.csv': 'r', 'p/a': '1' });
    symlinkSync('data/real.csv', path.join(repository.dir, 'p/link.csv'));
    const good = await codeOf('p', repository.push({}));
    const tree = await trees.materialise(good);
    expect(readFileSync(path.join(tree, 'link.csv'), 'utf8')).toBe('r');
    expect(hashOf(tree)).toBe(good.treeId);
    repository.git('update-index', '--add', '--cacheinfo', `160000,${good.commit},p/sub`);
    repository.git('commit', '--quiet', '-m', 'submodule');
    repository.git('push', '--quiet', 'origin', 'HEAD');
    const bad = await codeOf('p', repository.git('rev-parse', 'HEAD').trim());
    await expect(trees.materialise(bad)).rejects.toMatchObject({ code: 'PATH_REFUSED' });
  });
});

it('collects what nobody needs, spares the rest', async () => {
  const first = await codeOf('p', repository.push({ 'p/a': '1', 'p/shared': 's' }));
  const second = await codeOf('p', repository.push({ 'p/a': '2' }));
  const one = await trees.materialise(first);
  const two = await trees.materialise(second);
  expect(await trees.collect(new Set([second.treeId]), 0)).toBe(0);
  expect(await trees.collect(new Set([second.treeId]), Date.now() + 60_000)).toBe(1);
  expect(existsSync(one)).toBe(false);
  expect(hashOf(two)).toBe(second.treeId);
  const copies = await readdir(path.join(dir, '.objects'), { recursive: true });
  expect(copies.filter((name) => name.includes('/'))).toHaveLength(2);
});
