import path from 'node:path';
import { expect, it } from 'vitest';
import { createFileReader } from '../../src/component/file-reader.ts';
import { type Mirror, openMirror } from '../../src/git/mirror.ts';
import { parseRemoteUrl } from '../../src/git/remote-url.ts';
import { createLogger } from '../../src/lib/log.ts';
import { createRepository, GIT_ENVIRONMENT, temporaryDirectory } from '../helpers/git-repository.ts';

const LARGE = 'x'.repeat(1_000_001);

async function reader({ fetched = true } = {}): Promise<{
  read: ReturnType<typeof createFileReader>;
  commit: string;
  readonly looks: () => number;
}> {
  const repository = createRepository();
  const commit = repository.push({
    'a/one.py': '1\n',
    'a/two.py': '2\n',
    'a/data': 'a\0b',
    'a/large.py': LARGE,
  });
  const remote = parseRemoteUrl(repository.bare, { local: true });
  if (!('ok' in remote)) throw new Error(remote.refused);
  const mirror = await openMirror({
    dir: path.join(temporaryDirectory(), 'repo_clone'),
    remote: remote.ok,
    token: () => null,
    environment: GIT_ENVIRONMENT,
    log: createLogger('silent'),
  });
  if (fetched) await mirror.fetch({ kind: 'branch', name: 'main' });
  let looks = 0;
  const counted: Pick<Mirror, 'objects'> = {
    objects() {
      looks += 1;
      return mirror.objects();
    },
  };
  return { read: createFileReader(() => counted), commit, looks: () => looks };
}

it('reads what is asked for together by one look, and what it read never again', async () => {
  const { read, commit, looks } = await reader();
  const files = ['a/one.py', 'a/two.py', 'a/one.py'];
  expect(await Promise.all(files.map((file) => read(commit, file)))).toEqual(['1\n', '2\n', '1\n']);
  expect(looks()).toBe(1);
  expect(await Promise.all(files.map((file) => read(commit, file)))).toEqual(['1\n', '2\n', '1\n']);
  expect(looks()).toBe(1);
});

it('gives nothing for what is no text of that commit, beside what is', async () => {
  const { read, commit } = await reader();
  const files = ['a', 'a/none.py', 'a/data', 'a/large.py', 'a/one.py'];
  expect(await Promise.all(files.map((file) => read(commit, file)))).toEqual([null, null, null, null, '1\n']);
  expect(await read('0'.repeat(40), 'a/one.py')).toBeNull();
});

it('gives nothing where nothing was fetched yet', async () => {
  const { read, commit } = await reader({ fetched: false });
  expect(await read(commit, 'a/one.py')).toBeNull();
});
