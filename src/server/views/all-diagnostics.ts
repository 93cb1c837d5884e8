import type { Diagnostic } from '../../lib/diagnostics.ts';
import type { SurfaceComponents } from '../app-deps.ts';

export interface PlacedDiagnostic {
  readonly component: string;
  /** The commit whose file it speaks of. */
  readonly commit: string | null;
  readonly diagnostic: Diagnostic;
}

/**
 * What the snapshots report and what building the definitions of all of them together found; the latter belong to the
 * component of their pipeline.
 */
export function allDiagnostics(components: SurfaceComponents): PlacedDiagnostic[] {
  const statuses = components.components();
  const built = components.definitionDiagnostics();
  const ownerOf = new Map<string, string>();
  for (const { name, snapshot } of statuses) {
    for (const pipeline of snapshot?.pipelines ?? []) {
      if (!ownerOf.has(pipeline.name)) ownerOf.set(pipeline.name, name);
    }
  }
  return statuses.flatMap(({ name, snapshot }) => {
    const commit = snapshot?.repo.commit ?? null;
    const own = built.filter(({ pipeline }) => (ownerOf.get(pipeline ?? '') ?? statuses[0]?.name) === name);
    return [...(snapshot?.diagnostics ?? []), ...own].map((diagnostic) => ({
      component: name,
      commit,
      diagnostic,
    }));
  });
}
