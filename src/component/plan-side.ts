import { refText } from '../config/ref-text.ts';
import type { ComponentSettings, Settings } from '../config/settings.ts';
import { DEFAULT_INSTANCE } from '../discovery/config/instance-config.ts';
import {
  type DiscoverCache,
  type DiscoveryResult,
  discoverStatic,
  type RepositoryFile,
} from '../discovery/discover.ts';
import type { Mirror } from '../git/mirror.ts';
import type { ObjectReader } from '../git/objects.ts';
import type { Peek } from '../git/peek.ts';
import { OperationalError } from '../lib/errors.ts';
import { invariant } from '../lib/invariant.ts';
import type { PipelineState, Snapshot } from '../state/snapshot.ts';
import type { Store } from '../store/store.ts';
import type { PlanTarget } from './control.ts';
import { mergeRevision } from './merge-revision.ts';
import { resolveRevision, revisionNotFound } from './resolve-revision.ts';
import type { WorkingCopy } from './working-copy.ts';

/** One of the two states that a plan compares. The caller closes it. */
export interface PlanSide {
  readonly snapshot: Snapshot;
  readonly revisionId: number | null;
  /** Null: a working directory. */
  readonly commit: string | null;
  readonly label: string;
  readonly notes: readonly string[];
  /** A file's text there; null: there is none, or it is no text. */
  readFile(path: string): Promise<string | null>;
  /** Object ids of a folder's files by their path in it; null: its tree is not at hand here. */
  filesOf(code: PipelineState['code']): Promise<ReadonlyMap<string, string> | null>;
  close(): Promise<void>;
}

export interface PlanSideDeps {
  readonly settings: ComponentSettings;
  readonly service: Pick<Settings, 'environment' | 'passEnv' | 'alertEnv'>;
  readonly store: Pick<Store, 'components'>;
  /** Asked when a side first needs Git: two kept revisions are compared without it. */
  readonly mirror: () => Mirror;
  readonly served: { readonly revisionId: number; readonly snapshot: Snapshot } | null;
  readonly results: ReadonlyMap<string, DiscoveryResult>;
  readonly cache: DiscoverCache;
  readonly signal: AbortSignal;
}

/** Files of a ref; beyond it is no pipelines repository, or one that is meant to do harm. */
const MOST_FILES = 500_000;
const LARGEST_TEXT = 1_000_000;

/** What is served now; null: nothing yet. */
export function servedSide(deps: PlanSideDeps): PlanSide | null {
  const { served } = deps;
  return served === null ? null : keptSide(deps, served.revisionId, served.snapshot, 'served');
}

/**
 * Reads one state of a component. Nothing of it is run, no tree is made, nothing is applied (law 10).
 * @param previous what it would take the place of: broken folders stay at that, and what did not change is not read again
 * Throws `REVISION_NOT_FOUND`, `PIPELINES_DIRECTORY_MISSING`, `REQUEST_INVALID` and Git's errors.
 */
export async function openPlanSide(
  deps: PlanSideDeps,
  target: PlanTarget,
  previous: Snapshot | null,
): Promise<PlanSide> {
  switch (target.kind) {
    case 'revision': {
      const row = await resolveRevision(deps.store.components, deps.settings.name, target.revision);
      const snapshot = row === null ? null : await deps.store.components.snapshot(row.revisionId);
      if (row === null || snapshot === null) throw revisionNotFound(deps.settings.name, target.revision);
      return keptSide(deps, row.revisionId, snapshot, `revision ${row.revisionId}`);
    }
    case 'directory':
      return directorySide(deps, target.label, target.copy, previous);
    case 'ref':
      return commitSide(deps, await deps.mirror().peek(target.ref, deps.signal), target.ref, previous);
    case 'head': {
      const { ref } = deps.settings;
      return commitSide(deps, await deps.mirror().peek(ref, deps.signal), refText(ref), previous);
    }
  }
}

function keptSide(deps: PlanSideDeps, revisionId: number, snapshot: Snapshot, label: string): PlanSide {
  const { commit } = snapshot.repo;
  let objects: ObjectReader | null | undefined;
  async function reader(): Promise<ObjectReader | null> {
    if (objects !== undefined) return objects;
    const mirror = deps.mirror();
    objects = (await mirror.has(commit)) ? mirror.objects() : null;
    return objects;
  }
  return {
    snapshot,
    revisionId,
    commit,
    label,
    notes: [],
    readFile: async (path) => {
      const found = await reader();
      return found === null ? null : textOf(await found.file(commit, path));
    },
    filesOf: async ({ treeId }) => {
      const found = await reader();
      return found === null ? null : treeFiles(found, treeId);
    },
    close: () => Promise.resolve(objects?.close()),
  };
}

async function treeFiles(objects: ObjectReader, treeId: string): Promise<ReadonlyMap<string, string> | null> {
  if (!(await objects.exists(treeId))) return null;
  const entries = await objects.list(treeId);
  return new Map(entries.flatMap(({ type, path, oid }) => (type === 'tree' ? [] : [[path, oid]])));
}

async function commitSide(
  deps: PlanSideDeps,
  peek: Peek,
  label: string,
  previous: Snapshot | null,
): Promise<PlanSide> {
  try {
    const { objects, commit } = peek;
    const directory = deps.settings.pipelinesDirectory;
    const [info, entries] = await Promise.all([
      objects.commit(commit),
      objects.list(commit, directory === '' ? [] : [directory, 'dagster.yaml']),
    ]);
    if (entries.length > MOST_FILES)
      throw new OperationalError('REQUEST_INVALID', `${label} has more than ${MOST_FILES} files`);
    const trees = new Map(entries.filter(({ type }) => type === 'tree').map(({ path, oid }) => [path, oid]));
    if (directory !== '' && !trees.has(directory))
      throw new OperationalError('PIPELINES_DIRECTORY_MISSING', `${label} has no folder "${directory}"`, {
        hint: 'a refresh would refuse it and keep what is served',
      });
    const reading = readSide(deps, previous, commit, {
      files: entries.filter(({ type }) => type !== 'tree'),
      readBlob: (oid) => objects.blob(oid),
      folderTreeId(dir) {
        const oid = trees.get(dir);
        invariant(oid !== undefined, `the folder ${dir} was not listed`);
        return oid;
      },
    });
    const [read, lacking] = await Promise.all([reading, behind(peek, label, previous)]);
    const { author, message, committedAt } = info;
    const { url } = previous?.repo ?? { url: '' };
    return {
      ...read,
      snapshot: {
        ...read.snapshot,
        repo: { url, branch: label, commit, author, message, committedAt },
      },
      revisionId: null,
      commit,
      label,
      notes: [...read.notes, ...lacking],
      // What it would take the place of is here too: its objects are borrowed.
      filesOf: async (code) => (await read.filesOf(code)) ?? treeFiles(objects, code.treeId),
      readFile: async (path) => textOf(await objects.file(commit, path)),
      close: () => peek.close(),
    };
  } catch (error) {
    await peek.close();
    throw error;
  }
}

/** What a branch lacks shows as taken back: its author has to know that. */
async function behind(peek: Peek, label: string, previous: Snapshot | null): Promise<string[]> {
  if (previous === null || previous.repo.commit === peek.commit) return [];
  const live = previous.repo.commit;
  if (await peek.history.isAncestor(live, peek.commit)) return [];
  return [
    `${label} does not hold the commit ${live.slice(0, 12)} that it is compared with: what came with that shows as taken back`,
  ];
}

async function directorySide(
  deps: PlanSideDeps,
  label: string,
  copy: WorkingCopy,
  previous: Snapshot | null,
): Promise<PlanSide> {
  const oids = new Map(copy.files.map(({ path, oid }) => [path, oid]));
  return {
    ...(await readSide(deps, previous, '', copy)),
    revisionId: null,
    commit: null,
    label,
    readFile: async (path) => {
      const oid = oids.get(path);
      return oid === undefined ? null : textOf(await copy.readBlob(oid));
    },
    close: () => Promise.resolve(),
  };
}

interface Listing {
  readonly files: readonly RepositoryFile[];
  readBlob(oid: string): Promise<Uint8Array>;
  folderTreeId(dir: string): string;
}

async function readSide(
  deps: PlanSideDeps,
  previous: Snapshot | null,
  commit: string,
  listing: Listing,
): Promise<Pick<PlanSide, 'snapshot' | 'notes' | 'filesOf'>> {
  const { settings, service } = deps;
  const output = await discoverStatic({
    ...listing,
    component: settings.name,
    commit,
    pipelinesDirectory: settings.pipelinesDirectory,
    results: deps.results,
    cache: deps.cache,
    previous: previous?.pipelines ?? [],
    environment: {
      names: new Set(Object.keys(service.environment)),
      passEnv: service.passEnv,
      alertEnv: service.alertEnv,
    },
    ahead: { diagnostics: previous?.diagnostics ?? [] },
  });
  const before = previous?.pipelines ?? [];
  const merged = mergeRevision(before, previous?.instance ?? DEFAULT_INSTANCE, output);
  const repo = { url: '', branch: '', commit, author: '', message: '', committedAt: 0 };
  return {
    // Nobody compares this snapshot's digest with another one.
    snapshot: {
      version: 1,
      component: settings.name,
      repo,
      takenAt: 0,
      digest: '',
      conditions: [],
      ...merged,
    },
    notes: notesOf(before, merged.pipelines),
    filesOf: async ({ commit: of, dir }) => {
      if (of !== commit) return null;
      const inside = listing.files.filter(({ path }) => path.startsWith(`${dir}/`));
      return new Map(inside.map(({ path, oid }) => [path.slice(dir.length + 1), oid]));
    },
  };
}

function notesOf(before: readonly PipelineState[], after: readonly PipelineState[]): string[] {
  const known = new Set(before.map(({ name, code }) => `${name} ${code.treeId}`));
  const notes = after
    .filter(
      ({ name, code, discovery }) => discovery.status === 'pending' && !known.has(`${name} ${code.treeId}`),
    )
    .map(({ name, config }) => {
      const how = config.tool === 'dbt' ? 'dbt parse tells them' : 'its code tells them when it runs';
      return `the assets of ${name} are known after merge: ${how}`;
    });
  if (before.length > 0 && after.length === 0)
    notes.push(`all ${before.length} pipelines would go: a refresh refuses that (PRUNE_GUARD)`);
  return notes;
}

function textOf(content: Uint8Array | null): string | null {
  if (content === null || content.length > LARGEST_TEXT || content.includes(0)) return null;
  return Buffer.from(content).toString('utf8');
}
