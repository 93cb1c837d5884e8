import type { Dirent } from 'node:fs';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import path from 'node:path';
import type { RepositoryFile } from '../discovery/discover.ts';
import { objectId } from '../git/objects.ts';

export interface WorkingCopy {
  /** As `git ls-tree -r` would list them after `git add`. */
  readonly files: readonly RepositoryFile[];
  readBlob(oid: string): Promise<Buffer>;
  /** Equal content gives an equal id; not Git's own, which nothing here needs. */
  folderTreeId(dir: string): string;
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
export async function readWorkingCopy(root: string, directory: string): Promise<WorkingCopy> {
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
    // Data files are named by size and time: validating must not read gigabytes.
    const content =
      stats.size > LARGEST_READ
        ? Buffer.from(`${name}:${stats.size}:${stats.mtimeMs}`)
        : await readFile(file);
    const oid = objectId('blob', content, 40);
    sources.set(oid, { file, link: false });
    files.push({ path: name, mode: (stats.mode & 0o111) === 0 ? '100644' : '100755', oid, size: stats.size });
  }
  async function walk(folder: string): Promise<void> {
    for (const entry of await readdir(path.join(root, folder), { withFileTypes: true })) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name)) await walk(name);
      } else if (entry.isFile() || entry.isSymbolicLink()) await add(name, entry);
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
    folderTreeId(dir) {
      const listing = filesBelow(files, dir)
        .map(({ path: name, mode, oid }) => `${mode} ${oid} ${name.slice(dir.length)}\n`)
        .join('');
      return objectId('tree', Buffer.from(listing), 40);
    },
  };
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
