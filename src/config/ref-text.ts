import type { ComponentSettings } from './settings.ts';

/** What people call the ref that a component follows: `main`, `v1.2.0`, `>=1.2 <2`, a commit. */
export function refText(ref: ComponentSettings['ref']): string {
  if (ref.kind === 'commit') return ref.sha;
  return ref.kind === 'semver' ? ref.range : ref.name;
}
