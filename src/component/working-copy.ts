import { createHash } from 'node:crypto';
import { createReadStream, type Dirent, type Stats } from 'node:fs';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import path from 'node:path';
import type { RepositoryFile } from '../discovery/discover.ts';
import { objectId } from '../git/objects.ts';
import { treeId } from '../git/tree-id.ts';

export interface WorkingCopy {
  /** As `git ls-tree -r` would list them after `git add`, sorted by path. */
  readonly files: readonly RepositoryFile[];
  readBlob(oid: string): Promise<Buffer>;
  /** Git's id of the folder's tree. */
  folderTreeId(dir: string): string;
}

export interface WorkingCopyOptions {
  /** Only these files (what Git does not ignore); null: all of them. */
  readonly only?: ReadonlySet<string> | null;
  /** Large files by their content too. Without it they have ids of their own, for who only checks what they configure. */
  readonly exact?: boolean;
}

/** What is hardly ever committed and may be huge. */
const SKIPPED = new Set([
  '.git',
  'node_modules',
  '__pycache__',
  '.venv',
  'venv',
  '.tox',
  '.mypy_cache',
  '.pytest_cache',
  'dbt_packages',
]);
const LARGEST_READ = 2_000_000;

/** Reads the files below `root/directory` and `root/dagster.yaml` from the disk, without Git. */
export async function readWorkingCopy(
  root: string,
  directory: string,
  { only = null, exact = false }: WorkingCopyOptions = {},
): Promise<WorkingCopy> {
  const files: RepositoryFile[] = [];
  const sources = new Map<string, { readonly file: string; readonly link: boolean }>();
  async function add(name: string, entry: Dirent | null): Promise<void> {
    const file = path.join(root, name);
    if (entry?.isSymbolicLink()) {
      const content = Buffer.from(await readlink(file));
      const oid = objectId('blob', content, 40);
      sources.set(oid, { file, link: true });
      files.push({ path: name, mode: '120000', oid, size: content.length });
      return;
    }
    const stats = await stat(file);
    const oid = await idOf(name, file, stats, exact);
    sources.set(oid, { file, link: false });
    files.push({ path: name, mode: (stats.mode & 0o111) === 0 ? '100644' : '100755', oid, size: stats.size });
  }
  async function walk(folder: string): Promise<void> {
    for (const entry of await readdir(path.join(root, folder), { withFileTypes: true })) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name)) await walk(name);
      } else if ((entry.isFile() || entry.isSymbolicLink()) && only?.has(name) !== false)
        await add(name, entry);
    }
  }
  await walk(directory);
  if (directory !== '') {
    const instance = await stat(path.join(root, 'dagster.yaml')).catch(() => null);
    if (instance?.isFile()) await add('dagster.yaml', null);
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    files,
    async readBlob(oid) {
      const { file, link } = sources.get(oid)!;
      return link ? Buffer.from(await readlink(file)) : readFile(file);
    },
    folderTreeId: (dir) => folderTreeId(files, dir),
  };
}

/** Git's id of a folder's tree. Files are sorted by path. */
export function folderTreeId(files: readonly RepositoryFile[], dir: string): string {
  const skip = dir === '' ? 0 : dir.length + 1;
  return treeId(
    filesBelow(files, dir).map(({ path: name, mode, oid }) => ({ path: name.slice(skip), mode, oid })),
  );
}

/** Data files are named by size and time where that will do: validating must not read gigabytes. */
async function idOf(name: string, file: string, stats: Stats, exact: boolean): Promise<string> {
  if (stats.size <= LARGEST_READ) return objectId('blob', await readFile(file), 40);
  if (!exact) return objectId('blob', Buffer.from(`${name}:${stats.size}:${stats.mtimeMs}`), 40);
  const hash = createHash('sha1').update(`blob ${stats.size}\0`);
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Files are sorted by path, so those of a folder stand together. */
function filesBelow(files: readonly RepositoryFile[], dir: string): readonly RepositoryFile[] {
  if (dir === '') return files;
  const prefix = `${dir}/`;
  let from = 0;
  for (let to = files.length; from < to; ) {
    const middle = (from + to) >> 1;
    if (files[middle]!.path < prefix) from = middle + 1;
    else to = middle;
  }
  let end = from;
  while (files[end]?.path.startsWith(prefix) === true) end += 1;
  return files.slice(from, end);
}
