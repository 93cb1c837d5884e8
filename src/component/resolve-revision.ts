import { OperationalError } from '../lib/errors.ts';
import type { ComponentStore, RevisionRow } from '../store/store.ts';

const KEPT = 50;

/**
 * A retained revision by its id, or the newest one of a commit or of the beginning of its id (4 digits or more).
 * Null: there is none. Throws `REVISION_NOT_FOUND` when the beginning fits several commits.
 */
export async function resolveRevision(
  store: Pick<ComponentStore, 'revision' | 'revisions'>,
  component: string,
  revision: number | string,
): Promise<RevisionRow | null> {
  if (typeof revision === 'number' || /^\d{1,9}$/.test(revision)) {
    const row = await store.revision(component, Number(revision));
    if (row !== null || typeof revision === 'number') return row;
  }
  if (!/^[0-9a-f]{4,64}$/.test(revision)) return null;
  const rows = await store.revisions(component, { limit: KEPT * 2 });
  const found = rows.filter(({ commit }) => commit.startsWith(revision));
  const commits = new Set(found.map(({ commit }) => commit));
  if (commits.size > 1) {
    throw new OperationalError('REVISION_NOT_FOUND', `"${revision}" begins several commits`, {
      hint: `write more of it: ${[...commits].map((commit) => commit.slice(0, 12)).join(', ')}`,
    });
  }
  return found[0] ?? null;
}

export function revisionNotFound(component: string, revision: number | string): OperationalError {
  return new OperationalError(
    'REVISION_NOT_FOUND',
    `${component} has no revision "${revision}" among the last ${KEPT}`,
    { hint: 'elt history shows them' },
  );
}
