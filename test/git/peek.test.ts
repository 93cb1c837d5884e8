import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Mirror, openMirror } from '../../src/git/mirror.ts';
import { parseRemoteUrl } from '../../src/git/remote-url.ts';
import { createLogger } from '../../src/lib/log.ts';
import {
  createRepository,
  GIT_ENVIRONMENT,
  type TestRepository,
  temporaryDirectory,
} from '../helpers/git-repository.ts';
import { startGitServer } from '../helpers/git-server.ts';

const MAIN = { kind: 'branch', name: 'main' } as const;

async function mirrorOf(
  address: string,
  dir = path.join(temporaryDirectory(), 'repo_clone'),
): Promise<Mirror> {
  const parsed = parseRemoteUrl(address, { local: true });
  if (!('ok' in parsed)) throw new Error(parsed.refused);
  return openMirror({
    dir,
    remote: parsed.ok,
    token: () => null,
    environment: GIT_ENVIRONMENT,
    log: createLogger('silent'),
  });
}

/** More commits on main than are fetched; a branch, a tag and a pull request's ref beside it. */
function repository(): TestRepository & { branch: string; pull: string } {
  const made = createRepository();
  for (const content of ['1\n', 'x\n', '59\n']) {
    made.write({ 'old.txt': content });
    made.git('add', '--all');
    made.git('commit', '--quiet', '-m', 'change');
  }
  for (let n = 0; n < 52; n++) made.git('commit', '--quiet', '--allow-empty', '-m', `commit ${n}`);
  made.git('push', '--quiet', 'origin', 'HEAD');
  made.git('checkout', '--quiet', '-b', 'feature');
  // Content that only the history below the shallow boundary has.
  const branch = made.push({ 'old.txt': '1\n', 'new.txt': 'new\n' });
  made.git('push', '--quiet', 'origin', 'HEAD~1:refs/pull/7/base');
  const pull = made.push({ 'pull.txt': 'pull\n' });
  made.git('push', '--quiet', 'origin', 'HEAD:refs/pull/7/head');
  made.git('push', '--quiet', '--force', 'origin', `${branch}:refs/heads/feature`);
  made.git('tag', 'v1', branch);
  made.git('push', '--quiet', 'origin', 'v1');
  made.git('checkout', '--quiet', 'main');
  return { ...made, branch, pull };
}

async function text(mirror: Mirror, ref: string, file: string): Promise<string | undefined> {
  const peek = await mirror.peek(ref);
  try {
    return (await peek.objects.file(peek.commit, file))?.toString('utf8');
  } finally {
    await peek.close();
  }
}

describe('a look at a ref', () => {
  const made = { repository };
  it.each(['file', 'http'])('leaves the mirror as it was (%s)', async (kind) => {
    const repo = made.repository();
    const address =
      kind === 'file'
        ? `file://${repo.bare}`
        : `${(await startGitServer(path.dirname(repo.bare))).url}/remote.git`;
    const mirror = await mirrorOf(address);
    const head = await mirror.fetch(MAIN);
    await mirror.keep(head);
    const state = () => ({
      shallow: existsSync(path.join(mirror.gitDir, 'shallow'))
        ? readFileSync(path.join(mirror.gitDir, 'shallow'), 'utf8')
        : null,
      refs: readdirSync(path.join(mirror.gitDir, 'refs'), { recursive: true }),
      objects: readdirSync(path.join(mirror.gitDir, 'objects'), { recursive: true }),
    });
    const before = state();
    expect(before.shallow).not.toBeNull();
    expect(
      await Promise.all(
        ['feature', 'v1', repo.branch, repo.branch.slice(0, 9)].map((ref) => text(mirror, ref, 'old.txt')),
      ),
    ).toEqual(Array.from({ length: 4 }, () => '1\n'));
    expect(await text(mirror, 'refs/pull/7/head', 'pull.txt')).toBe('pull\n');
    expect(state()).toEqual(before);
    expect(await mirror.has(repo.pull)).toBe(false);
    expect(readdirSync(path.dirname(mirror.gitDir)).filter((name) => name.includes('peek'))).toEqual([]);
  });

  it('reads what the mirror has without a contact', async () => {
    const repo = made.repository();
    const mirror = await mirrorOf(repo.bare);
    const head = await mirror.fetch(MAIN);
    repo.git('push', '--quiet', 'origin', '--delete', 'feature');
    expect(await text(mirror, head, 'old.txt')).toBe('59\n');
    expect(await text(mirror, head.slice(0, 10), 'old.txt')).toBe('59\n');
    await expect(mirror.peek('feature')).rejects.toMatchObject({
      code: 'GIT_BRANCH_NOT_FOUND',
      hint: 'it has the branches main',
    });
  });

  it('works without a mirror, and follows the ref of the component', async () => {
    const repo = made.repository();
    const mirror = await mirrorOf(repo.bare);
    const peek = await mirror.peek(MAIN);
    expect(peek.commit).toBe(repo.git('rev-parse', 'main').trim());
    await peek.close();
    expect(existsSync(mirror.gitDir)).toBe(false);
  });

  it.each(['--upload-pack=touch /tmp/x', '-x', 'a..b', 'a b', 'ext::sh -c x', '', 'refs/heads/*', 'a\nb'])(
    'refuses %j as a ref (G13)',
    async (ref) => {
      const repo = createRepository();
      repo.push({ 'a.txt': 'a' });
      const mirror = await mirrorOf(repo.bare);
      await expect(mirror.peek(ref)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    },
  );

  it('removes what a killed process looked at', async () => {
    const dir = path.join(temporaryDirectory(), 'repo_clone');
    mkdirSync(`${dir}.peek-abc/objects`, { recursive: true });
    writeFileSync(`${dir}.peek-abc.pid`, '1\n');
    const repo = createRepository();
    repo.push({ 'a.txt': 'a' });
    await mirrorOf(repo.bare, dir);
    expect(readdirSync(path.dirname(dir)).filter((name) => name.includes('peek'))).toEqual([]);
  });
});
