import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { asDiskError } from './disk-error.ts';
import { opaqueId } from './ids.ts';

/** Content that is on the disk under a temporary name and takes its place whole, or never. */
export interface PreparedFile {
  /** Renames it over the target; durable when this resolves. */
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/**
 * Writes and fsyncs the content beside its target: what can fail for want of space fails here, with nothing replaced.
 * Throws `DISK_FULL`.
 */
export async function prepareFile(
  file: string,
  content: string | Uint8Array,
  mode = 0o644,
): Promise<PreparedFile> {
  const temporary = `${file}.tmp-${opaqueId().slice(0, 8)}`;
  const action = `write ${path.basename(file)}`;
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw asDiskError(error, action);
  }
  return {
    async commit() {
      try {
        await rename(temporary, file);
        await syncFolder(path.dirname(file));
      } catch (error) {
        throw asDiskError(error, action);
      }
    },
    async discard() {
      await rm(temporary, { force: true });
    },
  };
}

export async function writeFileAtomic(file: string, content: string, mode?: number): Promise<void> {
  const prepared = await prepareFile(file, content, mode);
  await prepared.commit();
}

/** The rename itself is durable only when its folder is synced. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
