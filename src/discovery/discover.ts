import type { Diagnostic } from '../lib/diagnostics.ts';
import { compareDiagnostics, hasErrors } from '../lib/diagnostics.ts';
import type { CodeRef } from '../state/code-ref.ts';
import type { DiscoveredAsset, InstanceConfig, PipelineState } from '../state/snapshot.ts';
import { settleClaims } from './claims.ts';
import { missingAlertVariables } from './config/alert-variables.ts';
import { ConfigReader } from './config/config-reader.ts';
import { DEFAULT_INSTANCE, readInstanceConfig } from './config/instance-config.ts';
import { finishFolder } from './finish-folder.ts';
import { type FolderSource, loadFolder } from './folder-source.ts';
import type { PipelineConfig } from './pipeline-config.ts';
import type { FolderReading } from './read-folder.ts';
import type { Candidate } from './scan.ts';
import { scanRepository } from './scan.ts';
import { parseYaml } from './yaml/parse-yaml.ts';

/** One entry of the commit's tree, as `git ls-tree -r -l` gives it. */
export interface RepositoryFile {
  /** From the repository's root, `/`-separated, never quoted. */
  readonly path: string;
  /** `100644`, `100755`, `120000` (symbolic link) or `160000` (submodule). */
  readonly mode: string;
  readonly oid: string;
  /** Bytes; 0 for a submodule. */
  readonly size: number;
}

/** What static reading of a folder gave, kept by the caller from one call to the next. Opaque outside this folder. */
export interface DiscoverCache {
  readonly folders: Map<string, unknown>;
}

export interface DiscoverInput {
  readonly component: string;
  readonly commit: string;
  /** `pipelines`; '' or '.' is the whole repository. */
  readonly pipelinesDirectory: string;
  /** Every entry below the pipelines directory and the `dagster.yaml` at the root (more does no harm). */
  readonly files: readonly RepositoryFile[];
  readBlob(oid: string): Promise<Uint8Array>;
  /** Tree object id of a folder that has at least one entry in `files`. */
  folderTreeId(dir: string): string;
  /** Results of background jobs by `inputsDigest`; they survive restarts and are never edited. */
  readonly results: ReadonlyMap<string, DiscoveryResult>;
  readonly cache: DiscoverCache;
  /** What was served before, held folders included: older holders keep names, and assets serve while a job is pending. */
  readonly previous: readonly PipelineState[];
  /** Names only: variables that the service has, and those that `ELT_PASS_ENV` hands to steps. */
  readonly environment: {
    readonly names: ReadonlySet<string>;
    readonly passEnv: readonly string[];
    /** Those that `ELT_ALERT_ENV` hands to alerts. */
    readonly alertEnv?: readonly string[];
  };
  /**
   * Nothing will be served from this: a look ahead. What the commit says counts although its job has not run (the assets
   * that are known stay), and a folder whose tree `previous` has is taken from there without being read. `diagnostics` are
   * those of `previous`.
   */
  readonly ahead?: { readonly diagnostics: readonly Diagnostic[] };
}

export type FolderOutcome =
  | { readonly ok: true; readonly state: PipelineState; readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly ok: false;
      readonly name: string;
      readonly dir: string;
      readonly diagnostics: readonly Diagnostic[];
      /** What was served of it was a guess until its job had run, and the job says that it is broken. */
      readonly neverGood?: boolean;
    };

export interface DiscoverOutput {
  /**
   * One for each pipeline folder of the commit, sorted by name, then folder. A folder whose job is still to run and that
   * was served before comes as it was (its earlier code and settings), with `discovery.status` `pending`.
   */
  readonly folders: readonly FolderOutcome[];
  /** Everything: of folders, of the repository as a whole, of the root's `dagster.yaml`; sorted. */
  readonly diagnostics: readonly Diagnostic[];
  /** null: the root's `dagster.yaml` has errors and the last good one goes on; without the file: the defaults. */
  readonly instance: InstanceConfig | null;
  /** What has to run in the background; their results re-enter through `results`. */
  readonly jobs: readonly DiscoveryJob[];
  /** How many folders had to be parsed, because their tree was not in the cache. */
  readonly read: number;
}

/** Work that needs the folder's Python environment; plain data. */
export interface DiscoveryJob {
  /** `environment`: the assets are known, and it is to be seen whether what the folder requires can be had. */
  readonly kind: 'dlt_recorded' | 'dbt_parse' | 'environment';
  /** Equal inputs give equal results: one job serves every commit that has it. */
  readonly inputsDigest: string;
  readonly pipeline: string;
  readonly code: CodeRef;
  readonly config: PipelineConfig;
}

/** Plain JSON: the caller stores it by `inputsDigest`. */
export interface DiscoveryResult {
  readonly inputsDigest: string;
  readonly kind: DiscoveryJob['kind'];
  readonly status: 'complete' | 'failed';
  readonly envKey?: string;
  readonly assets: readonly DiscoveredAsset[];
  readonly diagnostics: readonly Diagnostic[];
}

export function createDiscoverCache(): DiscoverCache {
  return { folders: new Map() };
}

/**
 * Reads every pipeline folder of a commit without running anything of it. Users' mistakes come back as diagnostics;
 * it rejects only with what `readBlob` and `folderTreeId` throw. A folder whose tree is in the cache is not read again.
 */
export async function discoverStatic(input: DiscoverInput): Promise<DiscoverOutput> {
  const scan = scanRepository(input.files, input.pipelinesDirectory);
  const previous = new Map(input.previous.map((state) => [state.config.dir, state]));
  const known =
    input.ahead === undefined
      ? new Map<string, FolderOutcome>()
      : knownFolders(scan.candidates, previous, input);
  const unread = scan.candidates.filter(({ dir }) => !known.has(dir));
  const { readings, parsed } = await readFolders(unread, input);
  const jobs: DiscoveryJob[] = [];
  const read = readings.map(({ candidate, treeId, reading }): FolderOutcome => {
    if (!reading.ok) {
      // A broken file does not always tell the tool: the name that it was served by, or the folder's.
      const name = previous.get(candidate.dir)?.name ?? candidate.name;
      const diagnostics = reading.diagnostics.map((one) => ({ ...one, pipeline: name }));
      return { ok: false, name, dir: candidate.dir, diagnostics };
    }
    const code: CodeRef = {
      component: input.component,
      commit: input.commit,
      dir: candidate.dir,
      treeId,
      contentDigest: reading.contentDigest,
    };
    const outcome = finishFolder(reading, code, input, previous.get(candidate.dir));
    if (outcome.job !== null) jobs.push(outcome.job);
    return outcome.folder;
  });
  const present = new Set(scan.candidates.map((candidate) => candidate.dir));
  const inOrder = read.values();
  const outcomes = scan.candidates.map(({ dir }) => known.get(dir) ?? inOrder.next().value!);
  const folders = settleClaims(outcomes, input.previous, present);
  const served = new Set(folders.flatMap((folder) => (folder.ok ? [folder.state.config.dir] : [])));
  const root = await readInstance(input);
  const diagnostics = [
    ...scan.diagnostics,
    ...root.diagnostics,
    ...folders.flatMap((one) => one.diagnostics),
  ];
  return {
    folders,
    diagnostics: diagnostics.sort(compareDiagnostics),
    instance: root.instance,
    jobs: jobs.filter((job) => served.has(job.code.dir)),
    read: parsed,
  };
}

/** Told anew for all folders together. */
const CLAIMS: ReadonlySet<string> = new Set(['PIPELINE_DUPLICATE', 'ASSET_DUPLICATE']);

/** Folders whose very tree is served: what was read of it holds. */
function knownFolders(
  candidates: readonly Candidate[],
  previous: ReadonlyMap<string, PipelineState>,
  input: DiscoverInput,
): Map<string, FolderOutcome> {
  const known = new Map<string, FolderOutcome>();
  const told = new Map<string, Diagnostic[]>();
  for (const one of input.ahead?.diagnostics ?? []) {
    if (one.pipeline === undefined || CLAIMS.has(one.code)) continue;
    told.set(one.pipeline, [...(told.get(one.pipeline) ?? []), one]);
  }
  for (const { dir } of candidates) {
    const state = previous.get(dir);
    if (state?.status !== 'current' || state.discovery.status !== 'complete') continue;
    if (state.code.treeId !== input.folderTreeId(dir)) continue;
    known.set(dir, { ok: true, state, diagnostics: told.get(state.name) ?? [] });
  }
  return known;
}

interface ReadFolder {
  readonly candidate: Candidate;
  readonly treeId: string;
  readonly reading: FolderReading;
}

/** Folders that are read at once: enough to keep one `cat-file --batch` busy, few enough to bound memory. */
const AT_ONCE = 32;

async function readFolders(
  candidates: readonly Candidate[],
  input: DiscoverInput,
): Promise<{ readonly readings: readonly ReadFolder[]; readonly parsed: number }> {
  const kept = input.cache.folders as Map<string, FolderReading>;
  const results: ReadFolder[] = [];
  const used = new Set<string>();
  let next = 0;
  let parsed = 0;
  // The readers of all tools, imported when a folder first has to be read: a start at a known commit reads none. Once, not
  // for each folder: asking for a module again is not free.
  let readers: Promise<{ readonly readFolder: (source: FolderSource) => FolderReading }> | undefined;
  const work = async (): Promise<void> => {
    for (let index = next++; index < candidates.length; index = next++) {
      const candidate = candidates[index]!;
      const treeId = input.folderTreeId(candidate.dir);
      const key = `${treeId} ${candidate.dir}`;
      let reading = kept.get(key);
      if (reading === undefined) {
        readers ??= import('./read-folder.ts');
        const { readFolder } = await readers;
        const source = await loadFolder(candidate, treeId, (oid) => input.readBlob(oid));
        reading = readFolder(source);
        kept.set(key, reading);
        parsed += 1;
      }
      used.add(key);
      results[index] = { candidate, treeId, reading };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  // Trees of earlier commits come back on a revert; a bound keeps a year of pushes from piling up.
  if (kept.size > 4 * used.size + 100) for (const key of kept.keys()) if (!used.has(key)) kept.delete(key);
  return { readings: results, parsed };
}

async function readInstance(
  input: DiscoverInput,
): Promise<{ instance: InstanceConfig | null; diagnostics: readonly Diagnostic[] }> {
  const file = input.files.find((one) => one.path === 'dagster.yaml' && one.mode.startsWith('100'));
  if (file === undefined) return { instance: DEFAULT_INSTANCE, diagnostics: [] };
  const parsed = parseYaml(file.path, await input.readBlob(file.oid));
  if (parsed.diagnostics.length > 0) return { instance: null, diagnostics: parsed.diagnostics };
  const reader = new ConfigReader(file.path);
  const instance = readInstanceConfig(reader, parsed.value);
  if (hasErrors(reader.diagnostics)) return { instance: null, diagnostics: reader.diagnostics };
  const missing =
    instance.alerts === undefined ? [] : missingAlertVariables(instance.alerts, input.environment);
  return { instance, diagnostics: [...reader.diagnostics, ...missing] };
}
