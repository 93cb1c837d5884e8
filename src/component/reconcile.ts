import { refText } from '../config/ref-text.ts';
import type { ComponentSettings, Settings } from '../config/settings.ts';
import { DEFAULT_INSTANCE } from '../discovery/config/instance-config.ts';
import {
  type DiscoverCache,
  type DiscoverOutput,
  type DiscoveryJob,
  type DiscoveryResult,
  discoverStatic,
} from '../discovery/discover.ts';
import { suggestPipelinesDirectory } from '../discovery/scan.ts';
import type { Mirror } from '../git/mirror.ts';
import type { CommitInfo, ObjectReader, TreeEntry } from '../git/objects.ts';
import type { GitRef } from '../git/remote-refs.ts';
import { UNCOMMITTED_EMAIL } from '../git/working-tree.ts';
import { compareDiagnostics, type Diagnostic } from '../lib/diagnostics.ts';
import { digestOf } from '../lib/digest.ts';
import { OperationalError } from '../lib/errors.ts';
import { invariant } from '../lib/invariant.ts';
import { snapshotDigest } from '../state/codec.ts';
import { diffSnapshots } from '../state/diff.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { SnapshotDiff } from '../state/snapshot-diff.ts';
import { mergeRevision } from './merge-revision.ts';
import { proposeMoves } from './propose-moves.ts';

export interface ReconcileInput {
  readonly settings: ComponentSettings;
  readonly service: Pick<Settings, 'environment' | 'passEnv' | 'alertEnv'>;
  /** What state and page call the repository. */
  readonly repoUrl: string;
  readonly mirror: Mirror;
  /** Another ref than the settings': the commit that a person chose, or that ended a hold. */
  readonly ref?: GitRef;
  /** Of a followed tag: the commit that it named. Another one stalls (fault G5): a release that changes is looked at by a person. */
  readonly tagAt?: readonly string[];
  /** What is served now, of this repository; null: nothing. */
  readonly previous: Snapshot | null;
  /** Of the last reconcile that ended well; equal means no work. */
  readonly fingerprint: string | null;
  readonly results: ReadonlyMap<string, DiscoveryResult>;
  readonly cache: DiscoverCache;
  readonly allowPrune: boolean;
  /** A webhook asked: the ref has moved, all but always. */
  readonly expectsNews: boolean;
  readonly now: number;
  readonly signal: AbortSignal;
}

export type Reconciled =
  | { readonly kind: 'unchanged'; readonly commit: string; readonly fingerprint: string }
  | {
      readonly kind: 'revision';
      readonly commit: string;
      readonly fingerprint: string;
      /** Without conditions: they are written by the caller, once, at the end. */
      readonly snapshot: Snapshot;
      readonly diff: SnapshotDiff;
      readonly jobs: readonly DiscoveryJob[];
      /** Folders that were parsed; all others are known by their tree. */
      readonly foldersRead: number;
      /** A commit that was served and that the branch does not hold any more; null: it moved forward, or nobody can tell. */
      readonly rewrittenFrom: string | null;
    };

/**
 * One refresh: fetch → list → discover → merge over the last good → guard. Reads objects and keeps those of the commit;
 * writes and publishes nothing else. Throws `OperationalError`; whatever it throws, what was served before still is.
 */
export async function reconcile(input: ReconcileInput): Promise<Reconciled> {
  const ref = input.ref ?? input.settings.ref;
  const brought = await bringNews(input, ref);
  const head = brought ?? (await input.mirror.remoteHead(ref, input.signal));
  guardTag(input, head);
  const known = fingerprintOf(input, head);
  if (known === input.fingerprint) return { kind: 'unchanged', commit: head, fingerprint: known };
  const isBrought = brought !== null || (await isHere(input, ref, head));
  const commit = isBrought ? head : await input.mirror.fetch(ref, input.signal);
  try {
    return await revisionOf(input, commit);
  } catch (error) {
    if (!(error instanceof OperationalError) || error.code !== 'GIT_CORRUPT') throw error;
    return revisionOf(input, await input.mirror.rebuild(ref, input.signal));
  }
}

/** A remote that hangs is found out by the longer way's own deadline; a large fetch goes on there too. */
const NEWS_DEADLINE_MS = 20_000;

/**
 * A delivery says that the branch moved: it is fetched at once, without asking first where it is. Null: nobody does, or that
 * failed, and the longer way tells better why.
 */
async function bringNews(
  { mirror, previous, expectsNews, signal }: ReconcileInput,
  ref: GitRef,
): Promise<string | null> {
  if (!expectsNews || previous === null || ref.kind !== 'branch' || mirror.workDir !== null) return null;
  return mirror
    .fetch(ref, AbortSignal.any([signal, AbortSignal.timeout(NEWS_DEADLINE_MS)]))
    .catch(() => null);
}

/** A branch that moved has a commit that is not here, all but always: then that need not be looked up. */
async function isHere({ mirror, previous }: ReconcileInput, ref: GitRef, head: string): Promise<boolean> {
  const moved = previous !== null && previous.repo.commit !== head;
  if (moved && ref.kind === 'branch' && mirror.workDir === null) return false;
  return mirror.has(head);
}

function fingerprintOf(input: ReconcileInput, commit: string): string {
  return digestOf({
    commit,
    settings: input.settings.digest,
    // Whether what folders read is set can change without a restart.
    variables: Object.keys(input.service.environment).sort(),
    results: [...input.results.keys()].sort(),
  });
}

async function revisionOf(input: ReconcileInput, commit: string): Promise<Reconciled> {
  const { mirror, previous, settings } = input;
  const fingerprint = fingerprintOf(input, commit);
  const objects = mirror.objects();
  try {
    const { info, entries } = await list(objects, commit, settings.pipelinesDirectory);
    await guardDirectory(input, commit, entries, objects);
    const [output, rewritten] = await Promise.all([
      discover(input, commit, entries, objects),
      isRewritten(input, info),
      mirror.keep(commit),
    ]);
    const merged = mergeRevision(previous?.pipelines ?? [], previous?.instance ?? DEFAULT_INSTANCE, output);
    const moves = proposeMoves(previous?.pipelines ?? [], previous?.diagnostics ?? [], merged.pipelines);
    const diagnostics = [...merged.diagnostics, ...moves].sort(compareDiagnostics);
    const snapshot = snapshotOf(input, info, { ...merged, diagnostics });
    guardPrune(input, snapshot);
    return {
      kind: 'revision',
      commit,
      fingerprint,
      snapshot,
      diff: diffSnapshots(previous, snapshot),
      jobs: output.jobs,
      foldersRead: output.read,
      rewrittenFrom: rewritten === true && previous !== null ? previous.repo.commit : null,
    };
  } finally {
    objects.close();
  }
}

/** Null: nothing was served before, or the history at hand cannot tell. */
async function isRewritten({ mirror, previous }: ReconcileInput, now: CommitInfo): Promise<boolean | null> {
  const before = previous?.repo.commit;
  if (before === undefined) return null;
  return before === now.commit || now.parents.includes(before) ? false : mirror.rewritten(before, now.commit);
}

async function list(
  objects: ObjectReader,
  commit: string,
  directory: string,
): Promise<{ info: CommitInfo; entries: readonly TreeEntry[] }> {
  const [info, entries] = await Promise.all([
    objects.commit(commit),
    objects.list(commit, directory === '' ? [] : [directory, 'dagster.yaml']),
  ]);
  return { info, entries };
}

async function discover(
  input: ReconcileInput,
  commit: string,
  entries: readonly TreeEntry[],
  objects: ObjectReader,
): Promise<DiscoverOutput> {
  const trees = new Map(
    entries.filter((entry) => entry.type === 'tree').map((entry) => [entry.path, entry.oid]),
  );
  const environment = input.service.environment;
  return discoverStatic({
    component: input.settings.name,
    commit,
    pipelinesDirectory: input.settings.pipelinesDirectory,
    files: entries.filter((entry) => entry.type !== 'tree'),
    readBlob: (oid) => objects.blob(oid),
    folderTreeId(dir) {
      const oid = trees.get(dir);
      invariant(oid !== undefined, `the folder ${dir} was not listed`);
      return oid;
    },
    results: input.results,
    cache: input.cache,
    previous: input.previous?.pipelines ?? [],
    environment: {
      names: new Set(Object.keys(environment)),
      passEnv: input.service.passEnv,
      alertEnv: input.service.alertEnv,
    },
  });
}

function snapshotOf(
  input: ReconcileInput,
  info: CommitInfo,
  merged: Pick<Snapshot, 'pipelines' | 'instance'> & { readonly diagnostics: readonly Diagnostic[] },
): Snapshot {
  const { settings, now } = input;
  const content = {
    version: 1 as const,
    component: settings.name,
    repo: {
      url: input.repoUrl,
      branch: refText(settings.ref),
      commit: info.commit,
      author: info.author,
      message: info.message,
      committedAt: info.committedAt,
      ...(input.mirror.workDir !== null && info.committerEmail === UNCOMMITTED_EMAIL
        ? { uncommitted: true as const }
        : {}),
    },
    instance: merged.instance,
    pipelines: merged.pipelines,
    diagnostics: merged.diagnostics,
  };
  return { ...content, takenAt: now, digest: snapshotDigest(content), conditions: [] };
}

function guardTag({ settings, tagAt }: ReconcileInput, head: string): void {
  if (tagAt === undefined || tagAt.length === 0 || tagAt.includes(head)) return;
  const [from, to] = [tagAt[0]!.slice(0, 12), head.slice(0, 12)];
  throw new OperationalError(
    'GIT_TAG_MOVED',
    `the tag "${refText(settings.ref)}" was moved from ${from} to ${to}`,
    { next: 'stalled', hint: `to take it: elt pin ${to}, then elt resume; ${from} is served until then` },
  );
}

/** A vanished pipelines directory is far more often a mistake than a wish (fault G6). */
async function guardDirectory(
  input: ReconcileInput,
  commit: string,
  entries: readonly TreeEntry[],
  objects: ObjectReader,
): Promise<void> {
  const directory = input.settings.pipelinesDirectory;
  if (directory === '' || entries.some((entry) => entry.path === directory && entry.type === 'tree')) return;
  if (input.allowPrune) return;
  const files = (await objects.list(commit)).filter((entry) => entry.type !== 'tree');
  const found = suggestPipelinesDirectory(files.map((entry) => entry.path));
  const place = found === null ? '' : `=${found === '' ? '.' : found} (pipelines are there)`;
  const kept = input.previous === null ? '' : '; what was served before still is';
  throw new OperationalError(
    'PIPELINES_DIRECTORY_MISSING',
    `the repository has no folder "${directory}" at commit ${commit.slice(0, 12)}`,
    { hint: `push it, or set ELT_PIPELINES_DIR${place}${kept}` },
  );
}

function guardPrune({ previous, allowPrune }: ReconcileInput, next: Snapshot): void {
  const before = previous?.pipelines.length ?? 0;
  if (before === 0 || next.pipelines.length > 0 || allowPrune) return;
  throw new OperationalError('PRUNE_GUARD', `the commit would remove all ${before} pipelines`, {
    hint: 'push them again, or confirm with: elt refresh --allow-prune',
  });
}
