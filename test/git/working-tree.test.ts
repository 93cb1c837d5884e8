import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { type Mirror, openMirror } from '../../src/git/mirror.ts';
import { parseRemoteUrl } from '../../src/git/remote-url.ts';
import { UNCOMMITTED_EMAIL } from '../../src/git/working-tree.ts';
import { createLogger } from '../../src/lib/log.ts';
import {
  createRepository,
  GIT_ENVIRONMENT,
  type TestRepository,
  temporaryDirectory,
} from '../helpers/git-repository.ts';

const MAIN = { kind: 'branch', name: 'main' } as const;

async function mirrorOf(repository: TestRepository, dir = temporaryDirectory()): Promise<Mirror> {
  const remote = parseRemoteUrl(repository.dir, { local: true });
  if (!('ok' in remote)) throw new Error(remote.refused);
  return openMirror({
    dir: path.join(dir, 'repo_clone'),
    remote: remote.ok,
    token: () => null,
    environment: GIT_ENVIRONMENT,
    log: createLogger('silent'),
    workingTree: { paths: ['pipelines', 'dagster.yaml'] },
  });
}

async function files(mirror: Mirror, commit: string): Promise<Record<string, string>> {
  const objects = mirror.objects();
  try {
    const entries = (await objects.list(commit)).filter((entry) => entry.type === 'blob');
    const texts = await Promise.all(entries.map(({ oid }) => objects.blob(oid)));
    return Object.fromEntries(entries.map(({ path: name }, index) => [name, String(texts[index])]));
  } finally {
    objects.close();
  }
}

it('is the head itself while nothing differs, and a commit on top of it otherwise', async () => {
  const repository = createRepository();
  const head = repository.push({ 'pipelines/a/dagster.yaml': 'a: 1\n', 'README.md': 'one' });
  const mirror = await mirrorOf(repository);
  expect(await mirror.remoteHead(MAIN)).toBe(head);
  repository.write({ 'pipelines/a/dagster.yaml': 'a: 2\n', 'pipelines/b/dagster.yaml': 'b: 1\n' });
  const changed = await mirror.remoteHead(MAIN);
  expect(changed).not.toBe(head);
  expect(await files(mirror, changed)).toEqual({
    'README.md': 'one',
    'pipelines/a/dagster.yaml': 'a: 2\n',
    'pipelines/b/dagster.yaml': 'b: 1\n',
  });
  const objects = mirror.objects();
  expect(await objects.commit(changed)).toMatchObject({
    parents: [head],
    message: 'Uncommitted changes',
    committerEmail: UNCOMMITTED_EMAIL,
  });
  objects.close();
  repository.git('checkout', '--quiet', '.');
  repository.write({ 'pipelines/b': null });
  expect(await mirror.remoteHead(MAIN)).toBe(head);
});

it('gives equal content an equal commit, also after a restart', async () => {
  const repository = createRepository();
  repository.push({ 'pipelines/a/dagster.yaml': 'a: 1\n' });
  repository.write({ 'pipelines/a/dagster.yaml': 'a: 2\n' });
  const dir = temporaryDirectory();
  const first = await (await mirrorOf(repository, dir)).remoteHead(MAIN);
  expect(await (await mirrorOf(repository, dir)).remoteHead(MAIN)).toBe(first);
  expect(await (await mirrorOf(repository)).remoteHead(MAIN)).toBe(first);
});

it('removes what was deleted, keeps what is ignored out, and what is tracked although ignored in', async () => {
  const repository = createRepository();
  repository.git('config', 'core.excludesFile', '/dev/null');
  repository.write({ 'pipelines/a/kept.duckdb': 'tracked' });
  repository.git('add', '--force', '.');
  repository.push({
    '.gitignore': '*.duckdb\n',
    'pipelines/a/dagster.yaml': 'a: 1\n',
    'pipelines/a/old.py': '',
  });
  repository.write({ 'pipelines/a/old.py': null, 'pipelines/a/data.duckdb': 'written by a run' });
  const mirror = await mirrorOf(repository);
  expect(Object.keys(await files(mirror, await mirror.remoteHead(MAIN))).sort()).toEqual([
    '.gitignore',
    'pipelines/a/dagster.yaml',
    'pipelines/a/kept.duckdb',
  ]);
});

it('follows the working copy past new commits, and no longer sees it as history', async () => {
  const repository = createRepository();
  repository.push({ 'pipelines/a/dagster.yaml': 'a: 1\n' });
  repository.write({ 'pipelines/a/dagster.yaml': 'a: 2\n' });
  const mirror = await mirrorOf(repository);
  const before = await mirror.remoteHead(MAIN);
  const head = repository.push({
    'pipelines/a/dagster.yaml': 'a: 2\n',
    'pipelines/c/dagster.yaml': 'c: 1\n',
  });
  expect(await mirror.remoteHead(MAIN)).toBe(head);
  expect(await mirror.rewritten(before, head)).toBe(false);
  repository.write({ pipelines: null });
  expect(await files(mirror, await mirror.remoteHead(MAIN))).toEqual({});
});

it('serves the branch alone while another one is checked out', async () => {
  const repository = createRepository();
  const head = repository.push({ 'pipelines/a/dagster.yaml': 'a: 1\n' });
  repository.git('checkout', '--quiet', '-b', 'other');
  repository.write({ 'pipelines/a/dagster.yaml': 'a: 2\n' });
  const mirror = await mirrorOf(repository);
  expect(await mirror.remoteHead(MAIN)).toBe(head);
});

it('G10: touches neither the working copy nor its index', async () => {
  const repository = createRepository();
  repository.push({ 'pipelines/a/dagster.yaml': 'a: 1\n' });
  repository.write({ 'pipelines/a/dagster.yaml': 'a: 2\n', 'pipelines/a/data.duckdb': 'by a run' });
  const index = path.join(repository.dir, '.git/index');
  const before = { index: readFileSync(index, 'latin1'), at: statSync(index).mtimeMs };
  await (await mirrorOf(repository)).remoteHead(MAIN);
  expect({ index: readFileSync(index, 'latin1'), at: statSync(index).mtimeMs }).toEqual(before);
  expect(repository.git('status', '--porcelain').split('\n').filter(Boolean)).toEqual([
    ' M pipelines/a/dagster.yaml',
    '?? pipelines/a/data.duckdb',
  ]);
});

it('starts over from an index that a killed process left locked or half written', async () => {
  const repository = createRepository();
  repository.push({ 'pipelines/a/dagster.yaml': 'a: 1\n' });
  repository.write({ 'pipelines/a/dagster.yaml': 'a: 2\n' });
  const dir = temporaryDirectory();
  const first = await (await mirrorOf(repository, dir)).remoteHead(MAIN);
  writeFileSync(path.join(dir, 'repo_clone.index'), 'half an index');
  writeFileSync(path.join(dir, 'repo_clone.index.lock'), '');
  expect(await (await mirrorOf(repository, dir)).remoteHead(MAIN)).toBe(first);
});
