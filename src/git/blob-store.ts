import {
  chmod,
  copyFile,
  link,
  lstat,
  mkdir,
  readdir,
  rename,
  rm,
  utimes,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from '../lib/disk-error.ts';
import { opaqueId } from '../lib/ids.ts';
import { contentTime, fileMode, isIntact, type ManifestEntry } from './tree-manifest.ts';

export interface BlobStore {
  /** Makes `target` a hard link to the one copy of this content; `load` is asked when there is no intact copy. */
  linkTo(entry: ManifestEntry, target: string, load: () => Promise<Buffer>): Promise<void>;
  /** Removes copies that no tree links to and that were not touched since `before`. */
  collect(before: number): Promise<void>;
}

/** One read-only file per content and mode below `dir`. */
export function createBlobStore(dir: string): BlobStore {
  async function write(entry: ManifestEntry, file: string, load: () => Promise<Buffer>): Promise<void> {
    const content = await load();
    await mkdir(path.dirname(file), { recursive: true });
    const temporary = `${file}.tmp-${opaqueId()}`;
    await writeFile(temporary, content, { flag: 'wx' });
    await seal(temporary, entry);
    await rename(temporary, file);
  }

  return {
    async linkTo(entry, target, load) {
      const name = entry.mode === '100755' ? `${entry.oid}.x` : entry.oid;
      const file = path.join(dir, entry.oid.slice(0, 2), name);
      const stats = await lstat(file).catch(() => undefined);
      if (!isIntact(stats, entry)) await write(entry, file, load);
      try {
        await link(file, target);
      } catch (error) {
        // Too many links to one inode, or a file system without hard links.
        if (!['EMLINK', 'EPERM', 'ENOTSUP', 'EXDEV'].includes(errorCode(error))) throw error;
        await copyFile(file, target);
        await seal(target, entry);
      }
    },
    async collect(before) {
      for (const folder of await readdir(dir).catch(() => [])) {
        for (const name of await readdir(path.join(dir, folder))) {
          const file = path.join(dir, folder, name);
          const stats = await lstat(file).catch(() => null);
          if (stats !== null && stats.nlink === 1 && stats.ctimeMs < before) await rm(file, { force: true });
        }
      }
    },
  };
}

async function seal(file: string, entry: ManifestEntry): Promise<void> {
  await chmod(file, fileMode(entry.mode));
  const time = contentTime(entry.oid);
  await utimes(file, time, time);
}
