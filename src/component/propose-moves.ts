import type { Diagnostic } from '../lib/diagnostics.ts';
import type { PipelineState } from '../state/snapshot.ts';

const CODE = 'PIPELINE_MOVED';

/** The proposal about a pipeline among the diagnostics, with the folder that it came from. */
export function proposedMove(
  diagnostics: readonly Diagnostic[],
  pipeline: string,
): { readonly diagnostic: Diagnostic; readonly fromDir: string } | null {
  const diagnostic = diagnostics.find((one) => one.code === CODE && one.pipeline === pipeline);
  return diagnostic?.path === undefined ? null : { diagnostic, fromDir: diagnostic.path };
}

/**
 * A folder that is gone and a new one with the very same files are most likely one that was moved; only its author can
 * tell, so it is proposed. A proposal stays until the folder is touched, or its old place is filled again.
 */
export function proposeMoves(
  previous: readonly PipelineState[],
  previousDiagnostics: readonly Diagnostic[],
  pipelines: readonly PipelineState[],
): readonly Diagnostic[] {
  const before = new Map(previous.map((pipeline) => [pipeline.name, pipeline]));
  const names = new Set(pipelines.map(({ name }) => name));
  const dirs = new Set(pipelines.map(({ config }) => config.dir));
  const gone = Map.groupBy(
    previous.filter(({ name, config }) => !names.has(name) && !dirs.has(config.dir)),
    ({ code }) => code.treeId,
  );
  const isNew = pipelines.filter(({ name, config }) => !before.has(name) && config.movedFrom === undefined);
  const come = Map.groupBy(isNew, ({ code }) => code.treeId);
  const found = isNew.flatMap((pipeline) => {
    const { treeId } = pipeline.code;
    const origin = gone.get(treeId) ?? [];
    // Two that are the same: nobody can tell which is which.
    return origin.length === 1 && come.get(treeId)?.length === 1 ? [proposal(origin[0]!, pipeline)] : [];
  });
  const open = previousDiagnostics.filter(({ code, pipeline, path }) => {
    if (code !== CODE) return false;
    const now = pipelines.find(({ name }) => name === pipeline);
    const isUntouched = now !== undefined && now.code.treeId === before.get(now.name)?.code.treeId;
    return isUntouched && !dirs.has(path ?? '');
  });
  return [...open, ...found];
}

/** `path` is the folder that it came from: by it a proposal knows that the place is filled again. */
function proposal(from: PipelineState, to: PipelineState): Diagnostic {
  const { file, line, column } = to.config.source;
  return {
    code: CODE,
    severity: 'warning',
    message: `${to.config.dir} has the very files of ${from.config.dir}, which is gone: as ${to.name} it begins without history`,
    file,
    line,
    column,
    hint: `to keep runs, partitions and schedule state of ${from.name}: elt moves accept ${to.name}, or add to its dagster.yaml: moved_from: ${from.config.dir}`,
    path: from.config.dir,
    pipeline: to.name,
  };
}
