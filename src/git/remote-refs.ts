import { OperationalError } from '../lib/errors.ts';
import type { RemoteUrl } from './remote-url.ts';

export type GitRef =
  | { readonly kind: 'branch'; readonly name: string }
  | { readonly kind: 'tag'; readonly name: string }
  | { readonly kind: 'commit'; readonly sha: string };

/** The ref as git names it in a refspec. */
export function refSource(ref: GitRef): string {
  if (ref.kind === 'commit') return ref.sha;
  return `refs/${ref.kind === 'branch' ? 'heads' : 'tags'}/${ref.name}`;
}

/**
 * The commit of a branch or tag in the output of `git ls-remote`.
 * Throws `REPOSITORY_EMPTY` or `GIT_BRANCH_NOT_FOUND`, with the names that there are.
 */
export function pickRef(
  ref: Exclude<GitRef, { kind: 'commit' }>,
  listing: string,
  remote: RemoteUrl,
): string {
  const refs = new Map<string, string>();
  for (const line of listing.split('\n')) {
    const [oid, name] = line.split('\t');
    if (oid !== undefined && name !== undefined) refs.set(name, oid);
  }
  const full = refSource(ref);
  const commit = refs.get(`${full}^{}`) ?? refs.get(full);
  if (commit !== undefined) return commit;
  if (refs.size === 0) {
    throw new OperationalError('REPOSITORY_EMPTY', `${remote.url} has no commit yet`, {
      next: 'stalled',
      hint: `push a first commit to the branch ${ref.name}`,
    });
  }
  const prefix = ref.kind === 'branch' ? 'refs/heads/' : 'refs/tags/';
  const names = [...refs.keys()].filter((name) => name.startsWith(prefix) && !name.endsWith('^{}'));
  const some = names.slice(0, 8).map((name) => name.slice(prefix.length));
  throw new OperationalError('GIT_BRANCH_NOT_FOUND', `${remote.url} has no ${ref.kind} "${ref.name}"`, {
    next: 'stalled',
    hint: some.length === 0 ? 'check ELT_REPO_BRANCH' : `it has ${some.join(', ')}: set ELT_REPO_BRANCH`,
  });
}
