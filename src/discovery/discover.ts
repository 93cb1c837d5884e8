import type { Diagnostic } from '../lib/diagnostics.ts';
import type { CodeRef } from '../state/code-ref.ts';
import type { DiscoveredAsset, InstanceConfig, PipelineState } from '../state/snapshot.ts';
import type { PipelineConfig } from './pipeline-config.ts';

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
  readonly environment: { readonly names: ReadonlySet<string>; readonly passEnv: readonly string[] };
}

export type FolderOutcome =
  | { readonly ok: true; readonly state: PipelineState; readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly ok: false;
      readonly name: string;
      readonly dir: string;
      readonly diagnostics: readonly Diagnostic[];
    };

export interface DiscoverOutput {
  /** One for each pipeline folder of the commit, sorted by name, then folder. `state.status` is always `current`. */
  readonly folders: readonly FolderOutcome[];
  /** Everything: of folders, of the repository as a whole, of the root's `dagster.yaml`; sorted. */
  readonly diagnostics: readonly Diagnostic[];
  /** null: the root's `dagster.yaml` has errors and the last good one goes on; without the file: the defaults. */
  readonly instance: InstanceConfig | null;
  /** What has to run in the background; their results re-enter through `results`. */
  readonly jobs: readonly DiscoveryJob[];
}

/** Work that needs the folder's Python environment; plain data. */
export interface DiscoveryJob {
  readonly kind: 'dlt_recorded' | 'dbt_parse';
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

/**
 * Reads every pipeline folder of a commit without running anything of it. Users' mistakes come back as diagnostics;
 * it rejects only with what `readBlob` and `folderTreeId` throw.
 */
export declare function discoverStatic(input: DiscoverInput): Promise<DiscoverOutput>;
