import type { DiscoverOutput } from '../discovery/discover.ts';
import { compareDiagnostics, type Diagnostic } from '../lib/diagnostics.ts';
import { sameValue } from '../lib/same-value.ts';
import type { InstanceConfig, PipelineState } from '../state/snapshot.ts';

export interface MergedRevision {
  /** Sorted by name. */
  readonly pipelines: readonly PipelineState[];
  readonly instance: InstanceConfig;
  /** Sorted. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Lays what a commit has over what was served (law 2): a broken folder keeps its last good state as `held`, or stays
 * absent if it never had one; a folder that is gone is gone; of two that claim one asset key the older holder keeps it.
 * A folder whose meaning did not change keeps its state object and with it the commit that brought it.
 */
export function mergeRevision(
  previous: readonly PipelineState[],
  lastInstance: InstanceConfig,
  output: Pick<DiscoverOutput, 'folders' | 'diagnostics' | 'instance'>,
): MergedRevision {
  const before = new Map(previous.map((pipeline) => [pipeline.name, pipeline]));
  const byFolder = new Map(previous.map((pipeline) => [pipeline.code.dir, pipeline]));
  const merged = new Map<string, PipelineState>();
  for (const folder of output.folders) {
    if (!folder.ok) continue;
    const old = before.get(folder.state.name);
    merged.set(folder.state.name, old === undefined ? folder.state : unchanged(old, folder.state));
  }
  for (const folder of output.folders) {
    // By folder: a broken file does not always tell the name, and a second folder may claim the same one.
    const old = folder.ok ? undefined : byFolder.get(folder.dir);
    if (old === undefined || merged.has(old.name) || (!folder.ok && folder.neverGood)) continue;
    merged.set(old.name, held(old));
  }
  const diagnostics = [...output.diagnostics, ...settleDuplicates(merged, before)];
  return {
    pipelines: [...merged.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    instance: output.instance ?? lastInstance,
    diagnostics: diagnostics.sort(compareDiagnostics),
  };
}

/** No job is under way for what a broken folder had before: nothing would ever end its waiting. */
function held(state: PipelineState): PipelineState {
  const { discovery } = state;
  if (discovery.status === 'pending') {
    return { ...state, status: 'held', discovery: { ...discovery, status: 'failed' } };
  }
  return state.status === 'held' ? state : { ...state, status: 'held' };
}

function unchanged(old: PipelineState, now: PipelineState): PipelineState {
  if (old === now) return old;
  if (old.status !== now.status || old.code.treeId !== now.code.treeId) return now;
  return sameValue(old, { ...now, code: { ...now.code, commit: old.code.commit } }) ? old : now;
}

/**
 * Takes pipelines back until no asset key has two holders. Who held a key before keeps it; of two new ones the first
 * folder does. A loser goes back to its last good state, or out. Each round takes back at least one, so it ends.
 */
function settleDuplicates(
  merged: Map<string, PipelineState>,
  before: ReadonlyMap<string, PipelineState>,
): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (;;) {
    const conflict = firstConflict(merged, before);
    if (conflict === null) return diagnostics;
    const { winner, loser, key } = conflict;
    diagnostics.push(...duplicate(key, winner, loser));
    const old = before.get(loser.name);
    if (old === undefined || old.assets === loser.assets || claims(old, key)) merged.delete(loser.name);
    else merged.set(loser.name, held(old));
  }
}

function firstConflict(
  merged: ReadonlyMap<string, PipelineState>,
  before: ReadonlyMap<string, PipelineState>,
): { winner: PipelineState; loser: PipelineState; key: string } | null {
  const holders = new Map<string, PipelineState>();
  for (const pipeline of [...merged.values()].sort((a, b) => (a.code.dir < b.code.dir ? -1 : 1))) {
    for (const { key } of pipeline.assets) {
      const other = holders.get(key);
      if (other === undefined || other === pipeline) {
        holders.set(key, pipeline);
        continue;
      }
      const heldBefore = (candidate: PipelineState): boolean => {
        const old = before.get(candidate.name);
        return old !== undefined && claims(old, key);
      };
      const later = heldBefore(pipeline) && !heldBefore(other);
      return later ? { winner: pipeline, loser: other, key } : { winner: other, loser: pipeline, key };
    }
  }
  return null;
}

function claims(pipeline: PipelineState, key: string): boolean {
  return pipeline.assets.some((asset) => asset.key === key);
}

/** Both are flagged: neither side can miss it. */
function duplicate(key: string, winner: PipelineState, loser: PipelineState): Diagnostic[] {
  const about = (
    pipeline: PipelineState,
    other: PipelineState,
    severity: Diagnostic['severity'],
    end: string,
  ): Diagnostic => ({
    code: 'ASSET_DUPLICATE',
    severity,
    message: `the asset "${key}" is also made by ${other.code.dir}; ${end}`,
    file: pipeline.config.source.file,
    line: pipeline.config.source.line,
    column: pipeline.config.source.column,
    hint: 'rename one of the two folders or assets',
    pipeline: pipeline.name,
  });
  return [
    about(winner, loser, 'warning', `${winner.code.dir} keeps it`),
    about(loser, winner, 'error', `${winner.code.dir} keeps it`),
  ];
}
