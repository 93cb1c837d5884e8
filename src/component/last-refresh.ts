import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { prepareFile } from '../lib/atomic-file.ts';

/** A refresh that left nothing to do, by what went in and what came out. */
export interface LastRefresh {
  /** Of commit, settings, product version and results of background discovery. */
  readonly fingerprint: string;
  /** Of the snapshot that was served after it. */
  readonly digest: string;
}

const FILE = 'pipelines_state.refresh.json';

/** Null: there is none, or the file is damaged; then the repository is read as if for the first time. */
export async function readLastRefresh(dir: string): Promise<LastRefresh | null> {
  try {
    const { fingerprint, digest } = JSON.parse(await readFile(path.join(dir, FILE), 'utf8')) as LastRefresh;
    return typeof fingerprint === 'string' && typeof digest === 'string' ? { fingerprint, digest } : null;
  } catch {
    return null;
  }
}

export async function writeLastRefresh(dir: string, last: LastRefresh): Promise<void> {
  const file = await prepareFile(path.join(dir, FILE), `${JSON.stringify(last)}\n`);
  await file.commit();
}
