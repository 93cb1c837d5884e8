import type { EnvironmentConfig } from '../discovery/pipeline-config.ts';

export interface EnvironmentRequest {
  readonly config: EnvironmentConfig;
  /** Read-only tree of the folder: requirements and lock are read there. */
  readonly treeDir: string;
}

export interface Environment {
  /** Digest of Python version, platform and lock; `default-…` for the built-in one. */
  readonly envKey: string;
  /** Absolute path of the interpreter. */
  readonly python: string;
}

export interface EnvironmentProgress {
  readonly envKey: string;
  readonly stage: string;
  readonly message: string;
  readonly status: 'building' | 'ready' | 'failed';
}

/**
 * Python environments, one per lock, shared by every pipeline with an equal one, built once under a file lock.
 * Errors are `OperationalError` `ENVIRONMENT_FAILED` (the tool's own reason in the message) or `PYTHON_NOT_FOUND`.
 */
export interface Environments {
  ensure(request: EnvironmentRequest, signal?: AbortSignal): Promise<Environment>;
  /** Absolute path of the Sling binary, from an environment of its own. */
  sling(signal?: AbortSignal): Promise<string>;
  /** Without building: what is there now. */
  status(): Promise<readonly EnvironmentProgress[]>;
  onProgress(listener: (progress: EnvironmentProgress) => void): () => void;
  /** Interpreter for the supervisor and our own helpers: any Python 3.10–3.13, no packages needed. */
  basePython(): Promise<string>;
}
