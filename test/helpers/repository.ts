import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const GIT_ENV = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@shop.example',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@shop.example',
};

export function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd,
    env: { ...process.env, ...GIT_ENV },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

export interface TestRepository {
  /** Bare; what the service pulls from. */
  readonly remote: string;
  readonly clone: string;
  /** Writes files (null removes one), commits and pushes; returns the commit. */
  push(files: Readonly<Record<string, string | null>>, message?: string): string;
  remove(): void;
}

/** A bare repository with a working clone in a temporary folder. */
export function createRepository(files: Readonly<Record<string, string>>): TestRepository {
  const folder = mkdtempSync(join(tmpdir(), 'elt-repo-'));
  const remote = join(folder, 'pipelines.git');
  const clone = join(folder, 'clone');
  git(folder, 'init', '--quiet', '--bare', '--initial-branch=main', remote);
  git(folder, 'clone', '--quiet', remote, clone);
  git(clone, 'checkout', '--quiet', '-b', 'main');
  const repository: TestRepository = {
    remote,
    clone,
    push(changed, message = 'Change pipelines') {
      for (const [path, text] of Object.entries(changed)) {
        const file = join(clone, path);
        if (text === null) rmSync(file, { recursive: true, force: true });
        else {
          mkdirSync(dirname(file), { recursive: true });
          writeFileSync(file, text);
        }
      }
      git(clone, 'add', '--all');
      git(clone, 'commit', '--quiet', '--allow-empty', '-m', message);
      git(clone, 'push', '--quiet', 'origin', 'main');
      return git(clone, 'rev-parse', 'HEAD');
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  repository.push(files, 'Add pipelines');
  return repository;
}
