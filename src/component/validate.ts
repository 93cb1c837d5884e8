import { existsSync } from 'node:fs';
import path from 'node:path';
import { buildDefinitions } from '../definitions/build.ts';
import type { Definitions } from '../definitions/definitions.ts';
import { DEFAULT_INSTANCE } from '../discovery/config/instance-config.ts';
import { createDiscoverCache, type DiscoverInput, discoverStatic } from '../discovery/discover.ts';
import { compareDiagnostics, type Diagnostic } from '../lib/diagnostics.ts';
import { OperationalError } from '../lib/errors.ts';
import { mergeRevision } from './merge-revision.ts';
import { readWorkingCopy } from './working-copy.ts';

export interface Validation {
  readonly definitions: Definitions;
  /** Everything that a push of these files would report, sorted. */
  readonly diagnostics: readonly Diagnostic[];
  /** Pipelines whose assets only a run of their code can tell. */
  readonly pending: readonly string[];
  readonly pipelinesDirectory: string;
}

/**
 * Checks a working copy without Git, service or running anything of it.
 * @param dir root of the repository, or the pipelines folder itself
 * Throws `PIPELINES_DIRECTORY_MISSING` when the path is no folder.
 */
export async function validateWorkingCopy(options: {
  readonly dir: string;
  readonly pipelinesDirectory: string;
  readonly environment: DiscoverInput['environment'];
}): Promise<Validation> {
  const { dir, environment } = options;
  if (!existsSync(dir)) {
    throw new OperationalError('PIPELINES_DIRECTORY_MISSING', `${dir} does not exist`, {
      hint: 'name the root of a pipelines repository',
    });
  }
  const pipelinesDirectory = existsSync(path.join(dir, options.pipelinesDirectory))
    ? options.pipelinesDirectory
    : '';
  const copy = readWorkingCopy(dir, pipelinesDirectory, { ids: 'place' });
  const output = await discoverStatic({
    component: 'working_copy',
    commit: '',
    pipelinesDirectory,
    ...copy,
    results: new Map(),
    cache: createDiscoverCache(),
    previous: [],
    environment,
  });
  const { pipelines, instance, diagnostics } = mergeRevision([], DEFAULT_INSTANCE, output);
  const content = {
    version: 1 as const,
    component: 'working_copy',
    repo: { url: '', branch: '', commit: '', author: '', message: '', committedAt: 0 },
    instance,
    pipelines,
    diagnostics,
  };
  // Nobody compares this snapshot with another one.
  const snapshot = { ...content, takenAt: 0, digest: '', conditions: [] };
  const built = buildDefinitions([{ component: 'working_copy', revisionId: 0, snapshot }]);
  return {
    definitions: built.definitions,
    diagnostics: [...diagnostics, ...built.diagnostics].sort(compareDiagnostics),
    pending: output.jobs.filter(({ kind }) => kind !== 'environment').map(({ pipeline }) => pipeline),
    pipelinesDirectory,
  };
}
