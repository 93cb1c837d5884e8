import type { CodeSource } from '../../git/code-source.ts';
import type { Environments } from '../../runners/environment.ts';
import type { DiscoveryJob, DiscoveryResult } from '../discover.ts';

export interface DiscoveryJobDeps {
  readonly code: CodeSource;
  readonly environments: Environments;
  /** Folder for throw-away directories, on the machine's disk; made if it is missing. */
  readonly workRoot: string;
  /** Folder that holds the `elt_runner` package. */
  readonly runnerPackage: string;
  readonly signal: AbortSignal;
}

/**
 * Runs one background job in the folder's own environment: network off, no secret, 30 seconds for a dlt script, 120 for
 * `dbt parse`. What goes wrong in the user's code is a `failed` result with diagnostics. Rejects with `OperationalError`
 * for what is not the folder's fault (`GIT_CORRUPT`, `DISK_FULL`, `PYTHON_NOT_FOUND`), and with the signal's reason.
 */
export declare function runDiscoveryJob(job: DiscoveryJob, deps: DiscoveryJobDeps): Promise<DiscoveryResult>;
