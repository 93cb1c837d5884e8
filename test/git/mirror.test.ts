import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Mirror, type MirrorOptions, openMirror } from '../../src/git/mirror.ts';
import { parseRemoteUrl } from '../../src/git/remote-url.ts';
import { createLogger } from '../../src/lib/log.ts';
import { createRepository, GIT_ENVIRONMENT, temporaryDirectory } from '../helpers/git-repository.ts';
import { startGitServer } from '../helpers/git-server.ts';

const MAIN = { kind: 'branch', name: 'main' } as const;

async function mirrorOf(url: string, dir: string, more: Partial<MirrorOptions> = {}): Promise<Mirror> {
  const remote = parseRemoteUrl(url, { local: true });
  if (!('ok' in remote)) throw new Error(remote.refused);
  return openMirror({
    dir: path.join(dir, 'repo_clone'),
    remote: remote.ok,
    token: () => null,
    environment: GIT_ENVIRONMENT,
    log: createLogger('silent'),
    ...more,
  });
}

async function read(mirror: Mirror, commit: string, file: string): Promise<string | null> {
  const objects = mirror.objects();
  try {
    return (await objects.file(commit, file))?.toString('utf8') ?? null;
  } finally {
    objects.close();
  }
}

function textBelow(dir: string): string {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

describe('fetch', () => {
  it('brings a branch from a local path and reads commit, listing and blobs', async () => {
    const repository = createRepository();
    const commit = repository.push({ 'pipelines/a/dagster.yaml': 'a: 1\n', 'dagster.yaml': '' }, 'first');
    const mirror = await mirrorOf(repository.bare, temporaryDirectory());
    expect(await mirror.remoteHead(MAIN)).toBe(commit);
    expect(await mirror.fetch(MAIN)).toBe(commit);
    const objects = mirror.objects();
    expect(await objects.commit(commit)).toMatchObject({
      commit,
      author: 'Ada',
      message: 'first',
      parents: [],
    });
    const entries = await objects.list(commit, ['pipelines', 'dagster.yaml']);
    expect(entries.map((entry) => `${entry.mode} ${entry.path} ${entry.size}`)).toEqual([
      '100644 dagster.yaml 0',
      '040000 pipelines 0',
      '040000 pipelines/a 0',
      '100644 pipelines/a/dagster.yaml 5',
    ]);
    expect((await objects.blob(entries.at(-1)!.oid)).toString()).toBe('a: 1\n');
    objects.close();
  });

  it('fetches an annotated tag and a pinned commit', async () => {
    const repository = createRepository();
    const first = repository.push({ a: '1' });
    repository.git('tag', '-a', 'v1', '-m', 'release');
    repository.git('push', '--quiet', 'origin', 'v1');
    repository.push({ a: '2' });
    const mirror = await mirrorOf(repository.bare, temporaryDirectory());
    expect(await mirror.remoteHead({ kind: 'tag', name: 'v1' })).toBe(first);
    expect(await mirror.fetch({ kind: 'tag', name: 'v1' })).toBe(first);
    expect(await mirror.fetch({ kind: 'commit', sha: first })).toBe(first);
  });

  it('follows the newest tag that a range of versions allows', async () => {
    const repository = createRepository();
    const tag = (name: string): void => {
      repository.git('tag', '-a', name, '-m', name);
      repository.git('push', '--quiet', 'origin', name);
    };
    repository.push({ a: '1' });
    tag('v1.9.0');
    const newest = repository.push({ a: '2' });
    tag('v1.10.0');
    repository.push({ a: '3' });
    for (const name of ['v2.0.0', 'v1.11.0-rc.1', 'nightly']) tag(name);
    const mirror = await mirrorOf(repository.bare, temporaryDirectory());
    const ref = { kind: 'semver', range: '1.x' } as const;
    expect(await mirror.remoteHead(ref)).toBe(newest);
    expect(await mirror.fetch(ref)).toBe(newest);
    await expect(mirror.remoteHead({ kind: 'semver', range: '>=3' })).rejects.toMatchObject({
      code: 'GIT_BRANCH_NOT_FOUND',
      message: expect.stringContaining('no tag in the range ">=3"'),
      hint: expect.stringContaining('v1.10.0'),
    });
  });

  it('G14: fetches the contents of some paths alone, from a server that can', async () => {
    const root = temporaryDirectory();
    const repository = createRepository(root);
    repository.push({
      'pipelines/a/dagster.yaml': 'a: 1\n',
      'dagster.yaml': '',
      'big/data': 'x'.repeat(300_000),
    });
    execFileSync('git', ['-C', repository.bare, 'config', 'uploadpack.allowFilter', 'true']);
    const server = await startGitServer(root);
    const dir = temporaryDirectory();
    const mirror = await mirrorOf(`${server.url}/remote.git`, dir, {
      sparsePaths: ['pipelines', 'dagster.yaml'],
    });
    const first = await mirror.fetch(MAIN);
    expect(await read(mirror, first, 'pipelines/a/dagster.yaml')).toBe('a: 1\n');
    const objects = mirror.objects();
    const entries = await objects.list(first, ['big']);
    expect(await objects.exists(entries.at(-1)!.oid)).toBe(false);
    objects.close();
    const second = repository.push({
      'pipelines/a/dagster.yaml': 'a: 2\n',
      'pipelines/b/dagster.yaml': 'b: 1\n',
    });
    expect(await mirror.fetch(MAIN)).toBe(second);
    expect(await read(mirror, second, 'pipelines/a/dagster.yaml')).toBe('a: 2\n');
    expect(await read(mirror, second, 'pipelines/b/dagster.yaml')).toBe('b: 1\n');
    await mirror.keep(second);
    await mirror.release([first]);
    expect(await read(mirror, second, 'pipelines/b/dagster.yaml')).toBe('b: 1\n');
    // Of the commits in between only the names came with the head.
    const between = repository.push({ 'pipelines/a/dagster.yaml': 'a: 3\n' });
    const head = repository.push({ 'pipelines/a/dagster.yaml': 'a: 4\n' });
    expect(await mirror.fetch(MAIN)).toBe(head);
    expect(await mirror.has(between)).toBe(false);
    const peek = await mirror.peek(between);
    expect(String(await peek.objects.file(between, 'pipelines/a/dagster.yaml'))).toBe('a: 3\n');
    await peek.close();
    expect(await mirror.has(between)).toBe(true);
    const full = await mirrorOf(`${server.url}/remote.git`, temporaryDirectory());
    expect(await read(full, await full.fetch(MAIN), 'big/data')).toHaveLength(300_000);
  });

  it('G4: moves to a rewritten and to an older history, and keeps the lost commit', async () => {
    const repository = createRepository();
    const base = repository.push({ a: '1' });
    for (let n = 0; n < 60; n++) repository.git('commit', '--quiet', '--allow-empty', '-m', `n${n}`);
    const lost = repository.push({ a: '2' });
    const server = await startGitServer(path.dirname(repository.bare));
    const mirror = await mirrorOf(`${server.url}/remote.git`, temporaryDirectory());
    expect(await mirror.fetch(MAIN)).toBe(lost);
    await mirror.keep(lost);
    repository.git('reset', '--quiet', '--hard', base);
    const rewritten = repository.push({ a: '3' });
    expect(await mirror.fetch(MAIN)).toBe(rewritten);
    expect(await mirror.rewritten(lost, rewritten)).toBe(true);
    const next = repository.push({ a: '4' });
    await mirror.fetch(MAIN);
    expect(await mirror.rewritten(rewritten, next)).toBe(false);
    repository.git('reset', '--quiet', '--hard', base);
    repository.git('push', '--quiet', '--force', 'origin', 'HEAD');
    expect(await mirror.fetch(MAIN)).toBe(base);
    await mirror.release([]);
    expect(await mirror.kept()).toEqual([lost]);
    expect(await read(mirror, lost, 'a')).toBe('2');
    await mirror.release([lost]);
    expect(await mirror.kept()).toEqual([]);
  });

  it('G6: an empty repository and a missing branch say what there is', async () => {
    const repository = createRepository();
    const mirror = await mirrorOf(repository.bare, temporaryDirectory());
    await expect(mirror.remoteHead(MAIN)).rejects.toMatchObject({
      code: 'REPOSITORY_EMPTY',
      next: 'stalled',
    });
    repository.push({ a: '1' });
    await expect(mirror.remoteHead({ kind: 'branch', name: 'mian' })).rejects.toMatchObject({
      code: 'GIT_BRANCH_NOT_FOUND',
      hint: expect.stringContaining('it has main'),
    });
  });

  it('G7: repairs what a killed git left, and ends one that still runs', async () => {
    const repository = createRepository();
    repository.push({ a: '1' });
    const home = temporaryDirectory();
    const first = await mirrorOf(repository.bare, home);
    await first.fetch(MAIN);
    const git = first.gitDir;
    for (const name of ['shallow.lock', 'config.lock', 'refs/elt/head.lock', 'objects/pack/tmp_pack_x']) {
      writeFileSync(path.join(git, name), 'half');
    }
    mkdirSync(`${git}.new/objects`, { recursive: true });
    const orphan = spawn('git', [`--git-dir=${git}`, 'cat-file', '--batch'], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const ended = new Promise((resolve) => orphan.on('exit', (_, signal) => resolve(signal)));
    await new Promise((resolve) => orphan.once('spawn', resolve));
    writeFileSync(`${git}.pid`, `${orphan.pid}\n`);
    const commit = repository.push({ a: '2' });
    const second = await mirrorOf(repository.bare, home);
    expect(await ended).toBe('SIGKILL');
    expect(existsSync(`${git}.new`)).toBe(false);
    expect(existsSync(path.join(git, 'shallow.lock'))).toBe(false);
    expect(existsSync(path.join(git, 'objects/pack/tmp_pack_x'))).toBe(false);
    expect(await second.fetch(MAIN)).toBe(commit);
  });

  it('G9: a damaged mirror is found and cloned again; the old one goes only when the new one is whole', async () => {
    const repository = createRepository();
    const commit = repository.push({ a: 'content' });
    const mirror = await mirrorOf(repository.bare, temporaryDirectory());
    await mirror.fetch(MAIN);
    const packs = path.join(mirror.gitDir, 'objects/pack');
    for (const name of readdirSync(packs)) if (name.endsWith('.pack')) rmSync(path.join(packs, name));
    await expect(read(mirror, commit, 'a')).resolves.toBeNull();
    const objects = mirror.objects();
    await expect(objects.commit(commit)).rejects.toMatchObject({ code: 'GIT_CORRUPT' });
    objects.close();
    expect(await mirror.rebuild(MAIN)).toBe(commit);
    expect(await read(mirror, commit, 'a')).toBe('content');
    writeFileSync(path.join(mirror.gitDir, 'HEAD'), 'garbage');
    expect(await mirror.fetch(MAIN)).toBe(commit);
    expect(await read(mirror, commit, 'a')).toBe('content');
  });

  it('G10, A14: the working copy that the operator points at is not touched', async () => {
    const repository = createRepository();
    repository.push({ a: '1' });
    repository.write({ a: 'edited', 'data.duckdb': 'rows' });
    const before = repository.git('status', '--porcelain');
    const mirror = await mirrorOf(repository.dir, temporaryDirectory());
    const commit = await mirror.fetch(MAIN);
    expect(await read(mirror, commit, 'a')).toBe('1');
    expect(repository.git('status', '--porcelain')).toBe(before);
    expect(repository.git('stash', 'list')).toBe('');
  });

  it('G16: the commit that was brought is returned, whatever the head was when it was listed', async () => {
    const repository = createRepository();
    const listed = repository.push({ a: '1' });
    const mirror = await mirrorOf(repository.bare, temporaryDirectory());
    expect(await mirror.remoteHead(MAIN)).toBe(listed);
    const moved = repository.push({ a: '2' });
    expect(await mirror.fetch(MAIN)).toBe(moved);
  });
});

describe('remotes that fail', () => {
  it('G1: refused connections and 5xx are GIT_UNREACHABLE; it recovers alone', async () => {
    const repository = createRepository();
    const commit = repository.push({ a: '1' });
    const server = await startGitServer(path.dirname(repository.bare));
    const mirror = await mirrorOf(`${server.url}/remote.git`, temporaryDirectory());
    server.fault = { kind: 'status', status: 503 };
    await expect(mirror.remoteHead(MAIN)).rejects.toMatchObject({ code: 'GIT_UNREACHABLE', next: 'retry' });
    server.fault = { kind: 'cut' };
    await expect(mirror.fetch(MAIN)).rejects.toMatchObject({ next: 'retry' });
    server.fault = { kind: 'none' };
    expect(await mirror.fetch(MAIN)).toBe(commit);
    const nobody = await mirrorOf('http://127.0.0.1:1/x.git', temporaryDirectory());
    await expect(nobody.fetch(MAIN)).rejects.toMatchObject({ code: 'GIT_UNREACHABLE' });
  });

  it('G2: a remote that never answers meets the deadline and leaves no process and no lock', async () => {
    const repository = createRepository();
    const commit = repository.push({ a: '1' });
    const server = await startGitServer(path.dirname(repository.bare));
    const home = temporaryDirectory();
    const mirror = await mirrorOf(`${server.url}/remote.git`, home, {
      deadlines: { listMs: 300, fetchMs: 300 },
    });
    server.fault = { kind: 'hang' };
    await expect(mirror.remoteHead(MAIN)).rejects.toMatchObject({ code: 'GIT_TIMEOUT', next: 'retry' });
    await expect(mirror.fetch(MAIN)).rejects.toMatchObject({ code: 'GIT_TIMEOUT' });
    const processes = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid));
    const commands = processes.map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
    expect(commands.filter((command) => command.includes(server.host))).toEqual([]);
    const left = readdirSync(path.dirname(mirror.gitDir), { recursive: true }).map(String);
    expect(left.filter((name) => /\.lock$|tmp_pack_/.test(name))).toEqual([]);
    server.fault = { kind: 'none' };
    // A busy machine may need more than the deadline that a test can wait for.
    const patient = await mirrorOf(`${server.url}/remote.git`, home);
    expect(await patient.fetch(MAIN)).toBe(commit);
  });

  it('G3, A6: a wrong token is named, a new one is taken without restart, and it is written nowhere', async () => {
    const repository = createRepository();
    const commit = repository.push({ a: '1' });
    const server = await startGitServer(path.dirname(repository.bare));
    server.token = 'right-token-1234567890';
    let token = 'wrong-token-1234567890';
    const home = temporaryDirectory();
    const lines: string[] = [];
    const mirror = await mirrorOf(`${server.url}/remote.git`, home, { token: () => token });
    const failure = await mirror.fetch(MAIN).then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'GIT_AUTHENTICATION_FAILED', next: 'stalled' });
    lines.push(String(failure), JSON.stringify(failure), String((failure as Error).stack));
    token = 'right-token-1234567890';
    const arrived = server.nextRequest();
    const fetching = mirror.fetch(MAIN);
    await arrived;
    const commands = readdirSync('/proc')
      .filter((pid) => /^\d+$/.test(pid))
      .map((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        } catch {
          return '';
        }
      });
    expect(await fetching).toBe(commit);
    expect(commands.join('\n')).not.toContain('right-token');
    expect(lines.join('\n')).not.toContain('wrong-token');
    expect(textBelow(home)).not.toMatch(/right-token|wrong-token|cmlnaHQtdG9rZW4|cmlnaHQ/);
  });

  it('G3: without a token there is no prompt', async () => {
    const repository = createRepository();
    repository.push({ a: '1' });
    const server = await startGitServer(path.dirname(repository.bare));
    server.token = 'right-token-1234567890';
    const mirror = await mirrorOf(`${server.url}/remote.git`, temporaryDirectory());
    await expect(mirror.fetch(MAIN)).rejects.toMatchObject({
      code: 'GIT_AUTHENTICATION_FAILED',
      hint: expect.stringContaining('GITHUB_TOKEN=<token> in .env'),
    });
  });

  it('G11: a token of the old host is not sent to a new host, nor along a redirect', async () => {
    const repository = createRepository();
    repository.push({ a: '1' });
    const [old, next] = await Promise.all([
      startGitServer(path.dirname(repository.bare)),
      startGitServer(path.dirname(repository.bare)),
    ]);
    old.token = 'old-token-1234567890';
    next.token = 'new-token-1234567890';
    const home = temporaryDirectory();
    let token = old.token;
    const mirror = await mirrorOf(`${old.url}/remote.git`, home, { token: () => token });
    await mirror.fetch(MAIN);
    old.fault = { kind: 'redirect', to: next.url };
    await expect(mirror.fetch(MAIN)).rejects.toMatchObject({ code: 'GIT_AUTHENTICATION_FAILED' });
    const moved = await mirrorOf(`${next.url}/remote.git`, home, { token: () => token });
    await expect(moved.fetch(MAIN)).rejects.toMatchObject({
      code: 'GIT_AUTHENTICATION_FAILED',
      hint: expect.stringContaining(`not sent to ${next.host}`),
    });
    expect(next.requests.map((request) => request.authorization)).toEqual(next.requests.map(() => null));
    token = 'new-token-1234567890';
    await expect(moved.fetch(MAIN)).resolves.toMatch(/^[0-9a-f]{40}$/);
  });

  it('a repository that is not there', async () => {
    const dir = temporaryDirectory();
    const mirror = await mirrorOf(path.join(dir, 'nothing'), dir);
    await expect(mirror.remoteHead(MAIN)).rejects.toMatchObject({ code: 'GIT_REPOSITORY_NOT_FOUND' });
  });

  it('a local repository of another user that the operator named is read', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root can give a repository to another user');
    const repository = createRepository();
    const commit = repository.push({ a: '1' });
    await new Promise((resolve) => spawn('chown', ['-R', '12345', repository.bare]).on('exit', resolve));
    const mirror = await mirrorOf(repository.bare, temporaryDirectory());
    expect(await mirror.fetch(MAIN)).toBe(commit);
  });
});
