import type { Dirent } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';

/**
 * Removes what a killed git leaves in a bare repository that nobody else uses: lock files, half packs, and the side
 * directories of an unfinished swap (G7). Without any of it this is a few directory reads.
 */
export async function clearLeftovers(dir: string): Promise<void> {
  const found = await entries(dir);
  if (found === null) await restoreSwap(dir);
  await rm(`${dir}.new`, { recursive: true, force: true });
  await rm(`${dir}.old`, { recursive: true, force: true });
  for (const entry of (await entries(dir)) ?? []) {
    if (entry.isFile() && entry.name.endsWith('.lock')) await rm(path.join(dir, entry.name), { force: true });
  }
  await rm(path.join(dir, 'gc.pid'), { force: true });
  await clearLocks(path.join(dir, 'refs'));
  for (const folder of ['objects', 'objects/pack']) {
    for (const entry of (await entries(path.join(dir, folder))) ?? []) {
      if (entry.name.startsWith('tmp_'))
        await rm(path.join(dir, folder, entry.name), { recursive: true, force: true });
    }
  }
}

/** Killed between the two renames of a swap: the new clone was whole, or the old one is still there. */
async function restoreSwap(dir: string): Promise<void> {
  if ((await entries(`${dir}.old`)) !== null) await rename(`${dir}.old`, dir);
}

async function clearLocks(folder: string): Promise<void> {
  for (const entry of (await entries(folder)) ?? []) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) await clearLocks(file);
    else if (entry.name.endsWith('.lock')) await rm(file, { force: true });
  }
}

async function entries(folder: string): Promise<Dirent[] | null> {
  return readdir(folder, { withFileTypes: true }).catch(() => null);
}
