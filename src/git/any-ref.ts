import { OperationalError } from '../lib/errors.ts';
import type { PickedRef } from './remote-refs.ts';
import { isRefName, type RemoteUrl } from './remote-url.ts';

const NAMED = 8;

/**
 * What a person means by a ref of a remote, in the output of `git ls-remote`: its full name (`refs/pull/7/head`, `HEAD`), a
 * branch, a tag, a commit by its id or by a beginning of it that a ref has. A whole id need not be any ref's.
 * Throws `REQUEST_INVALID` for what can be no ref, `GIT_BRANCH_NOT_FOUND` for one that is not there.
 */
export function pickAnyRef(text: string, listing: string, remote: RemoteUrl): PickedRef {
  if (!isRefName(text)) throw new OperationalError('REQUEST_INVALID', `"${text}" cannot name a ref`);
  const refs = new Map<string, string>();
  for (const line of listing.split('\n')) {
    const [oid, name] = line.split('\t');
    if (oid !== undefined && name !== undefined) refs.set(name, oid);
  }
  for (const name of [text, `refs/heads/${text}`, `refs/tags/${text}`]) {
    const commit = refs.get(`${name}^{}`) ?? refs.get(name);
    if (commit !== undefined) return { name, commit };
  }
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text)) return { name: text, commit: text };
  if (/^[0-9a-f]{7,63}$/.test(text)) {
    const found = new Set([...refs.values()].filter((oid) => oid.startsWith(text)));
    const [commit] = found;
    if (found.size === 1 && commit !== undefined) return { name: commit, commit };
  }
  const branches = [...refs.keys()].filter((name) => name.startsWith('refs/heads/'));
  const some = branches.slice(0, NAMED).map((name) => name.slice('refs/heads/'.length));
  throw new OperationalError('GIT_BRANCH_NOT_FOUND', `${remote.url} has no branch, tag or commit "${text}"`, {
    next: 'stalled',
    hint: some.length === 0 ? 'it has no branch' : `it has the branches ${some.join(', ')}`,
  });
}
