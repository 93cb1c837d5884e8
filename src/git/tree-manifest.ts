import { type Dirent, lstatSync, readdirSync, type Stats } from 'node:fs';
import path from 'node:path';
import type { TreeEntry } from './objects.ts';

export type ManifestEntry = TreeEntryCore;
type TreeEntryCore = Pick<TreeEntry, 'path' | 'mode' | 'oid' | 'size'>;

export interface TreeDamage {
  readonly path: string;
  /** What should be there; null: nothing. */
  readonly entry: ManifestEntry | null;
}

const FIRST_TIME = 631_152_000;
const TIME_SPAN = 1_000_000_000;

/**
 * Modification time (seconds) that a file gets: a function of its content. A write changes it, so that damage is seen
 * without reading; and tools that judge by size and time (Python's byte code) never take one revision for another.
 */
export function contentTime(oid: string): number {
  return FIRST_TIME + (Number.parseInt(oid.slice(0, 8), 16) % TIME_SPAN);
}

export function fileMode(mode: string): number {
  return mode === '100755' ? 0o555 : 0o444;
}

/** Whether a file is still as it was laid down, by size, time and mode. */
export function isIntact(stats: Stats | undefined, entry: ManifestEntry): boolean {
  if (stats === undefined) return false;
  if (entry.mode === '040000') return stats.isDirectory();
  if (entry.mode === '120000') return stats.isSymbolicLink() && stats.size === entry.size;
  return (
    stats.isFile() &&
    stats.size === entry.size &&
    stats.mtimeMs === contentTime(entry.oid) * 1000 &&
    (stats.mode & 0o777) === fileMode(entry.mode)
  );
}

/** Compares a directory with its manifest: what is changed, missing or too much. Folders come before what they hold. */
export function treeDamage(root: string, manifest: readonly ManifestEntry[]): readonly TreeDamage[] {
  const damage: TreeDamage[] = [];
  for (const entry of manifest) {
    const stats = lstatSync(path.join(root, entry.path), { throwIfNoEntry: false });
    if (!isIntact(stats, entry)) damage.push({ path: entry.path, entry });
  }
  const known = new Set(manifest.map((entry) => entry.path));
  for (const name of below(root, '')) if (!known.has(name)) damage.push({ path: name, entry: null });
  return damage;
}

function below(root: string, folder: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(path.join(root, folder), { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
    return entry.isDirectory() ? [name, ...below(root, name)] : [name];
  });
}
