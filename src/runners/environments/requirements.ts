import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import type { EnvironmentConfig } from '../../discovery/pipeline-config.ts';
import { sha256 } from '../../lib/digest.ts';
import { OperationalError } from '../../lib/errors.ts';

/** What a folder says about its packages, and how it is turned into a lock. */
export type FolderRequirements =
  | { readonly kind: 'default' }
  /** A committed lock: used as it is. */
  | { readonly kind: 'lock'; readonly file: string; readonly text: string }
  /** A project's `uv.lock`: exported. */
  | { readonly kind: 'uv_lock'; readonly file: string; readonly inputsDigest: string }
  /** Requirements: compiled once per content. */
  | { readonly kind: 'requirements'; readonly file: string; readonly inputsDigest: string };

/**
 * Reads a folder's tree: a file named by `environment.requirements` wins, then a committed `requirements.lock`, a
 * `uv.lock` with its `pyproject.toml`, and `requirements.txt`; none of them means the default environment.
 * @param treeDir read-only tree of the folder
 * @throws OperationalError ENVIRONMENT_FAILED if the file that `dagster.yaml` names does not exist
 */
export async function readRequirements(
  config: EnvironmentConfig,
  treeDir: string,
): Promise<FolderRequirements> {
  const has = (name: string): boolean => existsSync(join(treeDir, name));
  const named = config.requirements;
  if (named !== undefined && !has(named)) {
    throw new OperationalError(
      'ENVIRONMENT_FAILED',
      `environment.requirements names ${named}, which is not in the folder`,
      { hint: `add ${named} to the folder, or correct environment.requirements in dagster.yaml` },
    );
  }
  if (named !== undefined && !named.endsWith('.lock')) return fromRequirements(treeDir, named);
  const lock = named ?? 'requirements.lock';
  if (lock !== 'uv.lock' && has(lock)) {
    return { kind: 'lock', file: lock, text: await readFile(join(treeDir, lock), 'utf8') };
  }
  if (has('uv.lock') && has('pyproject.toml')) {
    const parts = ['uv.lock', 'pyproject.toml'].map((name) => readFile(join(treeDir, name), 'utf8'));
    return { kind: 'uv_lock', file: 'uv.lock', inputsDigest: sha256((await Promise.all(parts)).join('\0')) };
  }
  return has('requirements.txt') ? fromRequirements(treeDir, 'requirements.txt') : { kind: 'default' };
}

async function fromRequirements(treeDir: string, file: string): Promise<FolderRequirements> {
  const contents = new Map<string, string>();
  await collect(treeDir, file, contents);
  const text = [...contents]
    .map(([name, content]) => `${name}\0${normaliseRequirements(content)}`)
    .join('\0');
  return { kind: 'requirements', file, inputsDigest: sha256(text) };
}

/** Follows `-r other.txt` and `-c limits.txt`, relative to the file that says so. */
async function collect(treeDir: string, file: string, contents: Map<string, string>): Promise<void> {
  if (contents.has(file) || !existsSync(join(treeDir, file))) return;
  const content = await readFile(join(treeDir, file), 'utf8');
  contents.set(file, content);
  for (const match of content.matchAll(/^\s*(?:-r|-c|--requirement|--constraint)[\s=]+([^\s#]+)/gm)) {
    await collect(treeDir, normalize(join(dirname(file), match[1]!)), contents);
  }
}

/** Comments, blank lines and the order of lines do not make another environment. */
export function normaliseRequirements(text: string): string {
  return text
    .replaceAll(/\\\r?\n\s*/g, ' ')
    .split(/\r?\n/)
    .map((line) =>
      line
        .replace(/(^|\s)#.*$/, '')
        .trim()
        .replaceAll(/\s+/g, ' '),
    )
    .filter((line) => line !== '')
    .sort()
    .join('\n');
}
