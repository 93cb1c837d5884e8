import { createHash } from 'node:crypto';
import {
  closeSync,
  type Dirent,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import type { RepositoryFile } from '../discovery/discover.ts';
import { objectId } from '../git/objects.ts';
import { treeId } from '../git/tree-id.ts';

export interface WorkingCopy {
  /** As `git ls-tree -r` would list them after `git add`, sorted by path. */
  readonly files: readonly RepositoryFile[];
  readBlob(oid: string): Promise<Uint8Array>;
  folderTreeId(dir: string): string;
}

export interface WorkingCopyOptions {
  /** Only these files (what Git does not ignore); null: all of them. */
  readonly only?: ReadonlySet<string> | null;
  /**
   * `content`: ids are Git's, so that two states can be compared. `place`: a file's id is its path and nothing is read but
   * what is asked for; enough for who only checks what is written there.
   */
  readonly ids: 'content' | 'place';
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
const PIECE = 1 << 20;

/**
 * Reads the files below `root/directory` and `root/dagster.yaml` from the disk, without Git. Synchronously: thousands of
 * small files take a fraction of the time so, and it runs in the process of a command that does nothing else.
 */
export function readWorkingCopy(
  root: string,
  directory: string,
  { only = null, ids }: WorkingCopyOptions,
): WorkingCopy {
  const files: RepositoryFile[] = [];
  const sources = new Map<string, { readonly file: string; readonly link: boolean }>();
  function add(name: string, file: string, entry: Dirent | null): void {
    const link = entry?.isSymbolicLink() ?? false;
    const target = link ? Buffer.from(readlinkSync(file)) : null;
    const stats = link ? null : statSync(file);
    const size = target?.length ?? stats?.size ?? 0;
    const oid =
      ids === 'place' ? name : target === null ? idOfFile(file, size) : objectId('blob', target, 40);
    const mode = link ? '120000' : ((stats?.mode ?? 0) & 0o111) === 0 ? '100644' : '100755';
    sources.set(oid, { file, link });
    files.push({ path: name, mode, oid, size });
  }
  function walk(folder: string, place: string): void {
    for (const entry of readdirSync(place, { withFileTypes: true })) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      const file = `${place}${path.sep}${entry.name}`;
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name)) walk(name, file);
      } else if ((entry.isFile() || entry.isSymbolicLink()) && only?.has(name) !== false) {
        add(name, file, entry);
      }
    }
  }
  walk(directory, path.join(root, directory));
  if (directory !== '') {
    const file = path.join(root, 'dagster.yaml');
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) add('dagster.yaml', file, null);
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    files,
    async readBlob(oid) {
      const { file, link } = sources.get(oid)!;
      return link ? Buffer.from(readlinkSync(file)) : readFileSync(file);
    },
    folderTreeId: (dir) => (ids === 'place' ? dir : folderTreeId(files, dir)),
  };
}

/** Git's id of a folder's tree. Files are sorted by path. */
export function folderTreeId(files: readonly RepositoryFile[], dir: string): string {
  const skip = dir === '' ? 0 : dir.length + 1;
  return treeId(
    filesBelow(files, dir).map(({ path: name, mode, oid }) => ({ path: name.slice(skip), mode, oid })),
  );
}

/** Git's id of a file, piece by piece: data files are large. */
function idOfFile(file: string, size: number): string {
  if (size <= PIECE) return objectId('blob', readFileSync(file), 40);
  const hash = createHash('sha1').update(`blob ${size}\0`);
  const piece = Buffer.allocUnsafe(PIECE);
  const handle = openSync(file, 'r');
  try {
    for (let left = size; left > 0; ) {
      const read = readSync(handle, piece, 0, Math.min(left, PIECE), null);
      if (read === 0) break;
      hash.update(piece.subarray(0, read));
      left -= read;
    }
  } finally {
    closeSync(handle);
  }
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
