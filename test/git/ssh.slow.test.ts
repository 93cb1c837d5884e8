import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { type Mirror, openMirror } from '../../src/git/mirror.ts';
import { parseRemoteUrl } from '../../src/git/remote-url.ts';
import { createLogger } from '../../src/lib/log.ts';
import {
  createRepository,
  GIT_ENVIRONMENT,
  type TestRepository,
  temporaryDirectory,
} from '../helpers/git-repository.ts';
import { type SshGitServer, sshKey, startSshGitServer } from '../helpers/ssh-git-server.ts';

const MAIN = { kind: 'branch', name: 'main' } as const;
const hasSsh = ((): boolean => {
  try {
    execFileSync('ssh', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

interface World {
  readonly dir: string;
  readonly repository: TestRepository;
  readonly server: SshGitServer;
  readonly key: string;
  readonly knownHosts: string;
  readonly mirror: () => Promise<Mirror>;
}

async function world(): Promise<World> {
  const dir = temporaryDirectory();
  const repository = createRepository();
  const server = await startSshGitServer(sshKey(dir, 'host'));
  const key = sshKey(dir, 'deploy');
  server.allowed = [readFileSync(`${key}.pub`, 'utf8')];
  const knownHosts = path.join(dir, 'known_hosts');
  writeFileSync(knownHosts, server.knownHost());
  const remote = parseRemoteUrl(`${server.url}${repository.bare}`, { local: false });
  if (!('ok' in remote)) throw new Error(remote.refused);
  return {
    dir,
    repository,
    server,
    key,
    knownHosts,
    mirror: () =>
      openMirror({
        dir: path.join(dir, 'repo_clone'),
        remote: remote.ok,
        token: () => 'ghp_this_token_is_for_https_only',
        ssh: { keyFile: key, knownHostsFile: knownHosts },
        environment: GIT_ENVIRONMENT,
        log: createLogger('silent'),
      }),
  };
}

it.runIf(hasSsh)('fetches over SSH with a deploy key from a host that is known', async () => {
  const { repository, server, mirror } = await world();
  const first = repository.push({ 'pipelines/a/dagster.yaml': 'a: 1\n' });
  const opened = await mirror();
  expect(await opened.remoteHead(MAIN)).toBe(first);
  expect(await opened.fetch(MAIN)).toBe(first);
  const second = repository.push({ 'pipelines/a/dagster.yaml': 'a: 2\n' });
  expect(await opened.fetch(MAIN)).toBe(second);
  expect(new Set(server.commands)).toEqual(new Set([`git-upload-pack '${repository.bare}'`]));
});

it.runIf(hasSsh)('refuses a host whose key is not known, or has changed', async () => {
  const { repository, dir, mirror, knownHosts, server } = await world();
  repository.push({ a: '1' });
  writeFileSync(knownHosts, '');
  await expect((await mirror()).remoteHead(MAIN)).rejects.toMatchObject({
    code: 'GIT_AUTHENTICATION_FAILED',
    hint: expect.stringContaining('known_hosts'),
  });
  const other = readFileSync(`${sshKey(dir, 'other')}.pub`, 'utf8').split(' ')[1];
  writeFileSync(knownHosts, server.knownHost().replace(/\S+\n$/, `${other}\n`));
  await expect((await mirror()).remoteHead(MAIN)).rejects.toMatchObject({
    code: 'GIT_AUTHENTICATION_FAILED',
  });
  expect(server.commands).toEqual([]);
});

it.runIf(hasSsh)(
  'G3: a key that is refused is told of without a prompt, and a rotated one works without restart',
  async () => {
    const { repository, dir, mirror, key, server } = await world();
    const head = repository.push({ a: '1' });
    const opened = await mirror();
    const next = sshKey(dir, 'rotated');
    server.allowed = [readFileSync(`${next}.pub`, 'utf8')];
    await expect(opened.remoteHead(MAIN)).rejects.toMatchObject({ code: 'GIT_AUTHENTICATION_FAILED' });
    // ssh offers what stands in the .pub beside a key, when there is one.
    rmSync(`${key}.pub`);
    writeFileSync(key, readFileSync(next), { mode: 0o600 });
    expect(await opened.remoteHead(MAIN)).toBe(head);
  },
);
