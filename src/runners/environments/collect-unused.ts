import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Removes a built directory if nobody used it since `before`.
 *
 * `.ready` is taken away first: whoever used it meanwhile has refreshed its time and gets it back, or builds anew.
 * @param before epoch milliseconds
 */
export async function removeIfUnused(directory: string, before: number): Promise<boolean> {
  const ready = join(directory, '.ready');
  const taken = `${ready}.unused`;
  const info = await stat(ready).catch(() => null);
  if (info === null || info.mtimeMs >= before) return false;
  await rename(ready, taken);
  if ((await stat(taken)).mtimeMs >= before) {
    await rename(taken, ready);
    return false;
  }
  await rm(directory, { recursive: true, force: true });
  return true;
}
