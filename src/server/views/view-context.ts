import type { ComponentStatus } from '../../component/component.ts';
import type { Definitions } from '../../definitions/definitions.ts';
import type { CodeRef } from '../../state/code-ref.ts';
import type { AppDeps } from '../app-deps.ts';
import type { Commit } from '../contract/common.ts';
import { codeLink } from './code-link.ts';

/** What one request sees: one set of definitions, one now. */
export interface ViewContext {
  readonly definitions: Definitions;
  readonly now: number;
  readonly components: ReadonlyMap<string, ComponentStatus>;
}

export function viewContext(deps: Pick<AppDeps, 'components' | 'clock'>): ViewContext {
  return {
    definitions: deps.components.definitions(),
    now: deps.clock.now(),
    components: new Map(deps.components.components().map((status) => [status.name, status])),
  };
}

export function timestamp(at: number): string {
  return new Date(at).toISOString();
}

export function timestampOrNull(at: number | null | undefined): string | null {
  return at === null || at === undefined ? null : timestamp(at);
}

export function commitView(
  context: ViewContext,
  code: Pick<CodeRef, 'component' | 'commit'> & { readonly dir?: string },
): Commit {
  return {
    component: code.component,
    commit: code.commit,
    url: linkOf(
      context,
      code.component,
      code.dir === undefined
        ? { commit: code.commit }
        : { commit: code.commit, path: code.dir, kind: 'folder' },
    ),
  };
}

/** A link into a component's repository; null where its host is not known. */
export function linkOf(
  context: ViewContext,
  component: string,
  place: Parameters<typeof codeLink>[1],
): string | null {
  const status = context.components.get(component);
  return status === undefined ? null : codeLink(status.repoUrl, place);
}

/** As set on the page or the CLI, else as Git says. */
