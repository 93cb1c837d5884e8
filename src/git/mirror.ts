import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { OperationalError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { createRedactor } from '../lib/secret.ts';
import { pickAnyRef } from './any-ref.ts';
import { fetchArguments, fetchShallow } from './fetch.ts';
import { type GitAccess, localGitEnvironment, remoteGitEnvironment } from './git-environment.ts';
import { gitError } from './git-errors.ts';
import { type GitOutput, runGit } from './git-process.ts';
import { createHistory, type History } from './history.ts';
import { clearLeftovers } from './leftovers.ts';
import { mirrorConfig } from './mirror-config.ts';
import { createMutex } from './mutex.ts';
import { type ObjectReader, openObjects } from './objects.ts';
import { endOrphan, recordProcess } from './orphan.ts';
import { clearPeeks, type Peek, peekAside } from './peek.ts';
import { type GitRef, type PickedRef, pickRef, refSource } from './remote-refs.ts';
import type { RemoteUrl } from './remote-url.ts';
import { forgetPromises, missingBlobs, type SparseOptions, withPromises } from './sparse.ts';
import { bindingFile, boundToken, explainWithheld } from './token-binding.ts';
import { openWorkingTree, UNCOMMITTED_EMAIL } from './working-tree.ts';

export interface MirrorOptions {
  /** `repo_clone`: made when first fetched. What lies beside it with its name as prefix is ours too. */
  readonly dir: string;
  readonly remote: RemoteUrl;
  /** Asked at each contact, so that a rotated token works without restart. */
  readonly token: () => string | null | Promise<string | null>;
  readonly ssh?: GitAccess['ssh'];
  readonly caFile?: string;
  /** The service's environment: proxies and CA files are taken from it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  /**
   * Of a local working copy: what is checked out is served as it lies there, uncommitted changes below these paths
   * included. Of any other remote it says nothing.
   */
  readonly workingTree?: { readonly paths: readonly string[] };
  /** Only the contents at or below these paths are fetched; absent: everything. */
  readonly sparsePaths?: readonly string[];
  readonly deadlines?: { readonly listMs?: number; readonly fetchMs?: number };
}

/**
 * A bare repository with the last commits of one ref, filled by plumbing and read by object id. It has no remote, no
 * hooks and no configuration of the user; the token is never written to it.
 * Errors are `OperationalError`s of the `GIT_*` family, `REPOSITORY_EMPTY` and `DISK_FULL`; those of the token's giver
 * (`GITHUB_*`) pass through.
 */
export interface Mirror {
  readonly gitDir: string;
  /** The working copy that is served as it lies there; null: commits only. */
  readonly workDir: string | null;
  /** Commit that the remote has at the ref now; of a served working copy the one that stands for what lies there. */
  remoteHead(ref: GitRef, signal?: AbortSignal): Promise<string>;
  /** Brings the ref's commits here and returns the commit that was brought, which is the one to record (G16). */
  fetch(ref: GitRef, signal?: AbortSignal): Promise<string>;
  /** A fresh clone in a side directory that takes the place of a damaged one when it is whole (G9). */
  rebuild(ref: GitRef, signal?: AbortSignal): Promise<string>;
  /** Whether a commit is here with all the contents that are fetched of one. */
  has(commit: string): Promise<boolean>;
  /** Whether `from` is not an ancestor of `to`; null when the history at hand is too short to tell. */
  rewritten(from: string, to: string): Promise<boolean | null>;
  /** Keeps the objects of a commit, whatever the remote does. */
  keep(commit: string): Promise<void>;
  kept(): Promise<readonly string[]>;
  /** Lets commits go, then lets git collect what nothing holds. */
  release(commits: readonly string[]): Promise<void>;
  /** Of the commits that are here; contacts nobody. */
  readonly history: History;
  /**
   * Looks at the component's ref or at any other of the remote without bringing it here: what is served, its history and
   * what is kept stay as they are. The caller closes it.
   */
  peek(ref: GitRef | string, signal?: AbortSignal): Promise<Peek>;
  /** The caller closes it. */
  objects(): ObjectReader;
}

const LIST_DEADLINE_MS = 30_000;
const FETCH_DEADLINE_MS = 10 * 60_000;
/** Somebody waits for what was only looked at. */
const PEEK_DEADLINE_MS = 120_000;
const LOCAL_DEADLINE_MS = 120_000;
const DEPTH = 50;
const HEAD_REF = 'refs/elt/head';
const KEEP = 'refs/elt/keep/';

/** Repairs what a killed process left (G7) and returns the mirror; contacts nobody. */
export async function openMirror(options: MirrorOptions): Promise<Mirror> {
  const { dir, remote, log } = options;
  const exclusive = createMutex();
  const configFile = `${dir}.config`;
  const processFile = `${dir}.pid`;
  await mkdir(path.dirname(dir), { recursive: true });
  await writeFile(configFile, await mirrorConfig(remote));
  if (await endOrphan(processFile, dir))
    log.warn({ repo: remote.url }, 'ended a git left by an earlier process');
  await clearLeftovers(dir);
  await clearPeeks(dir);
  const localEnv = localGitEnvironment(options.environment, configFile);
  const sparse =
    options.sparsePaths === undefined || remote.kind === 'local'
      ? null
      : { url: remote.url, paths: options.sparsePaths, env: localEnv };

  async function access(): Promise<GitAccess> {
    return {
      remote,
      token: await options.token(),
      ...(options.ssh === undefined ? {} : { ssh: options.ssh }),
      ...(options.caFile === undefined ? {} : { caFile: options.caFile }),
    };
  }

  async function contact(
    args: readonly string[],
    { action, deadlineMs, signal, pidFile = processFile, input }: Contact,
  ): Promise<GitOutput> {
    const allowed = await access();
    const { token, withheld } = await boundToken(allowed, bindingFile(dir));
    const output = await runGit({
      args,
      env: remoteGitEnvironment(options.environment, configFile, { ...allowed, token }),
      deadlineMs,
      action,
      ...(signal === undefined ? {} : { signal }),
      ...(input === undefined ? {} : { input }),
      ...(pidFile === null
        ? {}
        : { onStart: (pid) => void recordProcess(pidFile, pid).catch(() => undefined) }),
    });
    if (pidFile !== null) await rm(pidFile, { force: true });
    if (output.exitCode === 0) return output;
    const error = gitError(output.stderr, {
      action,
      host: remote.host,
      hasToken: token !== null,
      redact: createRedactor(token === null ? [] : [token]),
    });
    throw withheld !== null && error.code !== 'GIT_UNREACHABLE'
      ? explainWithheld(error, remote, withheld, dir)
      : error;
  }

  async function local(args: readonly string[], action: string): Promise<GitOutput> {
    return runGit({
      args: [`--git-dir=${dir}`, ...args],
      env: localEnv,
      deadlineMs: LOCAL_DEADLINE_MS,
      action,
    });
  }

  const workDir = options.workingTree === undefined ? null : workingCopyOf(remote);
  const workingTree =
    workDir === null
      ? null
      : openWorkingTree({
          gitDir: dir,
          workDir,
          paths: options.workingTree?.paths ?? [],
          env: localEnv,
        });

  async function remoteHead(ref: GitRef, signal?: AbortSignal): Promise<string> {
    if (ref.kind === 'commit') return ref.sha;
    const { commit } = await resolve(ref, signal);
    if (workingTree === null || ref.kind !== 'branch' || (await workingTree.branch()) !== ref.name) {
      return commit;
    }
    if (!(await has(commit))) await fetch(ref, signal);
    return exclusive(() => workingTree.capture(commit));
  }

  /** The ref as the remote has it now, by its name there; a range of versions is the newest tag in it. */
  async function resolve(
    ref: Exclude<GitRef, { kind: 'commit' }>,
    signal: AbortSignal | undefined,
  ): Promise<PickedRef> {
    return pickRef(ref, await listing(signal), remote);
  }

  async function listing(signal: AbortSignal | undefined): Promise<string> {
    const output = await contact(['ls-remote', '--', remote.url], {
      action: `reach ${remote.url}`,
      deadlineMs: options.deadlines?.listMs ?? LIST_DEADLINE_MS,
      signal,
      // It holds no lock, and must not take the place of a fetch in the file.
      pidFile: null,
    });
    return output.stdout.toString('utf8');
  }

  async function followed(ref: GitRef, signal: AbortSignal | undefined): Promise<PickedRef> {
    const commit = await remoteHead(ref, signal);
    const isHere = ref.kind === 'commit' || (await has(commit));
    return { name: isHere ? commit : (await resolve(ref, signal)).name, commit };
  }

  async function anyRef(text: string, signal: AbortSignal | undefined): Promise<PickedRef> {
    if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text) && (await has(text)))
      return { name: text, commit: text };
    try {
      return pickAnyRef(text, await listing(signal), remote);
    } catch (error) {
      const here = await history.resolve(text);
      if (here === null) throw error;
      return { name: here, commit: here };
    }
  }

  async function peek(ref: GitRef | string, signal?: AbortSignal): Promise<Peek> {
    const picked = typeof ref === 'string' ? await anyRef(ref, signal) : await followed(ref, signal);
    if (await hasCommit(picked.commit)) {
      if (sparse !== null) await fetch({ kind: 'commit', sha: picked.commit }, signal);
      const objects = openObjects(dir, localEnv);
      const close = async (): Promise<void> => objects.close();
      return { ...picked, objects, history, close };
    }
    const deadlineMs = options.deadlines?.fetchMs ?? PEEK_DEADLINE_MS;
    return peekAside({
      dir,
      env: localEnv,
      url: remote.url,
      source: picked.name,
      commit: picked.commit,
      depth: DEPTH,
      contact: (args, action, pidFile) => contact(args, { action, deadlineMs, signal, pidFile }),
      ...(sparse === null
        ? {}
        : {
            bringContents: (gitDir, commit, pidFile) =>
              bringContents(gitDir, commit, sparse, { ...fetching(signal), deadlineMs, pidFile }),
          }),
    });
  }

  function fetching(signal: AbortSignal | undefined): Contact {
    const deadlineMs = options.deadlines?.fetchMs ?? FETCH_DEADLINE_MS;
    return { action: `fetch ${remote.url}`, deadlineMs, signal };
  }

  /** Fetches into `gitDir`; returns the commit. Without history limits where the remote knows none. */
  async function bring(gitDir: string, ref: GitRef, signal: AbortSignal | undefined): Promise<string> {
    const source = ref.kind === 'semver' ? (await resolve(ref, signal)).name : refSource(ref);
    const contacting = fetching(signal);
    await fetchShallow(
      {
        gitDir,
        url: remote.url,
        refspec: `${source}:${HEAD_REF}`,
        depth: DEPTH,
        ...(sparse === null ? {} : { more: ['--filter=blob:none'] }),
      },
      (args) => contact(args, contacting),
    );
    const brought =
      (ref.kind === 'branch' ? await looseHead(gitDir) : null) ?? (await headCommit(gitDir, source));
    if (sparse !== null) await bringContents(gitDir, brought, sparse, contacting);
    return brought;
  }

  async function headCommit(gitDir: string, source: string): Promise<string> {
    const commit = await runGit({
      args: [`--git-dir=${gitDir}`, 'rev-parse', '--verify', '--quiet', `${HEAD_REF}^{commit}`],
      env: localEnv,
      deadlineMs: LOCAL_DEADLINE_MS,
      action: 'read the fetched commit',
    });
    if (commit.exitCode !== 0) throw damaged(`${source} is not a commit`);
    return commit.stdout.toString('utf8').trim();
  }

  async function bringContents(
    gitDir: string,
    commit: string,
    options: SparseOptions,
    contacting: Contact,
  ): Promise<void> {
    await forgetPromises(gitDir, options);
    const missing = await missingBlobs(gitDir, commit, options);
    if (missing.length === 0) return;
    await contact(
      [
        // As git itself asks for what is missing: told of the commits here, a server takes their contents for here too.
        '-c',
        'fetch.negotiationAlgorithm=noop',
        ...fetchArguments(gitDir),
        '--filter=blob:none',
        '--stdin',
        remote.url,
      ],
      { ...contacting, input: `${missing.join('\n')}\n` },
    );
    await forgetPromises(gitDir, options);
  }

  async function cloneAside(ref: GitRef, signal: AbortSignal | undefined): Promise<string> {
    const side = `${dir}.new`;
    await rm(side, { recursive: true, force: true });
    const made = await runGit({
      args: ['init', '--quiet', '--bare', '--template=', '--initial-branch=elt', side],
      env: localEnv,
      deadlineMs: LOCAL_DEADLINE_MS,
      action: 'make the mirror',
    });
    if (made.exitCode !== 0) {
      throw gitError(made.stderr, {
        action: 'make the mirror',
        host: null,
        hasToken: false,
        redact: (text) => text,
      });
    }
    const commit = await bring(side, ref, signal);
    if (existsSync(dir) && (await readOrigin(dir))?.url === remote.url) await salvage(side);
    await writeOrigin(side, { url: remote.url });
    const old = `${dir}.old`;
    await rm(old, { recursive: true, force: true });
    if (existsSync(dir)) await rename(dir, old);
    await rename(side, dir);
    await rm(old, { recursive: true, force: true });
    return commit;
  }

  /** What of the kept commits can still be read from the damaged mirror, one by one. */
  async function salvage(side: string): Promise<void> {
    for (const commit of await kept().catch(() => [])) {
      await runGit({
        args: [
          `--git-dir=${side}`,
          'fetch',
          '--quiet',
          '--no-tags',
          '--no-write-fetch-head',
          '--',
          dir,
          `+${KEEP}${commit}:${KEEP}${commit}`,
        ],
        env: { ...localEnv, GIT_ALLOW_PROTOCOL: 'file' },
        deadlineMs: LOCAL_DEADLINE_MS,
        action: 'save a kept commit',
      });
    }
  }

  async function kept(): Promise<readonly string[]> {
    if (!existsSync(dir)) return [];
    const output = await local(['for-each-ref', '--format=%(refname)', KEEP], 'list the kept commits');
    if (output.exitCode !== 0) throw damaged(output.stderr.trim());
    const lines = output.stdout.toString('utf8').split('\n');
    return lines.filter((line) => line.startsWith(KEEP)).map((line) => line.slice(KEEP.length));
  }

  async function has(commit: string): Promise<boolean> {
    if (!(await hasCommit(commit))) return false;
    return sparse === null || (await missingBlobs(dir, commit, sparse)).length === 0;
  }

  /** Of a mirror without all contents those of an older commit may be missing. */
  async function hasCommit(commit: string): Promise<boolean> {
    if (!existsSync(dir)) return false;
    const output = await local(['cat-file', '-e', `${commit}^{tree}`], 'look for a commit');
    return output.exitCode === 0;
  }

  async function fetch(ref: GitRef, signal?: AbortSignal): Promise<string> {
    return exclusive(async () => {
      await clearLeftovers(dir);
      if (!existsSync(dir) || (await readOrigin(dir))?.url !== remote.url) return cloneAside(ref, signal);
      const isHere = ref.kind === 'commit' && (await hasCommit(ref.sha));
      if (isHere && sparse === null) return ref.sha;
      try {
        if (!isHere) return await bring(dir, ref, signal);
        await bringContents(dir, ref.sha, sparse!, fetching(signal));
        return ref.sha;
      } catch (error) {
        if (!(error instanceof OperationalError) || !(await isDamage(error))) throw error;
        log.warn({ repo: remote.url, reason: error.message }, 'the mirror is damaged, cloning again');
        return cloneAside(ref, signal);
      }
    });
  }

  const history = createHistory(local);
  return {
    gitDir: dir,
    workDir,
    remoteHead,
    has,
    kept,
    fetch,
    async rebuild(ref, signal) {
      return exclusive(async () => cloneAside(ref, signal));
    },
    async rewritten(from, to) {
      if (from === to || (workDir !== null && (await standsForChanges(from)))) return false;
      const ancestor = await local(['merge-base', '--is-ancestor', from, to], 'compare two commits');
      if (ancestor.exitCode === 0) return false;
      const times = await local(['log', '--format=%ct', to], 'read the history');
      const before = await local(['log', '-1', '--format=%ct', from], 'read the history');
      if (times.exitCode !== 0 || before.exitCode !== 0) return null;
      const all = times.stdout.toString('utf8').trim().split('\n').map(Number);
      const complete = all.length < DEPTH || !existsSync(path.join(dir, 'shallow'));
      const at = Number(before.stdout.toString('utf8').trim());
      return complete || all.some((time) => time < at) ? true : null;
    },
    async keep(commit) {
      const output = await local(['update-ref', `${KEEP}${commit}`, commit], 'keep a commit');
      if (output.exitCode !== 0) {
        throw gitError(output.stderr, {
          action: 'keep a commit',
          host: null,
          hasToken: false,
          redact: (text) => text,
        });
      }
    },
    async release(commits) {
      await exclusive(async () => {
        if (!existsSync(dir)) return;
        for (const commit of commits)
          await local(['update-ref', '-d', `${KEEP}${commit}`], 'let a commit go');
        // With its promises: what was never fetched is no damage.
        await runGit({
          args: [`--git-dir=${dir}`, 'gc', '--auto', '--quiet', '--prune=1.day.ago'],
          env: sparse === null ? localEnv : withPromises(sparse),
          deadlineMs: LOCAL_DEADLINE_MS,
          action: 'collect unused objects',
        });
      });
    },
    history,
    peek,
    objects: () => openObjects(dir, localEnv),
  };

  /** A working copy that was committed or cleaned up is no rewritten history. */
  async function standsForChanges(commit: string): Promise<boolean> {
    const output = await local(['log', '-1', '--format=%ce', commit], 'read a commit');
    return output.stdout.toString('utf8').trim() === UNCOMMITTED_EMAIL;
  }

  /** Whether the failure lies here and not at the remote: a local read of the mirror's own head says so. */
  async function isDamage(error: OperationalError): Promise<boolean> {
    if (error.code === 'GIT_CORRUPT') return true;
    if (error.code !== 'GIT_REPOSITORY_NOT_FOUND' && error.code !== 'GIT_FAILED') return false;
    const output = await local(['rev-parse', '--is-bare-repository'], 'check the mirror');
    return output.exitCode !== 0;
  }
}

/** Root of the working copy that a local address names; null: a bare repository, or none. */
function workingCopyOf(remote: RemoteUrl): string | null {
  return remote.kind === 'local' && existsSync(path.join(remote.path, '.git')) ? remote.path : null;
}

/** What git has just written; a branch is always at a commit. Null: git keeps its refs otherwise. */
async function looseHead(gitDir: string): Promise<string | null> {
  const text = await readFile(path.join(gitDir, HEAD_REF), 'utf8').catch(() => '');
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})\n$/.test(text) ? text.trim() : null;
}

/** How the remote is contacted. */
interface Contact {
  /** What is tried, for the error. */
  readonly action: string;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  /** Where git's pid is recorded; null: nowhere; absent: the mirror's own file. */
  readonly pidFile?: string | null;
  readonly input?: string;
}

interface Origin {
  readonly url: string;
}

async function readOrigin(dir: string): Promise<Origin | null> {
  try {
    return JSON.parse(await readFile(path.join(dir, 'elt-origin.json'), 'utf8')) as Origin;
  } catch {
    return null;
  }
}

async function writeOrigin(dir: string, origin: Origin): Promise<void> {
  await writeFile(path.join(dir, 'elt-origin.json'), `${JSON.stringify(origin)}\n`);
}

function damaged(message: string): OperationalError {
  return new OperationalError('GIT_CORRUPT', message, {
    next: 'retry',
    hint: 'the repository is cloned again',
  });
}
