import type { ComponentStatus } from '../../component/component.ts';
import type { AppDeps } from '../app-deps.ts';
import type { Component } from '../contract/component.ts';
import { allDiagnostics } from './all-diagnostics.ts';
import { componentView } from './component-view.ts';
import { diagnosticViews } from './diagnostic-view.ts';
import { viewContext } from './view-context.ts';

/** A repository with the lines of its mistakes and what its newest revision changed. */
export async function componentViewOf(deps: AppDeps, status: ComponentStatus): Promise<Component> {
  const { components, store, settings } = deps;
  const diagnostics = await diagnosticViews(
    viewContext(deps),
    components,
    allDiagnostics(components).filter((placed) => placed.component === status.name),
  );
  const { lastApplied } = status;
  const revision =
    lastApplied === null ? null : await store.components.revision(status.name, lastApplied.revisionId);
  return componentView(status, { demo: settings.demo, diagnostics, summary: revision?.summary ?? null });
}
