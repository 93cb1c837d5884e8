import { cp, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationalError } from '../../lib/errors.ts';

/** Throw-away directories of one job; `workDir` holds a writable copy of the folder. */
export interface Scratch {
  readonly root: string;
  readonly workDir: string;
  [Symbol.asyncDispose](): Promise<void>;
}

const PREFIX = 'discovery-';
/** Older than any job can be: left by a service that was killed. */
const STALE_MS = 3_600_000;

/**
 * A copy, not links: the folder's code may write to what it opens, and the tree must not change. Throws `DISK_FULL`.
 * @param now epoch milliseconds
 */
export async function makeScratch(workRoot: string, treeDir: string, now: number): Promise<Scratch> {
  try {
    await mkdir(workRoot, { recursive: true });
    await removeStale(workRoot, now);
    const root = await mkdtemp(join(workRoot, PREFIX));
    const workDir = join(root, 'work');
    await cp(treeDir, workDir, { recursive: true, dereference: false, mode: 0 });
    await mkdir(join(root, 'home'));
    return {
      root,
      workDir,
      [Symbol.asyncDispose]: () => remove(root),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    throw new OperationalError('DISK_FULL', `no space is left in ${workRoot}`, {
      next: 'retry',
      hint: 'free some space',
      cause: error,
    });
  }
}

async function removeStale(workRoot: string, now: number): Promise<void> {
  for (const name of await readdir(workRoot)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(workRoot, name);
    const info = await stat(path).catch(() => null);
    if (info !== null && now - info.mtimeMs > STALE_MS) await remove(path);
  }
}

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}
