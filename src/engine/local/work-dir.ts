import {
  chmodSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

/** A file that a run wrote where the revision has one of its own; it was kept. */
export interface Collision {
  /** Relative to the working directory. */
  readonly file: string;
}

/** Path → size, time (ms) and inode of what we laid: equal values mean that no run touched it since. */
const ManifestSchema = z.object({
  tree_id: z.string(),
  files: z.record(z.string(), z.tuple([z.number(), z.number(), z.number()])),
});
type Manifest = z.infer<typeof ManifestSchema>;
type Laid = Manifest['files'][string];

/**
 * Lays a revision's files into a pipeline's durable working directory and takes away those of other revisions.
 *
 * The files are copies (sharing blocks where the file system can): a link would let a step that runs as root, whom modes
 * do not stop, write through it into the read-only tree. What a run wrote is never replaced or removed: where it stands
 * in a file's way, that is returned as a collision.
 * @param tree the read-only tree of the folder
 * @param manifest file that remembers what was laid
 */
export function layWorkDir(
  workDir: string,
  tree: string,
  treeId: string,
  manifest: string,
): readonly Collision[] {
  mkdirSync(workDir, { recursive: true });
  const before = readManifest(manifest);
  const collisions: Collision[] = [];
  const files: Record<string, Laid> = {};
  const wanted = filesOf(tree);
  for (const file of Object.keys(before.files)) {
    if (!wanted.has(file)) removeLaid(workDir, file, before.files[file]!);
  }
  for (const file of wanted) {
    const laid = layFile(
      join(workDir, file),
      join(tree, file),
      before.files[file],
      before.tree_id === treeId,
    );
    if (laid === null) collisions.push({ file });
    else files[file] = laid;
  }
  const after: Manifest = { tree_id: treeId, files };
  if (JSON.stringify(after) !== JSON.stringify(before)) writeManifest(manifest, after);
  return collisions;
}

/** Returns what now lies at `target`; null if a run's own file is in the way. */
function layFile(target: string, source: string, known: Laid | undefined, sameTree: boolean): Laid | null {
  const there = stat(target);
  const isOurs = there !== null && known !== undefined && isEqual(laidOf(there), known);
  if (isOurs && sameTree) return known;
  if (there !== null && isSame(target, there, source)) return laidOf(there);
  if (there !== null && !isOurs) return null;
  try {
    mkdirSync(dirname(target), { recursive: true });
  } catch (error) {
    // A run's file stands where the revision has a folder.
    if (['EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
  copy(source, target);
  return laidOf(lstatSync(target));
}

function copy(source: string, target: string): void {
  const temporary = `${target}.elt-tmp`;
  rmSync(temporary, { force: true });
  const original = lstatSync(source);
  if (original.isSymbolicLink()) {
    symlinkSync(readlinkSync(source), temporary);
  } else {
    copyFileSync(source, temporary, constants.COPYFILE_FICLONE);
    chmodSync(temporary, (original.mode & 0o111) === 0 ? 0o644 : 0o755);
  }
  renameSync(temporary, target);
}

function removeLaid(workDir: string, file: string, known: Laid): void {
  const path = join(workDir, file);
  const there = stat(path);
  if (there === null || !isEqual(laidOf(there), known)) return;
  rmSync(path);
  for (let folder = dirname(file); folder !== '.'; folder = dirname(folder)) {
    try {
      rmdirSync(join(workDir, folder));
    } catch {
      return; // A run wrote into it.
    }
  }
}

function isSame(target: string, there: Stats, source: string): boolean {
  const original = lstatSync(source);
  if (original.isSymbolicLink())
    return there.isSymbolicLink() && readlinkSync(target) === readlinkSync(source);
  if (!there.isFile() || there.size !== original.size) return false;
  return readFileSync(target).equals(readFileSync(source));
}

function filesOf(tree: string): ReadonlySet<string> {
  const files: string[] = [];
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    if (!entry.isDirectory()) files.push(join(entry.parentPath, entry.name).slice(tree.length + 1));
  }
  return new Set(files.sort());
}

function stat(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
}

function laidOf({ size, mtimeMs, ino }: Stats): Laid {
  return [size, mtimeMs, ino];
}

function isEqual(a: Laid, b: Laid): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2];
}

function readManifest(path: string): Manifest {
  try {
    return ManifestSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return { tree_id: '', files: {} };
  }
}

function writeManifest(path: string, manifest: Manifest): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.tmp`, JSON.stringify(manifest));
  renameSync(`${path}.tmp`, path);
}
