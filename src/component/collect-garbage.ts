import type { LocalTrees } from '../git/local-trees.ts';
import type { Mirror } from '../git/mirror.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { EltGithubComponent } from './elt-github-component.ts';

const RETAINED_REVISIONS = 50;
/** A tree that was asked for so recently may belong to a plan that is not in the store yet. */
const GRACE_MS = 60 * 60_000;

/**
 * Removes trees, and lets commits go, that no unfinished run, held folder or retained revision needs. A commit that a
 * force-push took from the branch stays as long as one of its folders' trees is needed (fault G4).
 */
export async function collectGarbage(
  components: readonly EltGithubComponent[],
  trees: LocalTrees,
  store: Store,
  clock: Clock,
): Promise<Readonly<Record<string, number>>> {
  const needed = await store.components.neededTrees();
  let commits = 0;
  for (const component of components) {
    if (component.remote === null) continue;
    const revisions = await store.components.revisions(component.name, { limit: RETAINED_REVISIONS });
    const retained = new Set(revisions.map(({ commit }) => commit));
    for (const { code } of component.buildDefsFromState()?.snapshot.pipelines ?? [])
      retained.add(code.commit);
    const mirror = component.mirror();
    const release: string[] = [];
    for (const commit of await mirror.kept()) {
      if (!retained.has(commit) && !(await holdsNeeded(mirror, commit, needed))) release.push(commit);
    }
    await mirror.release(release);
    commits += release.length;
  }
  return { trees: await trees.collect(needed, clock.now() - GRACE_MS), commits };
}

async function holdsNeeded(mirror: Mirror, commit: string, needed: ReadonlySet<string>): Promise<boolean> {
  const objects = mirror.objects();
  try {
    const entries = await objects.list(commit);
    return entries.some((entry) => entry.type === 'tree' && needed.has(entry.oid));
  } finally {
    objects.close();
  }
}
