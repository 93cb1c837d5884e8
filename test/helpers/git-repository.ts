import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** A temporary directory that goes when the test ends. */
export function temporaryDirectory(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'elt-test-'));
  onTestFinished(() => {
    execFileSync('chmod', ['-R', 'u+rwX', dir]);
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

/** The environment of git in tests: no configuration of the machine. */
export const GIT_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: process.env.PATH ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
};

export interface TestRepository {
  /** Working copy. */
  readonly dir: string;
  /** The bare repository that `push` pushes to. */
  readonly bare: string;
  git(...args: string[]): string;
  write(files: Readonly<Record<string, string | Uint8Array | null>>): void;
  /** Writes (null removes), commits everything and pushes; returns the commit. */
  push(files: Readonly<Record<string, string | Uint8Array | null>>, message?: string): string;
}

/** A bare repository and a working copy of it, on branch `main`, without a commit. */
export function createRepository(root: string = temporaryDirectory()): TestRepository {
  const bare = path.join(root, 'remote.git');
  const dir = path.join(root, 'work');
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: dir,
      env: GIT_ENVIRONMENT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  mkdirSync(dir, { recursive: true });
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare], { env: GIT_ENVIRONMENT });
  git('init', '--quiet', '--initial-branch=main');
  git('remote', 'add', 'origin', bare);
  const repository: TestRepository = {
    dir,
    bare,
    git,
    write(files) {
      for (const [name, content] of Object.entries(files)) {
        const file = path.join(dir, name);
        if (content === null) rmSync(file, { recursive: true, force: true });
        else {
          mkdirSync(path.dirname(file), { recursive: true });
          writeFileSync(file, content);
        }
      }
    },
    push(files, message = 'change') {
      repository.write(files);
      git('add', '--all');
      git('commit', '--quiet', '--allow-empty', '-m', message);
      git('push', '--quiet', '--force', 'origin', 'HEAD');
      return git('rev-parse', 'HEAD').trim();
    },
  };
  return repository;
}

export function makeExecutable(file: string): void {
  chmodSync(file, 0o755);
}
