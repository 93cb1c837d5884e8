import { readdirSync, rmSync } from 'node:fs';
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  unlink,
  utimes,
} from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { asDiskError, errorCode } from '../lib/disk-error.ts';
import { OperationalError } from '../lib/errors.ts';
import { opaqueId } from '../lib/ids.ts';
import type { CodeRef } from '../state/code-ref.ts';
import { createBlobStore } from './blob-store.ts';
import type { CodeSource } from './code-source.ts';
import type { ObjectReader, TreeEntry } from './objects.ts';
import { pathProblems } from './path-rules.ts';
import { type ManifestEntry, treeDamage } from './tree-manifest.ts';

export interface LocalTreesOptions {
  /** `ELT_HOME/trees`. */
  readonly dir: string;
  /** Objects of a component's mirror; closed after use. */
  readonly objects: (component: string) => ObjectReader;
}

/**
 * Folders of the repository as read-only directories `<dir>/<tree id>`, made when a step first needs them, equal files
 * hard-linked to one copy. Modes do not stop root, so each `materialise` compares names, sizes, modes and times with the
 * manifest and puts back what was changed, file by file, under running readers.
 */
export interface LocalTrees extends CodeSource {
  /** Removes trees that nobody needs and that were not asked for since `before`; returns how many. */
  collect(needed: ReadonlySet<string>, before: number): Promise<number>;
}

const TREE_ID = /^[0-9a-f]{40,64}$/;
const LFS_POINTER = 'version https://git-lfs.github.com/spec/';

export function createLocalTrees(options: LocalTreesOptions): LocalTrees {
  const { dir } = options;
  const blobs = createBlobStore(path.join(dir, '.objects'));
  const underWay = new Map<string, Promise<string>>();

  async function ensure(code: CodeRef): Promise<string> {
    const tree = path.join(dir, code.treeId);
    const manifest = await readManifest(`${tree}.json`);
    const made = await lstat(tree).catch(() => null);
    if (manifest === null || made === null) return make(code, tree);
    const damage = treeDamage(tree, manifest);
    if (damage.length > 0) await repair(code, tree, manifest);
    const now = new Date();
    await utimes(`${tree}.json`, now, now);
    return tree;
  }

  async function make(code: CodeRef, tree: string): Promise<string> {
    const reader = options.objects(code.component);
    const temporary = path.join(dir, `.tmp-${opaqueId()}`);
    try {
      const entries = await reader.list(code.treeId);
      const links = await linkTargets(entries, reader);
      refuse(code, entries, links);
      await mkdir(temporary, { recursive: true });
      for (const entry of entries) await place(code, entry, temporary, links, reader);
      await sealFolders(temporary, entries);
      await removeTree(tree);
      await rename(temporary, tree);
      const manifest: ManifestEntry[] = entries.map(({ path: name, mode, oid, size }) => ({
        path: name,
        mode,
        oid,
        size,
      }));
      await writeFileAtomic(`${tree}.json`, JSON.stringify(manifest));
      return tree;
    } catch (error) {
      await removeTree(temporary).catch(() => undefined);
      throw asDiskError(error, `lay out ${code.dir}`);
    } finally {
      reader.close();
    }
  }

  /** Each damaged file is replaced by a rename, so that a step that reads the tree never misses one. */
  async function repair(code: CodeRef, tree: string, manifest: readonly ManifestEntry[]): Promise<void> {
    const reader = options.objects(code.component);
    try {
      const links = await linkTargets(manifest, reader);
      await unsealFolders(tree);
      for (const damage of treeDamage(tree, manifest)) {
        const file = path.join(tree, damage.path);
        if (damage.entry === null) await rm(file, { recursive: true, force: true });
        else {
          const existing = await lstat(file).catch(() => null);
          const wantsFolder = damage.entry.mode === '040000';
          if (existing !== null && existing.isDirectory() !== wantsFolder)
            await rm(file, { recursive: true, force: true });
          await place(code, damage.entry, tree, links, reader);
        }
      }
      await sealFolders(tree, manifest);
    } catch (error) {
      throw asDiskError(error, `restore ${code.dir}`);
    } finally {
      reader.close();
    }
  }

  async function place(
    code: CodeRef,
    entry: ManifestEntry,
    root: string,
    links: ReadonlyMap<string, string>,
    reader: ObjectReader,
  ): Promise<void> {
    const file = path.join(root, entry.path);
    if (entry.mode === '040000') {
      await mkdir(file, { recursive: true });
      return;
    }
    const temporary = path.join(root, path.dirname(entry.path), `.tmp-${opaqueId()}`);
    if (entry.mode === '120000') await symlink(links.get(entry.path) ?? '', temporary);
    else {
      await blobs.linkTo(entry, temporary, async () => {
        const content = await reader.blob(entry.oid);
        if (content.length < 1024 && content.toString('latin1').startsWith(LFS_POINTER)) {
          throw refused(
            code,
            `"${entry.path}" is a Git LFS pointer, LFS files are not fetched`,
            'commit the file itself',
          );
        }
        return content;
      });
    }
    await rename(temporary, file);
    // rename(2) does nothing and leaves the source when both names are links to one file.
    await unlink(temporary).catch(() => undefined);
  }

  return {
    async materialise(code) {
      if (!TREE_ID.test(code.treeId))
        throw refused(code, `"${code.treeId}" is no tree id`, 'refresh the component');
      const running = underWay.get(code.treeId);
      if (running !== undefined) return running;
      const made = ensure(code).finally(() => underWay.delete(code.treeId));
      underWay.set(code.treeId, made);
      return made;
    },
    async collect(needed, before) {
      let removed = 0;
      for (const name of await readdir(dir).catch(() => [])) {
        const file = path.join(dir, name);
        const treeId = name.replace(/\.json$/, '');
        if (name === '.objects' || needed.has(treeId) || underWay.has(treeId)) continue;
        const manifest = TREE_ID.test(treeId) ? path.join(dir, `${treeId}.json`) : file;
        const used = await lstat(manifest).catch(() => lstat(file).catch(() => null));
        if (used === null || used.mtimeMs >= before) continue;
        if (name.endsWith('.json')) await rm(file, { force: true });
        else await removeTree(file);
        if (!name.startsWith('.') && !name.endsWith('.json')) {
          await rm(manifest, { force: true });
          removed++;
        }
      }
      await blobs.collect(before);
      return removed;
    },
  };
}

function refuse(code: CodeRef, entries: readonly TreeEntry[], links: ReadonlyMap<string, string>): void {
  const problem = pathProblems(entries, '', (entry) => links.get(entry.path) ?? '/')[0];
  if (problem !== undefined) throw refused(code, problem.message, problem.hint);
}

function refused(code: CodeRef, message: string, hint: string): OperationalError {
  return new OperationalError('PATH_REFUSED', `${code.dir}: ${message}`, { hint });
}

async function linkTargets(
  entries: readonly ManifestEntry[],
  reader: ObjectReader,
): Promise<ReadonlyMap<string, string>> {
  const links = entries.filter((entry) => entry.mode === '120000');
  const targets = await Promise.all(links.map((entry) => reader.blob(entry.oid)));
  return new Map(links.map((entry, index) => [entry.path, targets[index]!.toString('utf8')]));
}

async function readManifest(file: string): Promise<ManifestEntry[] | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ManifestEntry[];
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
}

async function sealFolders(root: string, entries: readonly ManifestEntry[]): Promise<void> {
  const folders = entries
    .filter((entry) => entry.mode === '040000')
    .map((entry) => path.join(root, entry.path));
  for (const folder of folders.reverse()) await chmod(folder, 0o555);
  await chmod(root, 0o555);
}

async function unsealFolders(root: string): Promise<void> {
  await chmod(root, 0o755);
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    if (entry.isDirectory()) await unsealFolders(path.join(root, entry.name));
  }
}

async function removeTree(root: string): Promise<void> {
  const found = await lstat(root).catch(() => null);
  if (found === null) return;
  if (found.isDirectory()) await unsealFolders(root);
  rmSync(root, { recursive: true, force: true });
}
