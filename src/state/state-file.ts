import { link, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { type PreparedFile, prepareFile } from '../lib/atomic-file.ts';
import { asDiskError, errorCode } from '../lib/disk-error.ts';
import { decodeSnapshot, encodeSnapshot } from './codec.ts';
import type { Snapshot } from './snapshot.ts';

export const STATE_FILE = 'pipelines_state.json';
const PREVIOUS_FILE = 'pipelines_state.previous.json';

export interface StateRead {
  /** The newest whole state of this repository; null: there is none. */
  readonly snapshot: Snapshot | null;
  /** Why a file was passed over, for the log; empty when all is well. */
  readonly problems: readonly string[];
}

/**
 * Reads the state of a component, or the one before it when the newest cannot be used (fault C7). A state of another
 * component or repository is never returned: its pipelines are not this repository's last known good.
 */
export async function readStateFile(
  dir: string,
  owner: { component: string; url: string },
): Promise<StateRead> {
  const problems: string[] = [];
  for (const name of [STATE_FILE, PREVIOUS_FILE]) {
    let text: string;
    try {
      text = await readFile(path.join(dir, name), 'utf8');
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') problems.push(`${name}: ${errorCode(error)}`);
      continue;
    }
    const result = decodeSnapshot(text);
    if (!('ok' in result)) problems.push(`${name}: ${result.problem}`);
    else if (result.ok.component !== owner.component || result.ok.repo.url !== owner.url) {
      problems.push(`${name}: it is of ${result.ok.component} at ${result.ok.repo.url}`);
      // What came before it is of another repository too, or older than the change of address.
      break;
    } else return { snapshot: result.ok, problems };
  }
  return { snapshot: null, problems };
}

/**
 * Writes the new state beside the old one, durable but not yet in its place; `commit` swaps it in by one rename and
 * keeps the old one as the previous. Throws `DISK_FULL`, with the old state untouched.
 */
export async function prepareStateFile(dir: string, snapshot: Snapshot): Promise<PreparedFile> {
  const file = path.join(dir, STATE_FILE);
  await mkdir(dir, { recursive: true }).catch((error: unknown) => {
    throw asDiskError(error, `make ${dir}`);
  });
  const prepared = await prepareFile(file, encodeSnapshot(snapshot));
  return {
    async commit() {
      const previous = path.join(dir, PREVIOUS_FILE);
      await rm(previous, { force: true });
      // Without hard links there is no previous file; the current one is whole all the same.
      await link(file, previous).catch(() => undefined);
      await prepared.commit();
    },
    discard: () => prepared.discard(),
  };
}

/** Digest that stands in the state file; null when the file is missing or not whole. Cheaper than reading it all. */
export async function readStateDigest(dir: string): Promise<string | null> {
  const text = await readFile(path.join(dir, STATE_FILE), 'utf8').catch(() => '');
  // As `encodeSnapshot` writes it: the members of the file's own object are indented by two.
  return text.endsWith('\n}\n') ? (/^ {2}"digest": "([^"]+)"/m.exec(text)?.[1] ?? null) : null;
}

/** Removes prepared files that a killed process left; nobody else may write the state at that time. */
export async function clearPrepared(dir: string): Promise<void> {
  for (const name of await readdir(dir).catch(() => [])) {
    if (/^pipelines_state\.(refresh\.)?json\.tmp-/.test(name))
      await rm(path.join(dir, name), { force: true });
  }
}
