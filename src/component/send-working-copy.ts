import { existsSync } from 'node:fs';
import path from 'node:path';
import type { RepositoryFile } from '../discovery/discover.ts';
import { isRead } from '../discovery/folder-source.ts';
import { listWorkTree } from '../git/list-work-tree.ts';
import { OperationalError } from '../lib/errors.ts';
import { readWorkingCopy } from './working-copy.ts';

/** A file of a working directory as a service is told of it. */
export interface SentFile extends RepositoryFile {
  /** Base64; absent: discovery does not read it, its id is enough. */
  readonly content?: string;
}

/**
 * A working directory for a service to plan: read by the process of whoever has it, with what discovery reads. The service
 * never opens a path that somebody names. What Git ignores is left out.
 * @param dir root of the repository
 * @param env of whoever has the directory
 * Throws `PIPELINES_DIRECTORY_MISSING`.
 */
export async function sendWorkingCopy(
  dir: string,
  pipelinesDirectory: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<SentFile[]> {
  if (!existsSync(path.join(dir, pipelinesDirectory)))
    throw new OperationalError(
      'PIPELINES_DIRECTORY_MISSING',
      `${dir} has no folder "${pipelinesDirectory}"`,
      {
        hint: 'name the root of a pipelines repository; --pipelines-dir names another folder in it',
      },
    );
  const places = pipelinesDirectory === '' ? [] : [pipelinesDirectory, 'dagster.yaml'];
  const only = await listWorkTree(dir, places, env);
  const copy = readWorkingCopy(dir, pipelinesDirectory, { only, ids: 'content' });
  const sent: SentFile[] = [];
  for (const file of copy.files) {
    const name = file.path.endsWith('/dagster.yaml') ? 'dagster.yaml' : file.path;
    const content = isRead(name, file) ? await copy.readBlob(file.oid) : null;
    sent.push(content === null ? file : { ...file, content: Buffer.from(content).toString('base64') });
  }
  return sent;
}
