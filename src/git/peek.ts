import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from '../lib/disk-error.ts';
import { OperationalError } from '../lib/errors.ts';
import { opaqueId } from '../lib/ids.ts';
import { fetchShallow } from './fetch.ts';
import { type GitOutput, runGit } from './git-process.ts';
import { createHistory, type History } from './history.ts';
import { type ObjectReader, openObjects } from './objects.ts';
import { endOrphan } from './orphan.ts';

/** A commit that was looked at and is not kept. */
export interface Peek {
  readonly commit: string;
  /** Name of the ref on the remote, or the commit. */
  readonly name: string;
  readonly objects: ObjectReader;
  /** As far as it was fetched. */
  readonly history: Pick<History, 'isAncestor' | 'ahead'>;
  close(): Promise<void>;
}

export interface PeekOptions {
  /** The mirror; it is read (what it has is not fetched again) and not changed. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly url: string;
  /** Ref or commit as git names it in a refspec. */
  readonly source: string;
  /** What it was a moment ago. */
  readonly commit: string;
  readonly depth: number;
  /** Runs git against the remote; throws what the remote answered. The pid of it is recorded in the file. */
  readonly contact: (args: readonly string[], action: string, pidFile: string) => Promise<unknown>;
  /** Of a mirror without all contents: fetches those that the commit needs. */
  readonly bringContents?: (gitDir: string, commit: string, pidFile: string) => Promise<void>;
}

const DEADLINE_MS = 60_000;
const REF = 'refs/elt/peek';

/**
 * Fetches one ref into a repository of its own beside the mirror, which borrows the mirror's objects. The mirror keeps its
 * history, its shallow boundary and its refs as they are, however often and at once others look at refs; nothing is checked
 * out. `close` removes it.
 */
export async function peekAside(options: PeekOptions): Promise<Peek> {
  const { dir, env, url, source } = options;
  const side = `${dir}.peek-${opaqueId()}`;
  const pidFile = `${side}.pid`;
  async function close(): Promise<void> {
    await rm(side, { recursive: true, force: true });
    await rm(pidFile, { force: true });
  }
  const local = async (args: readonly string[], action: string) =>
    runGit({ args: [`--git-dir=${side}`, ...args], env, deadlineMs: DEADLINE_MS, action });
  try {
    await prepare(side, options);
    await fetchShallow({ gitDir: side, url, refspec: `${source}:${REF}`, depth: options.depth }, (args) =>
      options.contact(args, `fetch ${source} of ${url}`, pidFile),
    );
    const commit = await fetched(side, options, local);
    // What the mirror's commits name is taken for known by the remote, whether their contents were fetched or not.
    await options.bringContents?.(side, commit, pidFile);
    const objects = openObjects(side, env);
    return {
      commit,
      name: source,
      objects,
      history: createHistory(local),
      async close() {
        objects.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The commit that came; a tag is an object of its own, and a branch may have moved since it was listed. */
async function fetched(
  side: string,
  { url, source, commit }: PeekOptions,
  local: (args: readonly string[], action: string) => Promise<GitOutput>,
): Promise<string> {
  const loose = await readFile(path.join(side, REF), 'utf8').catch(() => '');
  if (loose.trim() === commit) return commit;
  const found = await local(['rev-parse', '--verify', '--quiet', `${REF}^{commit}`], 'read a commit');
  if (found.exitCode === 0) return found.stdout.toString('utf8').trim();
  throw new OperationalError('REQUEST_INVALID', `${source} of ${url} is no commit`, { next: 'stalled' });
}

/** As `git init --bare` makes it, without another process. */
async function prepare(side: string, { dir }: PeekOptions): Promise<void> {
  const objects = path.join(dir, 'objects');
  const isBorrowed = existsSync(objects);
  await mkdir(path.join(side, 'objects', 'info'), { recursive: true });
  await mkdir(path.join(side, 'refs'));
  await writeFile(path.join(side, 'HEAD'), 'ref: refs/heads/elt\n');
  await writeFile(path.join(side, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = true\n');
  if (!isBorrowed) return;
  await writeFile(path.join(side, 'objects', 'info', 'alternates'), `${objects}\n`);
  // What is offered as known would otherwise be taken for known with all its history.
  await copyFile(path.join(dir, 'shallow'), path.join(side, 'shallow')).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
}

/** Removes what a killed process looked at, and ends the git that it left. */
export async function clearPeeks(dir: string): Promise<void> {
  const parent = path.dirname(dir);
  const prefix = `${path.basename(dir)}.peek-`;
  for (const name of await readdir(parent).catch(() => [])) {
    if (!name.startsWith(prefix)) continue;
    const file = path.join(parent, name);
    if (name.endsWith('.pid')) await endOrphan(file, file.slice(0, -'.pid'.length));
    else await rm(file, { recursive: true, force: true });
  }
}
