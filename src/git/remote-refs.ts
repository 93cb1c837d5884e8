import { maxSatisfying } from 'semver';
import { OperationalError } from '../lib/errors.ts';
import type { RemoteUrl } from './remote-url.ts';

export type GitRef =
  | { readonly kind: 'branch'; readonly name: string }
  | { readonly kind: 'tag'; readonly name: string }
  /** The newest tag that a range of versions allows: `>=1.2 <2`. Tags may begin with `v`. */
  | { readonly kind: 'semver'; readonly range: string }
  | { readonly kind: 'commit'; readonly sha: string };

/** The ref as git names it in a refspec. */
export function refSource(ref: Exclude<GitRef, { kind: 'semver' }>): string {
  if (ref.kind === 'commit') return ref.sha;
  return `refs/${ref.kind === 'branch' ? 'heads' : 'tags'}/${ref.name}`;
}

/** What a ref means on the remote now. */
export interface PickedRef {
  /** `refs/heads/main`. */
  readonly name: string;
  readonly commit: string;
}

/**
 * The commit of a branch, tag or range of versions in the output of `git ls-remote`.
 * Throws `REPOSITORY_EMPTY` or `GIT_BRANCH_NOT_FOUND`, with the names that there are.
 */
export function pickRef(
  ref: Exclude<GitRef, { kind: 'commit' }>,
  listing: string,
  remote: RemoteUrl,
): PickedRef {
  const refs = new Map<string, string>();
  for (const line of listing.split('\n')) {
    const [oid, name] = line.split('\t');
    if (oid !== undefined && name !== undefined) refs.set(name, oid);
  }
  const prefix = ref.kind === 'branch' ? 'refs/heads/' : 'refs/tags/';
  const names = [...refs.keys()]
    .filter((name) => name.startsWith(prefix) && !name.endsWith('^{}'))
    .map((name) => name.slice(prefix.length));
  const name = ref.kind === 'semver' ? newestIn(ref.range, names) : refSource(ref);
  const commit = name === null ? undefined : (refs.get(`${name}^{}`) ?? refs.get(name));
  if (name !== null && commit !== undefined) return { name, commit };
  if (refs.size === 0) {
    throw new OperationalError('REPOSITORY_EMPTY', `${remote.url} has no commit yet`, {
      next: 'stalled',
      hint:
        ref.kind === 'branch'
          ? `push a first commit to the branch ${ref.name}`
          : 'push a first commit and tag',
    });
  }
  throw new OperationalError('GIT_BRANCH_NOT_FOUND', `${remote.url} has no ${wanted(ref)}`, {
    next: 'stalled',
    hint: hintOf(ref, names),
  });
}

/** Versions as semver.org orders them; a pre-release counts only where the range names one. */
function newestIn(range: string, tags: readonly string[]): string | null {
  const newest = maxSatisfying(tags as string[], range);
  return newest === null ? null : `refs/tags/${newest}`;
}

function wanted(ref: Exclude<GitRef, { kind: 'commit' }>): string {
  return ref.kind === 'semver' ? `tag in the range "${ref.range}"` : `${ref.kind} "${ref.name}"`;
}

function hintOf(ref: Exclude<GitRef, { kind: 'commit' }>, names: readonly string[]): string {
  const setting = { branch: 'ELT_REPO_BRANCH', tag: 'repo_tag', semver: 'repo_semver' }[ref.kind];
  const some = names.slice(0, 8).join(', ');
  return names.length === 0 ? `check ${setting}` : `it has ${some}: set ${setting}`;
}
