import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import ssh2 from 'ssh2';
import { onTestFinished } from 'vitest';
import { GIT_ENVIRONMENT } from './git-repository.ts';

export interface SshGitServer {
  /** `ssh://git@127.0.0.1:PORT`; a repository is `${url}/absolute/path`. */
  readonly url: string;
  /** The line of known_hosts that names its present key. */
  knownHost(): string;
  /** Commands that were asked for. */
  readonly commands: string[];
  /** Only these public keys (lines of `.pub` files) may come in. */
  allowed: readonly string[];
}

/** A key pair without passphrase; returns the private key's path. */
export function sshKey(dir: string, name: string): string {
  const file = path.join(dir, name);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file]);
  return file;
}

/** Git over SSH on loopback: what `git-upload-pack` and `git-receive-pack` need, and nothing else. */
export async function startSshGitServer(hostKey: string): Promise<SshGitServer> {
  const made = { commands: [] as string[], allowed: [] as readonly string[] };
  const server = new ssh2.Server({ hostKeys: [readFileSync(hostKey)] }, (client) => {
    client.on('error', () => undefined);
    client.on('authentication', (context) => {
      const offered = context.method === 'publickey' ? context.key.data : null;
      const isAllowed = made.allowed.some((line) => {
        const key = ssh2.utils.parseKey(line);
        return offered !== null && !(key instanceof Error) && key.getPublicSSH().equals(offered);
      });
      if (isAllowed) context.accept();
      else context.reject(['publickey']);
    });
    client.on('session', (accept) => {
      const session = accept();
      session.on('exec', (acceptExec, reject, { command }) => {
        made.commands.push(command);
        const [, program, repository] = /^(git-upload-pack|git-receive-pack) '([^']+)'$/.exec(command) ?? [];
        if (program === undefined || repository === undefined) {
          reject();
          return;
        }
        const stream = acceptExec();
        const child = spawn('git', [program.slice('git-'.length), repository], { env: GIT_ENVIRONMENT });
        stream.pipe(child.stdin);
        child.stdout.pipe(stream, { end: false });
        child.stderr.pipe(stream.stderr, { end: false });
        child.stdin.on('error', () => undefined);
        child.on('close', (code) => {
          stream.exit(code ?? 1);
          stream.end();
        });
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const [type, key] = readFileSync(`${hostKey}.pub`, 'utf8').split(' ');
  return Object.assign(made, {
    url: `ssh://git@127.0.0.1:${port}`,
    knownHost: () => `[127.0.0.1]:${port} ${type} ${key}\n`,
  });
}
