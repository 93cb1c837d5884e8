import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { GIT_ENVIRONMENT } from './git-repository.ts';

export function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd,
    env: GIT_ENVIRONMENT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

export interface TestRepository {
  /** Bare; what the service pulls from. */
  readonly remote: string;
  readonly clone: string;
  /** Commit of the branch. */
  head(): string;
  /** Writes files (null removes one) and commits. */
  commit(files: Readonly<Record<string, string | null>>, message?: string): void;
  /** Commits and pushes; returns the commit. */
  push(files: Readonly<Record<string, string | null>>, message?: string): string;
  remove(): void;
}

/** The demo's pipelines repository as a remote of its own, or that part of it whose paths the predicate takes. */
export function createDemoRepository(takes: (path: string) => boolean = () => true): TestRepository {
  const folder = join(import.meta.dirname, '..', '..', 'fixtures', 'repo');
  const files: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    const path = relative(folder, file);
    if (entry.isFile() && takes(path)) files[path] = readFileSync(file, 'utf8');
  }
  return createRepository(files);
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
    head: () => git(clone, 'rev-parse', 'HEAD'),
    push(changed, message = 'Change pipelines') {
      repository.commit(changed, message);
      git(clone, 'push', '--quiet', 'origin', 'main');
      return repository.head();
    },
    commit(changed, message = 'Change pipelines') {
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
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  repository.push(files, 'Add pipelines');
  return repository;
}
